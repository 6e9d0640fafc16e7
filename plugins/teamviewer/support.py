"""Remote support for tickets: make a session once, close it, tell what connections there were.

Decides nothing: which ticket gets a session, where its links are written and when it is closed is the rules' affair.
Every method blocks, raises only errors of `hub.connector`, and repeats no write by itself. TeamViewer knows no
idempotent create, so that a session carries its ticket in `custom_api`, and open sessions are looked through before.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from hub.connector import AuthError, NotFoundError, PermanentError
from hub.ticket import Person, TicketRef
from plugins.teamviewer import model
from plugins.teamviewer.client import TeamviewerClient
from plugins.teamviewer.model import Report, Session
from plugins.teamviewer.settings import TeamviewerSettings

OVERLAP = timedelta(hours=24)
"""How far a look at reports goes back: they are listed by when a connection began and completed when it ends."""
DESCRIPTION_LIMIT, NAME_LIMIT, EMAIL_LIMIT = 200, 100, 254


class RemoteSupport:
    """The sessions of one group, used by all threads."""

    def __init__(self, name: str, client: TeamviewerClient, settings: TeamviewerSettings) -> None:
        self._name, self._client, self._settings = name, client, settings
        self._lock = threading.Lock()
        self._group_id = settings.group if _is_group_id(settings.group) else ""

    def create_session(
        self, ref: TicketRef, title: str, requester: Person | None, supporter_email: str | None
    ) -> Session:
        """The open session of this ticket: the one that there is, else a new one.

        `supporter_email` is who should get it in TeamViewer; nobody does where there is no such user or the token may
        not list users. Calls: the open sessions of the group (one a page), and for a new one a look-up of the supporter
        and the create, with one more where the answer is not whole.
        """
        present = self.find_session(ref)
        if present is not None:
            return present
        made = self._client.create("/sessions", self._body(ref, title, requester, supporter_email))
        if not (made.get("end_customer_link") and (made.get("supporter_link") or made.get("webclient_supporter_link"))):
            made = self._client.get(_path(made["code"]))
        return model.session(made)

    def find_session(self, ref: TicketRef) -> Session | None:
        """The open session of this ticket that is good for longest, None where there is none."""
        own = [s for s in self._client.sessions(groupid=self.group_id(), state="open") if model.ref_of(s) == ref]
        now = self._client.now()
        found = [model.session(raw) for raw in own if model.is_open(raw, now)]
        return max(found, key=lambda s: (s.valid_until or datetime.max.replace(tzinfo=UTC), s.code), default=None)

    def close_session(self, code: str) -> None:
        """Ends a session. One that is closed already, or gone, is fine."""
        try:
            self._client.send("PUT", _path(code), {"state": "closed"})
        except NotFoundError:
            return
        except PermanentError as error:
            if isinstance(error, AuthError) or self._is_open(code):
                raise

    def reports(self, since: datetime, known: Collection[str] = ()) -> tuple[Report, ...]:
        """Connections of the group that have ended, in the order in which they did, each once.

        `since` is when the last look began. Looks back a day further, so that a connection that was under way then is
        found: the same report comes again for that long, and `known` are ids to leave out. `Report.id` is a good mark
        for the note about it.
        """
        begin = (since.astimezone(UTC) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")
        found: dict[str, Report] = {}
        for raw in self._client.reports(from_date=begin, groupid=self.group_id()):
            report = model.report(raw)
            if report is not None and report.id not in known:
                found[report.id] = report
        return tuple(sorted(found.values(), key=lambda r: (r.ended, r.id)))

    def ticket_of(self, code: str) -> TicketRef | None:
        """The ticket that a session was made for, by the session's own mark; None for one that is not the hub's."""
        try:
            return model.ref_of(self._client.get(_path(code)))
        except NotFoundError:
            return None

    def group_id(self) -> str:
        """The group's id; a name is looked up once. Raises PermanentError when there is no such group."""
        with self._lock:
            if not self._group_id:
                self._group_id = self._looked_up_group()
            return self._group_id

    def _is_open(self, code: str) -> bool:
        try:
            return model.is_open(self._client.get(_path(code)), self._client.now())
        except NotFoundError:
            return False

    def _looked_up_group(self) -> str:
        wanted = self._settings.group
        for row in self._client.get("/groups", name=wanted).get("groups") or ():
            if str(row.get("name")) == wanted:
                return str(row["id"])
        why = f"there is no group {wanted!r} that the token sees"
        remedy = f"Make it in TeamViewer, or write another one's name or id under trackers.{self._name}.group."
        raise PermanentError(self._name, "look up the group", why, remedy)

    def supporter_id(self, email: str) -> str:
        """TeamViewer's id of the user with exactly this address, empty where there is none."""
        for row in self._client.get("/users", email=email).get("users") or ():
            if str(row.get("email") or "").casefold() == email.casefold():
                return str(row["id"])
        return ""

    def _body(
        self, ref: TicketRef, title: str, requester: Person | None, supporter_email: str | None
    ) -> dict[str, Any]:
        valid_until = self._client.now() + timedelta(hours=self._settings.valid_hours)
        body: dict[str, Any] = {
            "groupid": self.group_id(),
            "description": f"{ref} {' '.join(title.split())}"[:DESCRIPTION_LIMIT].rstrip(),
            "waiting_message": self._settings.waiting_message,
            "custom_api": model.mark_of(ref),
            "valid_until": valid_until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if requester is not None:
            customer = {"name": requester.name[:NAME_LIMIT], "email": (requester.email or "")[:EMAIL_LIMIT]}
            body["end_customer"] = {key: value for key, value in customer.items() if value}
        assignee = self._assignee(supporter_email)
        return body | ({"assigned_userid": assignee} if assignee else {})

    def _assignee(self, email: str | None) -> str:
        if not email:
            return ""
        try:
            return self.supporter_id(email)
        except AuthError:
            # A session that nobody is assigned to is better than none; `hub check` tells of the missing permission.
            return ""


def _path(code: str) -> str:
    return f"/sessions/{quote(code, safe='')}"


def _is_group_id(text: str) -> bool:
    return text.startswith("g") and text[1:].isdigit()
