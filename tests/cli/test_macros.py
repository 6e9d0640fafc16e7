"""`hub macro` on sandboxes."""

from __future__ import annotations

from pathlib import Path

import yaml

from hub.settings.load import load_settings
from hub.settings.rules import Macro
from hub.ticket import Status, Visibility
from tests.cli.conftest import Desk


def test_macros_are_listed_with_what_they_say_and_do(desk: Desk) -> None:
    shown = desk.hub("macro", "list").output
    assert "Say hello" in shown
    assert "en, pl" in shown


def test_a_macro_is_run_on_a_ticket(desk: Desk) -> None:
    ticket_id = desk.stage.actor("support", "customer").open_ticket("Help", "Please.")
    done = desk.hub("macro", "run", f"support:{ticket_id}", "Hello")
    assert done.exit_code == 0
    assert f"hello was run on support:{ticket_id}" in done.output
    ticket, _ = desk.see(ticket_id)
    (comment,) = desk.said(ticket_id, "Dear Customer One")
    assert comment.visibility is Visibility.PUBLIC
    assert f"#{ticket_id}" in comment.text.replace("\\", "")
    assert ticket.status is Status.PENDING
    assert "greeted" in ticket.labels


def test_a_macro_that_is_asked_for_twice_is_run_twice(desk: Desk) -> None:
    ticket_id = desk.stage.actor("support", "customer").open_ticket("Help", "Please.")
    for _ in range(2):
        assert desk.hub("macro", "run", f"support:{ticket_id}", "hello").exit_code == 0
    assert len(desk.said(ticket_id, "Dear Customer One")) == 2


def test_a_macro_that_is_not_there_is_told_with_the_one_that_was_meant(desk: Desk) -> None:
    done = desk.hub("macro", "run", "support:1", "helo")
    assert done.exit_code == 1
    assert "Did you mean 'hello'?" in done.output


def test_what_is_imported_is_a_rule_book_that_loads_and_names_what_is_not_the_same(desk: Desk, tmp_path: Path) -> None:
    shown = desk.hub("macro", "import", "support").stdout
    macros = {name: Macro.model_validate(entry) for name, entry in yaml.safe_load(shown)["macros"].items()}
    handed = macros["hand-over-to-the-experts"]
    assert (handed.visibility, handed.then.line, handed.then.set) == ("public", 2, {"status": "pending"})
    assert macros["known-issue"].visibility == "private"
    assert "# it does not say who reads the text: private until you write public" in shown
    assert "# assignee_id: current_user" in shown
    assert "dc.signature" in shown
    (desk.folder / "rules.yaml").write_text(shown)
    assert set(load_settings(desk.folder).settings.macros) == set(macros)


def test_a_file_is_written_once(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "macros.txt"
    done = desk.hub("macro", "import", "desk", "--output", str(file))
    assert "3 macros written" in done.output
    assert len(yaml.safe_load(file.read_text())["macros"]) == 3
    again = desk.hub("macro", "import", "desk", "--output", str(file))
    assert again.exit_code == 1
    assert "is there already" in again.output


def test_names_that_the_settings_have_are_not_used_again(desk: Desk) -> None:
    book = yaml.safe_load((desk.folder / "rules.yaml").read_text())
    book["macros"]["Known-Issue"] = {"then": {"add_labels": "known"}}
    (desk.folder / "rules.yaml").write_text(yaml.safe_dump(book))
    shown = desk.hub("macro", "import", "support").stdout
    assert "known-issue-2" in yaml.safe_load(shown)["macros"]
    assert "# the name known-issue is taken" in shown


def test_a_macro_of_which_nothing_has_an_equivalent_is_named_all_the_same(desk: Desk) -> None:
    sandbox = desk.stage.sandboxes["support"]
    odd = {"title": "Odd one", "actions": [{"field": "brand_id", "value": "7"}], "active": True, "restriction": None}
    number = sandbox.store.new_id()  # type: ignore[attr-defined]  # the Zendesk sandbox
    sandbox.store.macros[number] = {"url": "/x", "id": number, **odd}  # type: ignore[attr-defined]
    shown = desk.hub("macro", "import", "support").stdout
    assert "# left out: Odd one: nothing of it has an equivalent" in shown
    assert "# Odd one: brand_id: 7" in shown
    assert "odd-one" not in yaml.safe_load(shown)["macros"]


def test_macros_are_published_once_whole_or_as_a_button_or_not_with_the_reason(desk: Desk) -> None:
    stored = desk.stage.sandboxes["support"].store.macros  # type: ignore[attr-defined]  # the Zendesk sandbox
    before = len(stored)
    for _ in range(2):
        done = desk.hub("macro", "publish", "support")
        assert done.exit_code == 1
        assert "hello: published (" in done.output
        assert "bilingual: published as a button" in done.output
        assert "several languages: not published" in done.output
    assert len(stored) == before + 3
    by_title = {macro["title"]: {a["field"]: a["value"] for a in macro["actions"]} for macro in stored.values()}
    assert by_title["Say hello"]["comment_value_html"].startswith("<p>Dear {{ticket.requester.name}}")
    assert by_title["Say hello"]["status"] == "pending"
    assert by_title["bilingual"] == {"current_tags": "macro:bilingual"}
    assert by_title["quiet"] == {"priority": "low"}


def test_what_the_hub_published_is_not_imported_again(desk: Desk) -> None:
    before = yaml.safe_load(desk.hub("macro", "import", "support").stdout)["macros"]
    desk.hub("macro", "publish", "support", "hello", "bilingual")
    shown = desk.hub("macro", "import", "support").stdout
    assert yaml.safe_load(shown)["macros"] == before
    assert "# left out: Say hello: a hub published it there" in shown


def test_a_published_button_has_the_hub_run_the_macro(desk: Desk) -> None:
    desk.hub("macro", "publish", "support", "bilingual")
    ticket_id = desk.stage.actor("support", "customer").open_ticket("Help", "Please.")
    stored = desk.stage.sandboxes["support"].store  # type: ignore[attr-defined]  # the Zendesk sandbox
    (tag,) = [a["value"] for m in stored.macros.values() if m["title"] == "bilingual" for a in m["actions"]]
    stored.tickets[int(ticket_id)].tags.append(tag)
    assert desk.hub("sync", f"support:{ticket_id}").exit_code == 0
    assert len(desk.said(ticket_id, "Hello.")) == 1
    assert tag not in desk.see(ticket_id)[0].labels


def test_a_tracker_without_macros_is_told_so(desk: Desk) -> None:
    for command in ("import", "publish"):
        done = desk.hub("macro", command, "dev")
        assert done.exit_code == 1
        assert "dev (jira)" in done.output
    assert "no place for macros" in desk.hub("macro", "publish", "desk").output
