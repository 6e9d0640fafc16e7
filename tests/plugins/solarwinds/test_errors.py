"""What Service Desk's refusals become, and that they tell no secret."""

from __future__ import annotations

import traceback

import pytest
from pydantic import ValidationError

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
from hub.ticket import Priority
from plugins.solarwinds.connector import SolarwindsConnector
from plugins.solarwinds.sandbox import SolarwindsSandbox
from tests.plugins.solarwinds.builders import a_comment, created
from tests.plugins.solarwinds.conftest import connect
from tests.shared import payload

SECRET = "very-secret-token"
SHAPES = "solarwinds-service-desk/mcp-swsd-raw-shapes"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthError),
        (403, AuthError),
        (404, NotFoundError),
        (406, PermanentError),
        (500, TemporaryError),
        (502, TemporaryError),
        (503, TemporaryError),
    ],
)
def test_each_answer_is_the_right_error(
    connector: SolarwindsConnector, site: SolarwindsSandbox, status: int, error: type[Exception]
) -> None:
    ticket_id = created(connector)
    site.faults.add(Fault(method="GET", path=rf"/incidents/{ticket_id}", status=status, body="<html>no</html>"))
    with pytest.raises(error) as caught:
        connector.read(ticket_id, Known())
    assert "<html>" not in str(caught.value)


def test_the_limit_of_calls_says_how_long_to_wait(connector: SolarwindsConnector, site: SolarwindsSandbox) -> None:
    ticket_id = created(connector)
    site.limits.set("account", 2, 60)
    connector.update(ticket_id, Changes(values={"title": "1"}), None)
    connector.update(ticket_id, Changes(values={"title": "2"}), None)
    with pytest.raises(RateLimitedError) as error:
        connector.update(ticket_id, Changes(values={"title": "3"}), None)
    assert 0 < error.value.retry_after <= 60
    assert site.store.incidents[int(ticket_id)].name == "2"


def test_a_token_that_a_newer_one_has_ended_is_told_with_the_sites_in_mind(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    site.store.renew_token(site.store.by_login("hub"))
    with pytest.raises(AuthError) as error:
        connector.identify()
    assert "newer one is made" in error.value.remedy
    assert "good at one site only" in error.value.remedy


def test_published_samples_of_refusals_are_understood_field_by_field(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    site.faults.add(Fault(method="PUT", status=422, body=payload(f"{SHAPES}/error_422_a.json")))
    with pytest.raises(RefusedError) as plain:
        connector.update(ticket_id, Changes(values={"title": "x", "priority": Priority.LOW}), None)
    assert plain.value.fields == {"title": "can't be blank", "priority": "is not included in the list"}
    site.faults.add(Fault(method="PUT", status=422, body=payload(f"{SHAPES}/error_422_b.json")))
    with pytest.raises(RefusedError) as nested:
        connector.update(ticket_id, Changes(values={"title": "x"}), None)
    assert nested.value.fields == {"status": "transition not allowed"}


def test_a_custom_field_that_is_refused_is_named_in_neutral_words(connector: SolarwindsConnector) -> None:
    ticket_id = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"custom:severity": "Enormous", "title": "x"}), None)
    assert set(error.value.fields) == {"custom:severity"}


def test_a_required_field_that_is_missing_names_the_setting(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    site.faults.add(Fault(method="POST", status=422, body={"Cost center": ["can't be blank"]}))
    with pytest.raises(RefusedError) as error:
        created(connector)
    assert "Cost center" in error.value.fields
    assert "trackers.support.create_fields" in error.value.remedy


def test_the_second_500_to_the_same_write_is_final(connector: SolarwindsConnector, site: SolarwindsSandbox) -> None:
    """A value of a wrong shape is answered so: repeating it for ever would help nobody."""
    ticket_id = created(connector)
    site.faults.add(Fault(method="PUT", times=3, status=500, body={"error": "Internal Server Error"}))
    bad = Changes(values={"title": "x"})
    with pytest.raises(TemporaryError):
        connector.update(ticket_id, bad, None)
    with pytest.raises(TemporaryError):
        connector.update(ticket_id, Changes(values={"title": "another"}), None)
    with pytest.raises(PermanentError, match="twice") as error:
        connector.update(ticket_id, bad, None)
    assert "look at the ticket's fields" in error.value.remedy
    connector.update(ticket_id, bad, None)


def test_no_network_is_temporary(site: SolarwindsSandbox) -> None:
    connector = connect(site, timeout=2)
    site.stop()
    with pytest.raises(TemporaryError, match="no connection"):
        connector.identify()
    connector.close()


@pytest.mark.parametrize("body", ["<html>login</html>", {"message": "hello"}])
def test_something_else_than_a_list_is_never_taken_for_an_empty_one(
    connector: SolarwindsConnector, site: SolarwindsSandbox, body: object
) -> None:
    site.faults.add(Fault(path="/users.json", status=200, body=body))  # type: ignore[arg-type]  # a text or an object
    with pytest.raises(TemporaryError, match="proxy"):
        connector.find_person("customer1@customers.example")


def test_a_write_whose_answer_is_lost_is_not_sent_twice(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    site.faults.add(Fault(method="POST", path="/comments", mode="after", drop=True))
    with pytest.raises(TemporaryError):
        connector.add_comment(ticket_id, a_comment("once"))
    assert len(site.store.incidents[int(ticket_id)].comments) == 1
    assert connector.find_comment(ticket_id, "hub:mark:once") is not None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 422, 429, 500])
def test_no_token_is_in_any_error_even_where_service_desk_repeats_it(site: SolarwindsSandbox, status: int) -> None:
    connector = connect(site, credentials={"token": SECRET})
    body = {"error": f"wrong token {SECRET}", "errors": {"name": [f"bad {SECRET}"]}}
    site.faults.add(Fault(times=2, status=status, body=body))
    for _ in range(2):
        with pytest.raises(Exception) as error:  # noqa: PT011 - whichever class it is, its text counts
            connector.update("1", Changes(values={"title": "x"}), None)
        assert SECRET not in "".join(traceback.format_exception(error.value)) + repr(error.value)
    connector.close()


def test_the_settings_never_show_the_token(connector: SolarwindsConnector, site: SolarwindsSandbox) -> None:
    assert site.credentials()["token"] not in repr(connector.base_settings)


def test_the_address_that_people_use_is_refused_with_those_of_the_three_sites(site: SolarwindsSandbox) -> None:
    with pytest.raises(ValidationError, match=r"apieu\.samanage\.com \(EU\)"):
        connect(site, url="https://acme.samanage.com")
    for url in ("https://api.samanage.com", "https://apieu.samanage.com/", "https://apiau.samanage.com"):
        connect(site, url=url).close()


def test_a_field_with_several_choices_is_refused_when_the_settings_are_read(site: SolarwindsSandbox) -> None:
    with pytest.raises(ValidationError, match="several choices"):
        connect(site, fields={"parts": {"id": "Parts", "type": "multiselect"}})
