"""Access tokens of the cloud: one for all, renewed when it must be and not more often."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from hub.connector import AuthError, Known, RateLimitedError, TemporaryError
from hub.sandbox import Fault
from plugins.servicedesk_plus import tokens
from plugins.servicedesk_plus.sandbox import ServiceDeskPlusSandbox
from tests.plugins.clock import Clock
from tests.plugins.servicedesk_plus.builders import created
from tests.plugins.servicedesk_plus.conftest import connect
from tests.shared import payload


def tokens_asked(site: ServiceDeskPlusSandbox) -> int:
    return sum(r.path == "/oauth/v2/token" for r in site.requests)


def test_one_token_serves_many_calls_and_all_threads(cloud: ServiceDeskPlusSandbox) -> None:
    connector = connect(cloud)
    threads = [threading.Thread(target=connector.identify) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ticket_id = created(connector)
    for _ in range(5):
        connector.read(ticket_id, Known())
    assert tokens_asked(cloud) == 1
    connector.close()


def test_a_token_that_was_refused_is_replaced_and_the_call_goes_on(cloud: ServiceDeskPlusSandbox, clock: Clock) -> None:
    connector = connect(cloud)
    ticket_id = created(connector)
    clock.forward(hours=2)
    assert connector.read(ticket_id, Known()).ticket.id == ticket_id
    assert tokens_asked(cloud) == 2
    connector.close()


def test_a_token_is_replaced_before_it_ends(cloud: ServiceDeskPlusSandbox) -> None:
    cloud.change_settings(token_life=int(tokens.RENEW_BEFORE) - 1)
    connector = connect(cloud)
    connector.identify()
    connector.find_person("nobody@example.com")
    answered = [r.status for r in cloud.requests]
    assert tokens_asked(cloud) >= 2
    assert 401 not in answered
    connector.close()


def test_a_new_token_that_is_refused_at_once_is_not_replaced_again(cloud: ServiceDeskPlusSandbox) -> None:
    connector = connect(cloud)
    cloud.faults.add(Fault(path="/api/v3/", status=401, times=None, body={"error": "no"}))
    with pytest.raises(AuthError):
        connector.identify()
    with pytest.raises(AuthError):
        connector.identify()
    assert tokens_asked(cloud) == 1
    connector.close()


def test_tokens_are_not_replaced_for_ever_because_of_one_address_that_refuses(cloud: ServiceDeskPlusSandbox) -> None:
    connector = connect(cloud)
    ticket_id = created(connector)
    cloud.faults.add(Fault(path=rf"/requests/{ticket_id}$", status=401, times=None, body={"error": "no"}))
    for _ in range(3 * tokens.MOST_REPLACED):
        with pytest.raises(AuthError):
            connector.read(ticket_id, Known())
        connector.find_person("nobody@example.com")
    assert tokens_asked(cloud) == 1 + tokens.MOST_REPLACED
    connector.close()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": "invalid_code"}, AuthError),
        ({"error": "invalid_client"}, AuthError),
        ({}, TemporaryError),
        (
            {"error": "Access Denied", "error_description": "You have made too many requests continuously."},
            RateLimitedError,
        ),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_an_error_of_the_accounts_server_counts_with_status_200_as_well(
    cloud: ServiceDeskPlusSandbox, status: int, body: dict[str, Any], error: type[Exception]
) -> None:
    connector = connect(cloud)
    cloud.faults.add(Fault(path="/oauth/v2/token", status=status, body=body))
    with pytest.raises(error) as caught:
        connector.identify()
    assert type(caught.value) is error
    connector.identify()
    connector.close()


def test_a_wrong_refresh_token_names_the_settings_and_the_data_centre(cloud: ServiceDeskPlusSandbox) -> None:
    connector = connect(cloud, credentials={**cloud.credentials(), "refresh_token": "wrong"})
    with pytest.raises(AuthError) as error:
        connector.identify()
    assert "invalid_code" in error.value.why
    assert "trackers.support.credentials and accounts_url" in error.value.remedy
    connector.close()


def test_too_many_tokens_make_the_hub_wait_long(cloud: ServiceDeskPlusSandbox) -> None:
    cloud.limits.set("tokens", 0, 600)
    connector = connect(cloud)
    with pytest.raises(RateLimitedError) as error:
        connector.identify()
    assert error.value.retry_after == tokens.PAUSE
    connector.close()


def test_zohos_own_sample_of_a_token_is_taken(cloud: ServiceDeskPlusSandbox, clock: Clock) -> None:
    connector = connect(cloud)
    sample = payload("servicedesk-plus/demisto-cloud/oauth_token.json")
    cloud.faults.add(Fault(path="/oauth/v2/token", status=200, body=sample))
    cloud.tokens[sample["access_token"]] = (cloud.store.by_login("hub"), clock.now + timedelta(hours=1))
    assert connector.identify().name == "Hub Service"
    connector.close()
