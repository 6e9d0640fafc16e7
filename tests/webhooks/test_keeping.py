from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.connector import SecretHeader
from tests.webhooks.stage import JIRA_LIKE, ZENDESK_LIKE
from webhooks.keeping import delivery_key, kept_headers


@given(st.text(max_size=400), st.binary(max_size=50))
def test_a_key_fits_its_column_and_is_plain_text(given_id: str, body: bytes) -> None:
    key = delivery_key(ZENDESK_LIKE, "X-Id", {"x-id": given_id}, body)
    assert len(key) <= 210
    assert key.isascii()
    assert key.isprintable()


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_two_ids_never_share_a_key(one: str, other: str) -> None:
    keys = {delivery_key(None, "X-Id", {"x-id": given_id}, b"") for given_id in (one, other)}
    assert len(keys) == len({one, other})


def test_the_attempts_of_one_delivery_share_its_key_whatever_was_signed_anew() -> None:
    attempts = [{"x-id": "a", "x-sig-timestamp": stamp} for stamp in ("1772625600", "1772625630")]
    assert len({delivery_key(ZENDESK_LIKE, "X-Id", headers, b"{}") for headers in attempts}) == 1


def test_without_an_id_body_and_signed_time_tell_deliveries_apart() -> None:
    def key(stamp: str, body: bytes) -> str:
        return delivery_key(ZENDESK_LIKE, None, {"x-sig-timestamp": stamp}, body)

    assert key("1", b"2") == key("1", b"2")
    assert len({key("1", b"2"), key("1", b"3"), key("2", b"2"), key("", b"12"), key("12", b"")}) == 5


def test_an_id_and_a_content_never_share_a_key() -> None:
    by_content = delivery_key(JIRA_LIKE, None, {}, b"{}")
    assert delivery_key(JIRA_LIKE, "X-Id", {"x-id": by_content}, b"") != by_content


def test_the_header_that_holds_the_proof_is_never_kept_even_when_its_name_tells_an_event() -> None:
    scheme = SecretHeader(header="X-Event-Pass")
    headers = {"x-event-pass": "s", "x-hub-signature": "s", "x-webhook-secret": "s", "user-agent": "Fake"}
    assert kept_headers(scheme, None, headers) == {"user-agent": "Fake"}


def test_an_overlong_value_is_cut() -> None:
    assert len(kept_headers(None, None, {"user-agent": "x" * 60_000})["user-agent"]) == 1000
