"""The store: durable, migrated, in UTC, and honest about what it cannot do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection

from hub.journal import Journal, JournalError, copies, deliveries, events, failures, incidents, intents, links
from hub.journal.copies import Copy
from hub.journal.schema import metadata
from hub.ticket import TicketRef, Visibility

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUPPORT, DEV = TicketRef("support", "7"), TicketRef("dev", "10001")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.open(f"sqlite:///{tmp_path / 'hub.sqlite3'}")


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(journal: Journal) -> None:
    with journal.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    journal.close()


def test_opening_again_finds_everything_and_keeps_the_installations_id(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hub.sqlite3'}"
    first = Journal.open(url)
    with first.write() as connection:
        links.create_link(connection, "policy", "joined", NOW)
    first.close()
    second = Journal.open(url)
    assert second.install_id == first.install_id
    with second.read() as connection:
        assert links.load_link(connection, 1) is not None
    second.close()


def test_a_database_that_cannot_be_opened_is_named_with_what_to_check(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"nowhere/hub\.sqlite3.*store\.url"):
        Journal.open(f"sqlite:///{tmp_path}/nowhere/hub.sqlite3")


def test_times_come_back_in_utc_and_a_time_without_a_zone_is_refused(journal: Journal) -> None:
    warsaw = datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    with journal.write() as connection:
        deliveries.wake(connection, "a:1", warsaw, "test")
    with journal.read() as connection:
        assert deliveries.next_wakes(connection, 1) == [("a:1", NOW)]
    with pytest.raises(ValueError, match="without a zone"), journal.write() as connection:
        deliveries.wake(connection, "a:2", datetime(2026, 3, 1), "test")  # noqa: DTZ001 - the point of the test
    journal.close()


def test_a_transaction_that_breaks_off_leaves_nothing(journal: Journal) -> None:
    def break_off() -> None:
        with journal.write() as connection:
            links.create_link(connection, "policy", "joined", NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    with journal.read() as connection:
        assert links.load_link(connection, 1) is None
    journal.close()


def test_an_error_of_the_database_shows_the_statement_and_no_value(journal: Journal) -> None:
    """Whoever reads logs need not be somebody who may read tickets."""
    with pytest.raises(sa.exc.DBAPIError, match="INSERT INTO members") as prepared, journal.write() as connection:
        links.add_member(connection, 99, DEV, key="private words", url="", role="ticket", now=NOW)
    text = sa.text("INSERT INTO facts VALUES (:name, :value)")
    with pytest.raises(sa.exc.DBAPIError) as plain, journal.write() as connection:
        connection.execute(text, {"name": "install_id", "value": "private words"})
    for error in (prepared, plain):
        assert "private words" not in f"{error.value} {error.value!r} {error.value.__cause__}"
    journal.close()


def test_within_a_transaction_a_thread_goes_on_with_it_and_all_of_it_becomes_durable_or_nothing(
    journal: Journal,
) -> None:
    def open_one_and_break_off() -> None:
        with journal.write() as connection:
            links.create_link(connection, "policy", "joined", NOW)
            with journal.write() as inner:
                links.create_link(inner, "policy", "joined", NOW)
            with journal.read() as inner:
                assert links.load_link(inner, 2) is not None
            raise ZeroDivisionError

    before = journal.counts()["commits"]
    with pytest.raises(ZeroDivisionError):
        open_one_and_break_off()
    with journal.read() as connection:
        assert links.load_link(connection, 1) is None
    assert journal.counts()["commits"] == before
    journal.close()


def test_many_threads_write_one_after_the_other(journal: Journal) -> None:
    def work(number: int) -> None:
        for turn in range(10):
            with journal.write() as connection:
                deliveries.wake(connection, f"a:{number}-{turn}", NOW, "test")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with journal.read() as connection:
        assert deliveries.count_waiting(connection, NOW) == 80
    journal.close()


def test_waking_a_waiting_key_keeps_the_earlier_time_and_marks_it_as_woken_again(journal: Journal) -> None:
    with journal.write() as connection:
        deliveries.wake(connection, "a:1", NOW + timedelta(hours=1), "timer")
        (first,) = deliveries.wakes_of(connection, ["a:1"], NOW + timedelta(hours=2))
        deliveries.wake(connection, "a:1", NOW, "webhook")
        (second,) = deliveries.wakes_of(connection, ["a:1"], NOW)
        assert second.seq == first.seq + 1
        # Settling what was taken before must not swallow what came after.
        deliveries.settle_wakes(connection, [first])
        assert deliveries.count_waiting(connection, NOW) == 1
        deliveries.settle_wakes(connection, [second])
        assert deliveries.count_waiting(connection, NOW) == 0
    journal.close()


def test_a_delivery_that_comes_again_is_counted_and_not_stored_twice(journal: Journal) -> None:
    for expected in (False, True, True):
        with journal.write() as connection:
            stored, again = deliveries.store_delivery(
                connection, tracker="a", delivery_key="id:1", ticket_id="1", received=NOW, headers={}, body=b"{}",
                hints=[], ignored=None,
            )  # fmt: skip
        assert (stored, again) == (1, expected)
    journal.close()


def test_a_ticket_is_in_one_link_only(journal: Journal) -> None:
    ref = TicketRef("a", "1")
    with journal.write() as connection:
        for _ in range(2):
            links.create_link(connection, "policy", "joined", NOW)
        links.add_member(connection, 1, ref, key="#1", url="", role="ticket", now=NOW)
        with pytest.raises(links.AlreadyLinkedError, match="hub unlink a:1"):
            links.add_member(connection, 2, ref, key="#1", url="", role="ticket", now=NOW)
    journal.close()


def test_a_copy_is_replaced_by_what_is_known_later(journal: Journal) -> None:
    copy = Copy(
        kind="comment", origin=TicketRef("a", "1"), origin_id="5", target=TicketRef("b", "2"), target_id="6",
        visibility=Visibility.PUBLIC, digest="x",
    )  # fmt: skip
    with journal.write() as connection:
        copies.save_copy(connection, copy)
        copies.save_copy(connection, Copy(**{**{f: getattr(copy, f) for f in Copy.__slots__}, "state": "gone"}))
        assert [c.state for c in copies.copies_of(connection, [TicketRef("b", "2")])] == ["gone"]
    journal.close()


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: deliveries.waiting_of_ticket(c, SUPPORT),
        lambda c: deliveries.waiting_of_link(c, 1),
        lambda c: copies.copies_of(c, [SUPPORT, DEV]),
        lambda c: deliveries.wakes_of(c, [str(SUPPORT), "link:1"], NOW),
        lambda c: deliveries.next_wakes(c, 8),
        lambda c: links.load_link(c, 1),
        lambda c: links.link_of(c, DEV),
        lambda c: intents.open_intents(c, 1),
        lambda c: failures.failures_of(c, "link:1"),
        lambda c: events.was_unlinked(c, SUPPORT),
        lambda c: incidents.waiting_signals(c, "prom", "g"),
        lambda c: incidents.last_delivery(c, "prom", "g"),
        lambda c: incidents.present_incident(c, "prom", "g"),
        lambda c: incidents.count_begun(c, "prom", NOW),
    ],
    ids=[
        "deliveries of a ticket",
        "deliveries of a link",
        "copies",
        "wakes",
        "next wakes",
        "link",
        "link of a ticket",
        "intents",
        "failures",
        "unlinked",
        "signals",
        "last signal",
        "incident",
        "incidents of a storm",
    ],
)
def test_what_every_run_asks_for_is_found_by_an_index(journal: Journal, ask: Callable[[Connection], object]) -> None:
    """A scan would make every run slower the longer the hub is in use."""
    with journal.write() as connection:
        links.create_link(connection, "policy", "joined", NOW)
    asked: list[str] = []
    with journal.read() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.set_trace_callback(asked.append)
        ask(connection)
        driver.set_trace_callback(None)
        steps = [step for sql in asked for *_, step in driver.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert steps
    assert not [step for step in steps if step.startswith("SCAN") and "USING INDEX" not in step]
    journal.close()


def test_a_failure_is_open_once_however_often_it_happens(journal: Journal) -> None:
    with journal.write() as connection:
        seen = [
            failures.record_failure(
                connection, key="link:1", tracker="a", ticket_id="1", what="a:1 title", digest="d", why="no", remedy="",
                now=NOW,
            )
            for _ in range(3)
        ]  # fmt: skip
        (failure,) = failures.unresolved_failures(connection)
    assert (seen, failure.attempts) == ([True, False, False], 3)
    journal.close()
