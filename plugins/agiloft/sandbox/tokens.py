"""Sign-in and tokens. Source: help.agiloft.com, "REST - Login", "REST Interface" (error texts)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from plugins.agiloft.sandbox.errors import AgiloftError
from plugins.agiloft.sandbox.state import KnowledgeBase, User


@dataclass
class Session:
    user: User
    refresh: str
    ends: datetime
    refresh_ends: datetime


class Tokens:
    """`minutes` gives the life of a token."""

    def __init__(self, kb: KnowledgeBase, clock: Callable[[], datetime], minutes: Callable[[], float]) -> None:
        self._kb, self._clock, self._minutes = kb, clock, minutes
        self.sessions: dict[str, Session] = {}

    def sign_in(self, kb: object, login: object, password: object) -> dict[str, Any]:
        if kb != self._kb.name:
            raise AgiloftError(400, f"Cannot find specified knowledgebase: {kb}")
        user = self._kb.users.get(str(login))
        if user is None or user.password != password:
            raise AgiloftError(403, "Authentication failed. Invalid login/password combination")
        if user.is_blocked:
            raise AgiloftError(401, "User is blocked")
        if not user.may_use_rest:
            raise AgiloftError(403, f"User {user.login} lacks permission log in")
        return self._open(user)

    def renew(self, access: str, refresh: object) -> dict[str, Any]:
        if not refresh:
            raise AgiloftError(400, "No refresh_token")
        session = self.sessions.get(access)
        if session is None or session.refresh != refresh:
            raise AgiloftError(400, "Wrong refresh_token")
        if self._clock() >= session.refresh_ends:
            raise AgiloftError(401, "Refresh Token is expired")
        del self.sessions[access]
        return self._open(session.user)

    def sign_out(self, access: str) -> None:
        self.sessions.pop(access, None)

    def user_of(self, header: str) -> User:
        """Whose token an Authorization header holds."""
        scheme, _, access = header.partition(" ")
        if not header:
            raise AgiloftError(400, "One has to specify $login and $password parameters or authentication token.")
        if scheme != "Bearer":
            raise AgiloftError(401, "Wrong Authorization data")
        session = self.sessions.get(access.strip())
        if session is None:
            raise AgiloftError(500, "No active session found for current token")
        if self._clock() >= session.ends:
            raise AgiloftError(400, "Token is expired")
        if session.user.is_blocked:
            raise AgiloftError(401, "Token is blocked")
        return session.user

    def _open(self, user: User) -> dict[str, Any]:
        life = timedelta(minutes=self._minutes())
        access, refresh = f"sandbox-access-{secrets.token_hex(8)}", f"sandbox-refresh-{secrets.token_hex(8)}"
        now = self._clock()
        self.sessions[access] = Session(user, refresh, now + life, now + 4 * life)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": self._minutes(),
            "expiration_time_unit": "MINUTES",
            "authentication_scheme": "Bearer ",
        }
