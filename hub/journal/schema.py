"""The tables. What each is for stands beside it; the migrations in `migrations/` make them.

Times are UTC. `tracker` is always the configured name, `ticket_id` the tracker's immutable id.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """A timezone-aware UTC time, also where the database forgets zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tracker", String(100), nullable=False),
    Column("delivery_key", String(300), nullable=False),
    Column("ticket_id", String(200)),
    Column("received", UtcTime, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hints", JSON, nullable=False),
    Column("status", String(20), nullable=False),  # waiting, done, echo, ignored
    Column("note", Text, nullable=False, default=""),
    Column("repeats", Integer, nullable=False, default=0),
    UniqueConstraint("tracker", "delivery_key"),
    Index(None, "tracker", "ticket_id", "status"),
    comment="One inbound webhook request each, as received; a request that comes again counts in `repeats`.",
)

wakes = Table(
    "wakes",
    metadata,
    Column("key", String(300), primary_key=True),  # a ticket ("support:7"), a link ("link:3"), "alert:<source>:<group>"
    Column("due", UtcTime, nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("reason", Text, nullable=False),
    comment="Keys that wait to be looked at. A wake of a waiting key raises `seq` and nothing else.",
)

links = Table(
    "links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("policy", String(200), nullable=False),
    Column("origin", String(20), nullable=False),  # created by a rule, joined by hand or by rule
    Column("created", UtcTime, nullable=False),
    Column("turns", JSON, nullable=False),
    comment="A group of tickets kept in step. `turns` counts how often each field went back and forth.",
)

members = Table(
    "members",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("link_id", ForeignKey("links.id"), nullable=False, index=True),
    Column("tracker", String(100), nullable=False),
    Column("ticket_id", String(200), nullable=False),
    Column("key", String(200), nullable=False),
    Column("url", Text, nullable=False),
    Column("role", String(10), nullable=False),  # ticket, issue
    Column("joined", UtcTime, nullable=False),
    Column("shadow", JSON, nullable=False),
    UniqueConstraint("tracker", "ticket_id"),
    comment="A ticket in a link, with its shadow: what the hub last saw or wrote there.",
)

copies = Table(
    "copies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),  # comment, note, attachment
    Column("origin_tracker", String(100), nullable=False),
    Column("origin_ticket", String(200), nullable=False),
    Column("origin_id", String(200), nullable=False),
    Column("target_tracker", String(100), nullable=False),
    Column("target_ticket", String(200), nullable=False),
    Column("target_id", String(200), nullable=False),
    Column("visibility", String(10), nullable=False),
    Column("digest", String(80), nullable=False),
    Column("state", String(20), nullable=False),  # copied, left (did not travel), gone (deleted at its origin)
    UniqueConstraint(
        "kind",
        "origin_tracker",
        "origin_ticket",
        "origin_id",
        "target_tracker",
        "target_ticket",
        name="uq_copies_pair",
    ),
    Index(None, "target_tracker", "target_ticket"),
    comment="Which comment or file is the copy of which. Outlives an unlinking, so that nothing is copied twice.",
)

intents = Table(
    "intents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("link_id", Integer, nullable=False),
    Column("tracker", String(100), nullable=False),
    Column("ticket_id", String(200), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("marker", String(300), nullable=False),
    Column("operation", JSON, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("state", String(20), nullable=False),  # open, done, refused, void
    Column("receipt", JSON),
    Column("finished", UtcTime),
    Index(None, "link_id", "state"),
    comment="What the hub was about to write, and its receipt. An open one is looked up by its marker.",
)

failures = Table(
    "failures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(300), nullable=False, index=True),
    Column("tracker", String(100), nullable=False),
    Column("ticket_id", String(200), nullable=False),
    Column("what", String(300), nullable=False),
    Column("digest", String(80), nullable=False),
    Column("why", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", String(20), nullable=False),  # open, retry, resolved
    Column("told", UtcTime),  # when a notifier was told of it, empty for those that are to be told
    UniqueConstraint("key", "what"),
    comment="What could not be done, its cause, and how often it was tried.",
)

cursors = Table(
    "cursors",
    metadata,
    Column("tracker", String(100), primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("polled", UtcTime, nullable=False),
    comment="Up to where each tracker was polled.",
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("tracker", String(100)),
    Column("ticket_id", String(200)),
    Column("link_id", Integer, index=True),
    Column("delivery_id", Integer),
    Column("data", JSON, nullable=False),
    Index(None, "tracker", "ticket_id"),
    comment="The append-only record: what was decided and why, what was written, what went wrong.",
)

facts = Table(
    "facts",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("value", Text, nullable=False),
    comment="Single facts about this installation, e.g. its id.",
)

cases = Table(
    "cases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tracker", String(100), nullable=False),
    Column("ticket_id", String(200), nullable=False),
    Column("key", String(200), nullable=False),
    Column("url", Text, nullable=False),
    Column("opened", UtcTime, nullable=False),
    Column("closed", UtcTime),  # when it was solved, empty while it is open
    Column("next_at", UtcTime),  # when a clock or a rule on time wants to be looked at
    Column("assignee", String(200)),
    Column("data", JSON, nullable=False),
    UniqueConstraint("tracker", "ticket_id"),
    Index(None, "closed"),
    comment="What the rules know of a ticket: its history, its clocks, and which rules have fired.",
)

orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tracker", String(100), nullable=False),
    Column("ticket_id", String(200), nullable=False),
    Column("mark", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("data", JSON, nullable=False),
    Column("because", Text, nullable=False),
    Column("made", UtcTime, nullable=False),
    Column("state", String(20), nullable=False),  # open, done, dropped
    Column("outcome", Text, nullable=False, default=""),
    UniqueConstraint("tracker", "ticket_id", "mark"),
    Index(None, "state", "tracker", "ticket_id"),
    comment="What a rule, a clock or a person wants done to a ticket. The same mark is ordered, and done, once.",
)

signals = Table(
    "signals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String(100), nullable=False),
    Column("group_key", String(40), nullable=False),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False),
    Column("received", UtcTime, nullable=False),
    Column("data", JSON, nullable=False),
    Column("state", String(10), nullable=False),  # waiting, done
    Index(None, "source", "group_key", "id"),
    Index(None, "state", "source", "group_key"),
    comment="What a delivery of a monitoring says of one group of alerts.",
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String(100), nullable=False),
    Column("group_key", String(40), nullable=False),
    Column("state", String(10), nullable=False),  # own, joined (the common incident of a storm), left (for another)
    Column("tracker", String(100), nullable=False),
    Column("ticket_id", String(200), nullable=False),  # empty until there is a ticket
    Column("begun", UtcTime, nullable=False),
    Column("data", JSON, nullable=False),
    Index(None, "source", "group_key"),
    Index(None, "source", "begun"),
    Index(None, "tracker", "ticket_id"),
    comment="A group of alerts that belong together, and the ticket that stands for them. The last row counts.",
)
