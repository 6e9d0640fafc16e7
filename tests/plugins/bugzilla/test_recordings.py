"""The sandbox answers as real servers did: recorded exchanges with 5.2 and 5.3.3, replayed in their order.

Compared are status, shape, types, codes and every value that does not depend on the hour. Every exchange of both files
is compared or left out for one of the reasons in `scenes.LEFT_OUT`.
"""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from tests.plugins.bugzilla.replay import Replay
from tests.plugins.bugzilla.scenes import FILES, LEFT_OUT, SCENES
from tests.recorded import CUT, Recorded, recorded, unlike

ALL = {flavour: recorded(file) for flavour, file in FILES.items()}
pytestmark = pytest.mark.skipif(not all(ALL.values()), reason="the recordings are not beside the repository")

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
PLACE = re.compile(r"(?: at /\S+ line \d+.*|Error: .*)", re.DOTALL)
"""Where in Perl something happened."""
OF_THE_DAY = re.compile(r"(?:^|\.)(?:update_token|bug_when)$")
UNORDERED = re.compile(r"(?:^|\.)(?:changes|groups|users|ids|parameters)$")
LISTS_OF_WORDS = re.compile(r"(?:^|\.)products$")


def exchanges(scene: str) -> list[Recorded]:
    flavour, first, last, _ = SCENES[scene]
    names = [e.name for e in ALL[flavour]]
    return ALL[flavour][names.index(first) : names.index(last) + 1] if names else []


def is_left_out(flavour: str, name: str) -> bool:
    return any(f"{flavour}:{name}" in names or name in names for names in LEFT_OUT.values())


COMPARED = [
    (scene, exchange)
    for scene, (flavour, *_) in SCENES.items()
    for exchange in exchanges(scene)
    if not is_left_out(flavour, exchange.name)
]


@pytest.fixture(scope="module")
def answers() -> dict[tuple[str, str], tuple[httpx.Response, str]]:
    """What the sandbox answers, by scene and name, with its address. What is not compared is replayed as well."""
    found: dict[tuple[str, str], tuple[httpx.Response, str]] = {}
    for scene, (flavour, _, _, steps) in SCENES.items():
        replay = Replay(flavour, steps)  # type: ignore[arg-type]  # the table's flavours are the sandbox's
        try:
            for exchange in exchanges(scene):
                found[scene, exchange.name] = replay.answer(exchange), replay.site.url
        finally:
            replay.close()
    return found


@pytest.mark.parametrize(("scene", "exchange"), COMPARED, ids=[f"{s}-{e.name}" for s, e in COMPARED])
def test_the_sandbox_answers_as_the_real_server_did(
    answers: dict[tuple[str, str], tuple[httpx.Response, str]], scene: str, exchange: Recorded
) -> None:
    answer, base = answers[scene, exchange.name]
    assert answer.status_code == exchange.status, answer.text[:300]
    assert differences(exchange, answer, base) == []


def differences(exchange: Recorded, answer: httpx.Response, base: str) -> list[str]:
    if isinstance(exchange.body, str):
        # Pages for people, and nothing at all: compared by being there.
        return (
            [] if bool(exchange.body) == bool(answer.content) else [f"{answer.text[:80]!r}, was {exchange.body[:80]!r}"]
        )
    was = json.loads(re.sub(r"http://127\.0\.0\.1:1808[23]", base, json.dumps(exchange.body)))
    return list(unlike(_sorted(was), _sorted(answer.json()), same))


def _sorted(value: Any, at: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _sorted(one, f"{at}.{key}") for key, one in value.items()}
    if isinstance(value, list):
        inner = [_sorted(one, at) for one in value]
        is_free = UNORDERED.search(at) or LISTS_OF_WORDS.search(at)
        return sorted(inner, key=lambda one: json.dumps(one, sort_keys=True)) if is_free else inner
    return value


def same(at: str, was: Any, now: Any) -> bool | None:
    if not (isinstance(was, str) and isinstance(now, str)):
        return None
    cut = CUT.fullmatch(was)
    if cut:
        return now.startswith(cut["begin"]) and len(now) == int(cut["length"])
    if OF_THE_DAY.search(at):
        return True
    if at == "message":
        return PLACE.sub("", was).strip() == PLACE.sub("", now).strip()
    return True if TIME.fullmatch(was) and TIME.fullmatch(now) else None


def test_every_recorded_exchange_is_compared_or_left_out_for_a_reason() -> None:
    for flavour, lines in ALL.items():
        compared = {e.name for scene, e in COMPARED if SCENES[scene][0] == flavour}
        missing = [e.name for e in lines if e.name not in compared and not is_left_out(flavour, e.name)]
        assert not missing
        assert len(compared) > 0.7 * len(lines)


def test_what_is_left_out_is_in_the_files() -> None:
    names = {e.name for lines in ALL.values() for e in lines}
    left_out = {
        name.partition(":")[2] if name[:4] in ("5.2:", "5.3:") else name for n in LEFT_OUT.values() for name in n
    }
    assert left_out <= names


def test_a_difference_is_seen_wherever_it_is() -> None:
    was = {"bugs": [{"id": 1, "last_change_time": "2026-11-23T21:03:01Z", "is_open": True}]}
    other_hour = {"bugs": [{"id": 1, "last_change_time": "2026-11-24T00:00:00Z", "is_open": True}]}
    assert not list(unlike(was, other_hour, same))
    others: list[dict[str, Any]] = [
        {"bugs": []},
        {"bugs": [{"id": "1", "last_change_time": "2026-11-23T21:03:01Z", "is_open": True}]},
        {"bugs": [{"id": 1, "last_change_time": "2026-11-23T21:03:01", "is_open": True}]},
        {"bugs": [{"id": 1, "last_change_time": "2026-11-23T21:03:01Z", "is_open": 1}]},
        {"bugs": [{"id": 1, "last_change_time": "2026-11-23T21:03:01Z"}]},
    ]
    for now in others:
        assert list(unlike(was, now, same))
