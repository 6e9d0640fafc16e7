"""Where the rules' wishes leave the hub other than into a ticket: messages to notifiers, and actions of plugins."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from hub.connector import (
    ActionRequest,
    ActionResult,
    Capability,
    Connector,
    ConnectorError,
    PermanentError,
    TemporaryError,
)
from hub.extensions import Extensions, Send
from hub.settings.rules import Notifier


class Outlets:
    """The configured notifiers, and all actions; shared by all workers. `senders` take the place of notifiers."""

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        notifiers: Mapping[str, Notifier],
        senders: Mapping[str, Send] | None = None,
        extensions: Extensions = Extensions(),  # noqa: B008 - an immutable value
    ) -> None:
        self._connectors, self._extensions = connectors, extensions
        self._urls = {name: given.url.get_secret_value() for name, given in notifiers.items()}
        self._senders: dict[str, Send] = {name: self._sender(name, url) for name, url in self._urls.items()}
        self._senders |= senders or {}

    def _sender(self, name: str, url: str) -> Send:
        connect = self._extensions.notifiers.get(url.partition("://")[0])
        return _Apprise(name, url) if connect is None else connect(url)

    @property
    def notifiers(self) -> Sequence[str]:
        return sorted(self._senders)

    def notify(self, name: str, text: str, title: str = "ticket hub") -> None:
        """Sends a message. Raises ConnectorError, without the address: it holds a secret."""
        sender = self._senders.get(name)
        if sender is None:
            raise PermanentError("hub", f"notify {name}", "there is no such notifier", "Add it under notifiers.")
        try:
            sender(title, text)
        except ConnectorError as error:
            self._tell(error, name)
            raise
        except Exception as error:  # noqa: BLE001 - whatever a library does wrong, and its words may hold the address
            why = f"it broke: {type(error).__name__}"
            raise PermanentError("hub", f"notify {name}", why, f"Look at notifiers.{name}.url.") from None

    def _tell(self, error: ConnectorError, name: str) -> None:
        """Sees to it that the error names the notifier, and does not show its address."""
        if error.doing != f"notify {name}":
            error.doing = f"notify {name} ({error.doing})"
        for part in ("doing", "why", "remedy"):
            setattr(error, part, str(getattr(error, part)).replace(self._urls.get(name) or "\0", "…"))
        error.args = (f"{error.tracker}: {error.doing}: {error.why} {error.remedy}".rstrip(),)

    def call(self, action: str, request: ActionRequest) -> ActionResult:
        """Does `<tracker>.<name>`, or `<plugin>.<name>`. Raises ConnectorError."""
        tracker, _, name = action.partition(".")
        if tracker not in self._connectors and action in self._extensions.actions:
            return self._extensions.actions[action](request)
        connector = self._connectors.get(tracker)
        if connector is None or Capability.ACTIONS not in connector.capabilities or name not in connector.actions:
            known = ", ".join(sorted(self.actions())) or "none"
            raise PermanentError("hub", f"do {action}", "there is no such action", f"There are: {known}.")
        return connector.act(name, request)

    def actions(self) -> dict[str, str]:
        """Every action with what it does."""
        return {name: f"an action of the plugin {name.partition('.')[0]}" for name in self._extensions.actions} | {
            f"{tracker}.{name}": about
            for tracker, connector in self._connectors.items()
            if Capability.ACTIONS in connector.capabilities
            for name, about in connector.actions.items()
        }


class _Apprise:
    """One address in apprise's form. The library is imported with the first message: it is large."""

    def __init__(self, name: str, url: str) -> None:
        self._name, self._url = name, url

    def __call__(self, title: str, text: str) -> None:
        from apprise import Apprise, NotifyFormat

        # What it logs may show parts of the address; what went wrong is told here, and by the notifier's name.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        target = Apprise()
        if not target.add(self._url):
            raise PermanentError(
                "hub", f"notify {self._name}", "its address is not one that apprise knows",
                f"Look at notifiers.{self._name}.url; the forms are in apprise's documentation.",
            )  # fmt: skip
        if not target.notify(title=title, body=text, body_format=NotifyFormat.TEXT):
            raise TemporaryError(
                "hub", f"notify {self._name}", "the message was not taken", "Is the address right, and does it answer?"
            )
