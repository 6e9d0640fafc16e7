"""HTTP to Bugzilla: signs in, translates errors. Knows nothing of tickets.

5.0 and 5.2 pass over a key in the header without a word and answer as to a stranger; so which way the key goes is found
out before anything else is asked. A success is a 2xx whose body is JSON that is no error: what went wrong inside is
told with 200. Errors are told apart by their number, since 401 stands for every lack of rights and 400 for a bad key.
Sources: recorded exchanges auth_*, whoami, valid_login_*, create_*, upd_*, db_down_*; WebService/Constants.pm.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
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
from hub.rest import LONGEST_REASON, Reason, RestClient, json_of
from plugins.bugzilla.settings import BugzillaSettings

KEY = "Bugzilla_api_key"
REJECTED_PAUSE = 300.0
"""Seconds during which a key that was refused is not sent again: Mozilla blocks an address after five in a minute."""
RATE_PAUSE = 60.0
"""Seconds; Bugzilla's own limits do not say how long."""
INTERNAL = (100500, -32000)
CREDENTIALS = {
    300: "Check trackers.{name}.credentials.",
    301: "The account is disabled: have it enabled again.",
    306: "Make a new key with the hub's account (Preferences > API Keys) and put it under "
    "trackers.{name}.credentials.api_key.",
    307: "Check trackers.{name}.credentials.",
    410: "Check trackers.{name}.credentials: Bugzilla takes the hub for a stranger.",
}
RIGHTS = {
    109: "Give the hub's account the right to edit bugs of that product.",
    113: "Put the hub's account into the group of the parameter insidergroup; where none is set nobody can write "
    "private comments: set trackers.{name}.private_comments to false then.",
    120: "Look at trackers.{name}.groups, and at the groups of the product.",
}
NOT_GRANTED = frozenset({125, 304})
"""Lacks of rights that may be meant so: comment tags, private files."""
PLACES = {
    105: "Look at trackers.{name}.component.",
    106: "Look at trackers.{name}.product, and at who may enter bugs into it.",
}
MISSING = frozenset({100, 101, 102, 110, 111})
STATUS = frozenset({116, 118, 119, 121, 122, 123})
FILES = frozenset({600, 601, 603, 604, 606})
NAMES = {
    "summary": "title", "assigned_to": "assignee", "priority": "priority", "status": "status", "resolution": "status",
    "keywords": "labels", "whiteboard": "labels", "type": "category",
}  # fmt: skip
"""Bugzilla's names -> neutral ones; custom fields by `field:<Bugzilla's name>`."""


class NoRouteError(PermanentError):
    """This Bugzilla does not have the resource."""


class AliasTakenError(PermanentError):
    """Another bug has the alias, or it is none."""


class LinkRefusedError(PermanentError):
    """See Also does not take this address."""


class NotGrantedError(AuthError):
    """The account may not tag comments, or not see a private file."""


class BugzillaClient(RestClient):
    """Sends the key in a header where that is read, as a parameter else: in the body of writes, in the address of
    reads. `me` is what `whoami` says, None before 5.3."""

    api = "/rest"
    permission_remedy = "Give the hub's account the group editbugs."

    def __init__(self, connector: Connector, settings: BugzillaSettings) -> None:
        super().__init__(connector)
        self._key, self._is_mozilla = settings.credentials.api_key, settings.is_mozilla
        self._lock = threading.RLock()
        self._in_header: bool | None = None
        self._rejected: tuple[float, AuthError] | None = None
        self.me: Mapping[str, Any] | None = None

    # signing in

    def reads_header(self) -> bool:
        """Whether this Bugzilla takes the key in a header; asks once. Raises ConnectorError."""
        with self._lock:
            if self._in_header is None:
                self._in_header = self._probe()
            return self._in_header

    def _probe(self) -> bool:
        try:
            self.me, _ = super().exchange("GET", "/whoami")
        except (NoRouteError, AuthError) as error:
            # A Bugzilla that wants everybody to sign in does not see the key there either.
            if self._is_mozilla or (isinstance(error, AuthError) and not error.why.endswith(STRANGER)):
                raise
            return False
        return True

    def credentials(self) -> Mapping[str, str]:
        with self._lock:
            if self._rejected is not None:
                until, error = self._rejected
                if time.monotonic() < until:
                    raise AuthError(error.tracker, error.doing, error.why, error.remedy)
                self._rejected = None
        return {} if self._in_header is False else {"X-BUGZILLA-API-KEY": self._key.get_secret_value()}

    # asking

    def exchange(self, method: str, path: str, **more: Any) -> tuple[Any, httpx.Headers]:
        """With the key where this Bugzilla looks for it; an empty answer is an error."""
        if not self.reads_header():
            key = {KEY: self._key.get_secret_value()}
            name = "params" if method == "GET" else "json"
            more[name] = {**(more.get(name) or {}), **key}
        if "json" in more:
            # 5.3 takes UTF-8 for something else; escapes mean the same to all (recorded: utf8_raw_body_get).
            more["content"] = json.dumps(more.pop("json")).encode("ascii")
            more["headers"] = {**more.get("headers", {}), "Content-Type": "application/json"}
        body, headers = super().exchange(method, path, **more)
        if body == {}:
            why = "the answer is empty: a process of Bugzilla's broke off, or its database is down."
            raise TemporaryError(self.name, f"{method} {path}", why)
        return body, headers

    # errors

    def reason(self, response: httpx.Response) -> Reason:
        return Reason(str(json_of(response).get("message") or response.reason_phrase))

    def inspect(self, body: Any, doing: str) -> None:
        if isinstance(body, dict) and body.get("error") is True:
            raise self._meaning(200, body, doing, {})

    def error(self, response: httpx.Response, doing: str) -> ConnectorError:
        body, status = json_of(response), response.status_code
        if status == 404 and "code" not in body:
            remedy = f"Check trackers.{self.name}.url: it is the address of Bugzilla's first page."
            return PermanentError(self.name, doing, f"{status}: Bugzilla's REST API does not answer there", remedy)
        if "code" not in body or status >= 500:
            return super().error(response, doing)
        return self._meaning(status, body, doing, _sent(response.request))

    def _meaning(self, status: int, body: Mapping[str, Any], doing: str, sent: Mapping[str, Any]) -> ConnectorError:
        """What an error in Bugzilla's own words means."""
        name, code = self.name, _number(body.get("code"))
        text = self.scrub(str(body.get("message") or "").strip())[:LONGEST_REASON]
        why = f"{status} {text}"
        if code in INTERNAL or code is None:
            # Where in Bugzilla's source it happened helps nobody here.
            return TemporaryError(name, doing, f"an error inside Bugzilla: {text.partition(' at /')[0]}")
        if "rate limit" in text.lower():
            return RateLimitedError(name, doing, why, RATE_PAUSE)
        if code in CREDENTIALS:
            return self._rejection(code, AuthError(name, doing, why, CREDENTIALS[code].format(name=name)))
        if code in RIGHTS:
            return AuthError(name, doing, why, RIGHTS[code].format(name=name))
        if code in NOT_GRANTED:
            return NotGrantedError(name, doing, why, "Give the hub's account the group for this.")
        if code in PLACES:
            return PermanentError(name, doing, why, PLACES[code].format(name=name))
        if code in MISSING or (code == 51 and not sent):
            return NotFoundError(name, doing, why, "It does not exist, or the hub's account may not see it.")
        if code == 32614:
            return NoRouteError(name, doing, why)
        if code == 103:
            return AliasTakenError(name, doing, why)
        if code == 112:
            return LinkRefusedError(name, doing, why)
        if code in FILES:
            return PermanentError(name, doing, why, "Send the file another way.")
        if code in STATUS:
            return RefusedError(name, doing, {"status": text}, f"Look at trackers.{name}.statuses and the workflow.")
        if code == 50:
            return PermanentError(name, doing, why, f"Look at what trackers.{name} says of new bugs.")
        fields = dict.fromkeys(blamed(text, sent), text)
        if not fields:
            return PermanentError(name, doing, why)
        return RefusedError(name, doing, fields, self.permission_remedy if code == 115 else "")

    def _rejection(self, code: int, error: AuthError) -> AuthError:
        if code == 306:
            with self._lock:
                self._rejected = (time.monotonic() + REJECTED_PAUSE, error)
        return error


STRANGER = "You must log in before using this part of Bugzilla."


def _number(code: object) -> int | None:
    """A number before 5.3 and at Mozilla, a text in 5.3."""
    try:
        return int(str(code))
    except ValueError:
        return None


def _sent(request: httpx.Request) -> dict[str, Any]:
    try:
        body = json.loads(request.content)
    except ValueError:
        return {}
    return {k: v for k, v in body.items() if k != KEY} if isinstance(body, dict) else {}


def blamed(text: str, sent: Mapping[str, Any]) -> set[str]:
    """Which of the fields that were sent an error speaks of, by neutral name.

    Those whose value it quotes, else those that it names, else the only one. Messages may be in any language, but
    values are never translated.
    """
    by_value = {neutral(name) for name, value in sent.items() for v in _words(value) if _is_quoted(v, text)}
    if by_value:
        return by_value
    folded = text.casefold()
    by_name = {
        neutral(name)
        for name in sent
        if re.search(rf"\b{re.escape(name.removeprefix('cf_').replace('_', ' ').casefold())}\b", folded)
    }
    every = {neutral(name) for name in sent if name not in ("comment", "ids")}
    return by_name or (every if len(every) == 1 else set())


def neutral(name: str) -> str:
    return NAMES.get(name, f"field:{name}")


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = [*value.values()]
    if isinstance(value, list):
        for part in value:
            yield from _words(part)
    elif isinstance(value, str | int) and str(value):
        yield str(value)


def _is_quoted(value: str, text: str) -> bool:
    return any(f"{q}{value}{q}" in text for q in "'\"")
