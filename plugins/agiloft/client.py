"""HTTP to Agiloft's JSON interface (alrest): signs in, translates errors. Knows nothing of tickets.

Sources: help.agiloft.com, "REST Interface", "REST - Login", "REST - Search", "REST - Lock", "Data encoding"; the shapes
of single records as a public client reads them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from hub.connector import (
    AuthError,
    ConflictError,
    Connector,
    ConnectorError,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    TemporaryError,
)
from hub.rest import LONGEST_REASON, RestClient, json_of
from plugins.agiloft.budget import Budget
from plugins.agiloft.refusals import Refusals, TokenEndedError, words_of_error
from plugins.agiloft.settings import AgiloftSettings
from plugins.agiloft.tokens import Token

Json = dict[str, Any]

LOOK_AGAIN_AT_LOCK = 60.0
"""Seconds after which a record that somebody edits is tried again at the latest."""
META = {"success", "message", "errors"}


class RecordLockedError(RateLimitedError):
    """Somebody edits the record on the screen, which locks it. Nothing was written, and nothing is forced."""


class AgiloftClient(RestClient):
    """One session of the hub's user, whose token is renewed before it ends, by one thread at a time."""

    permission_remedy = (
        "Allow the hub's group to do this with the table and its columns, and to use REST (Setup > System > Manage "
        "Web Services)."
    )

    def __init__(self, connector: Connector, settings: AgiloftSettings) -> None:
        super().__init__(connector)
        self._settings = settings
        self.api = f"/ewws/alrest/{quote(settings.kb, safe='')}"
        self.budget = Budget(settings.calls_per_second, settings.burst)
        self._lock = threading.RLock()
        self._token: Token | None = None
        self._is_signing_in = False
        self._refusals = Refusals(self.name, settings, self.permission_remedy, self.auth_error)

    # signing in

    def credentials(self) -> Mapping[str, str]:
        with self._lock:
            if self._is_signing_in:
                return {}
            if self._token is None or time.monotonic() >= self._token.good_until:
                self._token = self._sign_in(self._token)
            return {"Authorization": f"{self._token.scheme} {self._token.access}"}

    def sign_in_anew(self) -> None:
        """Signs in with login and password, whatever token there is. Raises AuthError."""
        with self._lock:
            self._token = self._sign_in(None)

    def _sign_in(self, old: Token | None) -> Token:
        settings, credentials = self._settings, self._settings.credentials
        self._is_signing_in = True
        try:
            if old is not None and (renewed := self._renewed(old)) is not None:
                return renewed
            body = {
                "login": credentials.login,
                "password": credentials.password.get_secret_value(),
                "KB": settings.kb,
                "lang": settings.language,
            }
            return self._token_of(self.send("POST", "/login", body), "POST /login")
        finally:
            self._is_signing_in = False

    def _renewed(self, old: Token) -> Token | None:
        """By the refresh token; None where Agiloft takes it no more, and only the password is left."""
        if not old.refresh:
            return None
        form = {"$KB": self._settings.kb, "$lang": self._settings.language, "refresh_token": old.refresh}
        headers = {"Authorization": f"{old.scheme} {old.access}"}
        try:
            return self._token_of(self.send("POST", self.classic("EWLogin"), data=form, headers=headers), "EWLogin")
        except PermanentError:
            return None

    def _token_of(self, answer: Any, doing: str) -> Token:
        token = Token.of(answer, time.monotonic())
        if token is None:
            raise TemporaryError(self.name, doing, "the answer holds no token; is a proxy in between?")
        return token

    # calls

    def admit(self, doing: str) -> None:
        """Begins a piece of work of one or more calls. Raises RateLimitedError when too many were made already; what
        has begun is not interrupted, so that nothing is left half written for that."""
        wait = self.budget.wait()
        if wait:
            why = f"more calls than {self._settings.calls_per_second:g} a second were made"
            raise RateLimitedError(self.name, doing, why, wait)

    def exchange(self, method: str, path: str, **more: Any) -> tuple[Any, httpx.Headers]:
        """A token that has ended is replaced once: such a refusal comes before anything is done, so that a write is
        not done twice."""
        before = self._token
        try:
            return super().exchange(method, path, **more)
        except TokenEndedError:
            if self._is_signing_in:
                raise
            with self._lock:
                if self._token is before:
                    self._token = None
            return super().exchange(method, path, **more)

    def classic(self, operation: str, **params: Any) -> str:
        """The address of one of the older operations, which alrest has no form of."""
        query = urlencode(params)
        return f"{self.url}/ewws/{operation}{'?' if query else ''}{query}"

    def ask_classic(self, operation: str, **params: Any) -> Any:
        """A GET of an older operation in JSON; `err_code_resp` makes it tell errors by status codes too."""
        given = {"$KB": self._settings.kb, "$lang": self._settings.language, **params, "err_code_resp": 1}
        return self.call("GET", self.classic(f"{operation}/.json", **given))

    def search(self, table: str, query: str, columns: Sequence[str], *, limit: int = 0) -> list[Json]:
        """The records that fit; `limit` 0 means all. Pages are not to be trusted, because each one is a search of its
        own, so that they are never turned. Source: "REST - Search"."""
        body = {"query": query, "field": list(dict.fromkeys(columns)), "page": 0, "limit": limit}
        answer = self.send("POST", f"/{quote(table, safe='')}/search", body, params=self._language)
        found = answer.get("result") if isinstance(answer, dict) else answer
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    def record(self, table: str, record_id: str, columns: Sequence[str]) -> Json:
        """One record. Raises NotFoundError."""
        wanted = ",".join(dict.fromkeys(columns))
        path = f"/{quote(table, safe='')}/{quote(record_id, safe='')}"
        return self._one(self.get(path, fields=wanted, **self._language), f"GET {path}")

    def insert(self, table: str, values: Mapping[str, Any]) -> str:
        """A new record; its id."""
        path = f"/{quote(table, safe='')}"
        return str(self._one(self.send("POST", path, dict(values), params=self._language), f"POST {path}")["id"])

    def change(self, table: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Writes columns of one record. Raises RecordLockedError while somebody edits it on the screen."""
        path = f"/{quote(table, safe='')}/{quote(record_id, safe='')}"
        with self._minding_locks(table, record_id, f"PUT {path}"):
            self.send("PUT", path, dict(values), params=self._language)

    def delete(self, table: str, record_id: str) -> None:
        path = f"/{quote(table, safe='')}/{quote(record_id, safe='')}"
        with self._minding_locks(table, record_id, f"DELETE {path}"):
            self.call("DELETE", path, params={"deleteRule": "ERROR_IF_DEPENDANTS", **self._language})

    def attach(self, table: str, record_id: str, column: str, name: str, stream: Any, content_type: str) -> None:
        path = f"/{quote(table, safe='')}/attach/{quote(record_id, safe='')}"
        params = {"field": column, "fileName": name, **self._language}
        with self._minding_locks(table, record_id, f"POST {path}"):
            self.send("POST", path, params=params, files={"uploadFile": (name, stream, content_type)})

    def files(self, table: str, record_id: str, column: str) -> list[Json]:
        """What a file column of a record holds: `fileName`, `size` in bytes, `filePosition`."""
        path = f"/{quote(table, safe='')}/attachInfo/{quote(record_id, safe='')}"
        found = self.send("POST", path, params={"field": column, **self._language}).get("result")
        return [file for file in found if isinstance(file, dict)] if isinstance(found, list) else []

    @contextmanager
    def file(self, table: str, record_id: str, column: str, position: int) -> Iterator[Iterator[bytes]]:
        """The content of a file, in chunks."""
        self.budget.spend()
        params = {"$KB": self._settings.kb, "$table": table, "$lang": self._settings.language, "id": record_id}
        with self.stream(self.classic("EWRetrieve", **params, field=column, filePosition=position)) as chunks:
            yield chunks

    def lock_of(self, table: str, record_id: str) -> tuple[str, float]:
        """Who edits a record on the screen, and for how many seconds it stays locked at most; "" and 0 for nobody."""
        params = {"$KB": self._settings.kb, "$table": table, "$lang": self._settings.language, "id": record_id}
        found = self.call("GET", self.classic("EWLock", **params))
        if not isinstance(found, dict) or found.get("lock_status") != "LOCKED":
            return "", 0.0
        return str(found.get("locked_by") or "somebody"), 60.0 * float(found.get("lock_expires_in_minutes") or 0)

    # errors

    def inspect(self, body: Any, doing: str) -> None:
        if isinstance(body, dict) and body.get("success") is False:
            raise self._told(words_of_error(body), doing) or PermanentError(
                self.name, doing, self._short(words_of_error(body))
            )

    def error(self, response: httpx.Response, doing: str) -> ConnectorError:
        """What is wrong is told in words; the status is 400 for nearly everything, and 500 for some ends of tokens."""
        words = words_of_error(json_of(response))
        told = self._told(words, doing) if words and response.status_code < 502 else None
        if told is not None:
            return told
        if response.status_code in (400, 409, 422) and words:
            return PermanentError(self.name, doing, self._short(f"{response.status_code} {words}"))
        return super().error(response, doing)

    def _told(self, words: str, doing: str) -> ConnectorError | None:
        return self._refusals.meant(words, self._short(words), doing)

    @contextmanager
    def _minding_locks(self, table: str, record_id: str, doing: str) -> Iterator[None]:
        """How a locked record refuses a write is told nowhere. So after any refusal the lock is looked at."""
        try:
            yield
        except (AuthError, NotFoundError):
            raise
        except (PermanentError, ConflictError) as error:
            try:
                who, seconds = self.lock_of(table, record_id)
            except PermanentError:
                # Nothing is known of a lock: the refusal says what there is to say.
                raise error from None
            if not who or who in (self._settings.credentials.login, self._settings.account):
                raise
            why = (
                f"{who} is editing record {record_id} of {table}, which locks it for {round(seconds / 60)} minutes more"
            )
            wait = min(LOOK_AGAIN_AT_LOCK, max(1.0, seconds))
            raise RecordLockedError(self.name, doing, why, wait, "It is tried again by itself.") from error

    def scrub(self, text: str) -> str:
        token = self._token
        for secret in (token.access, token.refresh) if token else ():
            text = text.replace(secret, "[secret]") if secret else text
        return super().scrub(text)

    # small things

    @property
    def _language(self) -> dict[str, str]:
        return {"lang": self._settings.language}

    def _one(self, answer: Any, doing: str) -> Json:
        """A single record, which comes under `result`, under the table's name, bare, or as a list of one."""
        found = answer
        if isinstance(found, dict) and "result" in found:
            found = found["result"]
        elif isinstance(found, dict):
            inner = [value for key, value in found.items() if key not in META]
            if "id" not in found and len(inner) == 1 and isinstance(inner[0], dict):
                found = inner[0]
        if isinstance(found, list) and found:
            found = found[0]
        if isinstance(found, (int, str)) and str(found).isdigit():
            found = {"id": found}
        if isinstance(found, dict) and found.get("id") not in (None, ""):
            return found
        raise NotFoundError(self.name, doing, "the answer holds no record", "It may have been deleted.")

    def _short(self, words: str) -> str:
        return self.scrub(words[:LONGEST_REASON])

    def _answer(self, method: str, path: str, doing: str, more: Mapping[str, Any]) -> httpx.Response:
        self.budget.spend()
        return super()._answer(method, path, doing, more)
