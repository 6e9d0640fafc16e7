"""What a new sandbox account holds: people, groups, fields, statuses, a form, three macros and articles. No tickets."""

from __future__ import annotations

from typing import Any

from plugins.zendesk.sandbox.state import Store, User, iso

STAFF = (
    ("hub", "Hub Service", "admin"),
    ("admin", "Admin One", "admin"),
    ("agent1", "Agent One", "agent"),
    ("agent2", "Agent Two", "agent"),
)
CUSTOMERS = (("customer1", "Customer One"), ("customer2", "Customer Two"))

SYSTEM_FIELDS = (
    ("subject", "Subject"),
    ("description", "Description"),
    ("status", "Status"),
    ("tickettype", "Type"),
    ("priority", "Priority"),
    ("group", "Group"),
    ("assignee", "Assignee"),
)
CUSTOM_FIELDS: tuple[tuple[str, str, str | None, tuple[str, ...]], ...] = (
    ("tagger", "Product area", None, ("Billing", "Login", "Reports")),
    ("checkbox", "Known issue", "known_issue", ()),
    ("text", "Environment", None, ()),
    ("multiselect", "Affected systems", None, ("Web", "Mobile", "API")),
    ("date", "Promised by", None, ()),
)
STATUSES = (
    ("New", "new", True),
    ("Open", "open", True),
    ("Pending", "pending", True),
    ("On-hold", "hold", True),
    ("Solved", "solved", True),
    ("With engineering", "hold", False),
)
AGENTS_ONLY = 7_001
"""A user segment of the Help Center."""
ARTICLES: tuple[tuple[str, str, int | None, bool], ...] = (
    ("Resetting a password", "Open the sign-in page and choose to reset the password.", None, False),
    ("Reading an invoice", "Each line of an invoice names its period and its sum.", None, False),
    ("Why an invoice is wrong", "Compare the sum of the invoice with the contract.", None, False),
    ("Correcting an invoice: for agents", "Take the wrong invoice back in the billing system.", AGENTS_ONLY, False),
    ("Paying an invoice by card", "Not yet published.", None, True),
)
"""Title, words, the segment that may read it (everybody without one), and whether it is a draft."""
MACROS = (
    ("Ask for details", "normal", "Please send us the steps that lead to the problem."),
    ("Known issue", "low", "This is a known issue; we tell you when it is mended."),
)


def seed(store: Store) -> dict[str, User]:
    """Fill `store` and return its people by login."""
    store.brand_id = store.new_id()
    for name in ("Support", "Second line", "Third line"):
        _add(store, store.groups, "groups", _group(name))
    _add(store, store.organizations, "organizations", _organization("Example Customer", "example.com"))
    group_id, organization_id = next(iter(store.groups)), next(iter(store.organizations))
    people = {
        login: store.add_user(name, f"{login}@support.example", role, default_group_id=group_id)
        for login, name, role in STAFF
    }
    for login, name in CUSTOMERS:
        people[login] = store.add_user(name, f"{login}@example.com", organization_id=organization_id)
    people["customer2"].locale = "pl"
    for number, (kind, title) in enumerate(SYSTEM_FIELDS):
        _add(store, store.fields, "ticket_fields", _field(kind, title, number, removable=False))
    for number, (kind, title, tag, options) in enumerate(CUSTOM_FIELDS):
        field = _field(kind, title, number + 20, tag=tag)
        if options:
            field["custom_field_options"] = [_option(store, title, name, i) for i, name in enumerate(options)]
        _add(store, store.fields, "ticket_fields", field)
    for label, category, default in STATUSES:
        _add(store, store.statuses, "custom_statuses", _status(label, category, default))
    _add(store, store.forms, "ticket_forms", _form(store))
    for title, priority, text in MACROS:
        _add(store, store.macros, "macros", _macro(title, priority, text))
    _add(
        store, store.macros, "macros", {**_macro("Hand over::To the experts", "high", ""), "actions": _hand_over(store)}
    )
    for title, words, segment, draft in ARTICLES:
        _add(store, store.articles, "help_center/en-us/articles", _article(title, words, segment, draft=draft))
    return people


def _add(store: Store, table: dict[int, dict[str, Any]], path: str, values: dict[str, Any]) -> None:
    now = iso(store.clock())
    id = store.new_id()
    # The address is completed when it is shown: the port is not known before the server runs.
    table[id] = {"url": f"/api/v2/{path}/{id}.json", "id": id, **values, "created_at": now, "updated_at": now}


def _group(name: str) -> dict[str, Any]:
    return {"name": name, "description": "", "default": False, "deleted": False, "is_public": True}


def _organization(name: str, domain: str) -> dict[str, Any]:
    return {
        "name": name,
        "shared_tickets": False,
        "shared_comments": False,
        "external_id": None,
        "domain_names": [domain],
        "details": "",
        "notes": "",
        "group_id": None,
        "tags": [],
        "organization_fields": {},
    }


def _field(kind: str, title: str, position: int, *, removable: bool = True, tag: str | None = None) -> dict[str, Any]:
    return {
        "type": kind,
        "title": title,
        "raw_title": title,
        "description": "",
        "raw_description": "",
        "position": position,
        "active": True,
        "required": False,
        "collapsed_for_agents": False,
        "regexp_for_validation": None,
        "title_in_portal": title,
        "raw_title_in_portal": title,
        "visible_in_portal": True,
        "editable_in_portal": True,
        "required_in_portal": False,
        "tag": tag,
        "removable": removable,
        "agent_description": None,
    }


def _option(store: Store, title: str, name: str, position: int) -> dict[str, Any]:
    prefix = title.split()[-1].lower()
    return {
        "id": store.new_id(),
        "name": name,
        "raw_name": name,
        "value": f"{prefix}_{name.lower()}",
        "position": position,
        "default": False,
    }


def _status(label: str, category: str, default: bool) -> dict[str, Any]:
    return {
        "status_category": category,
        "agent_label": label,
        "raw_agent_label": label,
        "end_user_label": label,
        "raw_end_user_label": label,
        "description": label,
        "raw_description": label,
        "end_user_description": label,
        "raw_end_user_description": label,
        "active": True,
        "default": default,
    }


def _form(store: Store) -> dict[str, Any]:
    return {
        "name": "Default form",
        "raw_name": "Default form",
        "display_name": "Default form",
        "raw_display_name": "Default form",
        "end_user_visible": True,
        "position": 1,
        "ticket_field_ids": list(store.fields),
        "active": True,
        "default": True,
        "in_all_brands": True,
        "restricted_brand_ids": [],
    }


def _macro(title: str, priority: str, text: str) -> dict[str, Any]:
    return {
        "title": title,
        "active": True,
        "position": 1,
        "description": None,
        "actions": [{"field": "priority", "value": priority}, {"field": "comment_value", "value": text}],
        "restriction": None,
    }


def _article(title: str, words: str, segment: int | None, *, draft: bool) -> dict[str, Any]:
    return {
        "title": title,
        "name": title,
        "body": f"<p>{words}</p>",
        "locale": "en-us",
        "source_locale": "en-us",
        "draft": draft,
        "promoted": False,
        "position": 0,
        "comments_disabled": False,
        "outdated": False,
        "label_names": [],
        "user_segment_id": segment,
        "user_segment_ids": [] if segment is None else [segment],
        "permission_group_id": 1,
    }


def _hand_over(store: Store) -> list[dict[str, Any]]:
    """Every kind of action, those among them that mean something in Zendesk only."""
    group = next(id for id, group in store.groups.items() if group["name"] == "Second line")
    html = "<p>Dear {{ticket.requester.first_name}}, <b>#{{ticket.id}}</b> is with our experts ({{dc.signature}}).</p>"
    return [
        {"field": "comment_value_html", "value": html},
        {"field": "comment_mode_is_public", "value": "true"},
        {"field": "group_id", "value": str(group)},
        {"field": "status", "value": "pending"},
        {"field": "current_tags", "value": "expert handed_over"},
        {"field": "assignee_id", "value": "current_user"},
    ]
