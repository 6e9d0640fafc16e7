"""What every account of the sandbox begins with, and the account's fixed words.

Sources: api.freshservice.com, "Ticket attributes", "Change attributes"; custom statuses and fields are examples.
"""

from __future__ import annotations

PRIMARY, OTHER = 2, 3
"""Workspaces; the first is the one that lists show when none is asked for."""
WORKSPACES = {PRIMARY: "IT", OTHER: "Facilities"}
AGENTS = (
    ("hub", "Hub", "Service", (PRIMARY, OTHER), True),
    ("agent1", "Agent", "One", (PRIMARY, OTHER), False),
    ("agent2", "Agent", "Two", (PRIMARY, OTHER), True),
    ("agent3", "Agent", "Three", (PRIMARY,), False),
)
"""Login, first and last name, workspaces, and whether other agents may be listed."""
GROUPS = (("Service Desk", PRIMARY), ("Experts", PRIMARY), ("Caretakers", OTHER))
STATUSES = {2: "Open", 3: "Pending", 4: "Resolved", 5: "Closed", 8: "Waiting on Engineering"}
DONE = (4, 5)
PRIORITIES = {1: "Low", 2: "Medium", 3: "High", 4: "Urgent"}
LEVELS = {1: "Low", 2: "Medium", 3: "High"}
"""Of urgency and impact."""
MATRIX = {(1, 1): 1, (1, 2): 1, (1, 3): 2, (2, 1): 1, (2, 2): 2, (2, 3): 3, (3, 1): 2, (3, 2): 3, (3, 3): 4}
"""(urgency, impact) -> priority, where the account's priority matrix is on."""
SOURCES = {*range(1, 16), 18, 1001}
"""1001 is a source that the account made."""
CHANGE_STATUSES = {
    1: "Open", 2: "Planning", 3: "Approval", 4: "Pending Release", 5: "Pending Review", 6: "Closed",
}  # fmt: skip
CHANGE_TYPES = {1: "Minor", 2: "Standard", 3: "Major", 4: "Emergency"}
CUSTOM: dict[str, tuple[str, str, list[str]]] = {
    "severity": ("Severity", "custom_dropdown", ["Minor", "Major", "Critical"]),
    "environment": ("Environment", "custom_text", []),
    "customers_affected": ("Customers affected", "custom_number", []),
    "is_regression": ("Is a regression", "custom_checkbox", []),
    "found_on": ("Found on", "custom_date", []),
    "resolution_code": ("Resolution code", "custom_text", []),
}
CATALOG = {7: "Laptop"}
"""Service items by display id."""
