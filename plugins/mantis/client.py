"""HTTP to MantisBT: signs in, translates errors. Knows nothing of tickets.

Errors come in three shapes: message with code, message alone, or nothing but the reason phrase. A 500 is often the
answer to bad input, so one that comes again for the same write is permanent.
Source: recorded exchanges auth.*, create.*, patch.*, spam.*; error numbers are those of MantisBT's constant_inc.php.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx

from hub.connector import (
    AuthError,
    Connector,
    ConnectorError,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    RefusedError,
    TemporaryError,
)
from hub.rest import LONGEST_REASON, Reason, RestClient, json_of, retry_after
from plugins.mantis.settings import MantisSettings

SPAM_PAUSE = 300.0
"""Seconds after a 429, which tells no time: the events of the past hour fall out of the count one by one."""
FILE_CODES = {500: "It is too large.", 501: "Files of this type are not allowed.", 504: "It is empty or unreadable."}
NAMES = {"summary": "title", "handler": "assignee"}
"""MantisBT's names in error texts -> neutral ones, where they differ."""
REMEMBERED = 200
"""How many writes that ended in a 500 are kept in mind."""
REMEMBERED_FOR = 3600.0
"""Seconds after which such a write counts as a first try again; retries of one write come closer together."""
ISSUE_NOT_FOUND = 1100
_QUOTED = re.compile(r"""["'](.+?)["']""")
_NAMED = re.compile(r"\{(?:name|id):(.+?)\}")
_NEUTRAL = {"title", "description", "assignee", "priority", "category", "status"}


class ReadOnlyError(AuthError):
    """The issue is resolved, and the hub's account may not change resolved issues."""


class NoSuchIssueError(NotFoundError):
    """MantisBT has no issue of this number: it never had, or it was deleted. A private one is told otherwise."""


class MantisClient(RestClient):
    """Signs in with the bare token: `Bearer` before it is refused by 2.28.

    Nothing is asked for compressed, because web servers that compress take away or change the tag of the lock.
    """

    api = "/api/rest"
    permission_remedy = "Give the hub's account the access level manager in the project."

    def __init__(self, connector: Connector, settings: MantisSettings) -> None:
        super().__init__(connector)
        self._token = settings.credentials.api_token
        self._lock = threading.Lock()
        self._failed: dict[str, float] = {}
        self.headers["Accept-Encoding"] = "identity"

    def credentials(self) -> Mapping[str, str]:
        return {"Authorization": self._token.get_secret_value()}

    def reason(self, response: httpx.Response) -> Reason:
        body = json_of(response)
        return Reason(str(body.get("message") or body.get("localized") or response.reason_phrase))

    def inspect(self, body: Any, doing: str) -> None:
        fault = body.get("issues") if isinstance(body, dict) else None
        if isinstance(fault, dict) and "fault_string" in fault:
            kind = NotFoundError if fault.get("status_code") == 404 else PermanentError
            raise kind(self.name, doing, self.scrub(str(fault["fault_string"])))

    def error(self, response: httpx.Response, doing: str) -> ConnectorError:
        status, code = response.status_code, json_of(response).get("code")
        text = self.scrub(self.reason(response).text)[:LONGEST_REASON]
        why = f"{status} {text}"
        if status == 404 and not json_of(response) and response.content:
            remedy = f"Check trackers.{self.name}.url: it is the address of MantisBT's first page."
            return PermanentError(self.name, doing, f"{status}: MantisBT's REST API does not answer there", remedy)
        if status == 403 and text.endswith("is readonly"):
            remedy = "Give the hub's account the access level manager, or lower update_readonly_bug_threshold."
            return ReadOnlyError(self.name, doing, why, remedy)
        if status == 403 and text.startswith("Access denied for user") and response.request.method == "GET":
            return NotFoundError(self.name, doing, why, "It is private: give the hub's account access to it.")
        if code == ISSUE_NOT_FOUND:
            return NoSuchIssueError(self.name, doing, why, "It never was there, or it was deleted.")
        if status == 429:
            told = response.headers.get("retry-after")
            return RateLimitedError(self.name, doing, why, retry_after(told) if told else SPAM_PAUSE)
        if status == 500 and response.request.method != "GET":
            return self._internal(response, doing, why)
        if code in FILE_CODES:
            return PermanentError(self.name, doing, f"{why}. {FILE_CODES[code]}", "Send it another way.")
        if code == 11 and text.startswith("Project"):
            return PermanentError(self.name, doing, why, f"Correct trackers.{self.name}.project.")
        fields = self._fields(code, text)
        return RefusedError(self.name, doing, fields) if fields else super().error(response, doing)

    def _fields(self, code: object, text: str) -> dict[str, str]:
        """Which single fields an error speaks of; custom fields as `field:<MantisBT's name>`."""
        named = _NAMED.search(text) or _QUOTED.search(text)
        match code:
            case 1300 | 1303:
                return {f"field:{named.group(1)}" if named else "field:": text}
            case 1502:
                return {"category": text}
            case 2200:
                return {"labels": text}
            case 13 if "assign" in text:
                return {"assignee": text}
            case None if not text.startswith("Mandatory field"):
                return {}
            case None | 11 | 28 | 29:
                word = (named.group(1) if named else text.partition(" ")[0]).lower()
                name = NAMES.get(word, word)
                return {name: text} if name in _NEUTRAL else {}
            case _:
                return {}

    def _internal(self, response: httpx.Response, doing: str, why: str) -> ConnectorError:
        """A 500 for a write: worth one more try, because the server may have stumbled, and no third."""
        digest = hashlib.sha256(b"\n".join([doing.encode(), response.request.content])).hexdigest()
        now = time.monotonic()
        with self._lock:
            earlier = self._failed.pop(digest, None)
            self._failed[digest] = now
            while len(self._failed) > REMEMBERED:
                del self._failed[next(iter(self._failed))]
        if earlier is None or now - earlier > REMEMBERED_FOR:
            return TemporaryError(self.name, doing, why)
        remedy = "MantisBT answers so to input it cannot take; see its PHP log."
        return PermanentError(self.name, doing, f"{why}, twice", remedy)
