"""TeamViewer as a kind of its own: it can be configured and checked, and offers `support`; it has no tickets.

Source: TeamViewer Web API documentation v1.
"""

from __future__ import annotations

from hub.connector import AuthError, Capability, Connector, Finding, Identity, Known, PermanentError, Role
from hub.settings.trackers import TrackerSettings
from hub.ticket import Snapshot
from plugins.teamviewer import checks
from plugins.teamviewer.client import TeamviewerClient
from plugins.teamviewer.settings import TeamviewerSettings
from plugins.teamviewer.support import RemoteSupport


class TeamviewerConnector(Connector):
    """One TeamViewer account. What it does for a ticket is in `support`."""

    kind = "teamviewer"
    role = Role.ACTION
    settings_model = TeamviewerSettings

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, TeamviewerSettings)
        self._client = TeamviewerClient(self, settings)
        self._identity: Identity | None = None
        self.support = RemoteSupport(name, self._client, settings)
        """Sessions and reports; see `plugins.teamviewer.support`."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset({Capability.ACTIONS})

    def identify(self) -> Identity:
        """A bad token is answered well by `/ping`, with false; whose it is stands in `/account`."""
        if self._identity is None:
            if self._client.get("/ping").get("token_valid") is not True:
                raise self._client.auth_error("GET /ping", "the token is not valid")
            try:
                me = self._client.get("/account")
            except AuthError:
                # The token works; the account's own data is a permission apart.
                me = {}
            user_id = str(me.get("userid") or "script token")
            self._identity = Identity(user_id, str(me.get("name") or "a script token"), self._client.clock_skew)
        return self._identity

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """There is nothing to read. Raises PermanentError."""
        remedy = "Name a ticket of a helpdesk or an issue of a bug tracker."
        raise PermanentError(self.name, f"read {ticket_id}", "TeamViewer has no tickets", remedy)

    def check(self) -> list[Finding]:
        self.identify()
        return checks.findings(self.name, self._client, self.support)

    def close(self) -> None:
        self._client.close()
