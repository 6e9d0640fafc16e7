"""The knowledge base that the sandbox begins with: a help desk as an admin has made it ready for the hub."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from plugins.agiloft.sandbox.state import CUSTOMERS, Column, KnowledgeBase

KB = "Demo"
STATUSES = ("New", "Assigned", "Pending", "On Hold", "Resolved", "Closed")
MOVES = {"New": ("Assigned", "Pending", "On Hold", "Resolved"), "Closed": ("Assigned",)}
PRIORITIES = ("Low", "Medium", "High", "Urgent")
TYPES = ("Incident", "Service Request", "Problem")


def knowledge_base(clock: Callable[[], datetime]) -> KnowledgeBase:
    """Users, people, tickets and their comments."""
    kb = KnowledgeBase(KB, clock)
    kb.moves = MOVES
    kb.add_user("hub_service", "Hub Service", "hub@helpdesk.example")
    kb.add_user("agent1", "Agent One", "agent1@helpdesk.example")
    kb.add_user("agent2", "Agent Two", "agent2@helpdesk.example")
    kb.add_user("customer1", "Customer One", "customer1@customers.example", CUSTOMERS)
    kb.add_user("customer2", "Customer Two", "customer2@customers.example", CUSTOMERS)
    people = kb.add_table(
        "contacts", "People", Column("id", "ID", "id", is_system=True), Column("full_name", "Full Name"),
        Column("email", "Email"), Column("_login", "Login"), *_stamps(),
    )  # fmt: skip
    for user in kb.users.values():
        record = kb.new_record(people)
        record.values = {"full_name": user.name, "email": user.email, "_login": user.login}
    kb.add_table(
        "case", "Support Case",
        Column("id", "ID", "id", is_system=True),
        Column("summary", "Summary", is_required=True, limit=255),
        Column("problem_description", "Problem Description"),
        Column("wfstate", "Status", "choice", STATUSES),
        Column("priority", "Priority", "choice", PRIORITIES),
        Column("case_type", "Type", "choice", TYPES),
        Column("assigned_team", "Team", "choice", ("Service Desk", "Experts", "Engineering")),
        Column("assigned_person", "Assigned Person", "link", to="contacts", shows="full_name"),
        Column("submitter_name", "Submitter"),
        Column("submitter_email", "Submitter Email"),
        Column("tags", "Tags"),
        Column("products", "Products", "multi", ("Mail", "Billing", "VPN")),
        Column("severity", "Severity", "choice", ("Minor", "Major", "Critical")),
        Column("found_in", "Found In"),
        Column("users_affected", "Users Affected", "number"),
        Column("external_ref", "External Reference"),
        Column("issue_url", "Issue"),
        Column("attached_files", "Attached Files", "file"),
        Column("internal_files", "Internal Files", "file"),
        Column("customer_notes", "Customer Notes", "append"),
        Column("working_notes", "Working Notes", "append"),
        *_stamps(),
    )  # fmt: skip
    kb.add_table(
        "case_comment", "Case Comment",
        Column("id", "ID", "id", is_system=True),
        Column("case_id", "Case", "link", to="case", shows="id", is_required=True),
        Column("comment_text", "Comment", is_required=True),
        Column("shown_to", "Shown To", "choice", ("Public", "Internal")),
        Column("external_ref", "External Reference"),
        Column("files", "Files", "file"),
        *_stamps(),
    )  # fmt: skip
    return kb


def _stamps() -> tuple[Column, ...]:
    return (
        Column("date_created", "Date Created", "time", is_system=True),
        Column("date_updated", "Date Updated", "time", is_system=True),
        Column("created_by", "Created By", is_system=True),
        Column("updated_by", "Updated By", is_system=True),
    )
