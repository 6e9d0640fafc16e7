"""Secrets come from the environment or from files, and no error shows one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SECRET = "s3cr3t-Value!"

TRACKER = """
trackers:
  support:
    kind: desk
    url: https://a.example
    %s
"""


def test_a_secret_in_the_settings_is_refused(errors: Any) -> None:
    assert errors(TRACKER % f"credentials: {{email: a@b, api_token: '{SECRET}'}}") == [
        "hub.yaml:5: trackers.support.credentials.api_token: a secret must not stand in the settings. "
        "Put it in the environment: `api_token: ${SUPPORT_API_TOKEN}`, or in a file: `api_token: file:<path>`."
    ]


def test_a_default_is_no_way_round_that(errors: Any) -> None:
    (found,) = errors(TRACKER % f"webhook: {{secret: '${{SECRET:-{SECRET}}}'}}")
    assert found.startswith("hub.yaml:5: trackers.support.webhook.secret: a secret must not stand in the settings.")
    assert "`secret: ${SUPPORT_WEBHOOK_SECRET}`" in found


def test_a_password_in_an_address_is_refused(errors: Any) -> None:
    assert errors(f"store:\n  url: postgresql://hub:{SECRET}@db/hub\n") == [
        "hub.yaml:2: store.url: the address holds a password, which must not stand in the settings. "
        "Put it in the environment: postgresql://<name>:${PASSWORD}@<host>."
    ]


def test_a_missing_variable_is_named(errors: Any) -> None:
    assert errors(TRACKER % "credentials:\n      access_token: ${DESK_TOKEN}\n    account: ${ACCOUNT}") == [
        "hub.yaml:6: trackers.support.credentials.access_token: the environment variable DESK_TOKEN is not set. "
        "Set it for the hub.",
        "hub.yaml:7: trackers.support.account: the environment variable ACCOUNT is not set. "
        "Set it for the hub, or write ${ACCOUNT:-default}.",
    ]


def test_a_reference_that_is_not_complete_is_told(errors: Any) -> None:
    remedy = "Write ${NAME} or ${NAME:-default}, with letters, digits and _; or $${ for a plain ${."
    assert errors("server:\n  host: '${MY HOST}'\n") == [
        f"hub.yaml:2: server.host: the reference to a variable is not complete. {remedy}"
    ]


def test_an_empty_secret_is_refused(errors: Any) -> None:
    assert errors(TRACKER % "webhook: {secret: '${SECRET}'}", {"SECRET": ""}) == [
        "hub.yaml:5: trackers.support.webhook.secret: the secret is empty. "
        "Set the variable or fill the file it comes from; remove the key if there is no secret."
    ]


def test_a_file_that_cannot_be_read_is_told(errors: Any) -> None:
    assert errors(TRACKER % "webhook: {secret: file:missing}") == [
        "hub.yaml:5: trackers.support.webhook.secret: the file that it names cannot be read: "
        "No such file or directory. A relative path begins at .."
    ]


LEAKS = {
    "a literal": "credentials: {email: a@b, api_token: '%s'}",
    "in place of the section": "credentials: '%s'",
    "in a list": "credentials: ['%s']",
    "as a section": "credentials: {email: a@b, api_token: {value: '%s'}}",
    "of the wrong type": "credentials: {email: a@b, api_token: ['%s']}",
    "without a blank": "credentials: {email: a@b, api_token:%s}",
    "without a blank, alone": "credentials:\n      api_token:%s",
    "as an anchor": "credentials: {email: a@b, api_token: *%s}",
    "as a tag": "credentials: {email: a@b, api_token: !%s x}",
    "as a handle": "credentials: {email: a@b, api_token: !%s!x y}",
    "with an escape": 'credentials: {email: a@b, api_token: "\\q%s"}',
    "with an open quote": "credentials: {email: a@b, api_token: '%s",
    "under a wrong key": "credentials: {email: a@b, api_tokn: '%s'}",
    "under a key nobody knows": "my_password: '%s'",
    "through a plugin's own words": "credentials: {email: a@b, api_token: 'wrong %s'}",
    "from the environment through a plugin's words": "credentials: {email: a@b, api_token: '${WRONG}'}",
    "from the environment at another place": "timeout: '${LEAK}'",
    "from the environment as an address": "poll: {every: '${LEAK}'}",
    "twice": "credentials: {email: a@b, api_token: '%s', api_token: '%s'}",
    "in a list of secrets": "nested: {a: ['%s']}",
}


@pytest.mark.parametrize("name", LEAKS)
def test_no_error_shows_a_secret(errors: Any, name: str) -> None:
    text = LEAKS[name]
    # A name of an anchor or a tag has letters only.
    secret = "scrtvalue" if "*%s" in text or "!%s" in text else SECRET
    found = errors(TRACKER % text.replace("%s", secret), {"WRONG": f"wrong {secret}", "LEAK": secret})
    assert found
    assert secret not in "\n".join(found)


def test_no_problem_holds_a_secret(load: Any) -> None:
    from hub.settings.load import SettingsError

    with pytest.raises(SettingsError) as caught:
        load(TRACKER % f"credentials: {{email: 1, api_token: '{SECRET}', access_token: [{SECRET}]}}")
    assert SECRET not in repr(caught.value.problems)


def test_a_value_of_the_environment_is_told_by_its_reference(errors: Any) -> None:
    assert errors("server: {port: '${PORT}'}\nlogs: {level: '${LEVEL}'}", {"PORT": "abcdef", "LEVEL": "loud"}) == [
        "hub.yaml:1: server.port: this must be a whole number, not the value of ${PORT}.",
        "hub.yaml:2: logs.level: the value of ${LEVEL} is none of debug, info, warning, error.",
    ]


def test_file_is_an_ordinary_word_where_no_secret_stands(load: Any) -> None:
    text = TRACKER % "account: file:abc"
    assert load(text).settings.trackers["support"].account == "file:abc"
    assert Path("hub.yaml").exists()
