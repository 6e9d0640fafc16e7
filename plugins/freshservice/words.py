"""Freshservice's numbers for statuses and priorities and the words for them.

Source: api.freshservice.com, "Ticket attributes", "Change attributes". Statuses from 6 on belong to the account.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.ticket import Status

STATUS_WORDS: Mapping[int, str] = {2: "Open", 3: "Pending", 4: "Resolved", 5: "Closed"}
PRIORITY_WORDS: Mapping[int, str] = {1: "Low", 2: "Medium", 3: "High", 4: "Urgent"}
TABLES: Mapping[str, Mapping[int, str]] = {"statuses": STATUS_WORDS, "priorities": PRIORITY_WORDS}

CHANGE_STATUSES: Mapping[int, tuple[str, Status]] = {
    1: ("Open", Status.OPEN),
    2: ("Planning", Status.IN_PROGRESS),
    3: ("Approval", Status.ON_HOLD),
    4: ("Pending Release", Status.IN_PROGRESS),
    5: ("Pending Review", Status.IN_PROGRESS),
    6: ("Closed", Status.CLOSED),
}
"""Of changes: the word and what it means. They are only read: approvals and reviews are people's."""

MATRIX: Mapping[int, tuple[int, int]] = {1: (1, 1), 2: (2, 2), 3: (2, 3), 4: (3, 3)}
"""Priority -> an urgency and an impact that make it, in the matrix that accounts begin with."""
