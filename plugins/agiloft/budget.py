"""How many calls may be made now. Knows nothing of HTTP.

Agiloft refuses nobody, but it holds every call up for `WSDelay`, a second by default, so that a session does about one
call a second. Source: help.agiloft.com, "REST Interface".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

ENOUGH = 10.0
"""Calls that must have been saved up before work begins again, so that a piece of it can be done to its end."""


class Budget:
    """Calls that are saved up at `rate` a second, `burst` of them at most. Safe to use from any thread.

    Work is admitted as long as something is left, and what was admitted is done to its end: the budget may then be
    overdrawn, and the next waits the longer. `clock` gives seconds that never go back.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, float(burst), clock
        self._lock = threading.Lock()
        self._left, self._at = float(burst), clock()

    def wait(self) -> float:
        """Seconds until there are calls for a piece of work again; 0 where there are some now."""
        with self._lock:
            self._save_up()
            return 0.0 if self._left >= 1 else (min(ENOUGH, self._burst) - self._left) / self._rate

    def spend(self) -> None:
        """One call is made."""
        with self._lock:
            self._save_up()
            self._left -= 1

    def _save_up(self) -> None:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
