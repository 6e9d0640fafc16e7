"""Every way in which Bugzilla, or the way to it, can fail is the right error, and none holds the key."""

from __future__ import annotations

import io
from typing import Any

import pytest

from hub.connector import (
    AuthError,
    Changes,
    ConnectorError,
    Draft,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    RefusedError,
    TemporaryError,
)
from hub.logs import configure_logs
from hub.sandbox import Fault
from hub.text import canonical
from hub.ticket import Priority
from plugins.bugzilla.client import blamed
from plugins.bugzilla.connector import BugzillaConnector
from plugins.bugzilla.sandbox import BugzillaSandbox, hub_settings
from tests.plugins.bugzilla.conftest import calls, connect, created, seen

CHANGE = Changes(values={"title": "x", "priority": Priority.HIGH})


def error_body(code: Any, message: str) -> dict[str, Any]:
    return {"error": True, "code": code, "message": message, "documentation": "https://bugzilla.example.com/"}


@pytest.mark.parametrize("as_text", [False, True], ids=["5.2", "5.3"])
@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (404, 101, "Bug #7 does not exist.", NotFoundError),
        (401, 102, "You are not authorized to access bug #7.", NotFoundError),
        (400, 100, "'x' is not a valid bug number nor an alias to a bug.", NotFoundError),
        (400, 306, "The API key you specified is invalid.", AuthError),
        (401, 301, "left the company", AuthError),
        (401, 410, "You must log in before using this part of Bugzilla.", AuthError),
        (401, 113, "Sorry, but you are not allowed to (un)mark comments as private.", AuthError),
        (401, 106, "Sorry, either the product X does not exist or you aren't authorized.", PermanentError),
        (400, 114, "Comments cannot be longer than 65535 characters.", PermanentError),
        (400, 32000, "You have exceeded the rate limit.", RateLimitedError),
        (200, 100500, "Not a HASH reference at /srv/bugzilla/Bugzilla/Bug.pm line 2492.\n", TemporaryError),
    ],
)
def test_each_number_is_the_right_error_with_and_without_quotes(
    connector: BugzillaConnector, site: BugzillaSandbox, as_text: bool, status: int, code: int, message: str, kind: type
) -> None:
    bug = created(connector)
    body = error_body(str(code) if as_text else code, message)
    site.faults.add(Fault(method="GET", path=rf"/bug/{bug}$", status=status, body=body))
    with pytest.raises(kind) as raised:
        seen(connector, bug)
    assert type(raised.value) is kind
    assert "/srv/" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, "", TemporaryError),
        (200, "<!DOCTYPE html><title>Log in</title>", TemporaryError),
        (500, {"error": True, "message": "Procedure error: Not a HASH reference at /srv/x.pm line 1"}, TemporaryError),
        (500, "<h1>Software error:</h1>DBI connect('...','bugs','the-database-password') failed", TemporaryError),
        (503, "<!DOCTYPE html><title>Bugzilla is Down</title>", TemporaryError),
        (404, "<html>Not Found</html>", PermanentError),
        (414, "<html>Request-URI Too Long</html>", PermanentError),
        (429, "slow down", RateLimitedError),
    ],
)
def test_pages_and_nothing_at_all_are_errors_whose_content_nobody_sees(
    connector: BugzillaConnector, site: BugzillaSandbox, status: int, body: Any, kind: type
) -> None:
    bug = created(connector)
    site.faults.add(Fault(method="GET", path=rf"/bug/{bug}$", status=status, body=body))
    with pytest.raises(kind) as raised:
        seen(connector, bug)
    assert "password" not in str(raised.value)


def test_a_write_that_is_answered_with_nothing_may_have_happened(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    bug = created(connector)
    site.faults.add(Fault(method="PUT", status=200, body="", mode="after"))
    with pytest.raises(TemporaryError, match="empty"):
        connector.update(bug, CHANGE, None)
    assert seen(connector, bug).ticket.title == "x"


def test_a_key_that_was_refused_is_not_sent_again_for_a_while(mozilla: BugzillaSandbox) -> None:
    stranger = connect(mozilla, credentials={"api_key": "this-key-is-wrong"})
    for _ in range(8):
        with pytest.raises(AuthError, match="API key"):
            stranger.identify()
    assert len(calls(mozilla)) == 1
    stranger.close()


def test_mozilla_blocks_who_sends_wrong_keys(mozilla: BugzillaSandbox) -> None:
    kinds = []
    for _ in range(6):
        stranger = connect(mozilla, credentials={"api_key": "this-key-is-wrong"})
        try:
            stranger.identify()
        except ConnectorError as error:
            kinds.append(type(error))
        stranger.close()
    assert kinds == [AuthError] * 5 + [RateLimitedError]


def test_a_key_of_somebody_else_is_told_where_bugzilla_does_not_say_whose_it_is(upstream: BugzillaSandbox) -> None:
    for credentials, why in (
        ({"api_key": upstream.credentials()["api_key"]}, "does not tell whose"),
        ({**upstream.credentials(), "login": "dev@example.test"}, "is not that of dev@example.test"),
    ):
        stranger = connect(upstream, credentials=credentials)
        with pytest.raises(AuthError, match=why) as raised:
            stranger.identify()
        assert "credentials.login" in raised.value.remedy
        stranger.close()


def test_a_site_that_wants_everybody_to_sign_in_is_no_wrong_key(site: BugzillaSandbox) -> None:
    site.store.params["requirelogin"] = "1"
    connector = connect(site)
    assert connector.identify().account_id == "hub@example.test"
    connector.close()


def test_a_proxy_that_takes_the_header_away_is_an_error_at_mozilla_and_no_stranger(mozilla: BugzillaSandbox) -> None:
    mozilla.change_settings(header=0)
    connector = connect(mozilla)
    with pytest.raises(AuthError, match="must log in"):
        connector.identify()
    connector.close()


def test_an_address_of_another_program_is_told(upstream: BugzillaSandbox) -> None:
    upstream.faults.add(Fault(times=None, status=404, body="<html>Apache</html>"))
    connector = connect(upstream)
    with pytest.raises(PermanentError, match=r"trackers\.dev\.url"):
        connector.identify()
    connector.close()


def test_neither_errors_nor_logs_show_the_key_though_it_travels_in_addresses(upstream: BugzillaSandbox) -> None:
    stream, key = io.StringIO(), upstream.credentials()["api_key"]
    configure_logs("debug", "json", stream, [key])
    try:
        connector = connect(upstream)
        bug = created(connector)
        upstream.faults.add(Fault(method="GET", times=None, drop=True))
        with pytest.raises(TemporaryError) as raised:
            seen(connector, bug)
        connector.close()
    finally:
        configure_logs("warning", "text")
    assert key not in stream.getvalue()
    assert key not in f"{raised.value} {raised.value!r} {raised.value.__cause__!r}"


# -- which field ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "sent", "fields"),
    [
        ("There is no Priority named 'P1'.", {"priority": "P1", "summary": "x"}, {"priority"}),
        ("There is no user named 'who@x.test'. Either…", {"assigned_to": "who@x.test", "summary": "x"}, {"assignee"}),
        ("There is no keyword named 'nope'.", {"keywords": {"add": ["nope"]}, "summary": "x"}, {"labels"}),
        ("Es gibt keine Priorität namens 'P1'.", {"priority": "P1", "summary": "x"}, {"priority"}),
        ("The value 'abc' in the Hits field is no integer.", {"cf_hits": "abc", "url": "u"}, {"field:cf_hits"}),
        ("The text you entered in the External key field is too long (256 characters…",
         {"cf_external_key": "k" * 256, "summary": "x"}, {"field:cf_external_key"}),
        ("You tried to change the Priority field from Highest to Lowest, but only…",
         {"priority": "Lowest", "whiteboard": "[x]"}, {"priority"}),
        ("You have to specify a comment when changing the Status of a bug…", {"status": "RESOLVED"}, {"status"}),
        ("Something else is wrong.", {"summary": "x"}, {"title"}),
        ("Something else is wrong.", {"summary": "x", "priority": "P1"}, set()),
    ],
)  # fmt: skip
def test_an_error_is_about_the_field_whose_value_it_quotes_or_that_it_names(
    message: str, sent: dict[str, Any], fields: set[str]
) -> None:
    assert blamed(message, sent) == fields


def test_a_refused_field_is_named_in_the_hubs_words(site: BugzillaSandbox) -> None:
    connector = connect(site, fields={"key": {"id": "cf_external_key"}})
    bug = created(connector)
    body = error_body(104, "The text you entered in the External key field is too long (256 characters).")
    site.faults.add(Fault(method="PUT", status=400, body=body))
    with pytest.raises(RefusedError) as refused:
        connector.update(bug, Changes(values={"custom:key": "k", "title": "x"}), None)
    assert set(refused.value.fields) == {"custom:key"}
    connector.close()


def test_who_may_not_change_fields_is_told_which_group_is_missing(upstream: BugzillaSandbox) -> None:
    connector = connect(upstream)
    bug = created(connector)
    kept, hubmin = upstream.store.bugs[int(bug)], upstream.store.users["hubmin@example.test"]
    weak = connect(upstream, credentials={"login": hubmin.login, "api_key": hubmin.key})
    with pytest.raises(RefusedError, match="required permissions") as refused:
        weak.update(bug, CHANGE, None)
    assert "editbugs" in refused.value.remedy
    assert kept.values["summary"] == "It is broken"
    connector.close()
    weak.close()


def test_a_create_that_the_settings_make_impossible_says_which_setting(upstream: BugzillaSandbox) -> None:
    for more, key in (({"product": "Nope"}, "product"), ({"product": "Secret", "component": "Vault"}, "product")):
        connector = connect(upstream, **more)
        with pytest.raises(PermanentError) as raised:
            connector.create(Draft(marker="m-1", title="x", description=canonical("y")))
        assert f"trackers.dev.{key}" in raised.value.remedy
        connector.close()


def test_wrong_settings_are_told_in_words(upstream: BugzillaSandbox) -> None:
    for more, words in (
        ({"time_zone": "Mars/Olympus"}, "no time zone"),
        ({"fields": {"x": {"id": "nonsense"}}}, "begins not with cf_"),
        ({"fields": {"x": {"id": "cf_a"}}, "marker_field": "cf_a"}, "at once"),
    ):
        with pytest.raises(ValueError, match=words):
            connect(upstream, **{**hub_settings(upstream), **more})
