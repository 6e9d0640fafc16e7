"""What the rules know of tickets, and what they have ordered.

Revision 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.journal.schema import UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=100), nullable=False),
        sa.Column("ticket_id", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("opened", UtcTime(), nullable=False),
        sa.Column("closed", UtcTime(), nullable=True),
        sa.Column("next_at", UtcTime(), nullable=True),
        sa.Column("assignee", sa.String(length=200), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("tracker", "ticket_id", name=op.f("uq_cases_tracker_ticket_id")),
        comment="What the rules know of a ticket: its history, its clocks, and which rules have fired.",
    )
    op.create_index(op.f("ix_cases_closed"), "cases", ["closed"], unique=False)
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=100), nullable=False),
        sa.Column("ticket_id", sa.String(length=200), nullable=False),
        sa.Column("mark", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("made", UtcTime(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("tracker", "ticket_id", "mark", name=op.f("uq_orders_tracker_ticket_id_mark")),
        comment="What a rule, a clock or a person wants done to a ticket. The same mark is ordered, and done, once.",
    )
    op.create_index(
        op.f("ix_orders_state_tracker_ticket_id"), "orders", ["state", "tracker", "ticket_id"], unique=False
    )
