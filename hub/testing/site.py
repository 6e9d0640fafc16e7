"""A way to reach a tracker, for the conformance kit: a connector, and what else is at hand to test it with.

A sandbox gives everything: other people, faults on demand, captured webhooks. A configured tracker gives the
connector alone; what cannot be checked with that is said, not passed over.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

from pydantic import BaseModel, SecretStr

from hub.connector import Connector, WebhookRequest
from hub.sandbox import Sandbox
from hub.sandbox.cast import Actor, Role
from hub.sandbox.wire import Answer, Wire, WSGIEnvironment
from hub.settings.trackers import secrets_of

WRONG_SECRET = "this-secret-is-wrong-5f2c"


class ShiftedClock:
    """A sandbox's clock: the present time, set forward on demand."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC) + self.ahead

    def pass_by(self, seconds: float) -> None:
        """Lets time go by at once, for hub and sandbox alike."""
        self.ahead += timedelta(seconds=seconds)


@dataclass
class Site:
    """One tracker to be checked. `sandbox` and `people` are empty for a real one."""

    connector: Connector
    sandbox: Sandbox | None = None
    people: Mapping[Role, Actor] = field(default_factory=dict)
    webhooks: Webhooks | None = None
    clock: ShiftedClock | None = None

    def reconnected(self, **settings: Any) -> Connector:
        """Another connector for the same tracker, with some settings changed. The caller closes it.

        Raises ValueError when the settings are refused.
        """
        given = self.connector.base_settings
        return type(self.connector)(self.connector.name, type(given).model_validate({**dict(given), **settings}))

    def with_wrong_secrets(self) -> Connector:
        """A connector whose every credential is wrong."""
        credentials = getattr(self.connector.base_settings, "credentials")  # noqa: B009 - each kind has its own
        return self.reconnected(credentials=_spoilt(credentials))

    def secrets(self) -> set[str]:
        """Every secret of the settings; none may show in an error."""
        return set(secrets_of(self.connector.base_settings))


class Webhooks:
    """Takes what a sandbox sends, as the hub would see it."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._requests: list[WebhookRequest] = []
        self._wire = Wire("127.0.0.1", 0, self._take)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._wire.port}/webhooks/kit"

    def wait_for(self, number: int, timeout: float) -> list[WebhookRequest]:
        """The requests so far, once there are `number` of them or `timeout` seconds have passed."""
        with self._arrived:
            self._arrived.wait_for(lambda: len(self._requests) >= number, timeout)
            return list(self._requests)

    def clear(self) -> None:
        with self._arrived:
            self._requests.clear()

    def close(self) -> None:
        self._wire.stop()

    def _take(self, environ: WSGIEnvironment, body: bytes) -> Answer:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }
        with self._arrived:
            self._requests.append(WebhookRequest(headers, body))
            self._arrived.notify_all()
        return Answer(200, (("Content-Length", "2"),), b"ok")


@contextmanager
def sandbox_site(
    connector_class: type[Connector], package: ModuleType, *, flavour: str = "", **settings: Any
) -> Iterator[Site]:
    """A running sandbox with its people, for the time of the block.

    `package` is a plugin's `sandbox` package: it exports `SANDBOX`, `actor` and `hub_settings`, see
    `hub.sandbox.cast`. `settings` change the connector's.
    """
    made = package.SANDBOX
    clock = ShiftedClock()
    sandbox: Sandbox = made(flavour=flavour, clock=clock) if flavour else made(clock=clock)
    webhooks = Webhooks()
    with sandbox:
        given = {**package.hub_settings(sandbox), **settings}
        connector = connector_class("tracker", connector_class.settings_model.model_validate(given))
        opener: Role = "customer" if connector.role == "helpdesk" else "expert"
        worker: Role = "agent" if connector.role == "helpdesk" else "engineer"
        people: dict[Role, Actor] = {role: package.actor(sandbox, role) for role in (opener, worker)}
        sandbox.add_webhook_target(webhooks.url, sandbox.webhook_secret)
        try:
            yield Site(connector, sandbox, people, webhooks, clock)
        finally:
            for person in people.values():
                person.close()
            connector.close()
            webhooks.close()


def _spoilt(model: BaseModel) -> BaseModel:
    wrong = {name: SecretStr(WRONG_SECRET) for name, value in model if isinstance(value, SecretStr)}
    return model.model_copy(update=wrong)
