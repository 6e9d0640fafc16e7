"""The server's times: local to its own zone, which no answer names. Pure.

Source: recorded `tz_warsaw.*`: `CreateTime` of an article is local, `IncomingTime` beside it is the same moment as an
epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

FORM = "%Y-%m-%d %H:%M:%S"
QUARTER = timedelta(minutes=15)
WIDEST = timedelta(hours=15)
"""No zone is further away from UTC, nor has an offset that is no multiple of a quarter of an hour."""


class ServerClock:
    """Turns the server's local times into UTC, by the zone of the settings or else by what one answer shows."""

    def __init__(self, zone: tzinfo | None, articles: Iterable[Mapping[str, Any]] = ()) -> None:
        self._zone = zone
        self._seen: list[tuple[datetime, timedelta]] = []
        for article in articles:
            local, epoch = _parsed(article.get("CreateTime")), article.get("IncomingTime")
            if local is not None and str(epoch or "").isdigit() and int(str(epoch)):
                offset = _rounded(local - datetime.fromtimestamp(int(str(epoch)), UTC).replace(tzinfo=None))
                if offset is not None:
                    self._seen.append((local, offset))

    @property
    def offset(self) -> timedelta | None:
        """How far the server's latest shown time is ahead of UTC; None where no answer tells."""
        return max(self._seen)[1] if self._seen else None

    def utc(self, text: object) -> datetime | None:
        """A time of the server in UTC. The offset of the nearest known moment counts, because summer time changes it;
        UTC where nothing is known, as the product's own default zone is."""
        local = _parsed(text)
        if local is None:
            return None
        if self._zone is not None:
            return local.replace(tzinfo=self._zone).astimezone(UTC)
        offset = min(self._seen, key=lambda seen: abs(seen[0] - local))[1] if self._seen else timedelta(0)
        return (local - offset).replace(tzinfo=UTC)

    def text(self, at: datetime) -> str:
        """A moment as the server writes it."""
        if self._zone is not None:
            return at.astimezone(self._zone).strftime(FORM)
        return (at.astimezone(UTC) + (self.offset or timedelta(0))).strftime(FORM)


def _parsed(text: object) -> datetime | None:
    try:
        return datetime.strptime(str(text), FORM)  # noqa: DTZ007 - local to a zone that is only known later
    except ValueError:
        return None


def _rounded(difference: timedelta) -> timedelta | None:
    """The offset that a difference means: an article is stored within seconds of its epoch."""
    offset = round(difference / QUARTER) * QUARTER
    return offset if abs(difference - offset) < QUARTER / 3 and abs(offset) <= WIDEST else None
