"""Macros of Zendesk: read whole, published once."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from hub.connector import AuthError, Changes, StoredMacro, Unwritable
from hub.sandbox import Fault
from hub.ticket import Category, Markdown, Priority, Status, Value, Visibility
from plugins.zendesk.connector import ZendeskConnector
from plugins.zendesk.sandbox import ZendeskSandbox
from tests.plugins.zendesk.conftest import connect


def test_every_action_is_read_or_named(connector: ZendeskConnector) -> None:
    (macro,) = [m for m in connector.macros() if "experts" in m.title]
    assert macro.name == "hand-over-to-the-experts"
    assert macro.text == "Dear {{ requester.name }}, **{{ ticket.key }}** is with our experts ((dc.signature))."
    assert macro.visibility is Visibility.PUBLIC
    assert macro.changes == Changes(
        values={"line": 2, "status": Status.PENDING}, add_labels=frozenset({"expert", "handed_over"})
    )
    assert len(macro.unmapped) == 3
    assert "first_name" in macro.unmapped[0]
    assert "dc.signature" in macro.unmapped[1]
    assert macro.unmapped[2] == "assignee_id: current_user"


def test_a_macro_that_does_not_say_who_reads_it_is_not_said_to_be_public(connector: ZendeskConnector) -> None:
    (macro,) = [m for m in connector.macros() if m.title == "Known issue"]
    assert macro.visibility is Visibility.UNKNOWN
    assert macro.changes.values == {"priority": Priority.LOW}


def test_macros_that_are_switched_off_are_left_out_and_personal_ones_named(
    account: ZendeskSandbox, connector: ZendeskConnector
) -> None:
    first, second, _ = account.store.macros.values()
    first["active"] = False
    second["restriction"] = {"type": "User", "id": 7}
    assert first["title"] not in {m.title for m in connector.macros()}
    (personal,) = [m for m in connector.macros() if m.title == second["title"]]
    assert "only for user 7" in personal.unmapped


def a_macro(**more: Any) -> StoredMacro:
    given: dict[str, Any] = {
        "name": "reset", "title": "Reset", "text": Markdown("Dear {{ requester.name }}, see {{ ticket.key }}."),
        "visibility": Visibility.PUBLIC,
    }  # fmt: skip
    return StoredMacro(**{**given, **more})


def test_a_published_macro_holds_every_action(account: ZendeskSandbox) -> None:
    field = account.field_id("Product area")
    area = {"id": str(field), "type": "select", "values": {"money": "area_billing"}}
    known = {"id": str(account.field_id("Known issue")), "type": "checkbox"}
    values: dict[str, Value] = {
        "status": Status.SOLVED, "category": Category.PROBLEM, "line": 3, "custom:area": "money", "custom:known": True,
    }  # fmt: skip
    with closing(connect(account, fields={"area": area, "known": known})) as connector:
        macro = a_macro(changes=Changes(values=values, remove_labels=frozenset({"waits"})))
        number = int(connector.publish_macro(macro, "hub:reset"))
        (back,) = [m for m in connector.macros() if m.title == "Reset"]
    actions = {a["field"]: a["value"] for a in account.store.macros[number]["actions"]}
    assert actions[f"custom_fields_{field}"] == "area_billing"
    assert actions["comment_value_html"] == "<p>Dear {{ticket.requester.name}}, see #{{ticket.id}}.</p>"
    assert (actions["comment_mode_is_public"], actions["remove_tags"]) == ("true", "waits")
    assert (back.text, back.changes, back.unmapped) == (macro.text, macro.changes, ())


def test_publishing_again_replaces_what_was_published_and_touches_no_other(
    account: ZendeskSandbox, connector: ZendeskConnector
) -> None:
    before = {number: dict(macro) for number, macro in account.store.macros.items()}
    first = connector.publish_macro(a_macro(), "hub:reset")
    again = connector.publish_macro(a_macro(title="Reset it"), "hub:reset")
    other = connector.publish_macro(a_macro(title="Other"), "hub:reset2")
    assert first == again != other
    assert account.store.macros[int(first)]["title"] == "Reset it"
    assert {number: account.store.macros[number] for number in before} == before


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (Changes(values={"status": Status.CLOSED}), "closed"),
        (Changes(values={"assignee": "7"}), "assignee"),
        (Changes(values={"line": 9}), "line 9"),
        (Changes(values={"custom:nothing": "x"}), "custom:nothing"),
        (Changes(values={"priority": None}), "clear"),
    ],
)
def test_what_a_macro_cannot_do_is_refused_before_anything_is_stored(
    account: ZendeskSandbox, connector: ZendeskConnector, changes: Changes, why: str
) -> None:
    before = len(account.store.macros)
    with pytest.raises(Unwritable, match=why):
        connector.publish_macro(a_macro(changes=changes), "hub:reset")
    assert len(account.store.macros) == before


def test_an_account_that_may_not_make_macros_is_told_so(account: ZendeskSandbox, connector: ZendeskConnector) -> None:
    account.faults.add(Fault(method="POST", status=403, body={"error": "Forbidden"}))
    with pytest.raises(AuthError) as caught:
        connector.publish_macro(a_macro(), "hub:reset")
    assert caught.value.remedy
