"""Notes refused requests, but never so many that a stranger could fill the journal or keep it busy."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Protocol

import structlog

log = structlog.get_logger("hub.receive")

NOTED_PER_MINUTE = 60
"""For each tracker. Further ones are in the figures only."""


class _Notebook(Protocol):
    def refused(self, *, tracker: str, received: datetime, reason: str, status: int) -> None: ...


class Refusals:
    """Passes refusals on to the inbox, `per_minute` of a tracker at most. May be called from any thread."""

    def __init__(self, inbox: _Notebook, per_minute: int = NOTED_PER_MINUTE) -> None:
        self._inbox, self._per_minute = inbox, per_minute
        self._lock = threading.Lock()
        self._minute = 0
        self._noted: dict[str, int] = {}

    def note(self, *, tracker: str, received: datetime, reason: str, status: int) -> None:
        """One refused request; `tracker` is a configured name or "unknown"."""
        minute = int(time.monotonic() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._noted = minute, {}
            noted = self._noted[tracker] = self._noted.get(tracker, 0) + 1
        if noted <= self._per_minute:
            self._inbox.refused(tracker=tracker, received=received, reason=reason, status=status)
        elif noted == self._per_minute + 1:
            log.warning("too many requests are refused; the journal notes no more of this minute", tracker=tracker)
