"""What `hub check` finds out about an OTRS beyond the sign-in, in an admin's words.

The interface lists neither queues nor states. So a ticket is offered for opening whose article has no subject: the
server looks at the ticket first, says what is wrong with it, and opens nothing. Source: recorded `create.missing_*`,
`create.article_missing_Subject`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hub.connector import AuthError, Connector, ConnectorError, Finding, RefusedError, TemporaryError
from hub.parts.findings import meant
from plugins.otrs import mapping
from plugins.otrs.client import OtrsClient
from plugins.otrs.settings import OtrsSettings


def check(connector: Connector, settings: OtrsSettings, client: OtrsClient) -> list[Finding]:
    """Queue and permission to open there, the mapped words, the dynamic fields. Opens and changes nothing."""
    connector.identify()
    findings = [*_check_opening(connector, settings, client), *_check_fields(connector.name, settings, client)]
    return findings or [Finding("ok", "queue, states, priorities and dynamic fields are there")]


def _check_opening(connector: Connector, settings: OtrsSettings, client: OtrsClient) -> Iterator[Finding]:
    where = f"trackers.{connector.name}"
    usual: dict[str, Any] = {
        "Title": "check",
        "Queue": settings.queue,
        "CustomerUser": settings.customer,
        "State": connector.statuses.written.get(_first(connector.statuses.written), ""),
        "Priority": connector.priorities.written.get(_first(connector.priorities.written), ""),
        **({"Type": settings.ticket_type} if settings.ticket_type else {}),
    }
    refusal = _refusal(client, usual)
    if refusal is not None and (found := _about_opening(refusal, settings, where)) is not None:
        yield found
        return
    for line, queues in settings.lines.items():
        for queue in queues[:1]:
            if (refused := _refusal(client, {**usual, "Queue": queue})) is not None:
                what = f"the hub's agent cannot hand tickets to the queue {queue!r} of line {line}: {refused.why}"
                remedy = f"Correct {where}.lines.{line}, or give the agent move_into on the queue's group."
                yield Finding("error", what, remedy)
    for name, key, table in (
        ("statuses", "State", connector.statuses),
        ("priorities", "Priority", connector.priorities),
        ("categories", "Type", connector.categories),
    ):
        for word in dict.fromkeys(table.written.values()):
            if isinstance(_refusal(client, {**usual, key: word}), RefusedError):
                named = name in settings.model_fields_set
                remedy = f"Correct {where}.{name}." if named else f"Map it under {where}.{name}, or leave it unused."
                yield Finding("error" if named else "warning", f"there is no {key.lower()} {word!r}", remedy)


def _about_opening(refusal: ConnectorError, settings: OtrsSettings, where: str) -> Finding | None:
    """What keeps every ticket from being opened; None where only a mapped word is wrong."""
    why = refusal.why
    if isinstance(refusal, AuthError):
        return Finding(
            "error",
            f"the hub's agent may not open tickets in the queue {settings.queue!r}",
            "Give it create and move_into, or rw, on the queue's group.",
        )
    if "Queue" in why:
        remedy = f"Correct {where}.queue: the whole path with `::`, upper and lower case as in OTRS."
        return Finding("error", f"there is no queue {settings.queue!r}", remedy)
    if "CustomerUser" in why:
        remedy = f"Correct {where}.customer: the login of a customer user, or a mail address."
        return Finding("error", f"there is no customer user {settings.customer!r}", remedy)
    if "Type" in why and settings.ticket_type:
        return Finding("error", f"there is no ticket type {settings.ticket_type!r}", f"Correct {where}.ticket_type.")
    if "Type" in why:
        return Finding("error", "tickets must have a type here", f"Name one under {where}.ticket_type.")
    if isinstance(refusal, RefusedError):
        return None
    return Finding("error", f"a ticket cannot be opened: {why}", refusal.remedy or f"Check {where}.queue.")


def _refusal(client: OtrsClient, ticket: dict[str, Any]) -> ConnectorError | None:
    """Why such a ticket would not be opened; None when nothing is wrong but the missing subject."""
    article = {"Body": "check", "ContentType": "text/plain; charset=utf-8"}
    try:
        client.ask("/open", Ticket=ticket, Article=article)
    except TemporaryError:
        raise
    except ConnectorError as refusal:
        return None if "Article->Subject" in refusal.why else refusal
    return None


def _check_fields(name: str, settings: OtrsSettings, client: OtrsClient) -> Iterator[Finding]:
    """The names of all dynamic fields stand in any ticket that is read."""
    found = client.ask("/find", Limit=1).get("TicketID")
    if not found:
        why = "the hub's agent sees no ticket, so the dynamic fields cannot be checked"
        yield Finding("warning", why, "Open a ticket, or give the agent ro on the queues' groups; then check again.")
        return
    raw = client.ask("/read", TicketID=found, AllArticles=1, DynamicFields=1)["Ticket"][0]
    of_tickets = mapping.dynamic_fields(raw)
    articles = mapping.articles_of(raw)
    of_articles = mapping.dynamic_fields(articles[0]) if articles else {settings.comment_marker_field: None}
    wanted = {
        "marker_field": settings.marker_field,
        "labels_field": settings.labels_field,
        "link_field": settings.link_field,
        **{f"fields.{neutral}": field.id for neutral, field in settings.fields.items()},
    }
    for setting, field in wanted.items():
        if field and field not in of_tickets:
            yield _missing(f"trackers.{name}.{setting}", field, of_tickets, "tickets")
    if settings.comment_marker_field not in of_articles:
        yield _missing(f"trackers.{name}.comment_marker_field", settings.comment_marker_field, of_articles, "articles")


def _missing(setting: str, field: str, known: Iterable[str], of: str) -> Finding:
    remedy = meant(field, known, 0.6) or "Make it under Admin > Dynamic Fields."
    return Finding("error", f"there is no dynamic field {field!r} of {of} ({setting})", remedy)


def _first(written: Iterable[Any]) -> Any:
    return next(iter(written), None)
