"""TeamViewer as a kind of its own: it has no tickets, and does something for those of helpdesks.

Rules write `run: {action: <name>.create_session}` and `<name>.close_session`; what a finished connection was about is
told in its ticket once.

Source: TeamViewer Web API documentation v1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from hub.connector import (
    ActionRequest,
    ActionResult,
    AuthError,
    Capability,
    Connector,
    Finding,
    Identity,
    Known,
    PermanentError,
    Report,
    Reported,
    Role,
)
from hub.settings.trackers import TrackerSettings
from hub.ticket import Snapshot, TicketRef
from plugins.teamviewer import checks
from plugins.teamviewer.client import TeamviewerClient
from plugins.teamviewer.settings import TeamviewerSettings
from plugins.teamviewer.support import RemoteSupport
from plugins.teamviewer.texts import invitation, report_note, supporter_note

MOST_KNOWN = 10_000
"""Sessions whose tickets are remembered."""


class TeamviewerConnector(Connector):
    """One TeamViewer account. What it does for a ticket is in `support`."""

    kind = "teamviewer"
    role = Role.ACTION
    settings_model = TeamviewerSettings
    actions: ClassVar[Mapping[str, str]] = {
        "create_session": "opens a session of remote support and invites the requester; supporter: a mail address",
        "close_session": "closes the ticket's open session",
    }

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, TeamviewerSettings)
        self._client = TeamviewerClient(self, settings)
        self._identity: Identity | None = None
        self._tickets: dict[str, TicketRef | None] = {}
        self.support = RemoteSupport(name, self._client, settings)
        """Sessions and connections as TeamViewer has them; see `plugins.teamviewer.support`."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset({Capability.ACTIONS, Capability.ACTION_REPORTS})

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

    def act(self, name: str, request: ActionRequest) -> ActionResult:
        """A ticket has one open session at a time: asked for again, that one is told again."""
        if name == "close_session":
            open_session = self.support.find_session(request.ref)
            if open_session is not None:
                self.support.close_session(open_session.code)
            return ActionResult(receipt={"code": open_session.code} if open_session else {})
        ticket = request.ticket
        supporter = request.arguments.get("supporter") or (ticket.assignee.email if ticket.assignee else None)
        session = self.support.create_session(request.ref, ticket.title, ticket.requester, supporter)
        return ActionResult(texts=(invitation(session), supporter_note(session)), receipt={"code": session.code})

    def reports(self, cursor: str | None, now: datetime) -> Reported:
        """Connections that have ended; those of sessions that the hub did not open are nobody's."""
        if cursor is None:
            return Reported((), now.isoformat())
        found = []
        for report in self.support.reports(datetime.fromisoformat(cursor)):
            ref = self._ticket_of(report.session_code) if report.session_code else None
            if ref is not None:
                found.append(Report(ref=ref, mark=report.id, text=report_note(report)))
        return Reported(tuple(found), now.isoformat())

    def _ticket_of(self, code: str) -> TicketRef | None:
        """The same report comes again for a day: whose session it was is asked once."""
        if code not in self._tickets:
            if len(self._tickets) >= MOST_KNOWN:
                self._tickets.clear()
            self._tickets[code] = self.support.ticket_of(code)
        return self._tickets[code]

    def check(self) -> list[Finding]:
        self.identify()
        return checks.findings(self.name, self._client, self.support)

    def close(self) -> None:
        self._client.close()
