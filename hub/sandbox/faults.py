"""Faults and gates: what goes wrong in a sandbox on demand, and when. It only decides; the server carries it out."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

When = Literal["before", "after"]


@dataclass(frozen=True)
class Fault:
    """One rule: which requests go wrong, how often and in which way.

    `method` "" means any; `path` is a regular expression searched in the path. The first `skip` matches pass, the
    next `times` go wrong (None: all, until cleared). `delay` is in seconds. With `mode` "before" the effect of the
    request does not happen; with "after" it happens and only the answer suffers. `drop` closes the connection
    without an answer; else `status` (with `headers` and `body`, text or JSON) replaces the answer; without either
    only the delay counts, before or after the effect, and the true answer follows.
    """

    method: str = ""
    path: str = ""
    times: int | None = 1
    skip: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | dict[str, Any] | list[Any] | None = None
    delay: float = 0.0
    mode: When = "before"
    drop: bool = False

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Fault:
        """A fault from a control request. Raises `ValueError` with the reason for an unknown key or value."""
        known = {f.name for f in fields(cls)}
        if unknown := set(values) - known:
            raise ValueError(f"unknown keys {sorted(unknown)}; a fault has {sorted(known)}")
        return cls(**values)

    def __post_init__(self) -> None:
        if self.mode not in ("before", "after"):
            raise ValueError(f'mode is "before" or "after", not {self.mode!r}')
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path {self.path!r} is no regular expression: {error}") from error


class Gate:
    """Holds one matching request, before or after its effect, until it is released.

    The first `skip` matches pass, the next one is held, later ones pass.
    """

    def __init__(self, method: str, path: str, when: When = "before", skip: int = 0) -> None:
        self.rule = Fault(method=method, path=path, skip=skip, mode=when)
        self._reached = threading.Event()
        self._released = threading.Event()

    @property
    def reached(self) -> bool:
        """A request stands at the gate, or stood there before the release."""
        return self._reached.is_set()

    def wait_reached(self, timeout: float = 10.0) -> bool:
        """Wait up to `timeout` seconds for a request to stand at the gate; False when none came."""
        return self._reached.wait(timeout)

    def release(self) -> None:
        """Let the held request go on; a gate that was never reached holds nothing any more."""
        self._released.set()

    def hold(self) -> None:
        """Stand at the gate: called by the server in the request's own thread."""
        self._reached.set()
        self._released.wait()

    @property
    def is_open(self) -> bool:
        """It was released."""
        return self._released.is_set()


class Faults:
    """The rules in force, oldest first; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[_Counted] = []
        self._gates: list[tuple[Gate, _Counted]] = []

    def add(self, fault: Fault) -> None:
        """Put `fault` behind the others; a request meets at most one, the oldest that applies."""
        with self._lock:
            self._faults.append(_Counted(fault))

    def gate(self, method: str, path: str, when: When = "before", skip: int = 0) -> Gate:
        """A new gate for `method` ("" for any) and a path with a match of the regular expression `path`."""
        gate = Gate(method, path, when, skip)
        with self._lock:
            self._gates.append((gate, _Counted(gate.rule)))
        return gate

    def clear(self) -> None:
        """Forget all faults and release all gates."""
        with self._lock:
            self._faults.clear()
            gates, self._gates = self._gates, []
        for gate, _ in gates:
            gate.release()

    def pending(self) -> tuple[Fault, ...]:
        """The faults that can still happen."""
        with self._lock:
            return tuple(c.fault for c in self._faults if not c.is_spent)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets; counts it as used."""
        with self._lock:
            for counted in self._faults:
                if counted.fires(method, path):
                    if counted.is_spent:
                        self._faults.remove(counted)
                    return counted.fault
        return None

    def take_gates(self, method: str, path: str) -> tuple[Gate, ...]:
        """The gates at which this request has to stand; counts them as used."""
        with self._lock:
            return tuple(g for g, counted in self._gates if not g.is_open and counted.fires(method, path))


class _Counted:
    """A fault with what is left of its counts."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._path = re.compile(fault.path)
        self._skip = fault.skip
        self._left = fault.times

    @property
    def is_spent(self) -> bool:
        return self._left == 0

    def fires(self, method: str, path: str) -> bool:
        if self.is_spent or self.fault.method not in ("", method) or not self._path.search(path):
            return False
        if self._skip > 0:
            self._skip -= 1
            return False
        if self._left is not None:
            self._left -= 1
        return True
