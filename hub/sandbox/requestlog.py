"""What was asked of a sandbox, in order. It knows nothing of any tracker; control requests are not recorded."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class RequestRecord:
    """One request.

    `at` is its arrival, UTC. `status` is None while the request is under way and 0 when the connection was cut
    without an answer. `login` is who asked, "" when nobody was recognised. `body` is the start of the body as text.
    """

    number: int
    method: str
    path: str
    query: str
    at: datetime
    body: str = ""
    status: int | None = None
    login: str = ""


class RequestLog:
    """The requests since the start or the last `clear`; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[int, RequestRecord] = {}
        self._next = 1

    def __iter__(self) -> Iterator[RequestRecord]:
        return iter(self.all())

    def __len__(self) -> int:
        with self._lock:
            return len(self._records)

    def all(self) -> tuple[RequestRecord, ...]:
        """Every record, in order of arrival."""
        with self._lock:
            return tuple(self._records.values())

    def matching(self, method: str = "", path: str = "") -> tuple[RequestRecord, ...]:
        """The records of `method` ("" for any) whose path has a match of the regular expression `path`."""
        return tuple(r for r in self.all() if method in ("", r.method) and re.search(path, r.path))

    def count(self, method: str = "", path: str = "") -> int:
        """How many requests `matching` would return."""
        return len(self.matching(method, path))

    def clear(self) -> None:
        """Forget everything; a request under way is not recorded again when it ends."""
        with self._lock:
            self._records.clear()

    def arrived(self, method: str, path: str, query: str, at: datetime, body: str) -> RequestRecord:
        """Record a request that has just come in."""
        with self._lock:
            record = RequestRecord(self._next, method, path, query, at, body)
            self._next += 1
            self._records[record.number] = record
            return record

    def answered(self, record: RequestRecord, status: int, login: str) -> None:
        """Complete `record` with how it ended."""
        with self._lock:
            if record.number in self._records:
                self._records[record.number] = dataclasses.replace(record, status=status, login=login)
