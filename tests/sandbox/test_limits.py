"""Rate limits: fixed windows by name and key, on an injected clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.sandbox import RateLimiter

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def test_without_a_limit_everything_is_allowed() -> None:
    limiter = RateLimiter(Clock())
    assert all(limiter.take("all", "a").allowed for _ in range(1000))


def test_a_window_ends_after_its_seconds() -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    limiter.set("all", 2, 60)
    assert [limiter.take("all").remaining for _ in range(2)] == [1, 0]
    clock.now += timedelta(seconds=59)
    refused = limiter.take("all")
    assert (refused.allowed, refused.resets) == (False, 1)
    clock.now += timedelta(seconds=1)
    assert limiter.take("all").allowed


def test_keys_are_counted_apart() -> None:
    limiter = RateLimiter(Clock())
    limiter.set("ticket", 1, 60)
    assert limiter.take("ticket", "1").allowed
    assert limiter.take("ticket", "2").allowed
    assert not limiter.take("ticket", "1").allowed


def test_a_changed_limit_begins_afresh() -> None:
    limiter = RateLimiter(Clock())
    limiter.set("all", 0, 60)
    assert not limiter.take("all").allowed
    limiter.set("all", 1, 60)
    assert limiter.in_force() == {"all": (1, 60)}
    assert limiter.take("all").allowed


def test_a_limit_without_time_is_refused() -> None:
    with pytest.raises(ValueError, match="seconds"):
        RateLimiter(Clock()).set("all", 1, 0)
