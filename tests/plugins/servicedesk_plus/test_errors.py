"""What ServiceDesk Plus's refusals become, with whatever status they come, and that they tell no secret."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from hub.connector import (
    AuthError,
    Changes,
    Known,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    RefusedError,
    TemporaryError,
)
from hub.sandbox import Fault
from plugins.servicedesk_plus.connector import ServiceDeskPlusConnector
from plugins.servicedesk_plus.sandbox import ServiceDeskPlusSandbox
from tests.plugins.servicedesk_plus.builders import a_comment, a_draft, created, kept
from tests.plugins.servicedesk_plus.conftest import connect
from tests.shared import payload

SECRET = "very-secret-key"


def failure(code: int, message: str, **more: Any) -> dict[str, Any]:
    messages = [{"status_code": code, "type": "failed", "message": message, **more}]
    return {"response_status": {"status_code": 4000, "status": "failed", "messages": messages}}


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, AuthError), (404, NotFoundError), (405, PermanentError), (500, TemporaryError), (502, TemporaryError)],
)
def test_each_answer_is_the_right_error(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, status: int, error: type[Exception]
) -> None:
    ticket_id = created(connector)
    site.faults.add(Fault(method="GET", path=rf"/requests/{ticket_id}", status=status, body="<html>no</html>"))
    with pytest.raises(error) as caught:
        connector.read(ticket_id, Known())
    assert "<html>" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    ("body", "error"),
    [
        (failure(4007, "Invalid URL"), NotFoundError),
        (failure(4007, "Invalid value", field="id"), NotFoundError),
        (failure(4002, "Not authorized"), AuthError),
        (failure(4009, "Invalid key"), AuthError),
        (failure(4001, "Field validation failed"), PermanentError),
        (failure(4000, "API throttled: try later"), RateLimitedError),
        ({"response_status": {"messages": [{"status_code": 4001, "message": "Failed"}]}}, PermanentError),
        ({"response_status": [{"status_code": 4000, "status": "failed"}], "requests": []}, PermanentError),
    ],
)
def test_a_failure_counts_whatever_status_it_comes_with(
    connector: ServiceDeskPlusConnector,
    site: ServiceDeskPlusSandbox,
    status: int,
    body: dict[str, Any],
    error: type[Exception],
) -> None:
    ticket_id = created(connector)
    site.faults.add(Fault(method="GET", path=rf"/requests/{ticket_id}", status=status, body=body))
    with pytest.raises(error) as caught:
        connector.read(ticket_id, Known())
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"field": "technician"}, "assignee"),
        ({"field": "request.subject"}, "title"),
        ({"fields": ["request_type"]}, "category"),
        ({"field": "priority.name"}, "priority"),
        ({"field": "udf_fields.ENVIRONMENT"}, "custom:environment"),
        ({"field": "resolution"}, "custom:answer"),
    ],
)
def test_a_refused_field_is_named_in_neutral_words(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, message: dict[str, Any], field: str
) -> None:
    ticket_id = created(connector)
    named = {
        k: str(v).replace("ENVIRONMENT", site.store.udf["environment"]) for k, v in message.items() if k == "field"
    }
    site.faults.add(Fault(method="PUT", status=200, body=failure(4001, "Not a valid value", **{**message, **named})))
    values = {field: "x"} if field.startswith(("custom:", "title")) else {"title": "x"}
    with pytest.raises(PermanentError) as error:
        connector.update(ticket_id, Changes(values=values), None)
    assert f"{field}: Not a valid value (4001)" in error.value.why


def test_a_warning_beside_a_success_is_no_failure(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    messages = [{"status_code": 4012, "type": "warning", "message": "No work log found"}]
    body = {"response_status": {"status_code": 2000, "status": "success", "messages": messages}}
    site.faults.add(Fault(method="PUT", status=200, body=body))
    connector.update(ticket_id, Changes(values={"title": "x"}), None)


def test_the_sample_of_the_vendors_own_client_is_understood(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    sample = payload("servicedesk-plus/error_validation_shape.json")
    for status in (200, 400):
        site.faults.add(Fault(method="PUT", status=status, body=sample))
        with pytest.raises(PermanentError, match=r"Field validation failed \(4001\)"):
            connector.update(ticket_id, Changes(values={"title": "x"}), None)


def test_the_limit_of_the_cloud_makes_the_hub_wait(cloud: ServiceDeskPlusSandbox) -> None:
    connector = connect(cloud)
    ticket_id = created(connector)
    cloud.limits.set("account", 1, 60)
    connector.update(ticket_id, Changes(values={"title": "1"}), None)
    with pytest.raises(RateLimitedError) as error:
        connector.update(ticket_id, Changes(values={"title": "2"}), None)
    assert error.value.retry_after > 0
    assert kept(cloud, ticket_id).subject == "1"
    connector.close()


def test_a_write_whose_answer_is_lost_is_not_sent_twice(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    site.faults.add(Fault(method="POST", path="/notes", mode="after", drop=True))
    with pytest.raises(TemporaryError):
        connector.add_comment(ticket_id, a_comment("once"))
    assert len(kept(site, ticket_id).notes) == 1
    assert connector.find_comment(ticket_id, "hub:mark:once") is not None


def test_an_answer_that_does_not_say_what_was_written_makes_the_hub_look_for_it(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    body = {"response_status": {"status_code": 2000, "status": "success"}}
    for path in ("/notes$", "/requests$"):
        site.faults.add(Fault(method="POST", path=path, mode="after", status=200, body=body))
    with pytest.raises(TemporaryError, match="does not say what was written"):
        connector.add_comment(ticket_id, a_comment("once"))
    with pytest.raises(TemporaryError, match="does not say what was made"):
        connector.create(a_draft(marker="another"))
    assert connector.find_comment(ticket_id, "hub:mark:once")
    assert connector.find_ticket("another")


def test_a_list_that_does_not_tell_whether_there_is_more_is_read_to_its_end(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    rows = [{"id": str(n), "name": str(n), "email_id": f"{n}@x.example"} for n in range(100)]
    for page in (rows, [{"id": "100", "name": "Last", "email_id": "last@x.example"}]):
        site.faults.add(Fault(path="/technicians", status=200, body={"technicians": page}))
    found = connector.find_person("last@x.example")
    assert found is not None
    assert found.name == "Last"


def test_a_required_field_that_is_missing_names_the_setting(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    connector.identify()
    site.faults.add(Fault(method="POST", status=400, body=failure(4012, "Mandatory", field="category")))
    with pytest.raises(RefusedError) as error:
        connector.create(a_draft())
    assert set(error.value.fields) == {"category"}
    assert "trackers.support.create_fields" in error.value.remedy


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500])
def test_no_secret_is_in_any_error_even_where_the_server_repeats_it(site: ServiceDeskPlusSandbox, status: int) -> None:
    given = site.credentials()
    connector = connect(site)
    connector.identify()
    secrets = [v for k, v in given.items() if k != "client_id"] + list(site.tokens)
    said = " ".join(secrets)
    site.faults.add(Fault(status=status, times=None, body=failure(4001, f"bad {said}", field="subject")))
    with pytest.raises(Exception) as error:  # noqa: PT011 - whichever class it is, its text counts
        connector.update("1", Changes(values={"title": "x"}), None)
    shown = "".join(traceback.format_exception(error.value)) + repr(error.value)
    assert not [secret for secret in secrets if secret in shown]
    connector.close()


def test_the_settings_never_show_a_secret(connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox) -> None:
    secrets = [v for k, v in site.credentials().items() if k != "client_id"]
    assert not [secret for secret in secrets if secret in repr(connector.base_settings)]


def test_no_network_is_temporary(site: ServiceDeskPlusSandbox) -> None:
    connector = connect(site, timeout=2)
    site.stop()
    with pytest.raises(TemporaryError, match="no connection"):
        connector.identify()
    connector.close()
