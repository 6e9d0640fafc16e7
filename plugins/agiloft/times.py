"""Agiloft's times: local to the zone in which the hub's login sees them, in the form of the settings. Pure.

Source: help.agiloft.com, "Data encoding": the parser stops at the first of thousands of forms that fits, so that only
one unambiguous form is ever sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from plugins.agiloft.settings import AgiloftSettings

STEP = timedelta(minutes=30)
"""No clock is set back by a part of this."""


@dataclass(frozen=True, slots=True)
class LocalTimes:
    """Turns local texts into UTC and back."""

    form: str
    zone: ZoneInfo

    @classmethod
    def of(cls, settings: AgiloftSettings) -> LocalTimes:
        """As the settings say."""
        return cls(settings.date_format, ZoneInfo(settings.time_zone))

    def utc(self, text: object) -> datetime | None:
        """A time in UTC, None for what has not the form of one. Of an hour that comes twice, the first is meant."""
        try:
            local = datetime.strptime(str(text).strip(), self.form)  # noqa: DTZ007 - the zone comes next
        except ValueError:
            return None
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def text(self, at: datetime) -> str:
        """A moment as Agiloft writes it."""
        return at.astimezone(self.zone).strftime(self.form)

    def text_not_after(self, at: datetime) -> str:
        """The same, or an earlier one where the clock is set back: no reading of it is later than `at`."""
        while self._is_twofold(at):
            at -= STEP
        return self.text(at)

    def _is_twofold(self, at: datetime) -> bool:
        local = at.astimezone(self.zone).replace(tzinfo=None)
        first, second = (local.replace(tzinfo=self.zone, fold=fold).utcoffset() for fold in (0, 1))
        return first != second
