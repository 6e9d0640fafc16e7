"""Recorded exchanges with real servers: reading them, sending their requests again, and comparing the answers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from plugins.mantis.sandbox import MantisSandbox
from tests.shared import SHARED

FILE = SHARED / "recordings" / "mantis.jsonl"
TELLING = ("content-type", "x-mantis-version", "x-mantis-username", "x-mantis-loginmethod", "allow")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?P<zone>[+-]\d\d:\d\d)")
_TOKEN = re.compile(r"TOKEN\((\w+)\)")
CUT = re.compile(r"(?P<begin>.*)<\.\.\. (?P<length>\d+) characters>")
"""How the file shows a value that is too long for it: the beginning, and how long the whole is."""
LOST_BYTE = "\ufffd"
"""How the file shows a byte that is no UTF-8."""


@dataclass(frozen=True)
class Recorded:
    """One exchange as the file has it."""

    name: str
    request: Mapping[str, Any]
    response: Mapping[str, Any]


@cache
def recorded() -> dict[str, Recorded]:
    """All exchanges by name; none where the file is not there."""
    if not FILE.is_file():
        return {}
    lines = [json.loads(line) for line in FILE.read_text().splitlines()]
    return {line["name"]: Recorded(line["name"], line["request"], line["response"]) for line in lines}


class Replay:
    """Sends recorded requests to a sandbox. Tags of the lock that were recorded become those that it gave instead."""

    def __init__(self, site: MantisSandbox) -> None:
        self._site, self._tags = site, dict[str, str]()
        self._http = httpx.Client(base_url=site.url, timeout=30)

    def close(self) -> None:
        self._http.close()

    def send(self, exchange: Recorded) -> httpx.Response:
        request = exchange.request
        headers = {name: self._header(value) for name, value in request["headers"].items()}
        path = request["path"] + (f"?{request['query']}" if request["query"] else "")
        answer = self._http.request(request["method"], path, headers=headers, content=_content(request["body"]))
        tag = exchange.response["headers"].get("ETag")
        if tag:
            self._tags[tag] = answer.headers.get("etag", "")
        return answer

    def _header(self, value: str) -> str:
        value = _TOKEN.sub(lambda m: self._site.store.user(m.group(1)).token, value)
        return self._tags.get(value, value)


def _content(body: object) -> bytes | None:
    if body is None:
        return None
    if isinstance(body, str):
        return body.encode("utf-8").replace(LOST_BYTE.encode(), b"\xf3")
    return json.dumps(_whole(body)).encode()


def _whole(value: Any) -> Any:
    """The value with what was cut from files: they go on as they began, and end with one `=`."""
    if isinstance(value, dict):
        return {key: _whole(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    cut = CUT.fullmatch(value) if isinstance(value, str) else None
    if cut is None:
        return value
    size = int(cut["length"]) // 4 * 3 - 1
    return base64.b64encode(base64.b64decode(cut["begin"][:4])[:1] * size).decode()


def compare_heads(exchange: Recorded, answer: httpx.Response) -> list[str]:
    """What differs in status, reason and headers."""
    was = exchange.response
    differences = []
    if (answer.status_code, answer.reason_phrase) != (was["status"], was["reason"]):
        differences.append(f"status {answer.status_code} {answer.reason_phrase}, was {was['status']} {was['reason']}")
    headers = {name.lower(): value for name, value in was["headers"].items()}
    for name in TELLING:
        if name == "content-type" and was["status"] in (204, 304):
            # The kit gives every answer one, which means nothing where there is no body.
            continue
        if _loose(answer.headers.get(name)) != _loose(headers.get(name)):
            differences.append(f"header {name}: {answer.headers.get(name)}, was {headers.get(name)}")
    if ("etag" in answer.headers) != ("etag" in headers):
        differences.append(f"header etag: {answer.headers.get('etag')}, was {headers.get('etag')}")
    return differences


def _loose(value: str | None) -> str | None:
    return value.replace(" ", "").lower() if value else None


def compare_values(was: Any, now: Any, where: str = "body") -> list[str]:
    """What differs in an answer: keys, types and values. Of times only the form and the zone are compared."""
    if isinstance(was, dict) and isinstance(now, dict):
        if list(was) != list(now):
            return [f"{where}: keys {list(now)}, were {list(was)}"]
        return [d for key in was for d in compare_values(was[key], now[key], f"{where}.{key}")]
    if isinstance(was, list) and isinstance(now, list):
        if len(was) != len(now):
            return [f"{where}: {len(now)} items, were {len(was)}"]
        pairs = enumerate(zip(was, now, strict=True))
        return [d for n, (one, other) in pairs for d in compare_values(one, other, f"{where}[{n}]")]
    if isinstance(was, str) and isinstance(now, str):
        cut = CUT.fullmatch(was)
        if cut:
            is_same = now.startswith(cut["begin"]) and len(now) == int(cut["length"])
            return [] if is_same else [f"{where}: {len(now)} characters, were {cut['length']}"]
        times = TIME.fullmatch(was), TIME.fullmatch(now)
        if times[0] and times[1]:
            return [] if times[0]["zone"] == times[1]["zone"] else [f"{where}: {now}, was {was}"]
    return [] if type(was) is type(now) and was == now else [f"{where}: {now!r}, was {was!r}"]


def compare_pages(was: Any, now: Any) -> list[str]:
    """What differs in how many issues there are, and in the types of those that both pages show."""
    before, after = was["issues"], now["issues"]
    differences = [] if len(before) == len(after) else [f"{len(after)} issues, were {len(before)}"]
    shown = {issue["id"]: issue for issue in after}
    for issue in before:
        differences += compare_shapes(issue, shown.get(issue["id"], issue), f"issue {issue['id']}")
    return differences


def compare_shapes(was: Any, now: Any, where: str = "body") -> list[str]:
    """What differs in types; not in values, nor in what is left out as empty, nor in how many things there are."""
    if isinstance(was, dict) and isinstance(now, dict):
        return [d for key in was if key in now for d in compare_shapes(was[key], now[key], f"{where}.{key}")]
    if isinstance(was, list) and isinstance(now, list):
        pairs = enumerate(zip(was, now, strict=False))
        return [d for n, (one, other) in pairs for d in compare_shapes(one, other, f"{where}[{n}]")]
    return [] if type(was) is type(now) else [f"{where}: {type(now).__name__}, was {type(was).__name__}"]
