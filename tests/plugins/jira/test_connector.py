"""The Jira connector against the sandbox, in both flavours."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest

from hub.connector import (
    AuthError,
    Changes,
    Draft,
    Known,
    NewComment,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    RefusedError,
    RemoteLink,
    TemporaryError,
    Upload,
)
from hub.sandbox import Fault
from hub.text import canonical
from hub.ticket import Markdown, Person, Priority, Status, Visibility
from plugins.jira.connector import JiraConnector
from plugins.jira.sandbox import JiraSandbox
from tests.plugins.jira.conftest import connect

REQUIRED = "customfield_10050"
SEVERITY = {"fields": {"severity": {"id": "Severity", "type": "select"}}}


def created(connector: JiraConnector, **more: object) -> str:
    draft = Draft(marker="support-7-mark-1", title="A bug", description=canonical("It **breaks**."), **more)  # type: ignore[arg-type]
    return connector.create(draft).id


def a_comment(text: str, visibility: Visibility = Visibility.PUBLIC, *uploads: Upload) -> NewComment:
    return NewComment(text=Markdown(text), visibility=visibility, marker=f"hub:mark:{text}", uploads=uploads)


def test_what_is_created_is_read_back(site: JiraSandbox) -> None:
    connector = connect(site, **SEVERITY)
    values = {"priority": Priority.HIGH, "custom:severity": "Major"}
    ticket = connector.read(created(connector, values=values, labels=frozenset({"vip"})), Known()).ticket
    assert (ticket.title, ticket.description) == ("A bug", "It **breaks**.")
    assert (ticket.priority, ticket.status, ticket.custom) == (Priority.HIGH, Status.OPEN, {"severity": "Major"})
    assert ticket.labels == {"vip", "support-7-mark-1"}
    assert ticket.updated is not None
    connector.close()


def test_a_refused_field_is_named_in_neutral_words(site: JiraSandbox) -> None:
    connector = connect(site, **SEVERITY)
    issue = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.update(issue, Changes(values={"custom:severity": "Enormous", "title": "x"}), None)
    assert set(error.value.fields) == {"custom:severity"}
    connector.close()


def test_a_made_issue_is_found_by_its_mark_and_by_no_other(connector: JiraConnector) -> None:
    issue = created(connector)
    found = connector.find_ticket("support-7-mark-1")
    assert found is not None
    assert found.id == issue
    assert connector.find_ticket("support-8-mark-1") is None


def test_fields_and_labels_are_changed_in_one_call(connector: JiraConnector, site: JiraSandbox) -> None:
    issue = created(connector)
    site.requests.clear()
    changes = Changes(
        values={"title": "Better", "priority": Priority.LOW},
        add_labels=frozenset({"new"}),
        remove_labels=frozenset({"x"}),
    )
    connector.update(issue, changes, None)
    assert len(site.requests) == 1
    ticket = connector.read(issue, Known()).ticket
    assert (ticket.title, ticket.priority) == ("Better", Priority.LOW)
    assert "new" in ticket.labels


@pytest.mark.parametrize("status", [Status.SOLVED, Status.IN_PROGRESS, Status.ON_HOLD])
def test_a_status_is_reached_through_the_workflow(connector: JiraConnector, status: Status) -> None:
    issue = created(connector)
    connector.transition(issue, status)
    assert connector.read(issue, Known()).ticket.status is status
    connector.transition(issue, Status.OPEN)
    assert connector.read(issue, Known()).ticket.status in (Status.OPEN, Status.IN_PROGRESS)


def test_a_move_tells_which_status_it_met(connector: JiraConnector) -> None:
    issue = created(connector)
    assert connector.transition(issue, Status.IN_PROGRESS).replaced == {"status": Status.OPEN}
    assert connector.transition(issue, Status.SOLVED).replaced == {"status": Status.IN_PROGRESS}


def test_the_history_comes_along_where_it_is_asked_for(connector: JiraConnector, site: JiraSandbox) -> None:
    issue = created(connector)
    before = connector.read(issue, Known())
    assert before.changes is None
    connector.update(issue, Changes(values={"title": "Better", "priority": Priority.LOW}), None)
    connector.transition(issue, Status.IN_PROGRESS)
    site.requests.clear()
    changes = connector.read(issue, Known(history_since=before.read_at)).changes or ()
    assert len(site.requests) == 1
    told = {c.field: (c.before, c.after) for c in changes}
    assert told["title"] == (before.ticket.title, "Better")
    assert told["priority"] == (before.ticket.priority, Priority.LOW)
    assert told["status"] == (Status.OPEN, Status.IN_PROGRESS)
    assert {c.actor_id for c in changes} == {connector.identify().account_id}
    assert all(abs((c.at - before.read_at).total_seconds()) < 60 for c in changes)


def test_a_screen_that_asks_for_an_unknown_value_is_named_with_the_remedy(site: JiraSandbox) -> None:
    connector = connect(site, transition_fields={})
    issue = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.transition(issue, Status.SOLVED)
    assert "asks for Resolution" in error.value.fields["status"]
    assert "trackers.dev.transition_fields" in error.value.remedy
    connector.close()


def test_a_status_that_no_way_leads_to_is_refused_with_what_there_is(site: JiraSandbox) -> None:
    connector = connect(site, statuses={"pending": ["Nirvana"]})
    issue = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.transition(issue, Status.PENDING)
    assert "Nirvana" in error.value.fields["status"]
    connector.close()


def test_comments_are_as_public_or_private_as_they_were_asked_to_be(connector: JiraConnector) -> None:
    issue = created(connector)
    connector.add_comment(issue, a_comment("for all"))
    connector.add_comment(issue, a_comment("for us", Visibility.PRIVATE))
    comments = connector.read(issue, Known()).comments or ()
    assert [(c.text, c.visibility) for c in comments] == [
        ("for all", Visibility.PUBLIC),
        ("for us", Visibility.PRIVATE),
    ]


def test_an_edit_keeps_a_private_comment_private(connector: JiraConnector) -> None:
    issue = created(connector)
    written = connector.add_comment(issue, a_comment("for us", Visibility.PRIVATE))
    connector.edit_comment(issue, written.id, Markdown("still for us"), Visibility.PRIVATE)
    (comment,) = connector.read(issue, Known()).comments or ()
    assert (comment.text, comment.visibility) == ("still for us", Visibility.PRIVATE)


def test_plain_comments_are_private_unless_the_settings_say_otherwise(site: JiraSandbox) -> None:
    connector = connect(site, plain_comments="private", private_role="")
    issue = created(connector)
    site.changes.add_comment(site.store.user("engineer1"), site.store.issues[issue], {}, "among engineers")
    (comment,) = connector.read(issue, Known()).comments or ()
    assert comment.visibility is Visibility.PRIVATE
    connector.close()


def test_in_a_service_desk_jira_says_who_may_read_and_silence_is_unknown(site: JiraSandbox) -> None:
    connector = connect(site, project="DESK")
    issue = created(connector)
    connector.add_comment(issue, a_comment("answer"))
    connector.add_comment(issue, a_comment("internal", Visibility.PRIVATE))
    seen = [c.visibility for c in connector.read(issue, Known()).comments or ()]
    # Data Center does not tell it in the issue's answer, and what is not told counts as private everywhere.
    assert seen == ([Visibility.PUBLIC, Visibility.PRIVATE] if site.is_cloud else [Visibility.UNKNOWN] * 2)
    connector.close()


def test_a_private_comment_without_a_way_to_be_private_is_not_written(site: JiraSandbox) -> None:
    connector = connect(site, private_role="")
    issue = created(connector)
    with pytest.raises(PermanentError, match="private_role"):
        connector.add_comment(issue, a_comment("for us", Visibility.PRIVATE))
    assert site.store.issues[issue].comments == []
    connector.close()


def test_a_comment_is_found_by_its_mark(connector: JiraConnector) -> None:
    issue = created(connector)
    written = connector.add_comment(issue, a_comment("marked"))
    found = connector.find_comment(issue, "hub:mark:marked")
    assert found is not None
    assert found.id == written.id
    assert connector.find_comment(issue, "hub:mark:other") is None


def test_a_large_file_with_an_odd_name_goes_up_and_comes_down_whole(
    connector: JiraConnector, site: JiraSandbox
) -> None:
    issue = created(connector)
    content = bytes(range(256)) * 8192
    upload = Upload(
        name="zażółć gęślą.bin", content_type="application/x-thing", size=len(content), open=lambda: io.BytesIO(content)
    )
    connector.add_comment(issue, a_comment("see", Visibility.PUBLIC, upload))
    snapshot = connector.read(issue, Known())
    (comment,) = snapshot.comments or ()
    assert [a.name for a in comment.attachments] == ["zażółć gęślą.bin"]
    with connector.download(snapshot.attachments[0]) as chunks:
        assert b"".join(chunks) == content
    assert site.leaked_authorizations == []


def test_more_comments_than_fit_into_the_issue_are_all_read(connector: JiraConnector, site: JiraSandbox) -> None:
    issue = created(connector)
    site.change_settings(inline_comments=5)
    for number in range(120):
        site.changes.add_comment(site.store.user("engineer1"), site.store.issues[issue], {}, f"number {number}")
    comments = connector.read(issue, Known()).comments or ()
    assert [c.text for c in comments] == [f"number {n}" for n in range(120)]


def test_a_remote_link_is_shown_once_and_taken_back(connector: JiraConnector, site: JiraSandbox) -> None:
    issue = created(connector)
    link = RemoteLink("hub:x:support:7", "http://support.example/7", "#7", "A ticket", "support")
    connector.write_link(issue, link)
    connector.write_link(issue, link)
    assert list(site.store.issues[issue].links) == ["hub:x:support:7"]
    connector.remove_link(issue, "hub:x:support:7")
    connector.remove_link(issue, "hub:x:support:7")
    assert not site.store.issues[issue].links


def test_polling_misses_nothing_and_repeats_nothing(connector: JiraConnector, site: JiraSandbox) -> None:
    now = datetime.now(UTC)
    cursor = connector.poll(None, now).cursor
    made = {created(connector) for _ in range(3)}
    first = connector.poll(cursor, now + timedelta(seconds=5))
    assert {h.ticket_id for h in first.hints} == made
    again = connector.poll(first.cursor, now + timedelta(seconds=10))
    assert again.hints == ()
    one = made.pop()
    connector.update(one, Changes(values={"title": "changed"}), None)
    assert [h.ticket_id for h in connector.poll(again.cursor, now + timedelta(seconds=15)).hints] == [one]


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthError), (403, AuthError), (404, NotFoundError), (500, TemporaryError), (502, TemporaryError)],
)
def test_each_answer_is_the_right_error(
    connector: JiraConnector, site: JiraSandbox, status: int, error: type[Exception]
) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="GET", path=rf"/issue/{issue}", status=status, body="<html>no</html>"))
    with pytest.raises(error):
        connector.read(issue, Known())


def test_a_rate_limit_says_how_long_to_wait(connector: JiraConnector, site: JiraSandbox) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="PUT", path="/issue/", status=429, headers={"Retry-After": "17"}))
    with pytest.raises(RateLimitedError) as error:
        connector.update(issue, Changes(values={"title": "x"}), None)
    assert error.value.retry_after == 17


def test_a_write_whose_answer_is_lost_is_not_sent_twice(connector: JiraConnector, site: JiraSandbox) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="POST", path="/comment", mode="after", drop=True))
    with pytest.raises(TemporaryError):
        connector.add_comment(issue, a_comment("once"))
    assert len(site.store.issues[issue].comments) == 1


def test_no_credential_is_in_any_error(site: JiraSandbox) -> None:
    wrong = (
        {"email": "hub@x.example", "api_token": "very-secret-token"}
        if site.is_cloud
        else {"personal_access_token": "very-secret-token"}
    )
    connector = connect(site, credentials=wrong)
    with pytest.raises(AuthError) as error:
        connector.identify()
    assert "very-secret-token" not in repr(error.value) + str(error.value) + repr(error.value.__cause__)
    assert "trackers.dev.credentials" in str(error.value)
    connector.close()


def test_the_check_names_what_is_wrong_and_what_there_is(site: JiraSandbox) -> None:
    connector = connect(site, issue_type="Bugg", statuses={"solved": ["Dun"]}, fields={"x": {"id": "Severty"}})
    texts = " ".join(f"{f.what} {f.remedy}" for f in connector.check())
    assert "no issue type 'Bugg'" in texts
    assert "Did you mean 'Severity'?" in texts
    connector.close()
    other = connect(site, project="OPPS")
    assert "Did you mean 'OPS'?" in " ".join(f.remedy for f in other.check())
    other.close()


def test_a_field_that_new_issues_need_is_named_by_the_check_and_by_the_refusal(site: JiraSandbox) -> None:
    site.store.required = {REQUIRED}
    connector = connect(site)
    (finding,) = [f for f in connector.check() if f.level == "error"]
    assert REQUIRED in finding.what
    assert "trackers.dev.create_fields" in finding.remedy
    with pytest.raises(RefusedError, match=r"is required.*trackers\.dev\.create_fields"):
        created(connector)
    connector.close()
    told = connect(site, create_fields={REQUIRED: {"value": "Major"}})
    assert not [f for f in told.check() if f.level == "error"]
    assert created(told)
    told.close()


def test_quiet_writes_tell_no_watcher(site: JiraSandbox) -> None:
    connector = connect(site, quiet=True)
    issue = created(connector)
    site.requests.clear()
    connector.update(issue, Changes(values={"title": "x"}), None)
    assert [r.query for r in site.requests.matching("PUT")] == ["notifyUsers=false"]
    connector.close()


def test_a_mention_is_named_and_a_copied_one_notifies_nobody(connector: JiraConnector, site: JiraSandbox) -> None:
    issue = created(connector)
    engineer = site.store.user("engineer1")
    who = f"accountid:{engineer.account_id}" if site.is_cloud else engineer.login
    site.changes.add_comment(engineer, site.store.issues[issue], {}, f"[~{who}] look")
    (comment,) = connector.read(issue, Known()).comments or ()
    assert comment.text.startswith("@Engineer One")
    connector.add_comment(issue, a_comment("@Engineer One and [~engineer1] look"))
    body = site.store.issues[issue].comments[-1].body
    assert "[~engineer1]" not in body.replace("\\[~", "")


def test_it_finds_a_person_by_exactly_this_address(connector: JiraConnector) -> None:
    found = connector.find_person("engineer1@engineering.example")
    assert isinstance(found, Person)
    assert found.name == "Engineer One"
    assert connector.find_person("engineer") is None
