"""A sandbox that goes through what a recorded server went through, exchange by exchange.

The recorded run did more than the files show. What is missing is done here to the sandbox, just before the exchange
that depends on it. It compares nothing: see `test_recordings`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from plugins.bugzilla.sandbox import BugzillaSandbox
from plugins.bugzilla.sandbox.state import Bug, Flavour, User
from tests.recorded import Recorded, whole

KEYS = {
    "hub": "hub", "admin": "admin", "dev": "dev", "hubmin": "hubmin", "reporter": "reporter", "nobug": "secret",
    "inactive": "gone",
}  # fmt: skip
"""Whose key a placeholder stands for, by what their login begins with."""
REVOKED = "revoked-key-of-the-hub-000000000000000000"
_KEY = re.compile(r"<API_KEY:(\w+)>")
_BASE = re.compile(r"http://127\.0\.0\.1:1808[23]")
_AT = re.compile(r'"last_change_time": "([^"]+)"')
BASE = {"product": "Widgets", "component": "Frontend", "version": "1.0", "op_sys": "All", "platform": "All"}
GADGET = {**BASE, "product": "Gadgets", "component": "Core", "version": "unspecified"}


Step = Callable[["Replay"], object]
"""What happens to an installation between two exchanges."""


class Replay:
    """One installation. `steps` are what happens before an exchange, by its name."""

    def __init__(self, flavour: Flavour, steps: Mapping[str, Step]) -> None:
        self.now = datetime(2026, 11, 23, 21, 2, 51, tzinfo=UTC)
        self._steps = steps
        self.site = BugzillaSandbox(flavour=flavour, clock=lambda: self.now)
        store = self.site.store
        # Who is there only for the demo.
        del store.users["enid@example.test"], store.users["nobody@example.test"]
        store.revoked_keys.add(REVOKED)
        store.params |= {"maxattachmentsize": "1000"}
        if flavour == "5.3":
            store.products["Widgets"].components[2].description = "Zażółć gęślą comp"
        self.site.start()
        self._http = httpx.Client(base_url=self.site.url, timeout=30)

    def close(self) -> None:
        self._http.close()
        self.site.stop()

    def answer(self, exchange: Recorded) -> httpx.Response:
        """What the sandbox says to a recorded request."""
        if exchange.name in self._steps:
            self._steps[exchange.name](self)
        self._prepare(exchange)
        request = exchange.request
        content = self._content(request.get("body"))
        path = str(request["path"])
        return self._http.request(
            request["method"], path, params=self._query(request.get("query")), content=content,
            headers={name: self._filled(value) for name, value in request["headers"].items()},
        )  # fmt: skip

    def _prepare(self, exchange: Recorded) -> None:
        """The clock as it was, where the answer tells it, and the number that something new got."""
        told = _AT.search(json.dumps(exchange.body)) if exchange.request["method"] == "PUT" else None
        self.now = max(self.now, datetime.fromisoformat(told.group(1))) if told else self.now
        path, body, store = exchange.request["path"], exchange.body, self.site.store
        if exchange.request["method"] != "POST" or exchange.status not in (200, 201) or not isinstance(body, dict):
            return
        if path == "/rest/bug" and "id" in body:
            store.count_from("bug", body["id"])
        elif path.endswith("/comment") and "id" in body:
            store.count_from("comment", body["id"])
        elif path.endswith("/attachment") and "ids" in body:
            store.count_from("file", body["ids"][0])

    def _filled(self, text: Any) -> Any:
        if not isinstance(text, str):
            return text
        text = _KEY.sub(lambda m: self.key(m.group(1)), text)
        return _BASE.sub(self.site.url, text)

    def key(self, name: str) -> str:
        """A key by its placeholder; what stands for a session's token is nobody's."""
        return REVOKED if name == "hub_revoked" else self.user(KEYS[name]).key if name in KEYS else name

    def _query(self, query: Any) -> httpx.QueryParams:
        pairs = query.items() if isinstance(query, dict) else query or ()
        return httpx.QueryParams(
            [
                (str(name), str(self._filled(whole(one))))
                for name, value in pairs
                for one in (value if isinstance(value, list) else [value])
            ]
        )

    def _content(self, body: Any) -> bytes | None:
        if body is None:
            return None
        if isinstance(body, dict) and set(body) == {"__raw__"}:
            return str(body["__raw__"]).encode()
        return str(self._filled(json.dumps(whole(body)))).encode()

    # what the files do not show

    def user(self, name: str) -> User:
        return self.site.store.users[f"{name}@example.test"]

    def bug(self, number: int) -> Bug:
        return self.site.store.bugs[number]

    def new_bug(self, number: int, name: str = "hub", **more: Any) -> Bug:
        self.site.store.count_from("bug", number)
        return self.site.creation.bug(self.user(name), {**BASE, "summary": "First bug", **more})

    def change(self, number: int, name: str = "hub", **body: Any) -> None:
        list(self.site.changes.update(self.user(name), [self.bug(number)], body))

    def say(self, number: int, text: str, name: str = "hub", **more: Any) -> None:
        self.site.creation.comment(self.user(name), self.bug(number), {"comment": text, **more})

    def attach(self, number: int, name: str, content: str, **more: Any) -> None:
        body = {"data": content, "file_name": name, "summary": "Załącznik ł", "content_type": "text/plain", **more}
        self.site.creation.file(self.user("hub"), self.bug(number), body)

    def at(self, text: str) -> None:
        """Sets the clock to a time of the recorded day."""
        self.now = datetime.fromisoformat(f"2026-11-23T{text}+00:00")

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def params(self, **values: str) -> None:
        self.site.store.params |= values

    def zone(self, name: str) -> None:
        self.site.store.zone = ZoneInfo(name)


def several(*steps: Step) -> Step:
    def do(replay: Replay) -> None:
        for step in steps:
            step(replay)

    return do


def gadgets(first: int, *times: str) -> Step:
    """Bugs that were made at these times, for the searches."""

    def make(replay: Replay) -> None:
        for number, time in enumerate(times, first):
            replay.at(time)
            replay.new_bug(number, **GADGET, summary=f"poll {number - first}")

    return make


def params(**values: str) -> Step:
    return lambda replay: replay.params(**values)
