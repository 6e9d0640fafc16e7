"""The OTRS connector against the sandbox, over real sockets."""

from __future__ import annotations

import io
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.connector import (
    AuthError,
    Capability,
    Changes,
    ConflictError,
    Draft,
    Hint,
    Ignored,
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
    WebhookRequest,
)
from hub.sandbox import Fault
from hub.text import canonical, to_plain
from hub.ticket import Category, Markdown, Person, Priority, Status, Visibility
from plugins.otrs import mapping
from plugins.otrs.connector import OtrsConnector
from plugins.otrs.sandbox import OtrsSandbox, actor
from plugins.otrs.times import ServerClock
from tests.plugins.clock import Clock
from tests.plugins.otrs.conftest import connect
from tests.plugins.otrs.recorded import exchanges

FIELDS = {
    "fields": {
        "system": {"id": "ExternalSystem", "type": "select", "values": {"Jira": "jira"}},
        "areas": {"id": "SyncTags", "type": "multiselect"},
        "done": {"id": "SyncFlag", "type": "checkbox"},
        "due": {"id": "SyncedAt", "type": "date"},
        "note": {"id": "SyncNote"},
    }
}
ODD = "raport ąę (1).pdf"
BEFORE_WINTER = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
"""Half an hour before summer time ends in Europe."""


def created(connector: OtrsConnector, **more: object) -> str:
    wanted = {"marker": "dev-7-mark", "title": "A request", "description": canonical("It **breaks**."), **more}
    return connector.create(Draft(**wanted)).id  # type: ignore[arg-type]


def a_comment(text: str, visibility: Visibility = Visibility.PUBLIC, *uploads: Upload) -> NewComment:
    return NewComment(text=Markdown(text), visibility=visibility, marker=f"hub:{text}", uploads=uploads)


def a_file(name: str, content: bytes, content_type: str = "application/pdf") -> Upload:
    return Upload(name=name, content_type=content_type, size=len(content), open=lambda: io.BytesIO(content))


def content_of(connector: OtrsConnector, ticket_id: str) -> dict[str, bytes]:
    found = {}
    for comment in connector.read(ticket_id, Known()).comments or ():
        for file in comment.attachments:
            with connector.download(file) as chunks:
                found[file.name] = b"".join(chunks)
    return found


# -- tickets ---------------------------------------------------------------------------------------------------------


def test_what_is_created_is_read_back(helpdesk: OtrsSandbox) -> None:
    connector = connect(helpdesk, **FIELDS)
    values = {
        "priority": Priority.HIGH,
        "category": Category.PROBLEM,
        "custom:system": "Jira",
        "custom:areas": ("a", "b"),
        "custom:done": True,
        "custom:due": datetime(2027, 1, 5, tzinfo=UTC),
        "custom:note": "a note",
    }
    someone = Person(name="Somebody", email="somebody@customer.example")
    ticket_id = created(connector, values=values, labels=frozenset({"vip", "two words"}), requester=someone)
    ticket = connector.read(ticket_id, Known()).ticket
    assert (ticket.title, ticket.description) == ("A request", connector.hold_text(canonical("It **breaks**.")))
    assert (ticket.priority, ticket.category, ticket.status) == (Priority.HIGH, Category.PROBLEM, Status.NEW)
    assert ticket.labels == {"vip", "two words"}
    assert {f"custom:{k}": v for k, v in ticket.custom.items()} == {k: v for k, v in values.items() if ":" in k}
    assert ticket.requester is not None
    assert ticket.requester.email == "somebody@customer.example"
    assert (ticket.line, ticket.native["queue"]) == (1, "Support::L1")
    assert ticket.url.endswith(f"/otrs/index.pl?Action=AgentTicketZoom;TicketID={ticket_id}")
    connector.close()


def test_a_ticket_is_read_by_its_number_too(connector: OtrsConnector) -> None:
    made = connector.create(Draft(marker="m", title="t", description=Markdown("d")))
    assert len(made.key) == 16
    assert connector.read(made.key, Known()).ticket.id == made.id
    assert connector.read(f"#{made.key}", Known()).ticket.id == made.id


def test_a_read_is_one_call_and_signing_in_happens_once(connector: OtrsConnector, helpdesk: OtrsSandbox) -> None:
    ticket_id = created(connector)
    helpdesk.requests.clear()
    connector.read(ticket_id, Known())
    connector.read(ticket_id, Known())
    assert [r.path.rpartition("/")[2] for r in helpdesk.requests.all()] == ["read", "read"]


def test_a_made_ticket_is_found_by_its_mark_and_by_no_other(connector: OtrsConnector) -> None:
    ticket_id = created(connector)
    created(connector, marker="dev-8-mark")
    found = connector.find_ticket("dev-7-mark")
    assert found is not None
    assert found.id == ticket_id
    assert connector.find_ticket("dev-9-mark") is None
    assert connector.find_ticket("dev-*") is None


def test_a_mark_in_a_field_that_is_not_there_finds_nothing_though_the_server_finds_everything(
    connector: OtrsConnector, helpdesk: OtrsSandbox
) -> None:
    created(connector)
    other = connect(helpdesk, marker_field="Nope")
    assert other.find_ticket("dev-7-mark") is None
    other.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "Zażółć 😀 <b>x</b>"),
        ("title", "x" * 300),
        ("title", " two\nlines "),
        ("status", Status.OPEN),
        ("status", Status.PENDING),
        ("status", Status.ON_HOLD),
        ("status", Status.SOLVED),
        ("status", Status.CLOSED),
        ("priority", Priority.LOWEST),
        ("priority", Priority.URGENT),
        ("category", Category.PROBLEM),
        ("category", Category.BUG),
        ("custom:system", "Jira"),
        ("custom:areas", ("b", "a")),
        ("custom:areas", ()),
        ("custom:done", False),
        ("custom:due", datetime(2027, 3, 4, 17, 30, tzinfo=UTC)),
        ("custom:note", "x"),
        ("custom:note", None),
    ],
)
def test_each_field_is_held_as_foretold(helpdesk: OtrsSandbox, name: str, value: object) -> None:
    connector = connect(helpdesk, **FIELDS)
    ticket_id = created(connector, values={"custom:note": "before"})
    connector.update(ticket_id, Changes(values={name: value}), None)  # type: ignore[dict-item]
    ticket = connector.read(ticket_id, Known()).ticket
    shown = ticket.custom[name[7:]] if name.startswith("custom:") else getattr(ticket, name)
    assert shown == connector.hold(name, value)  # type: ignore[arg-type]
    connector.close()


def test_an_owner_is_set_and_taken_away(connector: OtrsConnector, helpdesk: OtrsSandbox) -> None:
    ticket_id = created(connector)
    connector.update(ticket_id, Changes(values={"assignee": "5"}), None)
    assignee = connector.read(ticket_id, Known()).ticket.assignee
    assert assignee is not None
    assert (assignee.id, assignee.name) == ("5", "agent1")
    connector.update(ticket_id, Changes(values={"assignee": None}), None)
    assert connector.read(ticket_id, Known()).ticket.assignee is None


def test_labels_of_others_stay_when_some_are_added_and_removed(connector: OtrsConnector) -> None:
    ticket_id = created(connector, labels=frozenset({"a", "b"}))
    connector.update(ticket_id, Changes(add_labels=frozenset({"c, d"}), remove_labels=frozenset({"a"})), None)
    assert connector.read(ticket_id, Known()).ticket.labels == {"b", connector.hold_label("c, d")}


def test_labels_in_a_multiselect_are_only_those_that_it_lists(helpdesk: OtrsSandbox) -> None:
    connector = connect(helpdesk, labels_field="SyncTags", labels_type="multiselect")
    ticket_id = created(connector, labels=frozenset({"a"}))
    connector.update(ticket_id, Changes(add_labels=frozenset({"b"}), remove_labels=frozenset({"a"})), None)
    assert connector.read(ticket_id, Known()).ticket.labels == {"b"}
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(add_labels=frozenset({"unlisted"})), None)
    assert set(error.value.fields) == {"labels"}
    connector.close()


def test_labels_without_a_place_for_them_are_refused_by_name(helpdesk: OtrsSandbox) -> None:
    connector = connect(helpdesk, labels_field="")
    with pytest.raises(RefusedError, match="labels_field"):
        connector.update(created(connector), Changes(add_labels=frozenset({"x"})), None)
    connector.close()


def test_a_status_that_is_not_there_is_refused_and_nothing_else_is_written(helpdesk: OtrsSandbox) -> None:
    connector = connect(helpdesk, statuses={"pending": ["waiting for godot"]})
    ticket_id = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"status": Status.PENDING, "title": "Half"}), None)
    assert set(error.value.fields) == {"status"}
    assert connector.read(ticket_id, Known()).ticket.title == "A request"
    with pytest.raises(Unwritable):
        connector.hold("category", Category.CHANGE_REQUEST)
    connector.close()


def test_a_refused_custom_field_is_named_in_neutral_words(helpdesk: OtrsSandbox) -> None:
    connector = connect(helpdesk, **FIELDS)
    with pytest.raises(RefusedError) as error:
        connector.update(created(connector), Changes(values={"custom:system": "github"}), None)
    assert set(error.value.fields) == {"custom:system"}
    connector.close()


def test_a_description_and_an_empty_title_cannot_be_written(connector: OtrsConnector) -> None:
    with pytest.raises(RefusedError) as error:
        connector.update(created(connector), Changes(values={"description": "new"}), None)
    assert set(error.value.fields) == {"description"}
    with pytest.raises(Unwritable):
        connector.hold("title", "  ")


def test_a_queue_without_permission_is_a_permanent_error_with_a_remedy(helpdesk: OtrsSandbox) -> None:
    connector = connect(helpdesk, queue="Restricted")
    with pytest.raises(AuthError, match="rw"):
        created(connector)
    other_case = connect(helpdesk, queue="support::l1")
    with pytest.raises(PermanentError) as error:
        created(other_case)
    assert not error.value.is_temporary
    for one in (connector, other_case):
        one.close()


def test_sub_queues_are_the_line_of_the_nearest_queue_above() -> None:
    lines = {1: ["Support"], 2: ["Support::L2"]}
    assert [mapping.line_of(q, lines) for q in ("Support::L1::X", "Support::L2::Y", "Support", "Raw")] == [
        1,
        2,
        1,
        None,
    ]


# -- comments --------------------------------------------------------------------------------------------------------


def test_comments_come_in_order_as_public_or_private_as_asked(connector: OtrsConnector, helpdesk: OtrsSandbox) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("for all"))
    connector.add_comment(ticket_id, a_comment("for us", Visibility.PRIVATE))
    with closing(actor(helpdesk, "customer")) as customer:
        customer.say(ticket_id, "from outside", public=True)
    snapshot = connector.read(ticket_id, Known())
    assert [(c.text, c.visibility, c.author.is_staff) for c in snapshot.comments or ()] == [
        ("for all", Visibility.PUBLIC, True),
        ("for us", Visibility.PRIVATE, True),
        ("from outside", Visibility.PUBLIC, False),
    ]
    assert snapshot.comment_count == 4
    with closing(actor(helpdesk, "customer")) as customer:
        seen = customer.read(ticket_id)["Article"]
    assert [a["Body"] for a in seen] == ["It breaks.", "for all", "from outside"]


def test_every_written_article_says_its_visibility_in_as_many_words(
    connector: OtrsConnector, helpdesk: OtrsSandbox
) -> None:
    ticket_id = created(connector, visibility=Visibility.PRIVATE)
    connector.add_comment(ticket_id, a_comment("note", Visibility.PRIVATE))
    connector.write_link(ticket_id, RemoteLink("g", "https://dev.example/1", "OPS-1", "t", "dev"))
    writes = [r for r in helpdesk.requests.all() if r.path.endswith(("/open", "/change"))]
    assert len(writes) == 3
    assert all('"IsVisibleForCustomer":0' in r.body.replace(" ", "") for r in writes)


@pytest.mark.parametrize("told", [None, "", "yes", 2])
def test_a_visibility_that_is_not_told_counts_as_private(told: object) -> None:
    assert mapping.visibility_of(told) is Visibility.UNKNOWN
    assert not mapping.visibility_of(told).is_public


def test_a_comment_is_found_by_its_mark_which_nobody_sees(connector: OtrsConnector) -> None:
    ticket_id = created(connector)
    written = connector.add_comment(ticket_id, a_comment("marked"))
    found = connector.find_comment(ticket_id, "hub:marked")
    assert found is not None
    assert (found.id, found.visibility) == (written.id, Visibility.PUBLIC)
    assert connector.find_comment(ticket_id, "hub:other") is None
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    assert (comment.text, comment.marker) == ("marked", "hub:marked")


TEXTS = [
    "**bold** and `code`",
    "- one\n- two\n  - three",
    "# Head\n\n> quoted\n> twice",
    "line\\\nbreak",
    "@agent1 look, mail me@example.com",
    "0",
    "",
    "ąę 😀 𝒳",
    "```\n  indented\n```",
    "[a link](https://example.com/?a=1&b=2)",
    "(no text)",
    "| a | b |\n| --- | --- |\n| 1 | 2 |",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_comes_back_as_foretold_and_stays_so(connector: OtrsConnector, text: str) -> None:
    markdown = canonical(text)
    ticket_id = created(connector, description=markdown)
    connector.add_comment(ticket_id, a_comment(markdown))
    snapshot = connector.read(ticket_id, Known())
    held = connector.hold_text(markdown)
    assert [snapshot.ticket.description, *(c.text for c in snapshot.comments or ())] == [held, held]
    assert connector.hold_text(held) == held


def test_a_link_shows_its_address_in_plain_text(connector: OtrsConnector) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment(canonical("See [the manual](https://example.com/?a=1).")))
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    assert to_plain(comment.text) == "See the manual <https://example.com/?a=1>."


@given(st.text(max_size=80))
def test_any_text_is_held_once_and_for_all(text: str) -> None:
    held = mapping.text_of(mapping.body_of(canonical(text)))
    assert mapping.text_of(mapping.body_of(held)) == held
    assert mapping.body_of(canonical(text)) not in ("", "0")


def test_a_comment_can_be_written_in_the_name_of_its_author(helpdesk: OtrsSandbox) -> None:
    connector = connect(helpdesk, sender_address="hub@helpdesk.example")
    assert Capability.COMMENT_AUTHORS in connector.capabilities
    ticket_id = created(connector)
    author = Person(name='Ewa "Dev" <x>, Żółw')
    comment = NewComment(text=Markdown("hello"), visibility=Visibility.PUBLIC, marker="m", author=author)
    connector.add_comment(ticket_id, comment)
    (read,) = connector.read(ticket_id, Known()).comments or ()
    assert (read.author.name, read.author.email) == ("Ewa Dev x Żółw via hub", "hub@helpdesk.example")
    connector.close()


def test_an_html_article_of_an_agent_is_read_as_the_servers_plain_text(
    connector: OtrsConnector, helpdesk: OtrsSandbox
) -> None:
    ticket_id = created(connector)
    article = {
        "Subject": "s",
        "Body": "<p>one <b>two</b></p><ul><li>a</li></ul>",
        "ContentType": "text/html; charset=utf-8",
    }
    with closing(actor(helpdesk, "agent")) as agent:
        agent._change(ticket_id, Article=article)
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    assert comment.text.startswith("one two")
    assert comment.attachments == ()


# -- files -----------------------------------------------------------------------------------------------------------


def test_files_go_up_and_come_down_whole_with_odd_names(connector: OtrsConnector) -> None:
    ticket_id = created(connector)
    big = bytes(range(256)) * 8192
    uploads = (
        a_file(ODD, b"%PDF"),
        a_file("big.bin", big, "x-world/x-vrml"),
        a_file("../../etc/pa:ss", b"x", "text/plain"),
    )
    written = connector.add_comment(ticket_id, a_comment("files", Visibility.PUBLIC, *uploads))
    files = (connector.read(ticket_id, Known()).comments or ())[0].attachments
    by_id = {f.id: f for f in files}
    assert [by_id[i].name for i in written.attachment_ids] == [ODD, "big.bin", "_.._etc_pa:ss"]
    assert [by_id[i].size for i in written.attachment_ids] == [4, len(big), 1]
    assert content_of(connector, ticket_id) == {ODD: b"%PDF", "big.bin": big, "_.._etc_pa:ss": b"x"}


def test_two_files_of_one_name_keep_their_order(connector: OtrsConnector) -> None:
    ticket_id = created(connector)
    uploads = (a_file("dup.txt", b"first", "text/plain"), a_file("dup.txt", b"second!", "text/plain"))
    written = connector.add_comment(ticket_id, a_comment("files", Visibility.PUBLIC, *uploads))
    sizes = {f.id: f.size for f in (connector.read(ticket_id, Known()).comments or ())[0].attachments}
    assert [sizes[i] for i in written.attachment_ids] == [5, 7]


def test_a_file_of_an_old_article_is_found_between_others(connector: OtrsConnector) -> None:
    ticket_id = created(connector)
    for word in ("one", "two", "three"):
        connector.add_comment(ticket_id, a_comment(word, Visibility.PUBLIC, a_file(f"{word}.txt", word.encode())))
    assert content_of(connector, ticket_id) == {"one.txt": b"one", "two.txt": b"two", "three.txt": b"three"}


def test_a_file_that_is_gone_is_not_found_and_an_empty_one_is_refused(connector: OtrsConnector) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("f", Visibility.PUBLIC, a_file("a.txt", b"a")))
    file = (connector.read(ticket_id, Known()).comments or ())[0].attachments[0]
    for gone in (f"{ticket_id}/4711/1", f"{ticket_id}/{file.id.split('/')[1]}/9"):
        with (
            pytest.raises(NotFoundError),
            connector.download(type(file)(id=gone, name=file.name)),
        ):
            pass
    with pytest.raises(PermanentError, match="no empty files"):
        connector.add_comment(ticket_id, a_comment("g", Visibility.PUBLIC, a_file("empty.txt", b"")))


# -- links -----------------------------------------------------------------------------------------------------------


def test_a_link_is_a_private_note_and_a_field_which_only_its_own_removal_clears(connector: OtrsConnector) -> None:
    ticket_id = created(connector)
    receipt = connector.write_link(ticket_id, RemoteLink("g-1", "https://dev.example/1", "OPS-1", "t", "dev"))
    assert receipt is not None
    found = connector.find_comment(ticket_id, "g-1")
    assert found is not None
    assert (found.id, found.visibility) == (receipt.id, Visibility.PRIVATE)
    assert [link.url for link in connector.read(ticket_id, Known()).ticket.links] == ["https://dev.example/1"]
    connector.remove_link(ticket_id, "g-2")
    assert connector.read(ticket_id, Known()).ticket.links
    connector.remove_link(ticket_id, "g-1")
    assert connector.read(ticket_id, Known()).ticket.links == ()


def test_a_merged_ticket_is_closed_and_names_the_one_it_went_into(
    connector: OtrsConnector, helpdesk: OtrsSandbox
) -> None:
    merged, main = created(connector), created(connector, marker="m-2")
    tickets = helpdesk.store.tickets
    helpdesk.merge(tickets[int(merged)], tickets[int(main)], "agent1")
    ticket = connector.read(merged, Known()).ticket
    assert (ticket.status, ticket.native["status"]) == (connector.statuses.to_neutral("merged"), "merged")
    assert [link.url for link in ticket.links] == [mapping.ticket_url(connector._settings, main)]
    assert tickets[int(main)].number in ticket.links[0].title


# -- errors ----------------------------------------------------------------------------------------------------------


def test_a_deleted_ticket_and_one_that_never_was_are_not_found(connector: OtrsConnector, helpdesk: OtrsSandbox) -> None:
    ticket_id = created(connector)
    helpdesk.delete(helpdesk.store.tickets[int(ticket_id)], "agent1")
    for gone in (ticket_id, "4711", "abc", "2026010110000099"):
        with pytest.raises(NotFoundError):
            connector.read(gone, Known())
    with pytest.raises(NotFoundError):
        connector.update(ticket_id, Changes(values={"title": "x"}), None)


@pytest.mark.parametrize("use_session", [True, False])
def test_a_wrong_password_is_an_auth_error_that_does_not_tell_it(helpdesk: OtrsSandbox, use_session: bool) -> None:
    wrong = {"user": "hub", "password": "very-secret-word", "use_session": use_session}
    connector = connect(helpdesk, credentials=wrong)
    for call in (connector.identify, lambda: connector.read("1", Known())):
        with pytest.raises(AuthError) as error:
            call()
        assert "very-secret-word" not in repr(error.value) + str(error.value) + repr(error.value.__cause__)
        assert "trackers.support.credentials" in str(error.value)
    connector.close()


def test_each_call_can_carry_the_password_instead_of_a_session(helpdesk: OtrsSandbox) -> None:
    connector = connect(helpdesk, credentials={**helpdesk.credentials(), "use_session": False})
    ticket_id = created(connector)
    assert connector.read(ticket_id, Known()).ticket.title == "A request"
    assert helpdesk.sessions.sessions == {}
    connector.close()


def test_a_session_that_ended_is_replaced_once_and_a_write_happens_once(
    connector: OtrsConnector, helpdesk: OtrsSandbox
) -> None:
    ticket_id = created(connector)
    helpdesk.sessions.sessions.clear()
    connector.add_comment(ticket_id, a_comment("after the night"))
    helpdesk.sessions.sessions.clear()
    assert connector.identify().account_id == "4"
    assert [c.text for c in connector.read(ticket_id, Known()).comments or ()] == ["after the night"]


def test_no_credential_stands_in_an_address(connector: OtrsConnector, helpdesk: OtrsSandbox) -> None:
    connector.identify()
    connector.read(created(connector), Known())
    assert all(not r.query for r in helpdesk.requests.all())


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthError),
        (403, AuthError),
        (404, NotFoundError),
        (409, ConflictError),
        (500, TemporaryError),
        (502, TemporaryError),
        (503, TemporaryError),
    ],
)
def test_each_answer_of_a_proxy_or_a_server_in_trouble_is_the_right_error(
    connector: OtrsConnector, helpdesk: OtrsSandbox, status: int, error: type[Exception]
) -> None:
    ticket_id = created(connector)
    helpdesk.faults.add(Fault(path="/read", status=status, body="<html>no</html>"))
    with pytest.raises(error):
        connector.read(ticket_id, Known())


def test_a_proxy_that_limits_says_how_long_to_wait(connector: OtrsConnector, helpdesk: OtrsSandbox) -> None:
    ticket_id = created(connector)
    helpdesk.faults.add(Fault(path="/change", status=429, headers={"Retry-After": "17"}))
    with pytest.raises(RateLimitedError) as error:
        connector.add_comment(ticket_id, a_comment("later"))
    assert error.value.retry_after == 17


def test_a_write_without_an_answer_is_not_repeated_and_is_found_by_its_mark(
    connector: OtrsConnector, helpdesk: OtrsSandbox
) -> None:
    ticket_id = created(connector)
    helpdesk.faults.add(Fault(path="/change", mode="after", drop=True))
    with pytest.raises(TemporaryError):
        connector.add_comment(ticket_id, a_comment("once"))
    assert connector.find_comment(ticket_id, "hub:once") is not None
    assert len(connector.read(ticket_id, Known()).comments or ()) == 1


def test_a_server_that_is_gone_is_a_temporary_error(connector: OtrsConnector, helpdesk: OtrsSandbox) -> None:
    ticket_id = created(connector)
    helpdesk.stop()
    with pytest.raises(TemporaryError):
        connector.read(ticket_id, Known())


def test_a_service_that_is_not_imported_or_not_the_hubs_is_explained(helpdesk: OtrsSandbox) -> None:
    missing, stock = connect(helpdesk, service="Nope"), connect(helpdesk, service="GenericTicketConnectorREST")
    with pytest.raises(TemporaryError, match="web service Nope imported"):
        missing.identify()
    with pytest.raises(PermanentError, match=r"Import webservice\.yml"):
        stock.identify()
    for one in (missing, stock):
        one.close()


def test_an_agent_without_the_note_permission_is_told_so(connector: OtrsConnector, helpdesk: OtrsSandbox) -> None:
    ticket_id = created(connector)
    helpdesk.agent("hub").rights[""] = frozenset({"ro"})
    with pytest.raises(AuthError, match="articles"):
        connector.add_comment(ticket_id, a_comment("no"))


# -- noticing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["UTC", "Europe/Warsaw", "Asia/Kathmandu", "America/New_York"])
def test_polling_misses_nothing_in_any_zone_across_the_change_of_summer_time(zone: str) -> None:
    clock = Clock(BEFORE_WINTER)
    helpdesk = OtrsSandbox(clock=clock)
    helpdesk.store.zone = ZoneInfo(zone)
    with helpdesk:
        connector = connect(helpdesk)
        cursor = connector.poll(None, clock.now).cursor
        for _ in range(6):
            clock.now += timedelta(minutes=7)
            ticket_id = created(connector)
            clock.now += timedelta(minutes=5)
            polled = connector.poll(cursor, clock.now)
            assert ticket_id in [hint.ticket_id for hint in polled.hints]
            assert not polled.has_more
            cursor = polled.cursor
        clock.now += timedelta(minutes=30)
        assert connector.poll(connector.poll(cursor, clock.now).cursor, clock.now).hints == ()
        connector.close()


def test_polling_misses_nothing_among_equal_times_and_over_full_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(BEFORE_WINTER)
    helpdesk = OtrsSandbox(clock=clock)
    monkeypatch.setattr("plugins.otrs.polling.PAGE", 3)
    with helpdesk:
        connector = connect(helpdesk)
        polled = connector.poll(None, clock.now)
        made = {created(connector, marker=str(n)) for n in range(14)}
        seen: set[str] = set()
        for _ in range(5):
            polled = connector.poll(polled.cursor, clock.now)
            seen |= {hint.ticket_id for hint in polled.hints}
            if not polled.has_more:
                break
        assert seen == made
        assert not polled.has_more
        connector.close()


def test_the_first_look_does_not_look_back_and_a_label_is_a_change(connector: OtrsConnector) -> None:
    ticket_id = created(connector)
    now = datetime.now(UTC)
    first = connector.poll(None, now)
    assert first.hints == ()
    connector.update(ticket_id, Changes(add_labels=frozenset({"x"})), None)
    assert [h.ticket_id for h in connector.poll(first.cursor, now).hints] == [ticket_id]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Warsaw", "Asia/Kathmandu", "America/St_Johns"])
@pytest.mark.parametrize("is_told", [False, True])
def test_times_are_utc_whatever_zone_the_server_is_in(zone: str, is_told: bool) -> None:
    clock = Clock(BEFORE_WINTER)
    clock.now = datetime(2026, 7, 1, 12, 0, 5, tzinfo=UTC)
    helpdesk = OtrsSandbox(clock=clock)
    helpdesk.store.zone = ZoneInfo(zone)
    with helpdesk:
        connector = connect(helpdesk, time_zone=zone if is_told else "")
        ticket_id = created(connector)
        clock.now = later = datetime(2026, 12, 1, 12, 0, 5, tzinfo=UTC)
        connector.add_comment(ticket_id, a_comment("in winter"))
        snapshot = connector.read(ticket_id, Known())
        assert snapshot.ticket.created == datetime(2026, 7, 1, 12, 0, 5, tzinfo=UTC)
        assert snapshot.ticket.updated == later
        assert [c.created for c in snapshot.comments or ()] == [later]
        connector.close()


def test_the_offset_is_learnt_from_an_article_and_nothing_odd_is_believed() -> None:
    warsaw = [{"CreateTime": "2026-11-23 21:49:22", "IncomingTime": 1795466962}]
    assert ServerClock(None, warsaw).offset == timedelta(hours=1)
    odd: list[dict[str, object]] = [
        {"CreateTime": "2026-11-23 21:56:22", "IncomingTime": 1795466962},
        {"CreateTime": "x", "IncomingTime": ""},
    ]
    assert ServerClock(None, odd).offset is None


def recorded_posts() -> list[tuple[str, dict[str, object]]]:
    return [(e.id, e.request["body"]) for e in exchanges() if e.name.startswith("webhook.")]


def test_recorded_posts_are_hints_of_their_tickets(connector: OtrsConnector) -> None:
    posts = recorded_posts()
    if not posts:
        pytest.skip("the recordings are not beside the repository")
    for name, body in posts:
        parsed = connector.parse_webhook(WebhookRequest({}, json.dumps(body).encode()))
        assert isinstance(parsed, list)
        (hint,) = parsed
        assert hint.ticket_id == str(body["TicketID"])
        assert hint.is_deleted == name.startswith("webhook.delete")
        assert (hint.comment_id is not None) == (body["Event"] == "ArticleCreate")
        assert hint.touches_comments == (body["Event"] in ("ArticleCreate", "TicketCreate"))


def test_a_merge_speaks_of_both_tickets(connector: OtrsConnector) -> None:
    body = json.dumps({"Event": "TicketMerge", "TicketID": "38", "MainTicketID": "37"}).encode()
    parsed = connector.parse_webhook(WebhookRequest({}, body))
    assert not isinstance(parsed, Ignored)
    assert [(h.ticket_id, h.merged_into) for h in parsed] == [("38", "37"), ("37", "")]
    assert all(isinstance(h, Hint) and h.touches_comments for h in parsed)


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b"no", b'{"Event": "TicketCreate"}', b'{"Event": "TicketCreate", "TicketID": "x"}']
)
def test_what_the_invoker_did_not_send_is_no_hint(connector: OtrsConnector, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"webservice\.yml|JSON|Expecting"):
        connector.parse_webhook(WebhookRequest({}, body))


def test_an_event_about_something_else_is_ignored(connector: OtrsConnector) -> None:
    body = json.dumps({"Event": "CustomerUserUpdate", "UserLogin": "x"}).encode()
    assert isinstance(connector.parse_webhook(WebhookRequest({}, body)), Ignored)


# -- check -----------------------------------------------------------------------------------------------------------


def test_the_check_finds_nothing_wrong_and_opens_nothing(connector: OtrsConnector, helpdesk: OtrsSandbox) -> None:
    created(connector)
    before = helpdesk.counts()
    assert [f.level for f in connector.check()] == ["ok"]
    assert {k: v for k, v in helpdesk.counts().items() if k != "sessions"} == {
        k: v for k, v in before.items() if k != "sessions"
    }


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"queue": "Suport"}, "there is no queue 'Suport'"),
        ({"queue": "Restricted"}, "may not open tickets in the queue 'Restricted'"),
        ({"customer": "nobody"}, "there is no customer user 'nobody'"),
        ({"ticket_type": "Nope"}, "there is no ticket type 'Nope'"),
        ({"ticket_type": ""}, "must have a type"),
        ({"statuses": {"pending": ["wating"]}}, "there is no state 'wating'"),
        ({"priorities": {"high": ["hot"]}}, "there is no priority 'hot'"),
        ({"marker_field": "HubMarke"}, "Did you mean 'HubMarker'?"),
        ({"comment_marker_field": "Comment"}, "'Comment' of articles"),
        ({"fields": {"x": {"id": "Xyzzy"}}}, "fields.x"),
    ],
)
def test_the_check_says_what_is_missing_and_what_to_do(
    helpdesk: OtrsSandbox, more: dict[str, object], words: str
) -> None:
    with closing(actor(helpdesk, "customer")) as customer:
        customer.open_ticket("Something to read", "text")
    connector = connect(helpdesk, **more)
    findings = connector.check()
    assert any(words in f"{f.what} {f.remedy}" for f in findings), findings
    assert all(f.remedy for f in findings if f.level != "ok")
    connector.close()


def test_the_check_warns_when_the_agent_sees_no_ticket(connector: OtrsConnector) -> None:
    assert any("sees no ticket" in f.what for f in connector.check())


def test_a_missing_marker_field_is_explained_when_a_ticket_is_made(helpdesk: OtrsSandbox) -> None:
    connector = connect(helpdesk, marker_field="Nope")
    with pytest.raises(PermanentError, match="Make the dynamic fields Nope"):
        created(connector)
    connector.close()
