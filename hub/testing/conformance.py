"""The conformance kit: what every connector must do, checked against a sandbox or a real tracker.

Authors of plugins need one import:

    from hub.testing.conformance import ConformanceTests

    class TestAcme(ConformanceTests):
        def open_site(self):
            return sandbox_site(AcmeConnector, acme.sandbox)

pytest then runs every check as a test. `run_checks` does the same for `hub connector verify`.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from hub.connector import Capability, Connector, ConnectorError, NotOfferedError, Unwritable
from hub.testing import checks
from hub.testing.checks import Check, CheckFailed, Kit, NotPossible
from hub.testing.site import Site

Outcome = Literal["passed", "failed", "not offered", "not possible"]

CALLS: dict[Capability, Callable[[Connector], Any]] = {
    Capability.CREATE: lambda c: c.find_ticket("none"),
    Capability.UPDATE: lambda c: c.update("0", checks.NO_CHANGES, None),
    Capability.COMMENTS: lambda c: c.find_comment("0", "none"),
    Capability.EDIT_COMMENTS: lambda c: c.edit_comment("0", "0", checks.WORD, checks.PRIVATE),
    Capability.DELETE_COMMENTS: lambda c: c.delete_comment("0", "0"),
    Capability.TRANSITIONS: lambda c: c.transition("0", checks.SOLVED),
    Capability.REMOTE_LINKS: lambda c: c.remove_link("0", "none"),
    Capability.WEBHOOKS: lambda c: c.parse_webhook(checks.EMPTY_REQUEST),
    Capability.POLLING: lambda c: c.poll(None, checks.LONG_AGO),
    Capability.LINES: lambda c: _hand_over(c),
    Capability.KNOWLEDGE_BASE: lambda c: c.find_articles("none", 1),
    Capability.MACROS: lambda c: c.macros(),
    Capability.PUBLISH_MACROS: lambda c: c.publish_macro(checks.NO_MACRO, "none"),
    Capability.USERS: lambda c: c.find_person("nobody@example.com"),
}
"""A harmless call for each capability: what is not declared must say so when it is called."""


def _hand_over(connector: Connector) -> None:
    """Handing over is part of `update`; what forbids it is that no value has a form."""
    try:
        connector.hold("line", 1)
    except Unwritable as error:
        raise NotOfferedError(connector.name, Capability.LINES) from error


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended. `why` is empty for what passed; `seconds` is how long it took."""

    check: Check
    outcome: Outcome
    why: str
    seconds: float


def run_checks(site: Site, wanted: Iterable[Check] | None = None) -> Iterator[CheckResult]:
    """Runs the checks one after the other on a site and yields each result as it comes.

    They share one scratch ticket, which is closed at the end. Nothing that a tracker or a connector does raises.
    """
    kit = Kit(site)
    try:
        for check in wanted or checks.ALL:
            yield run_check(check, kit)
    finally:
        kit.clean_up()


def run_check(check: Check, kit: Kit) -> CheckResult:
    """Runs one check."""
    started = time.monotonic()

    def ended(outcome: Outcome, why: str = "") -> CheckResult:
        return CheckResult(check, outcome, why, time.monotonic() - started)

    missing = sorted(check.needs - kit.connector.capabilities)
    if missing:
        try:
            prove_not_offered(kit.connector, missing)
        except CheckFailed as failed:
            return ended("failed", str(failed))
        return ended("not offered", f"this connector does not offer {', '.join(missing)}")
    try:
        if check.needs_sandbox:
            assert kit.sandbox
        check.run(kit)
    except NotPossible as error:
        return ended("not possible", str(error))
    except CheckFailed as error:
        return ended("failed", str(error))
    except ConnectorError as error:
        return ended("failed", f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001 - a connector's mistake is a result, and the other checks go on
        return ended("failed", f"the connector broke off: {type(error).__name__}: {error}")
    return ended("passed")


def prove_not_offered(connector: Connector, capabilities: Iterable[Capability]) -> None:
    """What a connector does not declare it must refuse. Raises CheckFailed."""
    for capability in capabilities:
        call = CALLS.get(capability)
        if call is None:
            continue
        try:
            call(connector)
        except NotOfferedError:
            continue
        raise CheckFailed(f"{capability} is not declared, but the connector does something when it is asked for")


class ConformanceTests:
    """Every check as a test method. A subclass says how to reach the tracker."""

    __test__: ClassVar[bool] = False

    def open_site(self) -> AbstractContextManager[Site]:
        """A fresh site; each test has one of its own."""
        raise NotImplementedError

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__test__ = True
        for check in checks.ALL:
            setattr(cls, f"test_{check.name.replace(' ', '_').replace('-', '_')}", _method(check))


def _method(check: Check) -> Callable[[ConformanceTests], None]:
    @functools.wraps(check.run)
    def test(self: ConformanceTests) -> None:
        with self.open_site() as site:
            missing = sorted(check.needs - site.connector.capabilities)
            if missing:
                prove_not_offered(site.connector, missing)
                return
            check.run(Kit(site))

    # pytest looks through `wraps` for fixtures otherwise.
    del test.__wrapped__
    return test
