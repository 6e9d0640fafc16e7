"""Every way in which MantisBT, or the way to it, can fail is the right error, and none holds a credential."""

from __future__ import annotations

from typing import Any

import flask
import pytest

from hub.connector import (
    AuthError,
    Changes,
    ConflictError,
    Known,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    TemporaryError,
)
from hub.sandbox import Fault
from hub.ticket import Priority
from plugins.mantis import client
from plugins.mantis.client import NoSuchIssueError
from plugins.mantis.connector import MantisConnector
from plugins.mantis.sandbox import MantisSandbox
from tests.plugins.mantis.conftest import connect
from tests.plugins.mantis.test_comments import a_comment
from tests.plugins.mantis.test_connector import created

CHANGE = Changes(values={"title": "x"})


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, None, AuthError),
        (403, {"message": "User does not have access right", "code": 13, "localized": "Access Denied."}, AuthError),
        (403, {"message": "Access denied for user hub."}, NotFoundError),
        (404, {"message": "Issue #1 not found", "code": 1100, "localized": "Issue 1 not found."}, NoSuchIssueError),
        (404, None, NotFoundError),
        (404, "<html>Page Not Found</html>", PermanentError),
        (400, {"message": "Mandatory field 'x' is missing."}, PermanentError),
        (412, None, ConflictError),
        (500, None, TemporaryError),
        (502, "<html>Bad Gateway</html>", TemporaryError),
        (503, None, TemporaryError),
    ],
)
def test_each_answer_is_the_right_error(
    connector: MantisConnector, site: MantisSandbox, status: int, body: Any, error: type[Exception]
) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="GET", path=rf"/issues/{issue}", status=status, body=body))
    with pytest.raises(error) as raised:
        connector.read(issue, Known())
    assert type(raised.value) is error


def test_a_write_to_an_issue_that_can_be_read_lacks_a_right_and_is_not_said_to_be_away(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="PATCH", path="/issues/", status=403, body={"message": "Access denied for user hub."}))
    with pytest.raises(AuthError, match="access level"):
        connector.update(issue, CHANGE, None)


def test_a_500_long_after_another_counts_as_the_first(
    connector: MantisConnector, site: MantisSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="PATCH", path="/issues/", status=500, times=2))
    with pytest.raises(TemporaryError):
        connector.update(issue, CHANGE, None)
    monkeypatch.setattr(client, "REMEMBERED_FOR", -1.0)
    with pytest.raises(TemporaryError):
        connector.update(issue, CHANGE, None)


def test_nothing_is_asked_for_compressed_because_that_costs_the_lock(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    asked: list[str] = []
    site.app.before_request(lambda: asked.append(flask.request.headers.get("Accept-Encoding", "")))
    connector.read(created(connector), Known())
    assert set(asked) == {"identity"}


def test_a_page_of_another_program_is_told_as_a_wrong_address(connector: MantisConnector, site: MantisSandbox) -> None:
    site.faults.add(Fault(method="GET", path="/users/me", status=404, body="<html>Page Not Found</html>"))
    with pytest.raises(PermanentError, match=r"trackers\.dev\.url"):
        connector.identify()


def test_an_error_within_a_success_is_an_error(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    fault = {"issues": {"status_code": 404, "fault_string": "Unknown filter 'nope'"}}
    site.faults.add(Fault(method="GET", path=rf"/issues/{issue}", status=200, body=fault))
    with pytest.raises(NotFoundError, match="Unknown filter"):
        connector.read(issue, Known())


def test_a_rate_limit_with_a_time_is_kept_to(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="PATCH", path="/issues/", status=429, headers={"Retry-After": "17"}))
    with pytest.raises(RateLimitedError) as error:
        connector.update(issue, CHANGE, None)
    assert error.value.retry_after == 17


def test_the_limit_against_spam_tells_no_time_and_is_waited_for_some_minutes(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    site.change_settings(hub_level=25)
    for _ in range(10):
        created(connector)
    with pytest.raises(RateLimitedError) as error:
        created(connector)
    assert error.value.retry_after == 300
    assert len(site.store.issues) == 10


def test_a_500_for_the_same_write_a_second_time_is_permanent(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="PATCH", path="/issues/", status=500, times=3))
    with pytest.raises(TemporaryError):
        connector.update(issue, CHANGE, None)
    with pytest.raises(TemporaryError):
        connector.update(issue, Changes(values={"title": "another"}), None)
    with pytest.raises(PermanentError, match="twice"):
        connector.update(issue, CHANGE, None)


def test_a_500_for_a_read_stays_temporary(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="GET", path="/issues/", status=500, times=3))
    for _ in range(3):
        with pytest.raises(TemporaryError):
            connector.read(issue, Known())


def test_without_a_network_everything_is_temporary(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    site.stop()
    for attempt in (
        lambda: connector.read(issue, Known()),
        lambda: connector.update(issue, CHANGE, None),
        lambda: connector.add_comment(issue, a_comment("x")),
    ):
        with pytest.raises(TemporaryError):
            attempt()


def test_an_answer_that_comes_too_late_is_temporary(site: MantisSandbox) -> None:
    connector = connect(site, timeout=0.2)
    site.faults.add(Fault(method="GET", path="/users/me", delay=2, status=500))
    with pytest.raises(TemporaryError, match="in time"):
        connector.identify()
    connector.close()


@pytest.mark.parametrize("token", ["very-secret-token", "sandbox-token-gone-0009"])
def test_a_wrong_token_or_a_disabled_account_is_told_without_the_token(site: MantisSandbox, token: str) -> None:
    connector = connect(site, credentials={"api_token": token})
    with pytest.raises(AuthError) as error:
        connector.identify()
    assert token not in repr(error.value) + str(error.value) + repr(error.value.__cause__)
    connector.close()


def test_a_token_that_the_site_repeats_is_in_no_error(site: MantisSandbox) -> None:
    connector = connect(site)
    token = site.credentials()["api_token"]
    site.faults.add(Fault(method="GET", path="/users/me", status=400, body={"message": f"bad token {token}"}))
    with pytest.raises(PermanentError) as error:
        connector.identify()
    assert token not in str(error.value)
    assert "[secret]" in str(error.value)
    connector.close()


def test_the_bare_token_is_taken_by_the_old_and_the_new_version(site: MantisSandbox) -> None:
    for is_new, version in ((0, "2.28.4"), (1, "2.29.0-dev")):
        site.change_settings(is_new=is_new)
        connector = connect(site)
        identity = connector.identify()
        assert (identity.account_id, identity.name, identity.version) == ("2", "Hub Service", version)
        connector.update(created(connector), Changes(values={"priority": Priority.LOW}), None)
        connector.close()
