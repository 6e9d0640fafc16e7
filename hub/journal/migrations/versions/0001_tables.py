"""The first tables.

Revision 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.journal.schema import UtcTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "copies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("origin_tracker", sa.String(length=100), nullable=False),
        sa.Column("origin_ticket", sa.String(length=200), nullable=False),
        sa.Column("origin_id", sa.String(length=200), nullable=False),
        sa.Column("target_tracker", sa.String(length=100), nullable=False),
        sa.Column("target_ticket", sa.String(length=200), nullable=False),
        sa.Column("target_id", sa.String(length=200), nullable=False),
        sa.Column("visibility", sa.String(length=10), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copies")),
        sa.UniqueConstraint(
            "kind",
            "origin_tracker",
            "origin_ticket",
            "origin_id",
            "target_tracker",
            "target_ticket",
            name="uq_copies_pair",
        ),
        comment="Which comment or file is the copy of which. Outlives an unlinking, so that nothing is copied twice.",
    )
    op.create_index(
        op.f("ix_copies_target_tracker_target_ticket"), "copies", ["target_tracker", "target_ticket"], unique=False
    )
    op.create_table(
        "cursors",
        sa.Column("tracker", sa.String(length=100), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("polled", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("tracker", name=op.f("pk_cursors")),
        comment="Up to where each tracker was polled.",
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=100), nullable=False),
        sa.Column("delivery_key", sa.String(length=300), nullable=False),
        sa.Column("ticket_id", sa.String(length=200), nullable=True),
        sa.Column("received", UtcTime(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hints", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("tracker", "delivery_key", name=op.f("uq_deliveries_tracker_delivery_key")),
        comment="One inbound webhook request each, as received; a request that comes again counts in `repeats`.",
    )
    op.create_index(
        op.f("ix_deliveries_tracker_ticket_id_status"), "deliveries", ["tracker", "ticket_id", "status"], unique=False
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("tracker", sa.String(length=100), nullable=True),
        sa.Column("ticket_id", sa.String(length=200), nullable=True),
        sa.Column("link_id", sa.Integer(), nullable=True),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        comment="The append-only record: what was decided and why, what was written, what went wrong.",
    )
    op.create_index(op.f("ix_events_link_id"), "events", ["link_id"], unique=False)
    op.create_index(op.f("ix_events_tracker_ticket_id"), "events", ["tracker", "ticket_id"], unique=False)
    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
        comment="Single facts about this installation, e.g. its id.",
    )
    op.create_table(
        "failures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("tracker", sa.String(length=100), nullable=False),
        sa.Column("ticket_id", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=300), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("first_seen", UtcTime(), nullable=False),
        sa.Column("last_seen", UtcTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failures")),
        sa.UniqueConstraint("key", "what", name=op.f("uq_failures_key_what")),
        comment="What could not be done, its cause, and how often it was tried.",
    )
    op.create_index(op.f("ix_failures_key"), "failures", ["key"], unique=False)
    op.create_table(
        "intents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=100), nullable=False),
        sa.Column("ticket_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("marker", sa.String(length=300), nullable=False),
        sa.Column("operation", sa.JSON(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("receipt", sa.JSON(), nullable=True),
        sa.Column("finished", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intents")),
        comment="What the hub was about to write, and its receipt. An open one is looked up by its marker.",
    )
    op.create_index(op.f("ix_intents_link_id_state"), "intents", ["link_id", "state"], unique=False)
    op.create_table(
        "links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy", sa.String(length=200), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.Column("turns", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        comment="A group of tickets kept in step. `turns` counts how often each field went back and forth.",
    )
    op.create_table(
        "wakes",
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("due", UtcTime(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_wakes")),
        comment="Keys that wait to be looked at. A wake of a waiting key raises `seq` and nothing else.",
    )
    op.create_index(op.f("ix_wakes_due"), "wakes", ["due"], unique=False)
    op.create_table(
        "members",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=100), nullable=False),
        sa.Column("ticket_id", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("joined", UtcTime(), nullable=False),
        sa.Column("shadow", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_members_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("tracker", "ticket_id", name=op.f("uq_members_tracker_ticket_id")),
        comment="A ticket in a link, with its shadow: what the hub last saw or wrote there.",
    )
    op.create_index(op.f("ix_members_link_id"), "members", ["link_id"], unique=False)
