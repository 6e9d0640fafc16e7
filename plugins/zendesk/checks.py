"""What `hub check` says of a Zendesk account, in an admin's words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from hub.connector import Finding
from hub.parts import findings as parts
from plugins.zendesk.client import ZendeskClient
from plugins.zendesk.groups import Groups
from plugins.zendesk.settings import ZendeskSettings


def findings(
    settings: ZendeskSettings, tracker: str, client: ZendeskClient, groups: Groups, *, is_admin: bool
) -> list[Finding]:
    """Everything that can be wrong beyond the credentials themselves."""
    found = [_role(is_admin=is_admin), *_fields(settings, client)]
    found += parts.lines(settings.lines, groups.names)
    if settings.credentials.api_token is not None:
        found.append(
            Finding(
                "warning",
                "it signs in with an API token; Zendesk ends these on 30 April 2027",
                f"Make an OAuth client and put it under trackers.{tracker}.credentials.",
            )
        )
    return found


def _role(*, is_admin: bool) -> Finding:
    if is_admin:
        return Finding("ok", "the account is an admin: polling works")
    return Finding(
        "warning",
        "the account is no admin: lost webhooks cannot be found, because Zendesk lets only admins poll",
        "Make the hub's account an admin, or live with webhooks alone (poll: {every: 0}).",
    )


def _fields(settings: ZendeskSettings, client: ZendeskClient) -> Iterator[Finding]:
    if not settings.fields:
        return
    known = {str(f["id"]): f["title"] for f in client.get("/ticket_fields")["ticket_fields"]}
    bad = 0
    for name, field in settings.fields.items():
        if field.id not in known:
            bad += 1
            close = difflib.get_close_matches(name, known.values(), 1, 0.3)
            meant = next((f"{i} ({t})" for i, t in known.items() if close and t == close[0]), "")
            hint = f"Did you mean {meant}?" if meant else "Its number stands in Admin Center > Fields."
            yield Finding("error", f"there is no ticket field {field.id} (fields.{name})", hint)
    if not bad:
        yield Finding("ok", f"all {len(settings.fields)} custom fields exist")
