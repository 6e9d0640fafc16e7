"""Who is asking: sessions, agents' and customers' passwords, and what each may see.

Source: recorded `session.*`, `get.no_auth`, `create.no_auth`, `update.bad_session_good_login`, `history.customer`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugins.otrs.sandbox.errors import GiError
from plugins.otrs.sandbox.state import Agent, Customer, Store, Ticket

WRITES = ("TicketCreate", "TicketUpdate")


@dataclass
class Session:
    person: Agent | Customer
    began: datetime
    used: datetime


class People:
    """Sign-in. `limits` gives the seconds that a session may be idle, and may last at all."""

    def __init__(self, store: Store, limits: Callable[[], tuple[float, float]]) -> None:
        self._store, self._limits = store, limits
        self.sessions: dict[str, Session] = {}

    def open(self, data: Mapping[str, Any]) -> str:
        """A new session's id."""
        if not data.get("Password"):
            raise GiError("SessionCreate", "MissingParameter", "Password parameter is missing!")
        if not data.get("UserLogin") and not data.get("CustomerUserLogin"):
            raise GiError("SessionCreate", "MissingParameter", "UserLogin or CustomerUserLogin is missing!")
        person = self._by_password(data)
        if person is None:
            raise GiError("SessionCreate", "AuthFail", "Authorization failing!")
        session_id, now = secrets.token_urlsafe(24)[:32], self._store.clock()
        self.sessions[session_id] = Session(person, now, now)
        return session_id

    def signed_in(self, operation: str, data: Mapping[str, Any]) -> Agent | Customer:
        """Whoever asks. A session that is no good is not made up for by a good password."""
        if not any(data.get(key) for key in ("SessionID", "UserLogin", "CustomerUserLogin")):
            if operation in WRITES:
                raise GiError(operation, "MissingParameter", "UserLogin, CustomerUserLogin or SessionID is required!")
            raise GiError(operation, "AuthFail", "Authorization failing!")
        person = self.by_session(data["SessionID"]) if data.get("SessionID") else self._by_password(data)
        if person is None:
            words = "User could not be authenticated!" if operation in WRITES else "Authorization failing!"
            raise GiError(operation, "AuthFail", words)
        return person

    def by_session(self, session_id: object) -> Agent | Customer | None:
        """The person of a session that has not ended."""
        session = self.sessions.get(str(session_id))
        if session is None:
            return None
        now, (idle, most) = self._store.clock(), self._limits()
        if (now - session.used).total_seconds() > idle or (now - session.began).total_seconds() > most:
            del self.sessions[str(session_id)]
            return None
        session.used = now
        return session.person

    def session_data(self, session_id: object) -> list[dict[str, Any]]:
        """What `SessionGet` tells: pairs of key and value."""
        person = self.by_session(session_id)
        if person is None:
            raise GiError("SessionGet", "SessionInvalid", "SessionID is Invalid!")
        session = self.sessions[str(session_id)]
        is_agent = isinstance(person, Agent)
        first, _, last = person.name.rpartition(" ")
        data = {
            "SessionSource": "GenericInterface",
            "UserEmail": person.email,
            "UserFirstname": first,
            "UserFullname": person.name,
            "UserID": str(person.id) if isinstance(person, Agent) else person.login,
            "UserLastRequest": str(int(session.used.timestamp())),
            "UserLastname": last,
            "UserLogin": person.login,
            "UserSessionStart": str(int(session.began.timestamp())),
            "UserTitle": None,
            "UserType": "User" if is_agent else "Customer",
            "ValidID": "1",
        }
        return [{"Key": key, "Value": value} for key, value in data.items()]

    def sees(self, person: Agent | Customer, ticket: Ticket) -> bool:
        """Whether somebody may read a ticket: agents by queue, customers their own. Source: `search.customer_scope`."""
        if isinstance(person, Agent):
            return person.may("ro", ticket.queue.name)
        return person.login == ticket.customer_user

    def _by_password(self, data: Mapping[str, Any]) -> Agent | Customer | None:
        person: Agent | Customer | None = (
            self._store.agents.get(str(data["UserLogin"]))
            if data.get("UserLogin")
            else self._store.customers.get(str(data.get("CustomerUserLogin")))
        )
        given = str(data.get("Password") or "")
        return person if person is not None and person.password and person.password == given else None
