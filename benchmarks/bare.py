"""The bare loop: for each event one durable commit, then the outside calls that the hub makes too, with httpx.

`python -m benchmarks.bare <stub's url> <scenario> <numbers…>` prints the CPU seconds that it took.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import httpx

Call = tuple[str, str, object]
NOTE = {"ticket": {"comment": {"html_body": "<p>OPS-1</p>", "public": False}, "external_id": "x"}}
ANSWER = {"ticket": {"comment": {"html_body": "<p>Fixed.</p>", "public": True}}}
LINK = {"globalId": "x", "object": {"url": "http://x.example", "title": "x"}}


def calls(scenario: str, ticket: int, issue: int) -> list[Call]:
    """What one event makes necessary outside."""
    fields = {"project": {"key": "OPS"}, "summary": f"Ticket {ticket}", "description": "It is broken.", "labels": []}
    return {
        "create": [
            ("GET", f"/api/v2/tickets/{ticket}", None),
            ("GET", f"/api/v2/tickets/{ticket}/comments", None),
            ("POST", "/rest/api/2/issue", {"fields": fields}),
            ("POST", "/rest/api/2/issue/1/remotelink", LINK),
            ("PUT", f"/api/v2/tickets/{ticket}", NOTE),
        ],
        "comment": [("GET", f"/rest/api/2/issue/{issue}", None), ("PUT", f"/api/v2/tickets/{ticket}", ANSWER)],
        "field": [
            ("GET", f"/api/v2/tickets/{ticket}", None),
            ("GET", f"/rest/api/2/issue/{issue}", None),
            ("PUT", f"/rest/api/2/issue/{issue}", {"fields": {"priority": {"name": "Highest"}}}),
        ],
    }[scenario]  # type: ignore[return-value]  # each entry is a list of calls


def main() -> None:
    url, scenario, *pairs = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, httpx.Client(base_url=url) as client:
        database = sqlite3.connect(Path(folder) / "bare.sqlite3", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE events (number INTEGER, body TEXT)")
        client.get("/api/v2/users/me")
        started = time.process_time()
        for pair in pairs:
            ticket, issue = map(int, pair.split(":"))
            database.execute("INSERT INTO events VALUES (?, ?)", (ticket, "x" * 1000))
            for method, path, body in calls(scenario, ticket, issue):
                answer = client.request(method, path, json=body)
                if answer.content:
                    answer.json()
        print(time.process_time() - started)
        database.close()


if __name__ == "__main__":
    main()
