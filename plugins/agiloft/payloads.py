"""Bodies of Agiloft's webhooks -> hints. Pure.

No page shows a body: it holds the columns that the admin chose. So any JSON is taken in which the ticket's id stands
under a configured name, and it is only ever a reason to look. Source: wiki.agiloft.com, "Webhooks".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hub.connector import Hint, Ignored, WebhookRequest
from plugins.agiloft.mapping import words_of
from plugins.agiloft.settings import AgiloftSettings, TableComments

EVENT_KEYS = ("event_type", "eventType", "event")
TABLE_KEYS = ("table_name", "tableName", "table")
DEEPEST = 6
"""Levels of a body that are looked into."""
MOST = 100
"""Records that one body is believed to speak of."""
LONGEST_EVENT = 60


def parse(settings: AgiloftSettings, request: WebhookRequest) -> Sequence[Hint] | Ignored:
    """Which tickets a body speaks of. Raises ValueError for one without the id of any."""
    try:
        body = request.json()
    except ValueError as error:
        raise ValueError("the body is no JSON") from error
    if not isinstance(body, dict | list):
        raise ValueError("the body is neither a JSON object nor a list")
    comments = settings.comments if isinstance(settings.comments, TableComments) else None
    tables = [settings.table, *([comments.table] if comments else [])]
    table, event = _word(body, TABLE_KEYS), _word(body, EVENT_KEYS)
    if table and table not in tables:
        return Ignored(f"it is about the table {table[:LONGEST_EVENT]}, not about {' or '.join(tables)}")
    # Only a comment has a column for its ticket, and its own id means nothing to the hub.
    names = [comments.ticket, settings.columns.id] if comments else [settings.columns.id]
    found = list(dict.fromkeys(_ids(body, names)))[:MOST]
    if not found:
        raise ValueError(f"no id under {' or '.join(names)}: put that column into the webhook's fields (entry_fields)")
    return [
        Hint(
            ticket_id=ticket_id,
            event=f"{'comment ' if name != settings.columns.id else ''}{event[:LONGEST_EVENT] or 'webhook'}",
            is_deleted=event.casefold() == "delete" and name == settings.columns.id and table in ("", settings.table),
        )
        for ticket_id, name in found
    ]


def _ids(part: Any, names: Sequence[str], depth: int = 0) -> Iterator[tuple[str, str]]:
    """Ids with the name that they stood under, the outermost only: what a record holds is about something else."""
    if isinstance(part, list):
        for item in part:
            yield from _ids(item, names, depth + 1)
    elif isinstance(part, dict) and depth < DEEPEST:
        for name in names:
            ticket_id = "" if isinstance(part.get(name), bool) else words_of(part.get(name))
            if ticket_id.isdigit():
                yield ticket_id, name
                return
        for inner in part.values():
            yield from _ids(inner, names, depth + 1)


def _word(body: Any, keys: Sequence[str]) -> str:
    record = body[0] if isinstance(body, list) and body else body
    if not isinstance(record, dict):
        return ""
    return next((str(record[key]) for key in keys if isinstance(record.get(key), str)), "")
