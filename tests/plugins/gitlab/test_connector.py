"""The GitLab connector against the sandbox."""

from __future__ import annotations

import io
import json
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from hub.connector import (
    AuthError,
    Changes,
    Connector,
    Created,
    Draft,
    Known,
    NewComment,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    RefusedError,
    RemoteLink,
    TemporaryError,
    Unwritable,
    Upload,
)
from hub.sandbox import Fault
from hub.text import canonical
from hub.ticket import Category, Markdown, Priority, Snapshot, Status, Visibility
from plugins.gitlab.connector import GitlabConnector
from plugins.gitlab.sandbox import GitlabSandbox
from plugins.gitlab.sandbox.cast import GitlabActor
from plugins.gitlab.sandbox.state import Issue
from tests.plugins.gitlab.conftest import connect

SEVERITY: dict[str, Any] = {"fields": {"severity": {"id": "severity", "type": "select", "values": {"major": "1"}}}}
MARK = "support-7-mark-1"


def created(connector: Connector, **more: Any) -> str:
    draft = {"marker": MARK, "title": "A bug", "description": canonical("It **breaks**."), **more}
    return connector.create(Draft(**draft)).id


def whole(connector: Connector, ticket_id: str) -> Snapshot:
    return connector.read(ticket_id, Known())


def a_comment(text: str, visibility: Visibility = Visibility.PUBLIC, *uploads: Upload) -> NewComment:
    return NewComment(text=Markdown(text), visibility=visibility, marker=f"hub:mark:{text}", uploads=uploads)


def a_file(name: str, content: bytes, content_type: str = "application/octet-stream") -> Upload:
    return Upload(name=name, content_type=content_type, size=len(content), open=lambda: io.BytesIO(content))


def issue_in(site: GitlabSandbox, iid: str) -> Issue:
    return site.store.projects[42].issues[int(iid)]


# -- issues


def test_what_is_created_is_read_back(site: GitlabSandbox) -> None:
    connector = connect(site, **SEVERITY)
    values = {
        "priority": Priority.HIGH, "status": Status.IN_PROGRESS, "category": Category.INCIDENT,
        "custom:severity": "major", "assignee": site.people()["engineer1"]["id"],
    }  # fmt: skip
    snapshot = whole(connector, created(connector, values=values, labels=frozenset({"vip", "two words"})))
    ticket = snapshot.ticket
    assert (ticket.title, ticket.description) == ("A bug", "It **breaks**.")
    assert (ticket.priority, ticket.status, ticket.category) == (Priority.HIGH, Status.IN_PROGRESS, Category.INCIDENT)
    assert ticket.custom == {"severity": "major"}
    assert ticket.labels == {"vip", "two words"}
    assert ticket.assignee is not None
    assert ticket.assignee.name == "Engineer One"
    assert (ticket.key, snapshot.comments, snapshot.comment_count) == ("acme/website#1", (), 0)
    assert ticket.url.endswith("/acme/website/-/issues/1")
    assert ticket.updated is not None
    connector.close()


@pytest.mark.parametrize("key", ["1", "#1", "acme/website#1"])
def test_an_issue_is_read_by_number_and_by_key(connector: GitlabConnector, key: str) -> None:
    created(connector)
    assert whole(connector, key).ticket.id == "1"


@pytest.mark.parametrize("key", ["acme/backend#1", "OPS-1", "999"])
def test_what_is_no_issue_of_the_project_is_not_found(connector: GitlabConnector, key: str) -> None:
    created(connector)
    with pytest.raises(NotFoundError):
        connector.read(key, Known())


def test_a_made_issue_is_found_by_its_mark_and_by_no_other_and_nobody_sees_the_mark(
    connector: GitlabConnector, site: GitlabSandbox
) -> None:
    made = created(connector)
    for number in range(120):
        created(connector, marker=f"other-{number}")
    found = connector.find_ticket(MARK)
    assert isinstance(found, Created)
    assert found.id == made
    assert connector.find_ticket("support-8-mark-1") is None
    assert MARK not in str(whole(connector, made).ticket)
    assert issue_in(site, made).description.endswith(f"<!-- ticket-hub {MARK} -->")


def test_a_mark_that_somebody_else_copied_into_an_issue_is_not_believed(
    connector: GitlabConnector, engineer: GitlabActor
) -> None:
    engineer.open_ticket("Copied", f"text\n\n<!-- ticket-hub {MARK} -->")
    assert connector.find_ticket(MARK) is None


def test_an_issue_is_confidential_where_the_draft_or_the_settings_say_so(site: GitlabSandbox) -> None:
    usual, careful = connect(site), connect(site, confidential=True)
    assert not issue_in(site, created(usual)).is_confidential
    assert issue_in(site, created(usual, visibility=Visibility.PRIVATE)).is_confidential
    assert issue_in(site, created(careful)).is_confidential
    usual.close()
    careful.close()


def test_fields_and_labels_are_changed_in_one_call(connector: GitlabConnector, site: GitlabSandbox) -> None:
    issue = created(connector, labels=frozenset({"old", "kept"}))
    before = whole(connector, issue)
    site.requests.clear()
    changes = Changes(
        values={"title": "Better", "description": "new *text*", "priority": Priority.LOW, "assignee": None},
        add_labels=frozenset({"new"}),
        remove_labels=frozenset({"old"}),
    )
    connector.update(issue, changes, before)
    assert len(site.requests) == 1
    ticket = whole(connector, issue).ticket
    assert (ticket.title, ticket.description, ticket.priority) == ("Better", "new *text*", Priority.LOW)
    assert ticket.labels == {"new", "kept"}


@pytest.mark.parametrize("paid", [0, 1])
@pytest.mark.parametrize(
    "status", [Status.IN_PROGRESS, Status.PENDING, Status.ON_HOLD, Status.SOLVED, Status.CLOSED, Status.NEW]
)
def test_each_status_is_read_as_it_was_foretold_and_leaves_no_label_behind(
    connector: GitlabConnector, site: GitlabSandbox, status: Status, paid: int
) -> None:
    site.change_settings(scoped_labels=paid)
    issue = created(connector)
    for wanted in (Status.IN_PROGRESS, status, Status.PENDING, Status.OPEN, status):
        connector.update(issue, Changes(values={"status": wanted}), whole(connector, issue))
        assert whole(connector, issue).ticket.status is connector.hold("status", wanted)
        assert len([label for label in issue_in(site, issue).labels if "status::" in label]) <= 1


def test_a_label_of_the_scope_that_nobody_mapped_is_taken_off_when_the_status_is_written(
    connector: GitlabConnector, site: GitlabSandbox, engineer: GitlabActor
) -> None:
    issue = created(connector)
    engineer._edit(issue, add_labels="status::strange")
    before = whole(connector, issue)
    assert (before.ticket.status, before.ticket.native["status"]) == (Status.UNKNOWN, "status::strange")
    connector.update(issue, Changes(values={"status": Status.PENDING}), before)
    assert issue_in(site, issue).labels == ["status::pending"]


def test_labels_that_contradict_each_other_mean_nothing_that_is_known(
    connector: GitlabConnector, engineer: GitlabActor
) -> None:
    issue = created(connector)
    engineer._edit(issue, add_labels="status::pending,status::in-progress,priority::low,priority::high")
    ticket = whole(connector, issue).ticket
    assert (ticket.status, ticket.priority) == (Status.UNKNOWN, Priority.UNKNOWN)
    assert ticket.native["status"] == "status::in-progress, status::pending"


def test_who_closes_an_issue_solves_it_whatever_its_labels_say(
    connector: GitlabConnector, engineer: GitlabActor
) -> None:
    issue = created(connector)
    engineer.start(issue)
    engineer.resolve(issue)
    assert whole(connector, issue).ticket.status is Status.SOLVED


def test_a_label_may_say_more_about_a_closed_issue(site: GitlabSandbox) -> None:
    connector = connect(site, statuses={"closed": ["status::wont-fix"]})
    issue = created(connector)
    connector.update(issue, Changes(values={"status": Status.CLOSED}), None)
    assert whole(connector, issue).ticket.status is Status.CLOSED
    assert (issue_in(site, issue).state, issue_in(site, issue).labels) == ("closed", ["status::wont-fix"])
    connector.update(issue, Changes(values={"status": Status.OPEN}), None)
    assert whole(connector, issue).ticket.status is Status.OPEN
    connector.close()


def test_a_status_that_the_settings_name_no_word_for_is_unwritable(site: GitlabSandbox) -> None:
    connector = connect(site, statuses={"pending": []})
    with pytest.raises(Unwritable, match=r"trackers\.dev\.statuses"):
        connector.hold("status", Status.PENDING)
    connector.close()


def test_an_issue_that_moved_to_another_project_is_not_taken_for_solved(
    connector: GitlabConnector, site: GitlabSandbox
) -> None:
    issue = created(connector)
    site.changes.move(site.store.user("admin1"), issue_in(site, issue), site.store.projects[43])
    ticket = whole(connector, issue).ticket
    assert (ticket.status, ticket.native["status"], ticket.native["state"]) == (Status.UNKNOWN, "moved", "closed")


def test_a_new_issue_that_should_be_closed_is_made_open_and_says_so(connector: GitlabConnector) -> None:
    draft = Draft(marker=MARK, title="x", description=Markdown(""), values={"status": Status.SOLVED})
    made = connector.create(draft)
    assert set(made.refused) == {"status"}
    assert whole(connector, made.id).ticket.status is Status.OPEN


def test_an_issue_without_a_priority_label_is_a_normal_one(connector: GitlabConnector) -> None:
    assert whole(connector, created(connector)).ticket.priority is Priority.NORMAL


def test_a_label_from_elsewhere_sets_neither_status_nor_priority(connector: GitlabConnector) -> None:
    labels = frozenset(map(connector.hold_label, ("status::done", "Priority::urgent", "a,b", " x  y ")))
    assert labels == {"status:done", "Priority:urgent", "a b", "x y"}
    ticket = whole(connector, created(connector, labels=labels)).ticket
    assert (ticket.labels, ticket.status, ticket.priority) == (labels, Status.OPEN, Priority.NORMAL)


def test_a_field_changes_from_one_label_to_the_other(site: GitlabSandbox) -> None:
    connector = connect(site, **SEVERITY)
    issue = created(connector, values={"custom:severity": "major"})
    for value in ("2", "odd, one", None, "major"):
        connector.update(issue, Changes(values={"custom:severity": value}), whole(connector, issue))
        assert whole(connector, issue).ticket.custom == {"severity": connector.hold("custom:severity", value)}
    assert issue_in(site, issue).labels == ["severity::1"]
    connector.close()


def test_a_deleted_issue_is_not_found(connector: GitlabConnector, site: GitlabSandbox) -> None:
    issue = created(connector)
    site.changes.delete(issue_in(site, issue))
    with pytest.raises(NotFoundError):
        whole(connector, issue)


# -- texts

ODD_TEXTS = (
    "@all look at #1 and !2, &3, a@b.example",
    "/close",
    "/CLOSE",
    "first\n\n/label ~urgent\n\nlast",
    "> /close",
    "- /close\n- /reopen",
    "````\n```\n/close\n```\n````",
    "````\n/close\n````",
    "```\n/close\n```",
    "\\`\n\n/close\n\n\\`",
    "`@all` and [@all #1](https://x.example/#1)",
    "<!-- ticket-hub hub:forged -->",
    "```\n<!-- ticket-hub hub:forged -->\n```",
    "![a picture](attachment:a%20b.png)",
    "a hard  \nbreak | and *some* **styles** ~~gone~~",
)


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_a_text_is_read_as_it_was_foretold_and_runs_and_names_nothing(
    connector: GitlabConnector, site: GitlabSandbox, text: str
) -> None:
    first = created(connector, title="The first")
    neutral = canonical(text)
    issue = created(connector, description=neutral, title=" ".join(text.split())[:90])
    connector.add_comment(issue, NewComment(text=neutral, visibility=Visibility.PUBLIC, marker="hub:m:1"))
    snapshot = whole(connector, issue)
    held = connector.hold_text(neutral)
    assert snapshot.ticket.description == held
    assert [(c.text, c.marker) for c in snapshot.comments or ()] == [(held, "hub:m:1")]
    assert connector.hold_text(held) == held
    assert snapshot.ticket.title == connector.hold("title", " ".join(text.split())[:90])
    assert (issue_in(site, issue).state, issue_in(site, issue).labels) == ("opened", [])
    assert site.store.notified == []
    assert issue_in(site, first).notes == []


def test_a_long_title_is_cut_as_foretold(connector: GitlabConnector) -> None:
    title = connector.hold("title", "very long " * 40)
    assert isinstance(title, str)
    assert len(title) <= 255
    assert whole(connector, created(connector, title="very long " * 40)).ticket.title == title


def test_people_can_still_use_commands(connector: GitlabConnector, engineer: GitlabActor) -> None:
    issue = created(connector)
    engineer.say(issue, "fixed\n/close", public=True)
    assert whole(connector, issue).ticket.status is Status.SOLVED


# -- comments


def test_comments_are_as_public_or_private_as_they_were_asked_to_be(
    connector: GitlabConnector, site: GitlabSandbox
) -> None:
    issue = created(connector)
    assert connector.add_comment(issue, a_comment("for all")).visibility is Visibility.PUBLIC
    assert connector.add_comment(issue, a_comment("for us", Visibility.PRIVATE)).visibility is Visibility.PRIVATE
    assert [(c.text, c.visibility) for c in whole(connector, issue).comments or ()] == [
        ("for all", Visibility.PUBLIC),
        ("for us", Visibility.PRIVATE),
    ]
    assert all('"internal"' in r.body for r in site.requests.all() if r.path.endswith("/notes") and r.method == "POST")


def test_a_server_that_knows_no_internal_notes_shows_a_private_comment_to_nobody(
    connector: GitlabConnector, site: GitlabSandbox
) -> None:
    issue = created(connector)
    site.change_settings(internal_notes=0)
    with pytest.raises(PermanentError, match=r"15\.3"):
        connector.add_comment(issue, a_comment("for us", Visibility.PRIVATE))
    assert issue_in(site, issue).notes == []


def test_plain_notes_are_private_unless_the_settings_say_otherwise(site: GitlabSandbox, engineer: GitlabActor) -> None:
    connector = connect(site, plain_comments="private")
    issue = created(connector)
    engineer.say(issue, "among engineers", public=True)
    (comment,) = whole(connector, issue).comments or ()
    assert comment.visibility is Visibility.PRIVATE
    connector.close()


def test_what_is_said_in_an_issue_that_people_made_confidential_is_private(
    connector: GitlabConnector, site: GitlabSandbox, engineer: GitlabActor
) -> None:
    issue = created(connector)
    engineer.say(issue, "openly", public=True)
    engineer._edit(issue, confidential=True)
    assert [c.visibility for c in whole(connector, issue).comments or ()] == [Visibility.PRIVATE]
    careful = connect(site, confidential=True)
    assert [c.visibility for c in whole(careful, issue).comments or ()] == [Visibility.PUBLIC]
    careful.close()


def test_what_gitlab_notes_itself_is_no_comment(connector: GitlabConnector, engineer: GitlabActor) -> None:
    issue = created(connector)
    engineer.resolve(issue)
    snapshot = whole(connector, issue)
    assert (snapshot.comments, snapshot.comment_count) == ((), 0)


def test_more_comments_than_fit_on_a_page_are_all_read_in_order(
    connector: GitlabConnector, site: GitlabSandbox
) -> None:
    issue = created(connector)
    for number in range(230):
        site.changes.add_note(site.store.user("engineer1"), issue_in(site, issue), {"body": f"number {number}"})
    assert [c.text for c in whole(connector, issue).comments or ()] == [f"number {n}" for n in range(230)]


def test_comments_are_left_out_when_their_number_says_that_nothing_came(
    connector: GitlabConnector, site: GitlabSandbox
) -> None:
    issue = created(connector)
    connector.add_comment(issue, a_comment("one"))
    site.requests.clear()
    assert connector.read(issue, Known(comment_count=1, must_read_comments=False)).comments is None
    assert len(site.requests) == 1
    assert len(connector.read(issue, Known(comment_count=0, must_read_comments=False)).comments or ()) == 1


def test_a_comment_is_found_by_its_mark_with_its_files(connector: GitlabConnector, engineer: GitlabActor) -> None:
    issue = created(connector)
    written = connector.add_comment(issue, a_comment("marked", Visibility.PRIVATE, a_file("a b.txt", b"x")))
    engineer.say(issue, "copied\n\n<!-- ticket-hub hub:mark:other -->", public=True)
    assert connector.find_comment(issue, "hub:mark:marked") == written
    assert connector.find_comment(issue, "hub:mark:other") is None
    assert [c.marker for c in whole(connector, issue).comments or ()] == ["hub:mark:marked", None]


def test_an_edit_keeps_the_mark_the_files_and_the_pictures(connector: GitlabConnector) -> None:
    issue = created(connector)
    text = "see ![one.png](attachment:one.png)"
    comment = a_comment(text, Visibility.PRIVATE, a_file("one.png", b"1", "image/png"), a_file("two.txt", b"2"))
    written = connector.add_comment(issue, comment)
    connector.edit_comment(issue, written.id, Markdown(f"now {text}"), Visibility.PRIVATE)
    (seen,) = whole(connector, issue).comments or ()
    assert (seen.text, seen.visibility, seen.marker) == (f"now {text}", Visibility.PRIVATE, f"hub:mark:{text}")
    assert tuple(a.id for a in seen.attachments) == written.attachment_ids
    assert [a.name for a in seen.attachments] == ["one.png", "two.txt"]


def test_private_text_is_not_put_into_a_public_note(connector: GitlabConnector, site: GitlabSandbox) -> None:
    issue = created(connector)
    written = connector.add_comment(issue, a_comment("for all"))
    with pytest.raises(PermanentError, match="public"):
        connector.edit_comment(issue, written.id, Markdown("secret"), Visibility.PRIVATE)
    assert "secret" not in issue_in(site, issue).notes[0].body


def test_a_deleted_comment_is_gone_and_deleting_it_again_does_no_harm(connector: GitlabConnector) -> None:
    issue = created(connector)
    written = connector.add_comment(issue, a_comment("short-lived"))
    connector.delete_comment(issue, written.id)
    connector.delete_comment(issue, written.id)
    assert whole(connector, issue).comments == ()


@pytest.mark.parametrize("direct", [0, 1])
@pytest.mark.parametrize("name", ["raport ąę (1).pdf", "[x] *y*.png", "no-extension", "a&b#1.txt"])
def test_a_large_file_with_an_odd_name_goes_up_and_comes_down_whole(
    connector: GitlabConnector, site: GitlabSandbox, name: str, direct: int
) -> None:
    site.change_settings(direct_download=direct)
    issue = created(connector)
    content = bytes(range(256)) * 8192
    comment = a_comment("see", Visibility.PUBLIC, a_file(name, content))
    written = connector.add_comment(issue, comment)
    (seen,) = whole(connector, issue).comments or ()
    assert seen.text == "see"
    assert [(a.id, a.name) for a in seen.attachments] == [(written.attachment_ids[0], name)]
    with connector.download(seen.attachments[0]) as chunks:
        assert b"".join(chunks) == content
    assert site.leaked_authorizations == []


def test_a_file_in_the_description_hangs_on_the_issue_itself(connector: GitlabConnector, engineer: GitlabActor) -> None:
    file = engineer._call("POST", "/uploads", files={"file": ("shot one.png", b"png", "image/png")})
    issue = engineer.open_ticket("With a picture", f"See {file['markdown']}{{width=20}} there.")
    snapshot = whole(connector, issue)
    assert [a.name for a in snapshot.attachments] == ["shot_one.png"]
    assert snapshot.ticket.description == "See ![shot\\_one.png](attachment:shot_one.png) there."


def test_a_file_that_is_gone_is_not_found(connector: GitlabConnector, site: GitlabSandbox) -> None:
    issue = created(connector)
    connector.add_comment(issue, a_comment("see", Visibility.PUBLIC, a_file("x.txt", b"x")))
    site.store.projects[42].uploads.clear()
    (seen,) = whole(connector, issue).comments or ()
    with pytest.raises(NotFoundError), connector.download(seen.attachments[0]):
        pass


def test_a_link_is_one_internal_note_that_is_brought_up_to_date_and_taken_back(
    connector: GitlabConnector, site: GitlabSandbox
) -> None:
    issue = created(connector)
    link = RemoteLink("hub:x:support:7", "http://support.example/7", "#7", "A [ticket]", "support")
    first = connector.write_link(issue, link)
    again = connector.write_link(
        issue, RemoteLink(link.global_id, link.url, link.key, "Renamed", link.tracker, is_resolved=True)
    )
    assert first is not None
    assert first == again
    assert connector.find_comment(issue, link.global_id) == first
    (note,) = issue_in(site, issue).people_notes
    assert note.is_internal
    assert "http://support.example/7" in note.body
    assert "Renamed" in note.body
    connector.remove_link(issue, link.global_id)
    connector.remove_link(issue, link.global_id)
    assert issue_in(site, issue).people_notes == []


# -- noticing


def test_polling_misses_nothing_and_repeats_nothing(connector: GitlabConnector) -> None:
    now = datetime.now(UTC)
    cursor = connector.poll(None, now).cursor
    made = {created(connector) for _ in range(3)}
    first = connector.poll(cursor, now)
    assert {h.ticket_id for h in first.hints} == made
    again = connector.poll(first.cursor, now)
    assert again.hints == ()
    connector.update("2", Changes(values={"title": "changed"}), None)
    later = connector.poll(again.cursor, now)
    assert [h.ticket_id for h in later.hints] == ["2"]
    connector.add_comment("3", a_comment("a note is a change too"))
    assert [h.ticket_id for h in connector.poll(later.cursor, now).hints] == ["3"]


def test_polling_finds_all_of_many_pages_with_one_and_the_same_time(
    connector: GitlabConnector, site: GitlabSandbox
) -> None:
    now = datetime.now(UTC)
    cursor = connector.poll(None, now).cursor
    made = [created(connector) for _ in range(430)]
    for iid in made[50:300]:
        issue_in(site, iid).updated = now + timedelta(seconds=1)
    assert {h.ticket_id for h in connector.poll(cursor, now).hints} == set(made)


def test_polling_goes_by_the_clock_of_gitlab(connector: GitlabConnector, site: GitlabSandbox) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    cursor = connector.poll(None, ahead).cursor
    assert connector.identify().clock_skew is not None
    issue = created(connector)
    issue_in(site, issue).updated = ahead + timedelta(seconds=1)
    found = connector.poll(cursor, ahead)
    assert [h.ticket_id for h in found.hints] == [issue]
    assert datetime.fromisoformat(json.loads(found.cursor)["since"]) > ahead


def test_an_issue_that_is_late_to_appear_is_still_found(connector: GitlabConnector, site: GitlabSandbox) -> None:
    now = datetime.now(UTC)
    late, other = created(connector), created(connector)
    hidden = site.store.projects[42].issues.pop(int(late))
    first = connector.poll(connector.poll(None, now - timedelta(seconds=5)).cursor, now)
    assert [h.ticket_id for h in first.hints] == [other]
    site.store.projects[42].issues[int(late)] = hidden
    assert [h.ticket_id for h in connector.poll(first.cursor, now).hints] == [late]


def test_it_finds_a_person_by_exactly_this_address(connector: GitlabConnector) -> None:
    found = connector.find_person("Engineer1@engineering.example")
    assert found is not None
    assert found.name == "Engineer One"
    assert connector.find_person("engineer") is None
    assert connector.find_person("engineer2@engineering.example") is None


def test_a_name_that_looks_like_an_address_is_nobodys_address(connector: GitlabConnector, site: GitlabSandbox) -> None:
    site.store.user("guest1").name = "boss@engineering.example"
    assert connector.find_person("boss@engineering.example") is None


# -- errors


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthError), (403, AuthError), (404, NotFoundError), (409, TemporaryError), (422, PermanentError),
        (500, TemporaryError), (502, TemporaryError),
    ],
)  # fmt: skip
def test_each_answer_is_the_right_error(
    connector: GitlabConnector, site: GitlabSandbox, status: int, error: type[Exception]
) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="GET", path=rf"/issues/{issue}$", status=status, body="<html>no</html>"))
    with pytest.raises(error) as raised:
        whole(connector, issue)
    assert "<html>" not in str(raised.value)


def test_a_rate_limit_says_how_long_to_wait_and_sends_nothing_again(
    connector: GitlabConnector, site: GitlabSandbox
) -> None:
    issue = created(connector)
    site.limits.set("notes_create", 0, 17)
    site.requests.clear()
    with pytest.raises(RateLimitedError) as error:
        connector.add_comment(issue, a_comment("x"))
    assert error.value.retry_after == 17
    assert len(site.requests) == 1


def test_without_retry_after_the_end_of_the_window_counts(connector: GitlabConnector, site: GitlabSandbox) -> None:
    ends = str(int(datetime.now(UTC).timestamp()) + 60)
    site.faults.add(Fault(path="/user", status=429, headers={"RateLimit-Reset": ends}, body="Retry later"))
    with pytest.raises(RateLimitedError) as error:
        connector.identify()
    assert 50 < error.value.retry_after <= 60


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"drop": True}])
def test_a_write_whose_answer_is_lost_is_not_sent_twice(
    connector: GitlabConnector, site: GitlabSandbox, fault: dict[str, Any]
) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="POST", path="/notes", mode="after", **fault))
    with pytest.raises(TemporaryError):
        connector.add_comment(issue, a_comment("once"))
    assert [n.body for n in issue_in(site, issue).notes] == ["once\n\n<!-- ticket-hub hub:mark:once -->"]
    assert connector.find_comment(issue, "hub:mark:once") is not None


def test_a_broken_connection_is_tried_once_more_when_reading(connector: GitlabConnector, site: GitlabSandbox) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="GET", path="/issues/", drop=True))
    assert whole(connector, issue).ticket.id == issue


def test_a_tracker_that_is_down_is_a_temporary_error(connector: GitlabConnector, site: GitlabSandbox) -> None:
    site.stop()
    with pytest.raises(TemporaryError) as error:
        connector.identify()
    assert not isinstance(error.value, RateLimitedError)


def test_a_refused_field_is_named_in_neutral_words(connector: GitlabConnector, site: GitlabSandbox) -> None:
    issue = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.update(issue, Changes(values={"title": " "}), None)
    assert error.value.fields == {"title": "can't be blank"}
    text = {"error": "issue_type does not have a valid value, state_event is invalid"}
    site.faults.add(Fault(method="PUT", status=400, body=text))
    with pytest.raises(RefusedError) as both:
        connector.update(issue, Changes(values={"title": "x"}), None)
    assert set(both.value.fields) == {"category", "status"}


def test_no_credential_is_in_any_error(site: GitlabSandbox) -> None:
    connector = connect(site, credentials={"token": "revoked-very-secret"})
    body = {"message": "401 you sent revoked-very-secret"}
    for fault in (
        None,
        Fault(status=401, body=body),
        Fault(status=400, body={"message": {"title": ["revoked-very-secret"]}}),
    ):
        if fault is not None:
            site.faults.add(fault)
        with pytest.raises(PermanentError) as error:
            connector.identify()
        shown = f"{error.value!r} {''.join(traceback.format_exception(error.value))}"
        assert "revoked-very-secret" not in shown
    assert "revoked-very-secret" not in repr(connector.base_settings)
    connector.close()


def test_a_token_of_too_narrow_a_scope_is_told_from_a_wrong_one(site: GitlabSandbox) -> None:
    connector = connect(site, credentials={"token": site.people()["reader1"]["token"]})
    with pytest.raises(AuthError) as error:
        created(connector)
    assert "scope api" in error.value.remedy
    connector.close()


# -- what the admin is told


def said(connector: GitlabConnector) -> str:
    return "\n".join(f"{f.level}: {f.what} {f.remedy}" for f in connector.check())


def test_the_check_names_what_is_wrong_and_what_there_is(site: GitlabSandbox) -> None:
    wrong = connect(site, project="acme/web-site")
    assert "Did you mean 'acme/website'?" in said(wrong)
    words = connect(site, statuses={"pending": ["status::pendign"]}, priorities={"normal": ["P3"]}, **SEVERITY)
    text = said(words)
    assert "Did you mean 'status::pending'?" in text
    assert "no label 'P3'" in text
    assert "nothing is said about 'none'" in text
    assert "label 'status::pending' is not mapped" in text
    for connector in (wrong, words):
        connector.close()


@pytest.mark.parametrize(
    ("login", "words"), [("guest1", "no Reporter"), ("reader1", "lacks the scope api"), ("outsider1", "It is in: none")]
)
def test_the_check_says_what_the_account_lacks(site: GitlabSandbox, login: str, words: str) -> None:
    connector = connect(site, credentials={"token": site.people()[login]["token"]})
    assert words in said(connector)
    connector.close()


def test_the_check_warns_of_a_public_project_and_of_a_token_that_ends(
    connector: GitlabConnector, site: GitlabSandbox
) -> None:
    assert "error" not in said(connector)
    site.store.projects[42].visibility = "public"
    site.change_settings(token_days=10)
    text = said(connector)
    assert "everybody can read" in text
    assert "the token ends on" in text


def test_settings_that_cannot_work_are_refused_with_the_reason(site: GitlabSandbox) -> None:
    with pytest.raises(ValidationError, match="not its address"):
        connect(site, project="https://gitlab.example/acme/website")
    with pytest.raises(ValidationError, match="only type select"):
        connect(site, fields={"when": {"id": "due", "type": "date"}})
