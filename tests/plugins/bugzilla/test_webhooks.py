"""Mozilla's webhooks: every sort is understood or ignored for a stated reason, over the real receiving server.

The shapes are those of mozilla-bteam/bmo (`extensions/Push/lib/Serialize.pm`, `extensions/Push/lib/Connector/
Webhook.pm`) and of what its consumers accept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from hub.connector import Hint, Ignored, WebhookRequest
from hub.engine.inbox import JournalInbox
from hub.journal import Journal
from hub.journal.schema import deliveries
from hub.metrics import Metrics
from hub.sandbox.cast import File
from hub.testing.site import Webhooks
from hub.ticket import Priority, Status
from plugins.bugzilla.connector import BugzillaConnector
from plugins.bugzilla.sandbox import BugzillaSandbox, actor
from plugins.bugzilla.settings import BugzillaCredentials, BugzillaSettings
from tests.plugins.bugzilla.conftest import a_comment, connect, created
from webhooks.app import create_app
from webhooks.server import Server

SECRET = "webhook-secret-of-the-tests"
USER = {"id": 8, "login": "enid@example.test", "real_name": "Enid Gineer"}
BUG: dict[str, Any] = {
    "id": 1001, "alias": "", "product": "Widgets", "component": "Frontend", "version": "1.0", "status": "ASSIGNED",
    "resolution": "", "priority": "P2", "severity": "S3", "type": "defect", "summary": "It is broken",
    "whiteboard": "[needs docs] until May", "url": "", "keywords": ["regression"], "flags": [], "see_also": [],
    "creator": "dev@example.test", "creator_detail": USER, "assigned_to": "enid@example.test",
    "assigned_to_detail": USER, "qa_contact": "", "target_milestone": "---", "platform": "All",
    "operating_system": "All", "classification": "Unclassified", "creation_time": "2026-11-24T10:00:00",
    "last_change_time": "2026-11-24T12:00:00", "is_private": False,
}  # fmt: skip
VALUES = {
    "title": "It is broken",
    "status": Status.IN_PROGRESS,
    "priority": Priority.HIGH,
    "labels": frozenset({"regression", "needs docs"}),
}


def a_payload(key: str, changes: Any = None, bug: Mapping[str, Any] | None = None, **added: Any) -> dict[str, Any]:
    target, _, action = key.partition(":")[0].partition(".")
    event: dict[str, Any] = {
        "action": action,
        "time": "2026-11-24T12:00:00",
        "user": USER,
        "target": target,
        "routing_key": key,
    }
    if changes is not None:
        words = dict.fromkeys(changes, ("a", "b")) | (changes if isinstance(changes, dict) else {})
        event["changes"] = [{"field": f, "removed": removed, "added": added} for f, (removed, added) in words.items()]
    return {"webhook_id": 34, "webhook_name": "hub", "event": event, "bug": {**(BUG if bug is None else bug), **added}}


PRIVATE = {"id": 1001, "is_private": True}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a new bug": (a_payload("bug.create"), {"is_partial": True, "touches_comments": True}),
    "values that the payload shows": (
        a_payload("bug.modify:priority,status", ["priority", "status"]),
        {"is_partial": False, "touches_comments": False, "values": VALUES},
    ),
    "values that it does not show": (
        a_payload("bug.modify:cc", ["cc"]), {"is_partial": True, "touches_comments": False},
    ),
    "a flag": (a_payload("bug.modify:flag.needinfo", ["flag.needinfo"]), {"is_partial": True}),
    "a comment": (
        a_payload("comment.create", comment={"id": 77, "number": 3, "body": "Hi.", "is_private": False}),
        {"comment_id": "77", "is_partial": False, "touches_comments": True},
    ),
    "a private comment": (
        a_payload("comment.create", bug={"id": 1001, "is_private": False, "comment": {"id": 78, "is_private": True}}),
        {"comment_id": "78", "is_partial": False, "values": {}},
    ),
    "a file": (
        a_payload("attachment.create", attachment={"id": 5, "file_name": "log.txt", "is_private": False}),
        {"comment_id": None, "is_partial": True, "touches_comments": True},
    ),
    "a changed file": (
        a_payload("attachment.modify:is_obsolete", ["is_obsolete"], attachment={"id": 5}), {"touches_comments": True},
    ),
    "a private bug": (a_payload("bug.modify:status", bug=PRIVATE), {"is_partial": True, "values": {}}),
    "a bug that turned private": (
        a_payload("bug.modify:is_private", ["is_private"]), {"is_partial": True, "touches_comments": True},
    ),
    "no priority": (a_payload("bug.modify:priority", ["priority"], priority=""), {"is_partial": False}),
    "older objects with names": (
        a_payload("bug.modify:status", ["status"], status={"name": "RESOLVED"}, resolution={"name": "FIXED"},
                  priority={"name": "P1"}),
        {"values": {**VALUES, "status": Status.SOLVED, "priority": Priority.URGENT}},
    ),
    "what was and became": (
        a_payload("bug.modify:priority,resolution,status,summary", {
            "status": ("NEW", "RESOLVED"), "resolution": ("", "FIXED"), "priority": ("", "P1"),
            "summary": ("It is slow", "It is broken"),
        }),
        {
            "at": datetime(2026, 11, 24, 12, tzinfo=UTC),
            "changed": {"title": ("It is slow", "It is broken"), "status": (Status.OPEN, Status.SOLVED),
                        "priority": (Priority.NORMAL, Priority.URGENT)},
        },
    ),
    "a time that is none": (
        {**a_payload("bug.modify:cc", ["cc"]), "event": {**a_payload("bug.modify:cc", ["cc"])["event"], "time": "now"}},
        {"at": None},
    ),
    "a status of their own": (
        a_payload("bug.modify:status", ["status"], status="HALF DONE"),
        {"values": {k: v for k, v in VALUES.items() if k != "status"}},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def hub() -> Iterator[tuple[str, Journal]]:
    """A web server with the connector; what it stores can be read in the journal."""
    settings = BugzillaSettings.model_validate(
        {"kind": "bugzilla", "url": "http://127.0.0.1:9", "flavour": "bmo", "product": "Widgets",
         "component": "Frontend", "credentials": BugzillaCredentials.model_validate({"api_key": "none"}),
         "webhook": {"secret": SECRET}}
    )  # fmt: skip
    connector = BugzillaConnector("dev", settings)
    journal = Journal.open("sqlite://")
    app = create_app(
        connectors={"dev": connector},
        inbox=JournalInbox(journal, lambda: None),
        metrics=Metrics(),
        ready=dict,
        max_body_bytes=5 * 1024 * 1024,
        now=lambda: datetime.now(UTC),
    )
    server = Server(app, "127.0.0.1", 0, 2)
    server.start()
    yield server.url, journal
    server.stop()
    journal.close()
    connector.close()


def parsed(connector: BugzillaConnector, body: object) -> Hint | Ignored:
    found = connector.parse_webhook(WebhookRequest({}, json.dumps(body).encode()))
    if isinstance(found, Ignored):
        return found
    (hint,) = found
    return hint


@pytest.mark.parametrize("case", CASES)
def test_every_sort_of_webhook_is_a_hint_with_what_it_shows(mozilla: BugzillaSandbox, case: str) -> None:
    connector = connect(mozilla)
    body, expected = CASES[case]
    hint = parsed(connector, body)
    assert isinstance(hint, Hint)
    assert (hint.ticket_id, hint.actor_id) == ("1001", "enid@example.test")
    assert {name: getattr(hint, name) for name in expected} == expected
    connector.close()


@pytest.mark.parametrize("case", CASES)
def test_every_sort_of_webhook_is_stored_and_wakes_its_bug(hub: tuple[str, Journal], case: str) -> None:
    url, journal = hub
    body = json.dumps(CASES[case][0]).encode()
    answer = httpx.post(f"{url}/webhooks/dev", content=body, headers={"X-Hub-Secret": SECRET})
    assert answer.status_code == 202, answer.text
    with journal.read() as connection:
        stored = connection.execute(sa.select(deliveries).where(deliveries.c.id == answer.json()["delivery"])).one()
    assert (stored.status, stored.ticket_id) == ("waiting", "1001")


@pytest.mark.parametrize(
    ("body", "status"),
    [(a_payload("user.modify"), 202), ({"nothing": 1}, 400), ({"event": {"target": "bug"}, "bug": {}}, 400), ([], 400)],
)
def test_what_is_about_no_bug_is_ignored_and_a_strangers_body_refused_in_words(
    hub: tuple[str, Journal], body: object, status: int
) -> None:
    answer = httpx.post(f"{hub[0]}/webhooks/dev", json=body, headers={"X-Hub-Secret": SECRET})
    assert answer.status_code == status
    told = answer.json()
    assert told.get("reason") or told["description"]


@pytest.mark.parametrize("headers", [{}, {"X-Hub-Secret": "wrong"}, {"X-BUGZILLA-API-KEY": SECRET}])
def test_without_the_header_that_the_hub_asked_for_nothing_is_taken(
    hub: tuple[str, Journal], headers: dict[str, str]
) -> None:
    assert httpx.post(f"{hub[0]}/webhooks/dev", json=a_payload("bug.create"), headers=headers).status_code == 401


def test_the_hubs_own_writes_come_back_as_what_it_knows(mozilla: BugzillaSandbox) -> None:
    connector, webhooks = connect(mozilla), Webhooks()
    mozilla.add_webhook_target(webhooks.url, SECRET)
    bug = created(connector)
    receipt = connector.add_comment(bug, a_comment("From the other side."))
    bodies = [request.json() for request in webhooks.wait_for(2, 10)]
    hints = [parsed(connector, body) for body in bodies]
    own = connector.identify().account_id
    assert [h.actor_id for h in hints if isinstance(h, Hint)] == [own, own]
    assert isinstance(hints[1], Hint)
    assert (hints[1].comment_id, hints[1].is_partial) == (receipt.id, False)
    connector.close()
    webhooks.close()


def test_the_sandbox_sends_what_mozillas_source_says(mozilla: BugzillaSandbox) -> None:
    webhooks, engineer = Webhooks(), actor(mozilla, "engineer")
    mozilla.add_webhook_target(webhooks.url, SECRET)
    bug = engineer.open_ticket("It is broken", "Since yesterday.")
    engineer.prioritise(bug, "high")
    engineer.say(bug, "Hi.", public=True)
    engineer.say(bug, "Internal.", public=False)
    engineer.say(bug, "A log.", public=True, files=[File("log.txt", b"x", "text/plain")])
    requests = webhooks.wait_for(6, 10)
    bodies = [request.json() for request in requests]
    keys = [body["event"]["routing_key"] for body in bodies]
    assert keys == [
        "bug.create", "bug.modify:priority", "comment.create", "comment.create", "comment.create", "attachment.create",
    ]  # fmt: skip
    assert {request.headers["x-hub-secret"] for request in requests} == {SECRET}
    shown = set(bodies[1]["bug"])
    assert set(BUG) <= shown
    assert {name for name in shown - set(BUG) if not name.startswith("cf_")} == set()
    assert bodies[1]["event"]["changes"] == [{"field": "priority", "removed": "", "added": "P2"}]
    assert set(bodies[2]["bug"]["comment"]) == {"id", "number", "body", "creation_time", "is_private"}
    assert set(bodies[3]["bug"]) == {"id", "is_private", "comment"}
    assert bodies[3]["bug"]["comment"] == {"id": bodies[3]["bug"]["comment"]["id"], "is_private": True}
    assert "changes" not in bodies[3]["event"]
    assert "Z" not in bodies[0]["event"]["time"]
    engineer.close()
    webhooks.close()


def test_what_was_not_taken_is_sent_again_and_everything_behind_waits(mozilla: BugzillaSandbox) -> None:
    delivery = mozilla.retry
    waits = [delivery(None, attempt, 500, {}) for attempt in (1, 2, 3, 4, 5, 99)]  # type: ignore[arg-type]
    assert waits == [5.0, 25.0, 125.0, 625.0, 900.0, 900.0]
    assert delivery(None, 100, 500, {}) is None  # type: ignore[arg-type]
    assert delivery(None, 1, 202, {}) is None  # type: ignore[arg-type]
