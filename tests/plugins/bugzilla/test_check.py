"""`hub check` names what is missing for the hub's work, each with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from hub.connector import AuthError, Finding
from plugins.bugzilla.sandbox import BugzillaSandbox
from tests.plugins.bugzilla.conftest import connect


def findings(site: BugzillaSandbox, **more: Any) -> list[Finding]:
    connector = connect(site, **more)
    try:
        return connector.check()
    finally:
        connector.close()


def of(found: list[Finding], words: str) -> Finding:
    (one,) = [f for f in found if words in f.what]
    return one


def test_a_good_installation_has_no_errors_and_every_warning_says_what_to_do(site: BugzillaSandbox) -> None:
    found = findings(site)
    assert not [f for f in found if f.level == "error"]
    assert all(f.remedy for f in found if f.level != "ok")
    assert of(found, "signed in as hub@example.test").level == "ok"


def test_it_is_told_that_a_key_stands_in_addresses(site: BugzillaSandbox) -> None:
    told = [f for f in findings(site) if "only in addresses" in f.what]
    assert bool(told) is (site.flavour == "5.2")


@pytest.mark.parametrize(
    ("more", "words", "remedy"),
    [
        ({"product": "Widget"}, "no product 'Widget'", "trackers.dev.product"),
        ({"product": "Secret", "component": "Vault"}, "no product 'Secret'", "trackers.dev.product"),
        ({"component": "Frontent"}, "no component in the product 'Frontent'", "Did you mean 'Frontend'?"),
        ({"version": "9.9"}, "no version in the product '9.9'", "trackers.dev.version"),
        ({"resolution": "FIXD"}, "no resolution 'FIXD'", "Did you mean 'FIXED'?"),
        ({"op_sys": "BeOS"}, "no op_sys 'BeOS'", "trackers.dev.op_sys"),
        ({"platform": "Amiga"}, "no platform 'Amiga'", "trackers.dev.platform"),
        ({"fields": {"x": {"id": "cf_lost"}}}, "no custom field 'cf_lost'", "trackers.dev.fields.x"),
        ({"marker_field": "cf_mark"}, "no custom field 'cf_mark'", "trackers.dev.marker_field"),
        ({"statuses": {"solved": ["RESOLVED/NEVER"]}}, "no resolution 'never'", "trackers.dev.resolution"),
    ],
)
def test_what_this_bugzilla_does_not_have_is_an_error(
    site: BugzillaSandbox, more: dict[str, Any], words: str, remedy: str
) -> None:
    found = of(findings(site, **more), words)
    assert found.level == "error"
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"statuses": {"on_hold": ["WAITING"]}}, "no status 'WAITING' (for on_hold)"),
        (
            {"fields": {"x": {"id": "cf_tier", "type": "number"}}},
            "'cf_tier' is of Bugzilla's type 2, which is no number",
        ),
        ({"priorities": {"low": ["Low", "P4"]}, "statuses": {"solved": ["CLOSED"]}}, "status 'RESOLVED' is not mapped"),
    ],
)
def test_what_will_not_travel_is_a_warning(site: BugzillaSandbox, more: dict[str, Any], words: str) -> None:
    found = of(findings(site, **more), words)
    assert (found.level, bool(found.remedy)) == ("warning", True)


def test_an_account_without_groups_is_told_what_it_cannot_do(site: BugzillaSandbox) -> None:
    hubmin = site.store.users["hubmin@example.test"]
    found = findings(site, credentials={"login": hubmin.login, "api_key": hubmin.key})
    assert of(found, "cannot change bugs of others").remedy == "Put it into the group editbugs."
    assert of(found, "begin unconfirmed").level == "warning"
    assert "private_comments: false" in of(found, "insidergroup").remedy


def test_a_clock_that_is_wrong_is_told(site: BugzillaSandbox) -> None:
    site.clock.pass_by(900)  # type: ignore[attr-defined]  # the fixture's clock
    found = of(findings(site), "clock differs by")
    assert (found.level, "NTP" in found.remedy) == ("warning", True)


def test_files_that_are_too_large_there_are_told(site: BugzillaSandbox) -> None:
    site.store.params["maxattachmentsize"] = "1000"
    assert "maxattachmentsize" in of(findings(site), "up to 1000 KB").remedy


def test_a_closed_component_and_a_closed_product_are_told(upstream: BugzillaSandbox) -> None:
    product = upstream.store.products["Widgets"]
    product.components[1].is_active = False
    assert of(findings(upstream), "'Frontend' is not active").level == "error"
    product.is_open = False
    assert of(findings(upstream), "takes no new bugs").level == "error"


def test_a_webhook_that_mozilla_switched_off_or_cannot_deliver_is_told(mozilla: BugzillaSandbox) -> None:
    mozilla.add_webhook_target("http://127.0.0.1:9/", enabled=False)
    mozilla.add_webhook_target("http://127.0.0.1:9/", errors=3)
    found = findings(mozilla)
    assert of(found, "switched off").level == "error"
    assert of(found, "3 deliveries").level == "warning"


def test_a_wrong_key_is_told_with_where_to_make_a_new_one(site: BugzillaSandbox) -> None:
    with pytest.raises(AuthError) as raised:
        findings(site, credentials={**site.credentials(), "api_key": "wrong-key"})
    assert "Preferences > API Keys" in raised.value.remedy


def test_words_of_pairs_are_told_with_the_rest(upstream: BugzillaSandbox) -> None:
    found = findings(upstream, statuses={"closed": ["RESOLVED/WONTFIX", "VERIFIED"]})
    assert not [f for f in found if f.level == "error"]
