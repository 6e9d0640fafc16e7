"""Statuses: along the workflow of each installation, with the resolutions and comments that it asks for."""

from __future__ import annotations

import pytest

from hub.connector import Changes, RefusedError
from hub.ticket import Priority, Status
from plugins.bugzilla.connector import BugzillaConnector
from plugins.bugzilla.facts import Status as Node
from plugins.bugzilla.sandbox import BugzillaSandbox
from plugins.bugzilla.sandbox.cast import BugzillaActor
from plugins.bugzilla.sandbox.state import Bug
from plugins.bugzilla.workflow import hops, way
from tests.plugins.bugzilla.conftest import calls, connect, created, seen

FRESH = {
    "UNCONFIRMED": Node("UNCONFIRMED", True, {"CONFIRMED": False, "IN_PROGRESS": False, "RESOLVED": False}),
    "CONFIRMED": Node("CONFIRMED", True, {"IN_PROGRESS": False, "RESOLVED": True}),
    "IN_PROGRESS": Node("IN_PROGRESS", True, {"CONFIRMED": False, "RESOLVED": True}),
    "RESOLVED": Node("RESOLVED", False, {"UNCONFIRMED": False, "CONFIRMED": True, "VERIFIED": False}),
    "VERIFIED": Node("VERIFIED", False, {"UNCONFIRMED": False, "CONFIRMED": False}),
}


@pytest.mark.parametrize(
    ("start", "goal", "steps"),
    [
        ("CONFIRMED", "IN_PROGRESS", ["IN_PROGRESS"]),
        ("RESOLVED", "IN_PROGRESS", ["UNCONFIRMED", "IN_PROGRESS"]),
        ("CONFIRMED", "VERIFIED", ["RESOLVED", "VERIFIED"]),
        ("VERIFIED", "RESOLVED", ["UNCONFIRMED", "RESOLVED"]),
        ("CONFIRMED", "UNCONFIRMED", ["RESOLVED", "UNCONFIRMED"]),
        ("CONFIRMED", "NOWHERE", None),
    ],
)
def test_the_way_is_the_shortest_and_goes_through_no_closed_status_where_it_need_not(
    start: str, goal: str, steps: list[str] | None
) -> None:
    assert way(FRESH, start, goal) == steps


def test_each_hop_says_whether_it_needs_a_comment_and_closing_brings_the_resolution() -> None:
    found = hops(FRESH, "CONFIRMED", "", "VERIFIED", "FIXED", is_named=False, comments_on_resolution=False)
    assert [(hop.body, hop.needs_comment) for hop in found] == [
        ({"status": "RESOLVED", "resolution": "FIXED"}, True),
        ({"status": "VERIFIED"}, False),
    ]
    (demanded,) = hops(FRESH, "UNCONFIRMED", "", "RESOLVED", "FIXED", is_named=False, comments_on_resolution=True)
    assert demanded.needs_comment


def test_a_resolution_that_an_engineer_chose_stays_unless_the_settings_name_another() -> None:
    kept = hops(FRESH, "RESOLVED", "WONTFIX", "VERIFIED", "FIXED", is_named=False, comments_on_resolution=False)
    assert [hop.body for hop in kept] == [{"status": "VERIFIED"}]
    replaced = hops(FRESH, "RESOLVED", "WONTFIX", "RESOLVED", "FIXED", is_named=True, comments_on_resolution=False)
    assert [hop.body for hop in replaced] == [{"status": "RESOLVED", "resolution": "FIXED"}]


def test_nobody_but_people_can_say_of_what_a_bug_is_a_duplicate() -> None:
    with pytest.raises(LookupError, match="number of the other bug"):
        hops(FRESH, "CONFIRMED", "", "RESOLVED", "DUPLICATE", is_named=True, comments_on_resolution=False)


def test_the_flavours_words_are_written_and_read(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    bug = created(connector)
    kept = site.store.bugs[int(bug)]
    for status, word in (
        (Status.IN_PROGRESS, "ASSIGNED" if site.flavour == "bmo" else "IN_PROGRESS"),
        (Status.SOLVED, "RESOLVED"),
        (Status.CLOSED, "VERIFIED"),
    ):
        connector.transition(bug, status)
        assert kept.values["status"] == word
        assert seen(connector, bug).ticket.status is status
    assert kept.values["resolution"] == "FIXED"


def test_a_write_tells_what_it_replaced(connector: BugzillaConnector) -> None:
    bug = created(connector)
    before = seen(connector, bug).ticket
    changes = Changes(values={"title": "Better", "priority": Priority.LOW})
    assert connector.update(bug, changes, None).replaced == {"title": before.title, "priority": before.priority}
    assert connector.update(bug, changes, None).replaced == {}
    assert connector.transition(bug, Status.IN_PROGRESS).replaced == {"status": before.status}
    assert connector.transition(bug, Status.SOLVED).replaced == {"status": Status.IN_PROGRESS}


def test_opening_again_and_going_on_takes_several_writes(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    bug = created(connector)
    connector.transition(bug, Status.SOLVED)
    site.requests.clear()
    connector.transition(bug, Status.IN_PROGRESS)
    assert seen(connector, bug).ticket.status is Status.IN_PROGRESS
    assert calls(site).count(f"PUT /bug/{bug}") == 2
    assert site.store.bugs[int(bug)].values["resolution"] == ""


def test_a_status_that_stands_already_is_not_written(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    bug = created(connector)
    connector.transition(bug, Status.OPEN)
    assert not [call for call in calls(site) if call.startswith("PUT")]


@pytest.mark.parametrize("demand", ["workflow", "parameter"])
def test_a_comment_that_only_the_workflow_asks_for_is_written_but_is_nobodys_words(
    connector: BugzillaConnector, site: BugzillaSandbox, demand: str
) -> None:
    if demand == "workflow":
        site.store.comment_needed = {"RESOLVED"}
    else:
        site.store.params["commentonchange_resolution"] = "1"
    bug = created(connector)
    connector.transition(bug, Status.SOLVED)
    assert "changed by the ticket hub" in site.store.bugs[int(bug)].comments[-1].text
    assert seen(connector, bug).comments == ()


def test_no_comment_is_written_where_none_is_asked_for(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    bug = created(connector)
    connector.transition(bug, Status.SOLVED)
    assert len(site.store.bugs[int(bug)].comments) == 1


def test_a_pair_of_status_and_resolution_means_what_the_settings_say(upstream: BugzillaSandbox) -> None:
    connector = connect(upstream, statuses={"closed": ["RESOLVED/WONTFIX"], "solved": ["RESOLVED"]})
    bug = created(connector)
    kept = upstream.store.bugs[int(bug)]
    connector.transition(bug, Status.CLOSED)
    assert (kept.values["status"], kept.values["resolution"]) == ("RESOLVED", "WONTFIX")
    assert seen(connector, bug).ticket.status is Status.CLOSED
    connector.transition(bug, Status.SOLVED)
    assert kept.values["resolution"] == "FIXED"
    assert seen(connector, bug).ticket.status is Status.SOLVED
    connector.close()


def test_a_bug_never_ends_by_chance_as_what_means_another_status(upstream: BugzillaSandbox) -> None:
    connector = connect(upstream, statuses={"closed": ["RESOLVED/FIXED"], "solved": ["RESOLVED"]})
    bug = created(connector)
    with pytest.raises(RefusedError, match="means another status"):
        connector.transition(bug, Status.SOLVED)
    assert upstream.store.bugs[int(bug)].values["status"] == "CONFIRMED"
    connector.close()


def test_a_duplicate_is_solved_and_can_be_opened_again(
    connector: BugzillaConnector, site: BugzillaSandbox, engineer: BugzillaActor
) -> None:
    bug, other = created(connector), created(connector, "other-1")
    engineer._put(bug, dupe_of=int(other))
    snapshot = seen(connector, bug)
    assert snapshot.ticket.status is Status.SOLVED
    assert snapshot.ticket.native["resolution"] == "DUPLICATE"
    # What Bugzilla itself says of it in both is no person's comment.
    assert (snapshot.comments, seen(connector, other).comments) == ((), ())
    connector.transition(bug, Status.OPEN)
    assert site.store.bugs[int(bug)].dupe_of is None


def test_what_no_way_leads_to_is_refused_with_what_there_is(upstream: BugzillaSandbox) -> None:
    upstream.store.words = type(upstream.store.words)(
        **{**vars(upstream.store.words), "workflow": {**upstream.store.words.workflow, "CONFIRMED": ()}}
    )
    connector = connect(upstream)
    bug = created(connector)
    with pytest.raises(RefusedError, match="leads from CONFIRMED to nothing, and not to RESOLVED") as refused:
        connector.transition(bug, Status.SOLVED)
    assert set(refused.value.fields) == {"status"}
    assert refused.value.remedy
    connector.close()


def test_what_the_site_forbids_is_refused_in_its_own_words(upstream: BugzillaSandbox) -> None:
    connector = connect(upstream)
    upstream.store.params["noresolveonopenblockers"] = "1"
    bug, blocker = created(connector), created(connector, "other-1")
    kept: Bug = upstream.store.bugs[int(bug)]
    kept.depends_on.add(int(blocker))
    with pytest.raises(RefusedError, match="1 unresolved dependency") as refused:
        connector.transition(bug, Status.SOLVED)
    assert set(refused.value.fields) == {"status"}
    connector.close()
