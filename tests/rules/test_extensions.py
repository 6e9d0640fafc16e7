"""What plugins add to the rules: every example of the guide works, and a broken plugin harms nothing but itself."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.connector import ActionRequest, PermanentError
from hub.extensions import Answer, Extensions, guarded_action, guarded_notifier, guarded_test
from hub.journal import cases, failures
from hub.registry import Registry
from hub.rules.conditions import evaluate
from hub.settings.load import Loaded, load_settings
from hub.settings.problems import SettingsError
from hub.settings.rules import Condition
from hub.sync.outlets import Outlets
from hub.testing.world import World
from hub.ticket import Person, Ticket, TicketRef

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"
TRACKERS = """
trackers:
  support: {kind: zendesk, url: "https://a.example", credentials: {email: a@b.example, api_token: "${TOKEN}"}}
plugin_folder: plugins
"""


def examples() -> dict[str, str]:
    """The plugins of the guide by their file names."""
    blocks = re.findall(r"```python\n(# (\w+\.py)\n.*?)```", GUIDE.read_text(), re.DOTALL)
    return {name: text for text, name in blocks}


def rules_of(plugin: str) -> dict[str, Any]:
    """The settings that stand behind a plugin in the guide."""
    behind = GUIDE.read_text().partition(f"# {plugin}\n")[2]
    settings = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", behind, re.DOTALL)[0])
    assert isinstance(settings, dict)
    return settings


def loaded(folder: Path, settings: str, plugins: Mapping[str, str], **env: str) -> Loaded:
    (folder / "plugins").mkdir(exist_ok=True)
    for name, text in plugins.items():
        (folder / "plugins" / name).write_text(text)
    (folder / "hub.yaml").write_text(TRACKERS + settings)
    return load_settings(folder / "hub.yaml", Registry.discover(), env={"TOKEN": "some-token", **env})


def a_world(folder: Path, plugin: str, **env: str) -> World:
    """A world with a plugin of the guide and the settings that stand behind it there."""
    rules = rules_of(plugin)
    found = loaded(folder, yaml.safe_dump(rules), {plugin: examples()[plugin]}, **env)
    assert found.registry.broken == []
    for name, notifier in rules.get("notifiers", {}).items():
        rules["notifiers"][name] = {"url": found.settings.notifiers[name].url} if notifier else notifier
    return World(rules={"lines": {1: {"name": "First"}}, **rules}, extensions=found.extensions)


def test_the_guide_has_an_example_for_each_hook() -> None:
    text = "".join(examples().values())
    for hook in ("conditions", "actions", "macros", "calendars", "notifiers"):
        assert f"def hub_{hook}()" in text


def test_a_condition_of_a_plugin_makes_a_rule_fire(tmp_path: Path) -> None:
    world = a_world(tmp_path, "palindrome.py")
    odd = world.support.open_ticket(title="Never odd or even")
    plain = world.support.open_ticket(title="Something else")
    world.settle()
    assert "odd" in world.support.tickets[odd].labels
    assert "odd" not in world.support.tickets[plain].labels
    with world.journal.read() as connection:
        case = cases.case_of(connection, TicketRef("support", plain))
    assert case is not None
    assert case.data["answers"]["odd titles"] == [False, "its title does not read the same backwards"]


def test_an_action_of_a_plugin_is_done_once_and_tells_the_ticket(tmp_path: Path) -> None:
    world = a_world(tmp_path, "rooms.py")
    ticket_id = world.support.open_ticket(title="Let us meet", labels=frozenset({"meeting"}))
    world.settle()
    (comment,) = world.support.tickets[ticket_id].comments
    assert comment.text == f"The room #{ticket_id} is booked for #{ticket_id}."
    assert not comment.visibility.is_public


def test_macros_and_calendars_of_a_plugin_are_used_like_those_of_the_settings(tmp_path: Path) -> None:
    world = a_world(tmp_path, "house_style.py")
    ticket_id = world.support.open_ticket(labels=frozenset({"new"}), requester=Person("c", "Ewa"))
    world.settle()
    assert [c.text for c in world.support.tickets[ticket_id].comments] == ["Hello Ewa"]
    with world.journal.read() as connection:
        case = cases.case_of(connection, TicketRef("support", ticket_id))
    assert case is not None
    # Opened at midnight UTC on the first of January, a Thursday, one in the morning in Warsaw: 5 h of the shift are
    # left, and the other 3 are those of the next one, which begins at 22:00.
    assert case.data["clocks"]["nights.resolution"]["due"].startswith("2026-01-02T00:0")


class Board(BaseHTTPRequestHandler):
    pinned: list[bytes]

    def do_POST(self) -> None:
        self.pinned.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def board() -> Iterator[tuple[str, list[bytes]]]:
    """A server that keeps what it is sent: where it is, and what came."""
    pinned: list[bytes] = []
    server = HTTPServer(("127.0.0.1", 0), type("OneBoard", (Board,), {"pinned": pinned}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}", pinned
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_notifier_of_a_plugin_sends_what_rules_say(tmp_path: Path, board: tuple[str, list[bytes]]) -> None:
    address, pinned = board
    found = loaded(
        tmp_path,
        yaml.safe_dump(rules_of("noticeboard.py")),
        {"noticeboard.py": examples()["noticeboard.py"]},
        OFFICE_BOARD=f"noticeboard://{address}/token-in-the-address",
    )
    outlets = Outlets({}, found.settings.notifiers, extensions=found.extensions)
    outlets.notify("office", "Cake at *noon*", title="party")
    assert pinned == [b'{"title":"party","text":"Cake at *noon*"}']


# -- settings against plugins -------------------------------------------------------------------------------------

MACRO = """
from hub.hookspecs import hookimpl
@hookimpl
def hub_macros(): return {"greeting": {"visibility": "private", "text": %r}}
"""


def test_a_macro_of_the_settings_counts_instead_of_a_plugins(tmp_path: Path) -> None:
    own = "macros:\n  greeting: {visibility: private, text: Mine}\n"
    assert loaded(tmp_path, own, {"a.py": MACRO % "Theirs"}).settings.macros["greeting"].text == {"": "Mine"}


def test_a_macro_with_a_mistake_breaks_its_plugin_and_nothing_else(tmp_path: Path) -> None:
    found = loaded(tmp_path, "", {"a.py": MACRO % "Dear {{ requster.name }}", "b.py": examples()["palindrome.py"]})
    assert "greeting" not in found.settings.macros
    (broken,) = found.registry.broken
    assert broken.name == "a"
    assert "'greeting' cannot be used: there is no placeholder 'requster'" in broken.error
    assert "palindrome" in found.extensions.conditions


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            "{when: {plugin: {palindrom: 5}}, then: {note: x}}",
            "there is no condition of a plugin 'palindrom'. Did you mean",
        ),
        ("{when: {not: {plugin: {other: 5}}}, then: {note: x}}", "there is no condition of a plugin 'other'"),
        ("{when: {plugin: {}}, then: {note: x}}", "plugin"),
        (
            "{when: {label: x}, then: {run: {action: rooms.bok}}}",
            "there is no action 'rooms.bok'. Did you mean 'rooms.book'",
        ),
    ],
)
def test_what_no_plugin_brings_is_told_with_its_line(tmp_path: Path, settings: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, f"rules:\n  - {settings.replace('{', '{name: one, ', 1)}\n", examples())
    assert "hub.yaml:6" in str(caught.value)
    assert said in str(caught.value)


BROKEN = {
    "raises": ("def hub_conditions(): raise RuntimeError('broken')", "hub_conditions: RuntimeError: broken"),
    "ends the process": ("def hub_macros(): raise SystemExit(1)", "hub_macros: SystemExit: 1"),
    "no mapping": ("def hub_actions(): return ['x']", "hub_actions: it returned list, not a mapping of names"),
    "no function": ("def hub_notifiers(): return {'x': 'y'}", "hub_notifiers: 'x' is str, not a function"),
    "no macro": ("def hub_macros(): return {'x': {'txt': 'y'}}", "hub_macros: ValidationError"),
    "no calendar": ("def hub_calendars(): return {'x': {'hours': {'mon': '25:00'}}}", "hub_calendars: ValidationError"),
    "a wrong holiday": (
        "def hub_calendars(): return {'x': {'hours': {'mon': '08:00-16:00'}, 'holidays': 'ZZ'}}",
        "its calendars 'x' cannot be used",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_part_that_breaks_the_contract_is_told_by_its_plugins_name_and_the_others_go_on(
    tmp_path: Path, name: str
) -> None:
    text, said = BROKEN[name]
    bad = f"from hub.hookspecs import hookimpl\n@hookimpl\n{text}\n"
    found = loaded(tmp_path, "", {"bad.py": bad, "palindrome.py": examples()["palindrome.py"]})
    (broken,) = found.registry.broken
    assert broken.name == "bad"
    assert said in broken.error
    assert list(found.extensions.conditions) == ["palindrome"]


def test_two_plugins_with_the_same_condition_are_told(tmp_path: Path) -> None:
    text = examples()["palindrome.py"]
    found = loaded(tmp_path, "", {"one.py": text, "two.py": text})
    (broken,) = found.registry.broken
    assert (broken.name, broken.error) == (
        "two", "hub_conditions: 'palindrome' is brought by the plugin one already"
    )  # fmt: skip


# -- plugins that break at work -----------------------------------------------------------------------------------


def broken_test(facts: Mapping[str, object], argument: Any) -> Answer:
    raise ValueError("a-secret-in-an-error")


def test_a_condition_that_breaks_is_not_known_to_hold_and_other_rules_go_on(caplog: pytest.LogCaptureFixture) -> None:
    tests = {"bad": guarded_test("acme", "bad", broken_test)}
    world = World(
        rules={
            "lines": {1: {"name": "First"}},
            "rules": [
                {"name": "one", "when": {"plugin": {"bad": None}}, "then": {"note": "one"}},
                {"name": "two", "when": {"not": {"plugin": {"bad": None}}}, "then": {"note": "two"}},
                {"name": "three", "when": {"label": "x"}, "then": {"note": "three"}},
            ],
        },
        extensions=Extensions(conditions=tests),
    )
    with caplog.at_level(logging.ERROR, "hub.plugins"):
        ticket_id = world.support.open_ticket(labels=frozenset({"x"}))
        world.settle()
    assert [c.text for c in world.support.tickets[ticket_id].comments] == ["three"]
    assert "plugin=acme what=condition bad why=ValueError" in caplog.text
    assert "a-secret" not in caplog.text


def test_a_condition_cannot_change_the_facts_and_must_give_an_answer() -> None:
    def change(facts: Any, argument: Any) -> Answer:
        facts["title"] = "other"
        return Answer(True, "")

    for test in (change, lambda facts, argument: True):
        condition = Condition.model_validate({"plugin": {"x": 1}})
        condition.use({"x": guarded_test("acme", "x", test)})  # type: ignore[arg-type]  # a plugin that breaks the contract
        facts = {"title": "mine"}
        answer = evaluate(condition, facts)
        assert (answer.holds, facts) == (None, {"title": "mine"})
        assert "the plugin acme" in answer.because


def test_a_condition_that_nobody_loaded_is_not_known_to_hold() -> None:
    condition = Condition.model_validate({"plugin": {"x": 1}})
    assert evaluate(condition, {}).because == "no plugin brings the condition x"


def a_request() -> ActionRequest:
    return ActionRequest(ref=TicketRef("support", "1"), ticket=Ticket(id="1", key="#1"), arguments={}, mark="m")


def test_an_action_or_notifier_that_breaks_is_a_failure_with_the_plugins_name_and_without_its_words() -> None:
    def break_down(*_: Any) -> Any:
        raise KeyError("a-secret-in-an-error")

    def break_send(title: str, text: str) -> None:
        raise KeyError("a-secret-in-an-error")

    for attempt in (
        lambda: guarded_action("acme", "x", break_down)(a_request()),
        lambda: guarded_action("acme", "x", lambda request: None)(a_request()),  # type: ignore[arg-type,return-value]
        lambda: guarded_notifier("acme", "x", break_down)("x://a-secret")("title", "text"),
        lambda: guarded_notifier("acme", "x", lambda url: break_send)("x://a-secret")("title", "text"),
    ):
        with pytest.raises(PermanentError, match="the plugin acme broke") as caught:
            attempt()
        assert "a-secret" not in str(caught.value)


def test_a_plugins_failing_action_stands_in_the_failures_and_stops_no_other_order() -> None:
    def break_down(request: ActionRequest) -> Any:
        raise KeyError

    world = World(
        rules={
            "lines": {1: {"name": "First"}},
            "rules": [
                {"name": "one", "when": {"label": "x"}, "then": {"run": {"action": "acme.go"}, "add_labels": "done"}},
            ],
        },
        extensions=Extensions(actions={"acme.go": guarded_action("acme", "go", break_down)}),
    )
    ticket_id = world.support.open_ticket(labels=frozenset({"x"}))
    world.settle()
    assert "done" in world.support.tickets[ticket_id].labels
    with world.journal.read() as connection:
        (failure,) = failures.unresolved_failures(connection)
    assert "the plugin acme broke: KeyError" in failure.why
