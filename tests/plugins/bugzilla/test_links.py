"""The counterpart's address in a bug, and that only what the hub put there is taken back."""

from __future__ import annotations

from hub.connector import RemoteLink
from hub.text import canonical
from hub.ticket import Visibility
from plugins.bugzilla.connector import BugzillaConnector
from plugins.bugzilla.sandbox import BugzillaSandbox
from tests.plugins.bugzilla.conftest import calls, connect, created, seen

ZENDESK = "https://acme.zendesk.com/agent/tickets/42"
JIRA = "https://acme.atlassian.net/browse/OPS-12"


def a_link(url: str = ZENDESK, global_id: str = "hub:0a1b2c3d:support:42") -> RemoteLink:
    note = canonical(f"Linked to [#42]({url}).")
    return RemoteLink(global_id=global_id, url=url, key="#42", title="Broken", tracker="support", note=note)


def test_see_also_holds_what_it_takes(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    bug = created(connector)
    assert connector.write_link(bug, a_link(JIRA)) is None
    assert [link.url for link in seen(connector, bug).ticket.links] == [JIRA]
    assert site.store.bugs[int(bug)].values["url"] == ""


def test_an_address_that_see_also_refuses_stands_in_the_url_field(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    bug = created(connector)
    connector.write_link(bug, a_link())
    kept = site.store.bugs[int(bug)]
    if site.flavour == "bmo":
        assert (kept.see_also, kept.values["url"]) == ([ZENDESK], "")
    else:
        assert (kept.see_also, kept.values["url"]) == ([], ZENDESK)
    assert len(kept.comments) == 1


def test_doing_it_again_writes_nothing(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    bug = created(connector)
    connector.write_link(bug, a_link())
    site.requests.clear()
    connector.write_link(bug, a_link())
    assert [call for call in calls(site) if not call.startswith("GET")] == []


def test_a_url_that_people_filled_stays_and_the_link_is_a_private_comment(upstream: BugzillaSandbox) -> None:
    connector = connect(upstream)
    bug = created(connector)
    upstream.store.bugs[int(bug)].values["url"] = "https://example.com/mine"
    note = connector.write_link(bug, a_link())
    assert note is not None
    assert note.visibility is Visibility.PRIVATE
    kept = upstream.store.bugs[int(bug)]
    assert kept.values["url"] == "https://example.com/mine"
    assert ZENDESK in kept.comments[-1].text
    assert kept.comments[-1].is_private
    connector.remove_link(bug, a_link().global_id)
    assert kept.values["url"] == "https://example.com/mine"
    connector.close()


def test_without_private_comments_a_link_that_no_field_takes_is_left_out(upstream: BugzillaSandbox) -> None:
    connector = connect(upstream, private_comments=False, link_field="")
    bug = created(connector)
    assert connector.write_link(bug, a_link()) is None
    assert len(upstream.store.bugs[int(bug)].comments) == 1
    connector.close()


def test_an_address_that_see_also_spells_anew_is_taken_back_as_well(upstream: BugzillaSandbox) -> None:
    connector = connect(upstream)
    bug = created(connector)
    connector.write_link(bug, a_link("https://bugs.launchpad.net/ubuntu/+bug/1"))
    kept = upstream.store.bugs[int(bug)]
    assert kept.see_also == ["https://launchpad.net/bugs/1"]
    connector.remove_link(bug, a_link().global_id)
    assert kept.see_also == []
    connector.close()


def test_only_the_links_of_that_counterpart_are_taken_back(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    bug = created(connector)
    kept = site.store.bugs[int(bug)]
    kept.see_also.append("https://github.com/o/r/issues/3")
    connector.write_link(bug, a_link(JIRA))
    connector.write_link(bug, a_link("https://acme.atlassian.net/browse/OPS-13", "hub:0a1b2c3d:support:43"))
    connector.remove_link(bug, a_link().global_id)
    assert kept.see_also == ["https://github.com/o/r/issues/3", "https://acme.atlassian.net/browse/OPS-13"]
    connector.remove_link(bug, "hub:0a1b2c3d:support:43")
    assert kept.see_also == ["https://github.com/o/r/issues/3"]
    assert kept.comments[0].tags == []


def test_a_field_of_ones_own_can_hold_the_address(upstream: BugzillaSandbox) -> None:
    connector = connect(upstream, link_field="cf_external_key")
    bug = created(connector)
    connector.write_link(bug, a_link())
    assert upstream.store.bugs[int(bug)].custom["cf_external_key"] == ZENDESK
    connector.remove_link(bug, a_link().global_id)
    assert upstream.store.bugs[int(bug)].custom["cf_external_key"] == ""
    connector.close()


def test_who_may_not_tag_comments_can_still_show_links(site: BugzillaSandbox) -> None:
    site.store.params["comment_taggers_group"] = "secretteam"
    connector = connect(site)
    bug = created(connector)
    connector.write_link(bug, a_link(JIRA))
    assert site.store.bugs[int(bug)].see_also == [JIRA]
    connector.remove_link(bug, a_link().global_id)
    assert site.store.bugs[int(bug)].see_also == [JIRA]
    connector.close()


def test_a_link_moves_no_time_by_its_tag(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    bug = created(connector)
    connector.write_link(bug, a_link(JIRA))
    tags = site.store.bugs[int(bug)].comments[0].tags
    assert len(tags) == 1
    assert len(tags[0]) <= 24
