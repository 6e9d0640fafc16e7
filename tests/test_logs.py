"""Logs: one line an event, and never a secret."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import structlog

from hub.logs import HIDDEN, Redactor, bound, configure_logs

SECRET = 'p@ss/w+rd "ü" 123'


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(stream: io.StringIO) -> list[Any]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_terminal_gets_text_and_everything_else_json() -> None:
    for stream, is_json in ((Terminal(), False), (io.StringIO(), True)):
        configure_logs("info", "auto", stream)
        structlog.get_logger().info("synced", link=7, ticket="support:12")
        assert stream.getvalue().startswith("{") is is_json


def test_a_line_of_text_shows_time_level_event_and_values() -> None:
    stream = io.StringIO()
    configure_logs("info", "text", stream)
    structlog.get_logger().info("synced", link=7, ticket="support:12", why="two words", nothing=None)
    day, time, rest = stream.getvalue().split(" ", 2)
    assert (len(day), len(time)) == (10, 12)
    assert rest == 'info    synced link=7 ticket=support:12 why="two words" nothing=null\n'


def test_times_are_utc_in_iso_form() -> None:
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    structlog.get_logger().info("synced")
    (event,) = logged(stream)
    assert event["timestamp"].endswith("Z")
    assert (event["event"], event["level"]) == ("synced", "info")


def test_the_level_counts() -> None:
    stream = io.StringIO()
    configure_logs("warning", "json", stream)
    structlog.get_logger().info("not this")
    structlog.get_logger().warning("this")
    assert [e["event"] for e in logged(stream)] == ["this"]


@pytest.mark.parametrize("format", ["text", "json"])
def test_an_event_is_one_line_whatever_it_holds(format: str) -> None:
    stream = io.StringIO()
    configure_logs("debug", format, stream)
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        structlog.get_logger().exception("a\r\nforged \x1b[31mline", why="b\nc\u2028d")
    text = stream.getvalue()
    assert len(text.splitlines()) == 1
    assert "\x1b" not in text


def test_an_exception_is_told_with_its_place() -> None:
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    try:
        raise ValueError(f"no {SECRET}")
    except ValueError:
        structlog.get_logger().exception("failed")
    (event,) = logged(stream)
    assert event["error"].startswith("ValueError: no ")
    assert "test_logs.py:" in event["where"]
    assert "Traceback" in event["traceback"]


FORMS = {
    "itself": SECRET,
    "in an address": quote(SECRET, safe=""),
    "in an address, in part": quote(SECRET),
    "in JSON": json.dumps({"a": SECRET}),
    "as Python writes it": repr(SECRET),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "in base64 for addresses": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "in base64 after a name": base64.b64encode(f"a:{SECRET}".encode()).decode(),
    "in base64 after a longer name": base64.b64encode(f"ab@c/token:{SECRET}".encode()).decode(),
    "in base64 with something behind": base64.b64encode(f"abc:{SECRET}:more".encode()).decode(),
    "in an object": ValueError(SECRET),
    "in bytes": SECRET.encode(),
    "in a list": [1, [SECRET]],
    "as a key": {SECRET: 1},
}


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("name", FORMS)
def test_a_secret_is_never_written(name: str, format: str) -> None:
    stream = io.StringIO()
    configure_logs("debug", format, stream, [SECRET])
    form = FORMS[name]
    structlog.get_logger().info(f"event {form}", a=form, b=f"x{form}y", c={"d": form})
    logging.getLogger("library").error("said %s", form)
    raw = base64.b64encode(SECRET.encode()).decode()
    written = stream.getvalue()
    for part in (SECRET, quote(SECRET, safe=""), json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1],
                 raw, str(form)):  # fmt: skip
        assert part not in written
    assert written.count(HIDDEN) >= 4


LOOKS_LIKE_A_SECRET = {
    "Authorization: Basic dXNlcjpwdw==": f"Authorization: Basic {HIDDEN}",
    "{'Authorization': 'Bearer abc.def'}": f"{{'Authorization': 'Bearer {HIDDEN}'}}",
    "GET /x?token=abc&y=1": f"GET /x?token={HIDDEN}&y=1",
    '{"access_token": "abc", "a": 1}': f'{{"access_token": "{HIDDEN}", "a": 1}}',
    "client_secret=abc;x": f"client_secret={HIDDEN};x",
    "postgresql://hub:pw@db/hub": f"postgresql://hub:{HIDDEN}@db/hub",
    "sent Bearer abcdefgh.ijk": f"sent Bearer {HIDDEN}",
    "https://example.com/a:b@c": "https://example.com/a:b@c",
    "the bearer of news": "the bearer of news",
}


@pytest.mark.parametrize("text", LOOKS_LIKE_A_SECRET)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    assert Redactor([]).text(text) == LOOKS_LIKE_A_SECRET[text]


def test_values_under_telling_names_are_hidden() -> None:
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    structlog.get_logger().info("x", api_token="abc", headers={"Authorization": "abc", "Accept": "all"}, tokens=3)
    (event,) = logged(stream)
    assert event["api_token"] == HIDDEN
    assert event["headers"] == {"Authorization": HIDDEN, "Accept": "all"}
    assert event["tokens"] == 3


def test_a_very_short_secret_does_not_make_logs_unreadable() -> None:
    assert Redactor(["a"]).text("a banana") == "a banana"


def test_texts_of_tickets_are_left_out_above_debug_level() -> None:
    stream = io.StringIO()
    configure_logs("debug", "json", stream)
    structlog.get_logger().info("read", ticket="support:1", text="my bank account", title="help")
    structlog.get_logger().debug("read", text="my bank account")
    above, debug = logged(stream)
    assert (above["text"], above["title"], above["ticket"]) == ("[15 characters]", "[4 characters]", "support:1")
    assert debug["text"] == "my bank account"


def test_libraries_speak_from_warning_on_and_in_the_same_form() -> None:
    stream = io.StringIO()
    configure_logs("debug", "json", stream, [SECRET])
    logging.getLogger("httpx").info("not this")
    logging.getLogger("httpx").warning("this %s", SECRET)
    (event,) = logged(stream)
    assert (event["event"], event["logger"], event["level"]) == (f"this {HIDDEN}", "httpx", "warning")


def test_configuring_again_replaces_what_was() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logs("info", "json", first)
    log = structlog.get_logger()
    log.info("one")
    configure_logs("info", "json", second)
    log.info("two")
    logging.getLogger("library").warning("three")
    assert [e["event"] for e in logged(first)] == ["one"]
    assert [e["event"] for e in logged(second)] == ["two", "three"]


def test_bound_ids_are_in_every_event_of_a_block() -> None:
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    with bound(delivery="d1", link=7):
        with bound(ticket="support:1"):
            structlog.get_logger().info("inside")
        logging.getLogger("library").warning("between")
    structlog.get_logger().info("outside")
    inside, between, outside = logged(stream)
    assert (inside["delivery"], inside["link"], inside["ticket"]) == ("d1", 7, "support:1")
    assert (between["link"], "ticket" in between) == (7, False)
    assert not {"delivery", "link", "ticket"} & outside.keys()
