"""Who is asking: API tokens, OAuth tokens with rotation, and what each role may do."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from werkzeug.datastructures import Authorization

from plugins.zendesk.sandbox.errors import ApiError, forbidden, invalid_token, unauthenticated
from plugins.zendesk.sandbox.state import Store, User

CODE_SECONDS = 120
MAX_ACCESS_SECONDS = 172_800
REFRESH_DAYS = 30

FOR_ADMINS = re.compile(r"^/api/v2/(incremental|webhooks|triggers)(/|$)")
FOR_EVERYONE = re.compile(
    r"^/api/v2/(requests|uploads|users/me|ticket_fields|ticket_forms|custom_statuses|attachments|help_center"
    r"|tickets/\d+/satisfaction_rating)(/|$)"
)


@dataclass(frozen=True)
class Grant:
    """A pair of OAuth tokens."""

    access: str
    refresh: str
    user_id: int
    scope: str
    expires_at: datetime
    refresh_expires_at: datetime


@dataclass
class Tokens:
    """The account's secrets: one API token, which acts as any person by address, and OAuth clients and grants."""

    store: Store
    api_token: str = "sandbox-api-token"
    api_token_is_active: bool = True
    clients: dict[str, tuple[str, int]] = field(default_factory=dict)
    """OAuth client id -> secret and the id of the user that it acts as."""
    grants: list[Grant] = field(default_factory=list)
    codes: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def person(self, given: Authorization | None) -> tuple[User, str] | None:
        """The person and the scope behind an Authorization header, None without one; 401 when it is wrong."""
        if given is None:
            return None
        if given.type == "basic":
            email, _, kind = (given.username or "").rpartition("/")
            person = self.store.user_by_email(email)
            right = secrets.compare_digest(given.password or "", self.api_token) and self.api_token_is_active
            if kind != "token" or person is None or not right:
                raise unauthenticated()
            return person, "read write"
        for grant in self.grants:
            if secrets.compare_digest(grant.access, given.token or "") and grant.expires_at > self.store.clock():
                return self.store.users[grant.user_id], grant.scope
        raise invalid_token()

    def authorize(self, user: User) -> str:
        """A code as the authorization page hands it out after `user` agreed; lives 120 s and works once."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = (user.id, self.store.clock() + timedelta(seconds=CODE_SECONDS))
        return code

    def issue(self, given: dict[str, Any]) -> dict[str, Any]:
        """The answer of the token endpoint. A refresh makes a new pair and kills the old one."""
        secret, user_id = self.clients.get(str(given.get("client_id")), ("", 0))
        if not secret or not secrets.compare_digest(secret, str(given.get("client_secret"))):
            raise _refused("invalid_client", "Client authentication failed")
        kind, scope, now = given.get("grant_type"), str(given.get("scope") or "read write"), self.store.clock()
        if kind == "refresh_token":
            old = next((g for g in self.grants if g.refresh == given.get("refresh_token")), None)
            if old is None or old.refresh_expires_at <= now:
                raise _refused("invalid_grant", "The refresh token is invalid, expired or revoked")
            self.grants.remove(old)
            user_id, scope = old.user_id, old.scope
        elif kind == "authorization_code":
            user_id, until = self.codes.pop(str(given.get("code")), (0, now))
            if until <= now:
                raise _refused("invalid_grant", "The authorization code is invalid or expired")
        elif kind != "client_credentials":
            raise _refused("unsupported_grant_type", "This grant type is not supported")
        seconds = max(300, min(int(given.get("expires_in") or MAX_ACCESS_SECONDS), MAX_ACCESS_SECONDS))
        grant = Grant(
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(24),
            user_id,
            scope,
            now + timedelta(seconds=seconds),
            now + timedelta(days=REFRESH_DAYS),
        )
        self.grants.append(grant)
        return {
            "access_token": grant.access,
            "refresh_token": grant.refresh,
            "token_type": "bearer",
            "scope": scope,
            "expires_in": seconds,
            "refresh_token_expires_in": REFRESH_DAYS * 86_400,
        }


def check_allowed(person: User | None, scope: str, method: str, path: str) -> None:
    """401 without a person, 403 when the role or the scope of the token is not enough for this request."""
    if person is None:
        if path == "/api/v2/users/me":
            return
        raise unauthenticated()
    needed = "read" if method in ("GET", "HEAD") else "write"
    if not any(word == needed or word.endswith(f":{needed}") for word in scope.split()):
        raise forbidden()
    if FOR_ADMINS.match(path) and person.role != "admin":
        raise forbidden()
    if not person.is_staff and not FOR_EVERYONE.match(path):
        raise forbidden()


def _refused(error: str, description: str) -> ApiError:
    return ApiError(401 if error == "invalid_client" else 400, {"error": error, "error_description": description})
