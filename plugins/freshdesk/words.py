"""Freshdesk's numbers for statuses and priorities and the words for them.

Source: developers.freshdesk.com, "Tickets". Numbers from 6 on belong to the account; new accounts have
6 and 7.
"""

from __future__ import annotations

from collections.abc import Mapping

STATUS_WORDS: Mapping[int, str] = {
    2: "Open",
    3: "Pending",
    4: "Resolved",
    5: "Closed",
    6: "Waiting on Customer",
    7: "Waiting on Third Party",
}
PRIORITY_WORDS: Mapping[int, str] = {1: "Low", 2: "Medium", 3: "High", 4: "Urgent"}
TABLES: Mapping[str, Mapping[int, str]] = {"statuses": STATUS_WORDS, "priorities": PRIORITY_WORDS}
