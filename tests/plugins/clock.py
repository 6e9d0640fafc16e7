"""The time of a sandbox under test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """A sandbox's time in whole seconds, which stands still until a test moves it; it begins with the present."""

    def __init__(self, begin: datetime | None = None) -> None:
        self.now = begin or datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        """The time in UTC."""
        return self.now

    def forward(self, **by: float) -> datetime:
        """Lets time go by, e.g. `minutes=5`; returns the time after it."""
        self.now += timedelta(**by)
        return self.now
