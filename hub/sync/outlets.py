"""Where the rules' wishes leave the hub other than into a ticket: messages to notifiers, and actions of plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hub.connector import ActionRequest, ActionResult, Capability, Connector, PermanentError, TemporaryError
from hub.settings.rules import Notifier


class Send(Protocol):
    """Sends a message. Raises TemporaryError when it may not have gone out, PermanentError when it never can."""

    def __call__(self, title: str, text: str) -> None: ...


class Outlets:
    """The configured notifiers and actions; shared by all workers. `senders` add kinds of notifiers from plugins."""

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        notifiers: Mapping[str, Notifier],
        senders: Mapping[str, Send] | None = None,
    ) -> None:
        self._connectors = connectors
        self._senders: dict[str, Send] = {name: _Apprise(name, given) for name, given in notifiers.items()}
        self._senders |= senders or {}

    @property
    def notifiers(self) -> Sequence[str]:
        return sorted(self._senders)

    def notify(self, name: str, text: str, title: str = "ticket hub") -> None:
        """Sends a message. Raises ConnectorError, without the address: it holds a secret."""
        sender = self._senders.get(name)
        if sender is None:
            raise PermanentError("hub", f"notify {name}", "there is no such notifier", "Add it under notifiers.")
        sender(title, text)

    def call(self, action: str, request: ActionRequest) -> ActionResult:
        """Does `<tracker>.<name>`. Raises ConnectorError."""
        tracker, _, name = action.partition(".")
        connector = self._connectors.get(tracker)
        if connector is None or Capability.ACTIONS not in connector.capabilities or name not in connector.actions:
            known = ", ".join(sorted(self.actions())) or "none"
            raise PermanentError("hub", f"do {action}", "there is no such action", f"There are: {known}.")
        return connector.act(name, request)

    def actions(self) -> dict[str, str]:
        """Every action with what it does."""
        return {
            f"{tracker}.{name}": about
            for tracker, connector in self._connectors.items()
            if Capability.ACTIONS in connector.capabilities
            for name, about in connector.actions.items()
        }


class _Apprise:
    """One address in apprise's form. The library is imported with the first message: it is large."""

    def __init__(self, name: str, given: Notifier) -> None:
        self._name, self._url = name, given.url.get_secret_value()

    def __call__(self, title: str, text: str) -> None:
        from apprise import Apprise, NotifyFormat

        target = Apprise()
        if not target.add(self._url):
            raise PermanentError(
                "hub", f"notify {self._name}", "its address is not one that apprise knows",
                f"Look at notifiers.{self._name}.url; the forms are in apprise's documentation.",
            )  # fmt: skip
        if not target.notify(title=title, body=text, body_format=NotifyFormat.MARKDOWN):
            raise TemporaryError(
                "hub", f"notify {self._name}", "the message was not taken", "Is the address right, and does it answer?"
            )
