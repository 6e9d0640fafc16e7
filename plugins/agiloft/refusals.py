"""What Agiloft's refusals mean: they are told in words, and the status is 400 for nearly everything. Pure.

Sources: help.agiloft.com, "REST Interface", "REST - Login".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from hub.connector import AuthError, ConnectorError, NotFoundError, PermanentError, RefusedError
from plugins.agiloft.settings import AgiloftSettings

TOKEN_ENDED = (
    "token is expired",
    "token is blocked",
    "no active session found for current token",
    "wrong combination of access token and kb name",
)
"""Told with 400, 401 or 500; a new sign-in may help."""
NOT_ALLOWED = ("there is no permissions", "not allowed, please check logs", "lacks permission")
WRONG_LOGIN = (
    "wrong authorization data", "user is blocked", "authentication failed", "invalid login/password",
    "one has to specify $login",
)  # fmt: skip
NO_RECORD = ("no data found for id",)
NO_SUCH_PLACE = re.compile(
    r"cannot find specified knowledgebase|unable to identify kb|table \S+ has not been found", re.I
)
ABOUT_COLUMN = re.compile(r"(?:pointed to|no column|requested column|value for|column|field)\s+['\"]?(\w+)", re.I)


class TokenEndedError(AuthError):
    """The token is not good any more, or never was."""


class Refusals:
    """The refusals of one knowledge base. `permission_remedy` says what to do about a missing permission;
    `wrong_login` makes the error for credentials that are not good, of what was done and why."""

    def __init__(
        self,
        tracker: str,
        settings: AgiloftSettings,
        permission_remedy: str,
        wrong_login: Callable[[str, str], AuthError],
    ) -> None:
        self._tracker, self._table = tracker, settings.table
        self._permission_remedy, self._wrong_login = permission_remedy, wrong_login
        named = ((column, _neutral(where)) for where, column in settings.used_columns())
        self._columns = {column: name for column, name in named if name}

    def meant(self, words: str, why: str, doing: str) -> ConnectorError | None:
        """The error that the words of an answer mean; None for words that are known for nothing. `why` are the same
        words in the form in which they may be shown."""
        low, name = words.casefold(), self._tracker
        if any(text in low for text in TOKEN_ENDED):
            remedy = f"Check trackers.{name}.kb and credentials; another program may be using the same login."
            return TokenEndedError(name, doing, why, remedy)
        if any(text in low for text in WRONG_LOGIN):
            return self._wrong_login(doing, why)
        if any(text in low for text in NOT_ALLOWED):
            return AuthError(name, doing, why, self._permission_remedy)
        if any(text in low for text in NO_RECORD):
            return NotFoundError(name, doing, why, "It does not exist, or the hub's user may not see it.")
        if NO_SUCH_PLACE.search(words):
            remedy = f"Correct trackers.{name}.kb or the table's name: both are case sensitive."
            return PermanentError(name, doing, why, remedy)
        named = [self._columns[c] for c in ABOUT_COLUMN.findall(words) if c in self._columns]
        if named and named[0] not in ("id", "updated", "marker"):
            remedy = f"See the column in Agiloft, and trackers.{name} for its words."
            return RefusedError(name, doing, dict.fromkeys(named, why), remedy)
        if "no column" in low and self._table:
            remedy = f"Correct trackers.{name}.columns; `hub check` names the ones that are missing."
            return PermanentError(name, doing, why, remedy)
        return None


def words_of_error(body: Mapping[str, Any]) -> str:
    """What an error says: `message` with its `errors`, or `error_description`."""
    errors = body.get("errors")
    more = [str(e.get("message", e) if isinstance(e, dict) else e) for e in errors] if isinstance(errors, list) else []
    main = str(body.get("message") or body.get("error_description") or body.get("error") or "")
    return "; ".join(dict.fromkeys(filter(None, [main, *more])))


def _neutral(where: str) -> str:
    """The neutral field of a place in the settings: `columns.status` is status, `fields.x` is custom:x."""
    section, _, name = where.partition(".")
    return f"custom:{name}" if section == "fields" else name
