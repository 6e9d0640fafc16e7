"""Reads what a report is computed from: the cases of the journal, with their clocks computed for the period's end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from hub.journal import cases
from hub.report.records import CaseRecord, ClockRecord
from hub.rules.book import RuleBook
from hub.rules.calendars import ALWAYS
from hub.rules.case import load_case
from hub.rules.case_clocks import case_facts
from hub.rules.clocks import clock_cycles
from hub.ticket import Category, Channel, Status


def records(connection: Connection, book: RuleBook, until: datetime) -> Iterator[CaseRecord]:
    """Every case that was opened before `until` (UTC), under the rule book as it is now."""
    for row in cases.walk_cases(connection):
        if row.opened >= until:
            continue
        case = load_case(row.ref, row.key, row.url, row.data)
        gone = datetime.fromisoformat(row.data["gone"]) if "gone" in row.data else None
        if gone is not None and case.is_open:
            # From then on nobody works on it: it waits for no one, and no clock of it runs.
            case = replace(case, history=case.history.with_change(gone, "status", Status.CLOSED))
        running = book.running(case_facts(case), until)
        clocks = tuple(
            ClockRecord(one.promise.name, clock)
            for one in running
            for clock in clock_cycles(one.target, case.history, one.promise.calendar, until)
        )
        yield CaseRecord(
            tracker=case.ref.tracker,
            ticket_id=case.ref.id,
            organisation=case.seen.get("organisation"),
            category=case.seen.get("category") or Category.UNKNOWN,
            channel=case.seen.get("channel") or Channel.UNKNOWN,
            history=case.history,
            calendar=running[0].promise.calendar if running else ALWAYS,
            clocks=clocks,
            rating=case.rating,
            gone=gone,
        )
