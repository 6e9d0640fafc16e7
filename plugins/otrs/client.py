"""HTTP to the Generic Interface: signs in, translates errors. Knows nothing of tickets.

Nearly every error is HTTP 200 with an `Error` in its body, and the credentials stand in the body as well. Sources:
recorded exchanges with OTOBO (`session.*`, `route.*`, `update.*`); OTRS admin manual, "GenericInterface".
"""

from __future__ import annotations

import re
import threading
from typing import Any

import httpx

from hub.connector import (
    AuthError,
    Connector,
    ConnectorError,
    NotFoundError,
    PermanentError,
    RefusedError,
    TemporaryError,
)
from hub.rest import LONGEST_REASON, RestClient, json_of
from plugins.otrs.settings import OtrsSettings

FIELDS = {
    "Title": "title", "Subject": "title",
    "State": "status", "StateID": "status", "PendingTime": "status",
    "Priority": "priority", "PriorityID": "priority",
    "Type": "category", "TypeID": "category",
    "Queue": "line", "QueueID": "line",
    "Owner": "assignee", "OwnerID": "assignee",
    "Body": "description",
    "CustomerUser": "requester",
}  # fmt: skip
"""OTRS's names in error messages -> neutral field names."""
DYNAMIC_FIELD = "DynamicField"
"""Stands for some dynamic field of the request: the messages do not say which."""
FAULTS = {"Ticket queue could not be updated": "line"}
"""What faults say that are about one field. Source: recorded `create.value_Queue=support::l2`; TicketUpdate.pm."""
_NAMED = re.compile(r"\b(Ticket|Article|DynamicField)->(\w+)")
_NO_TICKET = "does not have access to the ticket"


class SessionEndedError(AuthError):
    """The session is no longer good, or the password never was."""


class OtrsClient(RestClient):
    """Signs in once and renews the session when it ends; or sends login and password with every call."""

    permission_remedy = "Give the hub's agent rw on the queue's group."

    def __init__(self, connector: Connector, settings: OtrsSettings) -> None:
        super().__init__(connector)
        self._settings = settings
        self.api = f"{settings.path}/nph-genericinterface.pl/Webservice/{settings.service}"
        self._lock = threading.Lock()
        self._session = ""

    def ask(self, route: str, **body: Any) -> Any:
        """One operation of the service, signed in; the answer's JSON.

        A session that ended is replaced once: such a refusal comes before anything else is looked at, so a write is
        not done twice. Source: recorded `update.bad_session_good_login`.
        """
        login = self._login()
        try:
            return self.send("POST", route, {**login, **body})
        except SessionEndedError:
            if "SessionID" not in login:
                raise
            self._forget(login["SessionID"])
            return self.send("POST", route, {**self._login(), **body})

    def whoami(self) -> dict[str, Any]:
        """The session's own data by key: UserID, UserLogin, UserFullname, UserEmail…"""
        session = self._session or self._open()
        try:
            answer = self.send("POST", "/whoami", {"SessionID": session})
        except SessionEndedError:
            self._forget(session)
            answer = self.send("POST", "/whoami", {"SessionID": self._open()})
        return {str(pair["Key"]): pair["Value"] for pair in answer["SessionData"]}

    def inspect(self, body: Any, doing: str) -> None:
        error = body.get("Error") if isinstance(body, dict) else None
        if isinstance(error, dict):
            raise self._refusal(str(error.get("ErrorCode", "")), str(error.get("ErrorMessage", "")), doing)

    def error(self, response: httpx.Response, doing: str) -> ConnectorError:
        """A 500 with a `faultstring` is a refusal; one without may be a server in trouble or a service not there."""
        fault = json_of(response).get("faultstring")
        about = next((field for words, field in FAULTS.items() if words in str(fault or "")), None)
        if response.status_code == 500 and about:
            remedy = "Is its name right, in upper and lower case too? " + self.permission_remedy
            return RefusedError(self.name, doing, {about: self.scrub(str(fault)[:LONGEST_REASON])}, remedy)
        if response.status_code == 500 and fault:
            return PermanentError(self.name, doing, self.scrub(str(fault)[:LONGEST_REASON]), self.permission_remedy)
        if response.status_code == 500 and "determine Operation" in response.text:
            remedy = f"Import webservice.yml again: the web service {self._settings.service} is not the hub's."
            return PermanentError(self.name, doing, "the web service has no such route", remedy)
        if response.status_code == 500:
            remedy = f"If it lasts: is the web service {self._settings.service} imported and valid, and `path` right?"
            return TemporaryError(self.name, doing, f"500 {response.reason_phrase}", remedy)
        return super().error(response, doing)

    def _login(self) -> dict[str, str]:
        credentials = self._settings.credentials
        if credentials.use_session:
            with self._lock:
                return {"SessionID": self._session or self._open()}
        return {"UserLogin": credentials.user, "Password": credentials.password.get_secret_value()}

    def _open(self) -> str:
        credentials = self._settings.credentials
        login = {"UserLogin": credentials.user, "Password": credentials.password.get_secret_value()}
        self._session = str(self.send("POST", "/login", login)["SessionID"])
        return self._session

    def _forget(self, session: str) -> None:
        with self._lock:
            if self._session == session:
                self._session = ""

    def _refusal(self, code: str, message: str, doing: str) -> ConnectorError:
        name, kind = self.name, code.rpartition(".")[2]
        why = self.scrub((message.partition(": ")[2] or message)[:LONGEST_REASON])
        if kind in ("AuthFail", "SessionInvalid"):
            remedy = f"Check trackers.{name}.credentials: user and password of a valid agent."
            return SessionEndedError(name, doing, why, remedy)
        if kind == "AccessDenied" and _NO_TICKET in message:
            return NotFoundError(name, doing, why, "It does not exist, or the hub's agent may not see its queue.")
        if kind == "AccessDenied":
            return AuthError(name, doing, why, self.permission_remedy)
        if kind in ("InvalidParameter", "MissingParameter") and (fields := _fields_of(message)):
            return RefusedError(name, doing, dict.fromkeys(fields, why))
        return PermanentError(name, doing, why)


def _fields_of(message: str) -> list[str]:
    """The neutral names of what a message complains of; empty where it is no field of a ticket."""
    named = []
    for whole, part in _NAMED.findall(message):
        named.append(DYNAMIC_FIELD if whole == DYNAMIC_FIELD else FIELDS.get(part, ""))
    return list(dict.fromkeys(name for name in named if name))
