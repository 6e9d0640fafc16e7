"""Tokens of sessions, and how long they are good for. Pure. Source: help.agiloft.com, "REST - Login"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

RENEW_AT = 0.8
"""Part of a token's life after which it is replaced."""
USUAL_LIFE = 15 * 60.0
"""Seconds; a KB may set up to an hour."""
LONGEST_IN_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Token:
    """`good_until` is by the monotonic clock, in seconds."""

    access: str
    refresh: str
    scheme: str
    good_until: float

    @classmethod
    def of(cls, answer: Any, now: float) -> Self | None:
        """The token in an answer to a sign-in, bare or under `result`; None where there is none."""
        given = answer.get("result") if isinstance(answer, dict) and isinstance(answer.get("result"), dict) else answer
        if not isinstance(given, dict) or not given.get("access_token"):
            return None
        return cls(
            access=str(given["access_token"]),
            refresh=str(given.get("refresh_token") or ""),
            scheme=str(given.get("authentication_scheme") or "Bearer").strip(),
            good_until=now + RENEW_AT * life_of(given),
        )


def life_of(token: Mapping[str, Any]) -> float:
    """Seconds that a token is good for. Without a unit a small number means minutes, as the longest life is an hour;
    sources disagree. Source: "REST - Login"."""
    try:
        given = float(token.get("expires_in") or 0)
    except (TypeError, ValueError):
        given = 0.0
    if given <= 0:
        return USUAL_LIFE
    unit = str(token.get("expiration_time_unit") or "").casefold()
    if unit:
        return given * {"m": 60.0, "h": 3600.0}.get(unit[0], 1.0)
    return given * 60 if given <= LONGEST_IN_MINUTES else given
