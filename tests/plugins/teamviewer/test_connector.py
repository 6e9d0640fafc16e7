"""TeamViewer as a configured kind: signing in, refusals, checks, and that it is no tracker of tickets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub.connector import (
    AuthError,
    Capability,
    Finding,
    Known,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    Role,
    TemporaryError,
)
from hub.deployment import open_deployment
from hub.engine.polling import periodics
from hub.sandbox import Fault
from hub.settings.load import SettingsError, load_settings
from hub.sync.linking import LinkingError, resolve
from plugins.freshdesk.sandbox import FreshdeskSandbox
from plugins.freshdesk.sandbox import hub_settings as freshdesk_settings
from plugins.teamviewer.connector import TeamviewerConnector
from plugins.teamviewer.pace import Pace
from plugins.teamviewer.sandbox import TeamviewerSandbox
from plugins.teamviewer.support import RemoteSupport
from tests.plugins.teamviewer.conftest import REF, connect
from tests.shared import payload

SECRET = "very-secret-script-token"


# -- signing in


def test_it_knows_whose_token_it_has_and_offers_actions_alone(connector: TeamviewerConnector) -> None:
    who = connector.identify()
    assert (who.account_id, who.name) == ("u1", "Hub Service")
    offered = frozenset({Capability.ACTIONS, Capability.ACTION_REPORTS})
    assert (connector.role, connector.capabilities) == (Role.ACTION, offered)
    assert connector.webhook_scheme is None


def test_a_bad_token_is_answered_well_by_ping_and_is_told_all_the_same(site: TeamviewerSandbox) -> None:
    connector = connect(site, credentials={"token": SECRET})
    with pytest.raises(AuthError, match="not valid") as error:
        connector.identify()
    assert "script token" in error.value.remedy
    assert SECRET not in str(error.value)
    connector.close()


def test_a_token_without_the_accounts_data_works(site: TeamviewerSandbox) -> None:
    site.store.tokens["hub"].permissions.discard("account")
    connector = connect(site)
    assert connector.identify().name == "a script token"
    connector.close()


@pytest.mark.parametrize("status", [400, 401])
def test_a_token_that_has_ended_is_one_whatever_the_status_says(
    support: RemoteSupport, site: TeamviewerSandbox, status: int
) -> None:
    site.store.tokens["hub"].is_expired = True
    site.change_settings(ended_token=status)
    with pytest.raises(AuthError) as error:
        support.create_session(REF, "x", None, None)
    assert "make a script token" in error.value.remedy


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, PermanentError), (403, AuthError), (404, NotFoundError), (500, TemporaryError), (503, TemporaryError)],
)
def test_each_answer_is_the_right_error(
    support: RemoteSupport, site: TeamviewerSandbox, status: int, kind: type[Exception]
) -> None:
    body = payload("teamviewer/constructed/error.json")
    site.faults.add(Fault(method="POST", status=status, body=body))
    with pytest.raises(kind, match="'groupname' is missing") as error:
        support.create_session(REF, "x", None, None)
    assert status != 400 or not isinstance(error.value, AuthError)


def test_teamviewers_limit_says_how_long_to_wait(support: RemoteSupport, site: TeamviewerSandbox) -> None:
    support.group_id()
    site.limits.set("account", 1, 60)
    with pytest.raises(RateLimitedError) as error:
        support.create_session(REF, "x", None, None)
    assert 0 < error.value.retry_after <= 60
    assert site.store.meetings == {}


def test_the_hubs_own_limit_stops_before_the_call_and_says_how_long(site: TeamviewerSandbox) -> None:
    connector = connect(site, calls_per_minute=2, group="g1234567")
    connector.support.find_session(REF)
    connector.support.find_session(REF)
    with pytest.raises(RateLimitedError, match="2 calls a minute") as error:
        connector.support.find_session(REF)
    assert 0 < error.value.retry_after <= 30
    assert len(site.requests) == 2
    connector.close()


def test_a_pace_is_refilled_evenly_and_never_beyond_its_most() -> None:
    now = [0.0]
    pace = Pace(3, 60.0, lambda: now[0])
    assert [pace.take() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert pace.take() == pytest.approx(20.0)
    now[0] = 5.0
    assert pace.take() == pytest.approx(15.0)
    now[0] = 20.0
    assert pace.take() == 0.0
    now[0] = 1000.0
    assert [bool(pace.take()) for _ in range(4)] == [False, False, False, True]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_no_token_is_in_any_error_even_where_teamviewer_repeats_it(site: TeamviewerSandbox, status: int) -> None:
    connector = connect(site, credentials={"token": SECRET})
    body = {"error": "invalid_request", "error_description": f"bad {SECRET}"}
    site.faults.add(Fault(status=status, body=body))
    with pytest.raises(Exception) as error:  # noqa: PT011 - whichever class it is, its text counts
        connector.support.create_session(REF, "x", None, None)
    assert SECRET not in "".join(traceback.format_exception(error.value)) + repr(error.value)
    assert SECRET not in repr(connector.base_settings)
    connector.close()


@pytest.mark.parametrize(
    "more",
    [{"statuses": {"open": ["Open"]}}, {"fields": {"x": {"id": "x"}}}, {"group": ""}, {"valid_hours": 0}],
)
def test_settings_that_make_no_sense_here_are_refused(site: TeamviewerSandbox, more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        connect(site, **more)


# -- hub check


def words(found: list[Finding]) -> str:
    return " ".join(f"{f.level}: {f.what} {f.remedy}" for f in found)


def test_a_good_token_has_nothing_to_remedy(connector: TeamviewerConnector) -> None:
    found = connector.check()
    assert {f.level for f in found} == {"ok"}
    assert "the group g1234567 has 0 open sessions" in words(found)


@pytest.mark.parametrize(
    ("permission", "level", "said"),
    [
        ("groups", "error", "may not look up the group"),
        ("sessions", "error", "may not list sessions"),
        ("users", "warning", "assigned to nobody"),
        ("reports", "warning", "may not read connection reports"),
    ],
)
def test_each_missing_permission_is_named(
    connector: TeamviewerConnector, site: TeamviewerSandbox, permission: str, level: str, said: str
) -> None:
    site.store.tokens["hub"].permissions.discard(permission)
    (bad,) = [f for f in connector.check() if f.level != "ok"]
    assert (bad.level, said in bad.what, bool(bad.remedy)) == (level, True, True)


def test_a_group_that_is_not_there_is_an_error(site: TeamviewerSandbox) -> None:
    connector = connect(site, group="Helpdsk")
    assert "error: there is no group 'Helpdsk' that the token sees" in words(connector.check())
    connector.close()


# -- no tracker of tickets

SETTINGS = """
trackers:
  support: {{kind: freshdesk, url: "{desk}", credentials: {{api_key: "${{KEY}}"}}, webhook: {{secret: "${{HOOK}}"}}}}
  other: {{kind: freshdesk, url: "{desk}", credentials: {{api_key: "${{KEY}}"}}}}
  dev:
    kind: gitlab
    url: http://127.0.0.1:9
    credentials: {{token: "${{KEY}}"}}
    project: acme/website
  remote: {{kind: teamviewer, url: "{remote}", credentials: {{token: "${{TOKEN}}"}}, group: Helpdesk}}
links:
  - {links}
"""
GOOD = "{tickets: support, issues: dev}"


@pytest.fixture
def folder(tmp_path: Path, site: TeamviewerSandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment with a helpdesk, a bug tracker that is away, and TeamViewer."""
    write(tmp_path, site, GOOD)
    monkeypatch.setenv("TOKEN", site.credentials()["token"])
    monkeypatch.setenv("KEY", "some-key-of-freshdesk")
    monkeypatch.setenv("HOOK", "some-secret-of-webhooks")
    return tmp_path


def write(folder: Path, site: TeamviewerSandbox, links: str, desk: str = "http://127.0.0.1:9") -> None:
    (folder / "hub.yaml").write_text(SETTINGS.format(desk=desk, remote=site.url, links=links).lstrip())


@pytest.mark.parametrize(
    ("links", "place", "said"),
    [
        ("{tickets: remote, issues: dev}", "hub.yaml:11: links[0].tickets", "the tracker 'remote' has no tickets"),
        ("{tickets: [support, remote], issues: dev}", "hub.yaml:11: links[0].tickets[1]", "'remote' has no tickets"),
        ("{tickets: support, issues: remote}", "hub.yaml:11: links[0].issues", "'remote' is no tracker of tickets"),
    ],
)
def test_a_link_that_names_it_is_refused_with_file_line_and_remedy(
    folder: Path, site: TeamviewerSandbox, links: str, place: str, said: str
) -> None:
    write(folder, site, links)
    with pytest.raises(SettingsError) as error:
        load_settings(folder / "hub.yaml")
    (line,) = str(error.value).splitlines()
    assert place in line
    assert said in line
    assert "Name a helpdesk, or a bug tracker." in line or "Issues must be in a bug tracker: dev." in line


def test_it_is_configured_beside_trackers_and_is_neither_polled_nor_linked_nor_read(folder: Path) -> None:
    with open_deployment(folder) as deployment:
        context = deployment.context
        assert isinstance(context.connectors["remote"], TeamviewerConnector)
        assert [p.name for p in periodics(context)] == ["support", "dev"]
        with pytest.raises(LinkingError, match="'remote' is of kind teamviewer, which has no tickets"):
            resolve(context, "remote:s12-345-678")
        with pytest.raises(PermanentError, match="has no tickets"):
            context.connectors["remote"].read("s12-345-678", Known())


def hub(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hub", "--config", str(folder), *arguments],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip


def test_hub_check_checks_it_and_asks_for_no_webhook(folder: Path, site: TeamviewerSandbox) -> None:
    with FreshdeskSandbox() as desk:
        assert freshdesk_settings(desk)["kind"] == "freshdesk"
        write(folder, site, GOOD, desk.url)
        found = json.loads(hub(folder, "check", "--json").stdout)
    assert {f["level"] for f in found["remote"]} == {"ok"}
    assert any("signed in as Hub Service" in f["what"] for f in found["remote"])
    assert not any("webhook" in f["what"] for f in found["remote"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["connector", "verify", "remote"], "which has no tickets to verify; use hub check"),
        (["sync", "remote:s12-345-678"], "which has no tickets"),
        (["link", "remote:s12-345-678", "dev:1"], "which has no tickets"),
        (["demo", "--pair", "teamviewer:jira", "--once"], "there is no tracker of kind 'teamviewer'"),
    ],
)
def test_commands_about_tickets_say_that_it_has_none(folder: Path, arguments: list[str], said: str) -> None:
    done = hub(folder, *arguments)
    assert done.returncode in (1, 2)
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
