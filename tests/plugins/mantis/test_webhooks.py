"""What plugins of MantisBT post: the hub's own plugin, and whatever else names an issue."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from hub.connector import Hint, Ignored, SecretHeader, WebhookRequest
from hub.engine.inbox import JournalInbox
from hub.journal import Journal
from hub.journal.schema import deliveries
from hub.metrics import Metrics
from hub.testing.site import sandbox_site
from hub.ticket import Status
from plugins.mantis import payloads, sandbox
from plugins.mantis.connector import MantisConnector
from plugins.mantis.sandbox import MantisSandbox
from plugins.mantis.sandbox.cast import MantisActor
from tests.plugins.mantis.conftest import connect
from tests.plugins.mantis.test_comments import a_comment
from tests.plugins.mantis.test_connector import created
from webhooks.app import create_app
from webhooks.server import Server

FOLDER = Path(payloads.__file__).parent
PLUGIN = FOLDER / "TicketHub" / "TicketHub.php"
STAND_IN = Path(__file__).with_name("plugin_stand_in.php")
SECRET = MantisSandbox.webhook_secret


def parse(body: object) -> Sequence[Hint] | Ignored:
    return payloads.parse(WebhookRequest({}, body if isinstance(body, bytes) else json.dumps(body).encode()))


def hint_of(body: object) -> Hint:
    parsed = parse(body)
    assert not isinstance(parsed, Ignored)
    (hint,) = parsed
    return hint


@pytest.mark.parametrize(
    ("body", "event", "note", "is_deleted"),
    [
        ({"event": "EVENT_BUGNOTE_ADD", "issue_id": 7, "note_id": 31, "user_id": 3}, "bugnote_add", "31", False),
        ({"event": "EVENT_UPDATE_BUG", "issue_id": 7, "note_id": 0, "user_id": 3}, "update_bug", None, False),
        ({"event": "EVENT_BUG_DELETED", "issue_id": 7, "note_id": 0, "user_id": 3}, "bug_deleted", None, True),
        ({"action": "issue_deleted", "bug_id": "0000007", "user": {"id": 3}}, "issue_deleted", None, True),
        ({"event": "EVENT_BUGNOTE_DELETED", "issue_id": 7, "note_id": 31, "user": {"id": 3}}, "bugnote_deleted", "31",
         False),
        ({"type": "note", "issue": {"id": 7, "summary": "x"}, "note": {"id": 31}, "user": 3}, "note", "31", False),
        ({"bug": "#7", "actor_id": "3"}, "webhook", None, False),
        ({"id": 7, "event": ["odd"], "user_id": 3}, "webhook", None, False),
    ],
)  # fmt: skip
def test_a_body_that_names_an_issue_is_a_hint(
    body: dict[str, Any], event: str, note: str | None, is_deleted: bool
) -> None:
    hint = hint_of(body)
    assert (hint.ticket_id, hint.event, hint.comment_id, hint.actor_id) == ("7", event, note, "3")
    assert hint.is_deleted is is_deleted
    assert hint.values == {}


def test_only_a_new_note_is_told_whole_so_that_the_hubs_own_is_recognised() -> None:
    body = {"issue_id": 7, "note_id": 31, "user_id": 2}
    assert not hint_of({**body, "event": "EVENT_BUGNOTE_ADD"}).is_partial
    assert hint_of({**body, "event": "EVENT_BUGNOTE_EDIT"}).is_partial
    assert hint_of({**body, "event": "EVENT_BUGNOTE_ADD", "note_id": 0}).is_partial
    assert hint_of({**body, "event": "EVENT_UPDATE_BUG"}).is_partial


@pytest.mark.parametrize("placeholder", ["{issue.id}", "{{ issue_id }}", "%id%", "$issue"])
def test_a_test_of_the_webhook_with_unfilled_placeholders_is_ignored(placeholder: str) -> None:
    assert isinstance(parse({"issue_id": placeholder}), Ignored)


@pytest.mark.parametrize(
    "body", [b"", b"issue=7", [], "7", 7, {}, {"issue_id": "x"}, {"issue_id": 0}, {"issue_id": -7}, {"issue_id": True},
             {"issue_id": None}, {"issue_id": "7 OR 1=1"}, {"issue_id": "٧"}]
)  # fmt: skip
def test_what_names_no_issue_is_refused_with_words(body: object) -> None:
    with pytest.raises(ValueError, match=r"README|Expecting"):
        parse(body)


def test_the_body_in_the_readme_is_understood() -> None:
    shown = (FOLDER / "README.md").read_text().split("```json", 1)[1].split("```", 1)[0]
    hint = hint_of(json.loads(shown))
    assert (hint.ticket_id, hint.comment_id, hint.actor_id, hint.event) == ("42", "7", "3", "bugnote_add")


# -- the sandbox, as the plugin on a real site --------------------------------------------------------------------


def test_people_are_told_of_and_each_post_carries_the_secret_that_the_connector_checks() -> None:
    with sandbox_site(MantisConnector, sandbox) as site:
        engineer = site.people["engineer"]
        assert site.webhooks is not None
        issue = engineer.open_ticket("Told", "It is broken.")
        engineer.say(issue, "I look at it.", public=False)
        engineer.rename(issue, "Told twice")
        engineer.escalate(issue)
        requests = site.webhooks.wait_for(4, 5)
        scheme = MantisConnector.webhook_scheme
        assert isinstance(scheme, SecretHeader)
        assert {request.headers[scheme.header.lower()] for request in requests} == {SECRET}
        hints = [hint for request in requests for hint in hints_of(site.connector.parse_webhook(request))]
        assert [h.event for h in hints] == ["report_bug", "bugnote_add", "update_bug", "tag_attached"]
        assert {h.ticket_id for h in hints} == {issue}
        assert isinstance(engineer, MantisActor)
        assert {h.actor_id for h in hints} == {engineer.id}


def hints_of(parsed: Sequence[Hint] | Ignored) -> Sequence[Hint]:
    assert not isinstance(parsed, Ignored)
    return parsed


def test_what_the_hub_changes_over_the_api_is_told_to_nobody_and_what_it_says_is(site: MantisSandbox) -> None:
    """Recognised by the note's id; changes of fields have no event in MantisBT's API."""
    connector = connect(site)
    site.add_webhook_target("http://127.0.0.1:9/nobody", SECRET)
    issue = created(connector)
    connector.transition(issue, Status.SOLVED)
    written = connector.add_comment(issue, a_comment("x"))
    assert site.webhooks.wait_idle(10)
    bodies = [json.loads(sent.delivery.body) for sent in site.webhooks.sent]
    assert [body["event"] for body in bodies] == ["EVENT_REPORT_BUG", "EVENT_BUGNOTE_ADD"]
    assert bodies[-1]["note_id"] == int(written.id)
    connector.close()


# -- over receive -------------------------------------------------------------------------------------------------


@pytest.fixture
def receiver(site: MantisSandbox) -> Iterator[tuple[str, Journal]]:
    """A web server with the connector; what it stores can be read in the journal."""
    connector, journal = connect(site), Journal.open("sqlite://")
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
    yield f"{server.url}/webhooks/dev", journal
    server.stop()
    journal.close()
    connector.close()


OUTCOMES = {
    '{"event": "EVENT_BUGNOTE_ADD", "issue_id": 42, "note_id": 7, "user_id": 3}': ("waiting", "", "42"),
    '{"bug_id": "0000042"}': ("waiting", "", "42"),
    '{"issue_id": "{issue_id}"}':
        ("ignored", "the placeholders were not filled in: this is a test of the webhook", None),
}  # fmt: skip


@pytest.mark.parametrize("body", OUTCOMES)
def test_a_body_is_stored_and_wakes_its_issue_or_is_ignored_for_a_reason(
    receiver: tuple[str, Journal], body: str
) -> None:
    url, journal = receiver
    answer = httpx.post(url, content=body, headers={"X-Hub-Secret": SECRET})
    assert answer.status_code == 202, answer.text
    with journal.read() as connection:
        stored = connection.execute(select(deliveries).where(deliveries.c.id == answer.json()["delivery"])).one()
    assert (stored.status, stored.note, stored.ticket_id) == OUTCOMES[body]


def test_a_body_without_the_secret_is_refused_and_one_of_nothing_is_told_so(receiver: tuple[str, Journal]) -> None:
    url, _ = receiver
    body = next(iter(OUTCOMES))
    assert httpx.post(url, content=body).status_code == 401
    assert httpx.post(url, content=body, headers={"X-Hub-Secret": "wrong"}).status_code == 401
    refused = httpx.post(url, content="{}", headers={"X-Hub-Secret": SECRET})
    assert refused.status_code == 400
    assert "no issue number under any of issue_id" in refused.text


# -- the plugin itself, run by PHP --------------------------------------------------------------------------------

needs_php = pytest.mark.skipif(shutil.which("php") is None, reason="php is not installed")


class Listener:
    """An HTTP server that keeps what is posted to it."""

    def __init__(self) -> None:
        self.requests: list[WebhookRequest] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append(WebhookRequest({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(202)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks/dev"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.stop()


def run_plugin(url: str, secret: str = "s3cret") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["php", "-d", "error_log=", "-d", "display_errors=1", str(STAND_IN), str(PLUGIN), url, secret],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@needs_php
def test_the_plugin_posts_every_event_after_the_page_in_a_form_that_is_understood(listener: Listener) -> None:
    done = run_plugin(listener.url)
    assert (done.returncode, done.stdout) == (0, "the page\n"), done.stderr
    hints = [hint for request in listener.requests for hint in hints_of(payloads.parse(request))]
    assert [(h.event, h.ticket_id, h.comment_id, h.is_deleted) for h in hints] == [
        ("report_bug", "11", None, False),
        ("update_bug", "12", None, False),
        ("bug_action", "13", None, False),
        ("bug_deleted", "14", None, True),
        ("tag_attached", "15", None, False),
        ("tag_detached", "16", None, False),
        ("bugnote_add", "17", "71", False),
        ("bugnote_edit", "18", "81", False),
        ("bugnote_deleted", "19", "91", False),
    ]
    assert {h.actor_id for h in hints} == {"3"}
    assert {r.headers["x-hub-secret"] for r in listener.requests} == {"s3cret"}
    assert {r.headers["content-type"] for r in listener.requests} == {"application/json"}
    assert {tuple(r.json()) for r in listener.requests} == {("event", "issue_id", "note_id", "user_id")}


@needs_php
def test_a_hub_that_is_away_or_not_named_leaves_the_page_as_it_is() -> None:
    away, unnamed = run_plugin("http://127.0.0.1:9/webhooks/dev"), run_plugin("")
    assert (away.returncode, away.stdout) == (0, "the page\n")
    assert away.stderr.count("no answer from http://127.0.0.1:9/webhooks/dev") == 1
    assert "s3cret" not in away.stderr
    assert (unnamed.returncode, unnamed.stdout, unnamed.stderr) == (0, "the page\n", "")


def test_the_plugin_hooks_every_event_that_the_sandbox_tells_of() -> None:
    hooked = set(re.findall(r"'(EVENT_\w+)' =>", PLUGIN.read_text()))
    told = set(re.findall(r'"(EVENT_\w+)"', (FOLDER / "sandbox" / "changes.py").read_text()))
    assert told
    assert told <= hooked
