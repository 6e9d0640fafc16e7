"""How fast the hub may call: TeamViewer has limits and tells them nowhere, so that the hub keeps one of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """At most `calls` in `seconds`, evenly refilled; a burst of all of them may come at once. Used by all threads."""

    def __init__(self, calls: int, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._each, self._clock = calls, seconds / calls, clock
        self._lock = threading.Lock()
        self._left, self._at = float(calls), clock()

    def take(self) -> float:
        """Takes one call and returns 0, or takes nothing and returns the seconds until there is one."""
        with self._lock:
            now = self._clock()
            self._left = min(float(self._most), self._left + (now - self._at) / self._each)
            self._at = now
            if self._left >= 1.0:
                self._left -= 1.0
                return 0.0
            return (1.0 - self._left) * self._each
