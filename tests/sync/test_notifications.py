"""Messages really go out; a notifier that is down is tried again, is told by its name, and holds nothing else up."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from hub.connector import ActionRequest, ActionResult, PermanentError, RateLimitedError, TemporaryError
from hub.extensions import Extensions
from hub.journal import cases, failures
from hub.journal.failures import Failure
from hub.logs import configure_logs
from hub.sync.outlets import Outlets
from hub.testing.model import Killed
from hub.testing.world import World
from hub.ticket import TicketRef

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""Of apprise's own imports."""
TOKEN = "token-in-the-path"
PASSWORD = "password-of-the-board"


class Receiver:
    """An HTTP server that keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if outer.status == 200:
                    outer.messages.append(body)
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Says nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"json://board:{PASSWORD}@127.0.0.1:{self._server.server_port}/{TOKEN}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


RULE = {
    "name": "page",
    "when": {"label": "x"},
    "then": {
        "note": "Somebody was paged.",
        "add_labels": "paged",
        "notify": {"to": "oncall", "text": "{{ ticket.title }}!"},
    },
}


def a_world(url: str, **more: Any) -> World:
    rules = {"lines": {1: {"name": "First"}}, "rules": [RULE], "notifiers": {"oncall": {"url": url}}, **more}
    world = World(rules=rules)
    world.context.outlets = Outlets(world.connectors, world.settings.notifiers)
    return world


def a_ticket(world: World, title: str = "Down") -> str:
    return world.support.open_ticket(title=title, labels=frozenset({"x"}))


def the_failures(world: World) -> list[Failure]:
    with world.journal.read() as connection:
        return failures.unresolved_failures(connection)


def pass_by(world: World, minutes: float) -> None:
    world.pass_until(world.clock.time + timedelta(minutes=minutes))


def test_a_message_goes_out_through_apprise_and_arrives_once(receiver: Receiver) -> None:
    world = a_world(receiver.url)
    a_ticket(world, "The *mail* is down")
    world.settle()
    world.settle()
    assert [m["message"] for m in receiver.messages] == ["The *mail* is down!"]


def test_no_secret_of_an_address_shows_in_a_log_an_error_or_the_journal(receiver: Receiver) -> None:
    receiver.status = 500
    stream = io.StringIO()
    configure_logs("debug", "json", stream, [receiver.url])
    world = a_world(receiver.url)
    a_ticket(world)
    pass_by(world, 30)
    with pytest.raises(TemporaryError) as error:
        world.context.outlets.notify("oncall", "hello")
    with world.journal.read() as connection:
        driver: Any = connection.connection.dbapi_connection
        kept = "\n".join(driver.iterdump())
    assert "oncall" in kept
    assert "oncall" in stream.getvalue()
    for told in (stream.getvalue(), str(error.value), kept):
        assert TOKEN not in told
        assert PASSWORD not in told
    configure_logs("info", "text", stream)


def test_a_notifier_that_is_down_is_tried_again_and_stands_in_the_failures_by_its_name(receiver: Receiver) -> None:
    receiver.status = 503
    world = a_world(receiver.url)
    ticket_id = a_ticket(world)
    pass_by(world, 0.1)
    assert the_failures(world) == []
    pass_by(world, 10)
    (failure,) = the_failures(world)
    assert failure.why == "notify oncall: the message was not taken"
    assert failure.ticket_id == ticket_id
    receiver.status = 200
    pass_by(world, 10)
    assert [m["message"] for m in receiver.messages] == ["Down!"]
    assert the_failures(world) == []
    pass_by(world, 60)
    assert len(receiver.messages) == 1


def test_nothing_else_of_the_ticket_waits_for_a_notifier_that_is_down(receiver: Receiver) -> None:
    receiver.status = 503
    world = a_world(receiver.url)
    ticket_id = world.support.open_ticket(title="Down", labels=frozenset({"x", "escalate"}))
    pass_by(world, 1)
    ticket = world.support.tickets[ticket_id]
    assert "paged" in ticket.labels
    assert any("Somebody was paged." in c.text for c in ticket.comments)
    (issue,) = world.dev.tickets.values()
    world.support.edit(ticket_id, priority="urgent")
    world.deliver_all()
    world.run_due()
    assert issue.priority == "urgent"
    receiver.status = 200
    pass_by(world, 30)
    assert len(receiver.messages) == 1


def test_a_rule_that_only_notifies_does_not_hold_an_escalation_up(receiver: Receiver) -> None:
    receiver.status = 503
    rule = {"name": "page", "when": {"label": "x"}, "then": {"issue": True, "notify": {"to": "oncall", "text": "x"}}}
    world = a_world(receiver.url, rules=[rule])
    a_ticket(world)
    pass_by(world, 1)
    assert len(world.dev.tickets) == 1
    receiver.status = 200
    pass_by(world, 30)
    assert len(receiver.messages) == 1


def test_a_notifier_that_fails_for_one_ticket_stops_no_other_one() -> None:
    world = a_world("json://nowhere")
    sent: list[str] = []

    def send(title: str, text: str) -> None:
        if "bad" in text:
            raise PermanentError("hub", "notify oncall", "it takes no such text")
        sent.append(text)

    world.context.outlets = Outlets(world.connectors, {}, {"oncall": send})
    a_ticket(world, "bad")
    a_ticket(world, "good")
    pass_by(world, 10)
    assert sent == ["good!"]
    (failure,) = the_failures(world)
    assert "it takes no such text" in failure.why


def test_one_notifier_that_is_down_does_not_keep_another_from_its_message() -> None:
    both = {
        **RULE,
        "then": {"notify": [{"to": ["oncall", "lead"], "text": "x"}, {"to": ["oncall", "lead"], "text": "y"}]},
    }
    world = a_world(
        "json://nowhere", rules=[both], notifiers={n: {"url": "json://nowhere"} for n in ("oncall", "lead")}
    )
    asked: list[str] = []
    sent: list[str] = []

    def down(title: str, text: str) -> None:
        asked.append(text)
        raise TemporaryError("hub", "notify oncall", "down")

    world.context.outlets = Outlets(
        world.connectors, {}, {"oncall": down, "lead": lambda title, text: sent.append(text)}
    )
    a_ticket(world)
    world.deliver_all()
    world.run_due()
    assert sent == ["x", "y"]
    assert asked == ["x"]  # one that does not answer is not asked again in the same run
    with world.journal.read() as connection:
        tried = connection.exec_driver_sql("SELECT COUNT(*) FROM intents WHERE kind = 'Notify'").scalar()
    assert tried == 4  # nor is it intended again and again
    pass_by(world, 10)
    assert sent == ["x", "y"]
    assert {f.why for f in the_failures(world)} == {"notify oncall: down"}


def test_a_pause_that_a_notifier_asks_for_is_kept() -> None:
    world = a_world("json://nowhere")
    asked: list[Any] = []

    def busy(title: str, text: str) -> None:
        asked.append(world.clock.time)
        if len(asked) == 1:
            raise RateLimitedError("hub", "notify oncall", "too many", 120)

    world.context.outlets = Outlets(world.connectors, {}, {"oncall": busy})
    a_ticket(world)
    pass_by(world, 10)
    assert len(asked) == 2
    assert asked[1] - asked[0] >= timedelta(seconds=120)


def test_an_action_that_is_down_holds_nothing_up_either_and_is_done_later() -> None:
    done: list[str] = []
    is_down = [True]

    def act(request: ActionRequest) -> ActionResult:
        if is_down[0]:
            raise TemporaryError("acme", "open a room", "no answer")
        done.append(request.mark)
        return ActionResult()

    rule = {"name": "one", "when": {"label": "x"}, "then": {"run": {"action": "acme.room"}, "add_labels": "asked"}}
    world = World(
        rules={"lines": {1: {"name": "First"}}, "rules": [rule]}, extensions=Extensions(actions={"acme.room": act})
    )
    ticket_id = a_ticket(world)
    pass_by(world, 10)
    assert "asked" in world.support.tickets[ticket_id].labels
    assert [f.why for f in the_failures(world)] == ["open a room: no answer"]
    is_down[0] = False
    pass_by(world, 10)
    assert len(done) == 1
    assert the_failures(world) == []


def test_a_hub_that_died_while_it_sent_does_not_send_twice_and_says_so() -> None:
    world = a_world("json://nowhere")
    sent: list[str] = []

    def die(title: str, text: str) -> None:
        sent.append(text)
        raise Killed

    world.context.outlets = Outlets(world.connectors, {}, {"oncall": die})
    ticket_id = a_ticket(world)
    with pytest.raises(Killed):
        world.settle()
    world.restart()
    world.settle()
    assert (len(sent), world.sent) == (1, [])
    (failure,) = the_failures(world)
    assert "may not have gone out" in failure.why
    with world.journal.read() as connection:
        assert cases.open_orders(connection, [TicketRef("support", ticket_id)]) == []


def test_an_address_that_apprise_does_not_know_is_told_without_it() -> None:
    world = a_world("nosuch://secret-in-the-address")
    a_ticket(world)
    pass_by(world, 1)
    (failure,) = the_failures(world)
    assert "not one that apprise knows" in failure.why
    assert "notifiers.oncall.url" in failure.remedy
    assert "secret-in" not in failure.why + failure.remedy


def test_an_error_of_a_notifier_never_shows_the_address_and_always_names_the_notifier() -> None:
    address = "board://host/secret-in-the-address"
    world = a_world(address)

    def careless(title: str, text: str) -> None:
        raise TemporaryError("board", f"POST {address}", f"{address} does not answer", f"Look at {address}")

    def broken(title: str, text: str) -> None:
        raise ValueError(address)

    for sender, kind in ((careless, TemporaryError), (broken, PermanentError)):
        outlets = Outlets({}, world.settings.notifiers, {"oncall": sender})
        with pytest.raises(kind) as caught:
            outlets.notify("oncall", "text")
        told = f"{caught.value} {caught.value.doing} {caught.value.why} {caught.value.remedy}"
        assert "secret-in" not in told
        assert "notify oncall" in told
