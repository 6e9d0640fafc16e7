"""What a Bugzilla says of itself: its words, workflow, products, people's names.

Asked once and kept; asked again where a word is missing. Fields are asked for one by one, because all of them together
are megabytes at a large installation.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.connector import AuthError, NotFoundError
from plugins.bugzilla.client import BugzillaClient
from plugins.bugzilla.settings import BugzillaSettings
from plugins.bugzilla.words import pick

INTERNAL = {"status": "bug_status", "severity": "bug_severity", "platform": "rep_platform", "type": "bug_type"}
"""Names of fields as `/field/bug` knows them, where they differ from those in bugs."""
DATE_AND_TIME = 5


@dataclass(frozen=True, slots=True)
class Status:
    """One status of the workflow. `following` are those that may come next -> whether that needs a comment."""

    name: str
    is_open: bool
    following: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Account:
    """The hub's own account. `groups` are None where they were not told."""

    login: str
    real_name: str
    groups: frozenset[str] | None


class Facts:
    """The facts of one installation, for all threads. Every method may call it and raises only ConnectorErrors."""

    def __init__(self, client: BugzillaClient, settings: BugzillaSettings) -> None:
        self._client, self._settings = client, settings
        self._lock = threading.RLock()
        self._me: Account | None = None
        self._fields: dict[str, Mapping[str, Any] | None] = {}
        self._product: Mapping[str, Any] | None = None
        self._parameters: Mapping[str, str] | None = None
        self._version = ""
        self._names: dict[str, str] = {}

    def me(self) -> Account:
        """Who the hub is here. Raises AuthError when the key is not good, or is another account's."""
        with self._lock:
            if self._me is None:
                self._me = self._ask_who()
            return self._me

    def _ask_who(self) -> Account:
        login = self._settings.credentials.login
        if self._client.reads_header():
            login = str((self._client.me or {})["name"])
        elif not login:
            why = "this Bugzilla does not tell whose the key is"
            remedy = f"Put the account's login under trackers.{self._client.name}.credentials.login."
            raise AuthError(self._client.name, "GET /whoami", why, remedy)
        elif self._client.get("/valid_login", login=login).get("result") is not True:
            why = f"the key is not that of {login}"
            remedy = f"Correct trackers.{self._client.name}.credentials.login."
            raise AuthError(self._client.name, "GET /valid_login", why, remedy)
        user = self._client.get("/user", names=login)["users"][0]
        groups = frozenset(str(g["name"]) for g in user["groups"]) if "groups" in user else None
        return Account(login, str(user.get("real_name") or ""), groups)

    def version(self) -> str:
        with self._lock:
            self._version = self._version or str(self._client.get("/version")["version"])
            return self._version

    def database_time(self) -> datetime:
        """The time in UTC of the clock that `last_change_time` is by, in whole seconds."""
        return datetime.fromisoformat(str(self._client.get("/time")["db_time"]))

    # fields and their words

    def field(self, name: str, *, afresh: bool = False) -> Mapping[str, Any] | None:
        """A field by the name that it has in bugs; None where there is none such."""
        with self._lock:
            if afresh or name not in self._fields:
                self._fields[name] = self._ask_field(name)
            return self._fields[name]

    def _ask_field(self, name: str) -> Mapping[str, Any] | None:
        try:
            return dict(self._client.get(f"/field/bug/{INTERNAL.get(name, name)}")["fields"][0])
        except NotFoundError:
            return None

    def words(self, name: str, *, afresh: bool = False) -> tuple[str, ...]:
        """The values that a field can have, none where it is free text."""
        values = (self.field(name, afresh=afresh) or {}).get("values") or ()
        return tuple(str(v["name"]) for v in values if v.get("name") is not None)

    def word(self, name: str, wanted: Iterable[str]) -> str | None:
        """The first of these words that the field has, in its own spelling; a missing one is asked for again."""
        tried = list(wanted)
        return pick(tried, self.words(name)) or pick(tried, self.words(name, afresh=True))

    def keyword(self, label: str) -> str | None:
        """The keyword of this name, in its own spelling."""
        return pick([label], self.words("keywords"))

    def statuses(self, *, afresh: bool = False) -> dict[str, Status]:
        """The workflow, by status."""
        values = (self.field("status", afresh=afresh) or {}).get("values") or ()
        return {
            str(v["name"]): Status(
                str(v["name"]),
                bool(v["is_open"]),
                {str(n["name"]): bool(n.get("comment_required")) for n in v.get("can_change_to") or ()},
            )
            for v in values
            if v.get("name")
        }

    def product(self, *, afresh: bool = False) -> Mapping[str, Any] | None:
        """The product of new bugs; None where there is none such that the account sees."""
        with self._lock:
            if self._product is None or afresh:
                wanted = "id,name,is_active,components.name,components.is_active,versions.name,milestones.name"
                found = self._client.get("/product", names=self._settings.product, include_fields=wanted)["products"]
                self._product = dict(found[0]) if found else None
            return self._product

    def parameter(self, name: str) -> str:
        """One of the parameters that Bugzilla tells to users; empty where it does not."""
        with self._lock:
            if self._parameters is None:
                told = self._client.get("/parameters")["parameters"]
                self._parameters = {key: str(value if value is not None else "") for key, value in told.items()}
            return self._parameters.get(name, "")

    # people

    def learn_names(self, known: Mapping[str, str]) -> None:
        """Names by login that an answer told."""
        with self._lock:
            self._names |= {login: name for login, name in known.items() if name}

    def names(self, logins: Collection[str]) -> Mapping[str, str]:
        """Real names by login; what stands before the @ where somebody has none. Asks once for each."""
        with self._lock:
            missing = sorted(set(logins) - set(self._names))
            if missing:
                self._names |= {login: login.partition("@")[0] for login in missing} | self._ask_names(missing)
            return dict(self._names)

    def _ask_names(self, logins: list[str]) -> dict[str, str]:
        try:
            found = self._client.get("/user", names=logins, include_fields="name,real_name")["users"]
        except NotFoundError:
            # One who is not known makes the whole question fail.
            return {}
        return {str(u["name"]): str(u["real_name"]) for u in found if u.get("real_name")}
