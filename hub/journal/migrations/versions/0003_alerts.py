"""What monitoring says, and the incidents that came of it; which failures people were told of.

Revision 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.journal.schema import UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "signals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("group_key", sa.String(length=40), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("received", UtcTime(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_signals_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
        comment="What a delivery of a monitoring says of one group of alerts.",
    )
    op.create_index(op.f("ix_signals_source_group_key_id"), "signals", ["source", "group_key", "id"], unique=False)
    op.create_index(
        op.f("ix_signals_state_source_group_key"), "signals", ["state", "source", "group_key"], unique=False
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("group_key", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("tracker", sa.String(length=100), nullable=False),
        sa.Column("ticket_id", sa.String(length=200), nullable=False),
        sa.Column("begun", UtcTime(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        comment="A group of alerts that belong together, and the ticket that stands for them. The last row counts.",
    )
    op.create_index(op.f("ix_incidents_source_group_key"), "incidents", ["source", "group_key"], unique=False)
    op.create_index(op.f("ix_incidents_source_begun"), "incidents", ["source", "begun"], unique=False)
    op.create_index(op.f("ix_incidents_tracker_ticket_id"), "incidents", ["tracker", "ticket_id"], unique=False)
    op.add_column("failures", sa.Column("told", UtcTime(), nullable=True))
