"""Recorded exchanges with real servers, and how an answer of today is compared with one of them.

For the tests of sandboxes; it knows no tracker. What a value means, and so when two are the same, the caller says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.shared import SHARED

CUT = re.compile(r"(?P<begin>.*)\.\.\.\[(?P<length>\d+) chars, cut\]", re.DOTALL)
"""How the files show a text that is too long for them: its beginning, and how long the whole is."""

Same = Callable[[str, Any, Any], bool | None]
"""Whether two values at a place (`bugs[0].id`) are the same; None leaves it to what they look like."""


@dataclass(frozen=True)
class Recorded:
    """One line of a file."""

    name: str
    request: Mapping[str, Any]
    status: int
    body: Any


def recorded(file: str) -> list[Recorded]:
    """All lines of a file under `recordings`, in their order; none where it is not there."""
    path = SHARED / "recordings" / file
    if not path.is_file():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Recorded(line["name"], line["request"], line["response"]["status"], line["response"]["body"]) for line in lines
    ]


def whole(value: Any) -> Any:
    """A value with what was cut from its texts, which go on with their last character."""
    if isinstance(value, dict):
        return {key: whole(one) for key, one in value.items()}
    if isinstance(value, list):
        return [whole(one) for one in value]
    cut = CUT.fullmatch(value) if isinstance(value, str) else None
    return cut["begin"] + cut["begin"][-1] * (int(cut["length"]) - len(cut["begin"])) if cut else value


def unlike(was: Any, now: Any, same: Same, at: str = "") -> Iterator[str]:
    """Where an answer differs from the recorded one: in keys, in types, in how many, in values."""
    verdict = same(at, was, now)
    if verdict is not None:
        if not verdict:
            yield f"{at or 'body'}: {now!r}, was {was!r}"
    elif type(was) is not type(now):
        yield f"{at or 'body'}: {now!r} is a {type(now).__name__}, was {was!r}"
    elif isinstance(was, dict):
        if set(was) != set(now):
            yield f"{at or 'body'}: keys {sorted(set(now) - set(was))} too many, {sorted(set(was) - set(now))} missing"
        for key in set(was) & set(now):
            yield from unlike(was[key], now[key], same, f"{at}.{key}".lstrip("."))
    elif isinstance(was, list):
        if len(was) != len(now):
            yield f"{at or 'body'}: {len(now)} items, were {len(was)}"
        for number, (one, other) in enumerate(zip(was, now, strict=False)):
            yield from unlike(one, other, same, f"{at}[{number}]")
    elif was != now:
        yield f"{at or 'body'}: {now!r}, was {was!r}"
