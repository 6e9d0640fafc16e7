"""The keys of a ticket that a client may send, by what becomes of them; Zendesk drops all others without an error."""

from __future__ import annotations

from typing import Any

SIMPLE: tuple[str, ...] = (
    "subject",
    "type",
    "priority",
    "external_id",
    "problem_id",
    "due_at",
    "group_id",
    "organization_id",
)
SIMPLE += ("recipient", "ticket_form_id", "brand_id", "collaborator_ids", "follower_ids", "email_cc_ids")
RULED = ("status", "custom_status_id", "assignee_id", "assignee_email", "requester_id", "tags", "custom_fields")
WRITE_ONLY = ("comment", "metadata", "safe_update", "updated_stamp", "fields", "macro_id", "macro_ids", "id")
CREATE_ONLY = ("requester", "submitter_id", "via", "via_id", "via_followup_source_id", "description", "raw_subject")
BULK_ONLY = ("additional_tags", "remove_tags")


def unknown_keys(given: dict[str, Any], *, creating: bool, bulk: bool = False) -> list[str]:
    """The keys of `given` that Zendesk drops without an error."""
    known = {*SIMPLE, *RULED, *WRITE_ONLY, *(CREATE_ONLY if creating else ()), *(BULK_ONLY if bulk else ())}
    return sorted(set(given) - known)
