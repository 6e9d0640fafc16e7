"""Rate limits of a sandbox: fixed windows, counted by name and key. Off until a limit is set."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

UNLIMITED = 1_000_000
"""What an unset limit shows as its number, in headers."""


@dataclass(frozen=True)
class Allowance:
    """The answer to one request: `limit` and `remaining` requests in this window, which ends in `resets` seconds."""

    allowed: bool
    limit: int
    remaining: int
    resets: int


class RateLimiter:
    """Counts requests in windows that begin with the first request; safe to use from any thread."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._limits: dict[str, tuple[int, float]] = {}
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def set(self, name: str, count: int, seconds: float = 60.0) -> None:
        """Allow `count` requests in `seconds` for each key of the limit `name`; begins afresh."""
        if count < 0 or seconds <= 0:
            raise ValueError("a limit needs a count of 0 or more and more than 0 seconds")
        with self._lock:
            self._limits[name] = (count, seconds)
            self._windows = {k: v for k, v in self._windows.items() if k[0] != name}

    def clear(self) -> None:
        """No limits any more."""
        with self._lock:
            self._limits.clear()
            self._windows.clear()

    def in_force(self) -> dict[str, tuple[int, float]]:
        """The limits that are set: name -> (count, seconds)."""
        with self._lock:
            return dict(self._limits)

    def take(self, name: str, key: str = "") -> Allowance:
        """Count one request against `name` for `key`; refused requests do not count."""
        now = self._clock().timestamp()
        with self._lock:
            if name not in self._limits:
                return Allowance(True, UNLIMITED, UNLIMITED - 1, 60)
            count, seconds = self._limits[name]
            began, used = self._windows.get((name, key), (now, 0))
            if now >= began + seconds:
                began, used = now, 0
            resets = max(1, math.ceil(began + seconds - now))
            if used >= count:
                return Allowance(False, count, 0, resets)
            self._windows[name, key] = (began, used + 1)
            return Allowance(True, count, count - used - 1, resets)
