"""What plugins add to the rules: conditions, actions, macros, calendars, notifiers. Contracts: `hub.hookspecs`.

Whatever a plugin's function does wrong while the hub works ends here: it is told by the plugin's name, never with what
the error says, which may hold a secret, and only the one thing that was asked of it is not done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from hub.connector import ActionRequest, ActionResult, ConnectorError, PermanentError
from hub.settings.rules import CalendarSettings, Macro

log = logging.getLogger("hub.plugins")


@dataclass(frozen=True, slots=True)
class Answer:
    """`holds` is None when it depends on something that is not known; `because` names what decided."""

    holds: bool | None
    because: str


class Send(Protocol):
    """Sends a message. Raises TemporaryError when it may not have gone out, PermanentError when it never can."""

    def __call__(self, title: str, text: str) -> None: ...


Test = Callable[[Mapping[str, object], Any], Answer]
"""A condition: the facts of `hub.rules.conditions` and the argument of the settings."""
Act = Callable[[ActionRequest], ActionResult]
Connect = Callable[[str], Send]
"""A notifier: from the address of the settings to what sends there."""


@dataclass(frozen=True, slots=True)
class Extensions:
    """What all plugins add, by name. Actions are called `<plugin>.<action>`, notifiers by the scheme of addresses."""

    conditions: Mapping[str, Test] = field(default_factory=dict)
    actions: Mapping[str, Act] = field(default_factory=dict)
    macros: Mapping[str, Macro] = field(default_factory=dict)
    calendars: Mapping[str, CalendarSettings] = field(default_factory=dict)
    notifiers: Mapping[str, Connect] = field(default_factory=dict)
    owners: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Which plugin brings what: by (kind, name)."""


def guarded_test(plugin: str, name: str, test: Test) -> Test:
    """The condition, which is not known to hold where the plugin breaks."""

    def ask(facts: Mapping[str, object], argument: Any) -> Answer:
        try:
            answer: object = test(MappingProxyType(facts), argument)
        except Exception as error:  # noqa: BLE001 - whatever a plugin does wrong, the other rules go on
            _broke(plugin, f"condition {name}", type(error).__name__)
            return Answer(None, f"the plugin {plugin} broke over its condition {name}")
        if not isinstance(answer, Answer):
            _broke(plugin, f"condition {name}", f"returned {type(answer).__name__}, not an Answer")
            return Answer(None, f"the plugin {plugin} gave no answer to its condition {name}")
        return answer

    return ask


def guarded_action(plugin: str, name: str, act: Act) -> Act:
    """The action, which raises nothing but ConnectorError."""

    def do(request: ActionRequest) -> ActionResult:
        try:
            result: object = act(request)
        except ConnectorError:
            raise
        except Exception as error:
            raise _mistake(plugin, f"do {name}", type(error).__name__) from error
        if not isinstance(result, ActionResult):
            raise _mistake(plugin, f"do {name}", f"returned {type(result).__name__}, not an ActionResult")
        return result

    return do


def guarded_notifier(plugin: str, scheme: str, connect: Connect) -> Connect:
    """The notifier, which raises nothing but ConnectorError, neither when it is made nor when it sends."""

    def make(url: str) -> Send:
        send: Send | None = None

        def deliver(title: str, text: str) -> None:
            nonlocal send
            try:
                send = send or connect(url)
                send(title, text)
            except ConnectorError:
                raise
            except Exception as error:
                raise _mistake(plugin, f"send to {scheme}://…", type(error).__name__) from error

        return deliver

    return make


def _broke(plugin: str, what: str, why: str) -> None:
    log.error("a plugin broke: plugin=%s what=%s why=%s", plugin, what, why)


def _mistake(plugin: str, doing: str, why: str) -> PermanentError:
    _broke(plugin, doing, why)
    return PermanentError(plugin, doing, f"the plugin {plugin} broke: {why}", "Report it to whoever wrote the plugin.")
