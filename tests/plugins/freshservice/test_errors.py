"""What Freshservice's refusals become, and that they tell no secret."""

from __future__ import annotations

import traceback

import pytest

from hub.connector import (
    AuthError,
    Changes,
    ConflictError,
    Known,
    PermanentError,
    RateLimitedError,
    RefusedError,
    TemporaryError,
)
from hub.sandbox import Fault
from plugins.freshservice.connector import FreshserviceConnector
from plugins.freshservice.sandbox import FreshserviceSandbox
from tests.plugins.freshservice.builders import a_comment, created
from tests.plugins.freshservice.conftest import connect

SECRET = "very-secret-key"


def test_the_limit_of_calls_says_how_long_to_wait(connector: FreshserviceConnector, site: FreshserviceSandbox) -> None:
    ticket_id = created(connector)
    site.limits.set("account", 2, 60)
    connector.update(ticket_id, Changes(values={"title": "1"}), None)
    connector.update(ticket_id, Changes(values={"title": "2"}), None)
    with pytest.raises(RateLimitedError) as error:
        connector.update(ticket_id, Changes(values={"title": "3"}), None)
    assert 0 < error.value.retry_after <= 60
    assert site.store.tickets[int(ticket_id)].subject == "2"


def test_each_plan_has_limits_of_its_own_for_what_is_asked_most(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = created(connector)
    site.change_settings(plan=1)
    for number in range(50):
        connector.update(ticket_id, Changes(values={"title": str(number)}), None)
    with pytest.raises(RateLimitedError) as error:
        connector.update(ticket_id, Changes(values={"title": "one more"}), None)
    assert 0 < error.value.retry_after <= 60
    connector.read(ticket_id, Known())
    site.change_settings(plan=2)
    connector.update(ticket_id, Changes(values={"title": "one more"}), None)


def test_what_a_plan_lacks_is_no_lack_of_rights(connector: FreshserviceConnector, site: FreshserviceSandbox) -> None:
    body = {"code": "require_feature", "message": "The feature is not supported in your plan."}
    site.faults.add(Fault(path="/agents/me", status=403, body=body))
    with pytest.raises(PermanentError) as error:
        connector.identify()
    assert not isinstance(error.value, AuthError)
    assert "change the plan" in error.value.remedy


def test_a_suspended_account_is_no_lack_of_rights(connector: FreshserviceConnector, site: FreshserviceSandbox) -> None:
    body = {"code": "account_suspended", "message": "Your account has been suspended."}
    site.faults.add(Fault(path="/agents/me", status=403, body=body))
    with pytest.raises(PermanentError) as error:
        connector.identify()
    assert not isinstance(error.value, AuthError)
    assert "its owner" in error.value.remedy


def test_a_ticket_of_a_workspace_that_the_agent_has_not_is_a_lack_of_rights(
    site: FreshserviceSandbox, connector: FreshserviceConnector
) -> None:
    elsewhere = connect(site, workspaces=[3])
    ticket_id = created(elsewhere)
    elsewhere.close()
    restricted = connect(site, credentials={"api_key": site.people()["agent3"]["api_key"]})
    with pytest.raises(AuthError) as error:
        restricted.read(ticket_id, Known())
    assert "workspace" in error.value.remedy
    restricted.close()


def test_a_taken_value_is_refused_and_never_a_stale_write(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = created(connector)
    problem = {
        "field": "custom_fields.environment",
        "message": "It should be a unique value",
        "code": "duplicate_value",
    }
    body = {"description": "Validation failed", "errors": [problem]}
    site.faults.add(Fault(method="PUT", status=409, body=body))
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"custom:environment": "x"}), None)
    assert set(error.value.fields) == {"custom:environment"}
    site.faults.add(Fault(method="PUT", status=409))
    with pytest.raises(PermanentError) as other:
        connector.update(ticket_id, Changes(values={"title": "x"}), None)
    assert not isinstance(other.value, ConflictError)


def test_a_write_whose_answer_is_lost_is_not_sent_twice(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = created(connector)
    site.faults.add(Fault(method="POST", path="/reply", mode="after", drop=True))
    with pytest.raises(TemporaryError):
        connector.add_comment(ticket_id, a_comment("once"))
    assert len(site.store.tickets[int(ticket_id)].conversations) == 1
    found = connector.find_comment(ticket_id, "hub:mark:once")
    assert found is not None


def test_a_required_field_that_is_missing_names_the_setting(
    site: FreshserviceSandbox, connector: FreshserviceConnector
) -> None:
    problem = {"field": "product", "message": "It should be a/an String", "code": "missing_field"}
    site.faults.add(Fault(method="POST", status=400, body={"description": "Validation failed", "errors": [problem]}))
    with pytest.raises(RefusedError) as error:
        created(connector)
    assert "product" in error.value.fields
    assert "trackers.support.create_fields" in error.value.remedy


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
def test_no_key_is_in_any_error_even_where_freshdesk_repeats_it(site: FreshserviceSandbox, status: int) -> None:
    connector = connect(site, credentials={"api_key": SECRET})
    problem = {"field": "subject", "message": f"bad {SECRET}", "code": "invalid_value"}
    body = {"code": "invalid", "message": f"wrong key {SECRET}", "description": SECRET, "errors": [problem]}
    site.faults.add(Fault(status=status, body=body))
    with pytest.raises(Exception) as error:  # noqa: PT011 - whichever class it is, its text counts
        connector.update("1", Changes(values={"title": "x"}), None)
    assert SECRET not in "".join(traceback.format_exception(error.value)) + repr(error.value)
    connector.close()


def test_the_settings_never_show_the_key(connector: FreshserviceConnector, site: FreshserviceSandbox) -> None:
    assert site.credentials()["api_key"] not in repr(connector.base_settings)
