"""What happens to a ticket, with its history and its events. It checks nothing: that was done before.

Source: recorded `history.*`, `webhook.*`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from plugins.otrs.sandbox import shapes
from plugins.otrs.sandbox.html import to_ascii
from plugins.otrs.sandbox.state import (
    CHANNELS,
    PRIORITIES,
    STATES,
    Agent,
    Article,
    Customer,
    DynamicField,
    File,
    Queue,
    Store,
    Ticket,
)

HISTORY_TYPES = {
    "NewTicket": 1, "SendAgentNotification": 9, "AddNote": 15, "Move": 16, "Lock": 17, "Unlock": 18,
    "CustomerUpdate": 21, "PriorityUpdate": 22, "OwnerUpdate": 23, "Misc": 25, "StateUpdate": 27,
    "TicketDynamicFieldUpdate": 28, "TicketLinkAdd": 30, "Merged": 33, "ResponsibleUpdate": 34, "TypeUpdate": 37,
    "ServiceUpdate": 38, "SLAUpdate": 39, "TitleUpdate": 50, "ArticleDynamicFieldUpdate": 52,
}  # fmt: skip
ROOT = 1
Tell = Callable[[str, Mapping[str, Any]], None]
"""Takes an event's name and its data; `UserID` is who did it and is not sent."""


class Writer:
    """Changes tickets in the name of an agent (or of root, for customers)."""

    def __init__(self, store: Store, tell: Tell) -> None:
        self._store, self._tell = store, tell

    def open(self, ticket: Ticket, by: int) -> None:
        """Takes a new ticket in, as root's; its owner is set afterwards, as the server does it."""
        self._store.tickets[ticket.id] = ticket
        start = f"%%{ticket.number}%%{ticket.queue.name}%%{PRIORITIES[ticket.priority]}%%{ticket.state.name}"
        self._note(ticket, "NewTicket", f"{start}%%{ticket.id}", by)
        self._note(ticket, "ServiceUpdate", "%%NULL%%%%NULL%%", by)
        self._note(ticket, "SLAUpdate", "%%NULL%%%%NULL%%", by)
        self._note(ticket, "TypeUpdate", f"%%{self._store.types[ticket.type]}%%{ticket.type}", by)
        customer = f"%%CustomerID={ticket.customer_id};CustomerUser={ticket.customer_user};"
        self._note(ticket, "CustomerUpdate", customer, by)

    def hand_over(self, ticket: Ticket, owner: int, responsible: int, by: int) -> None:
        """The new ticket's owner and responsible."""
        ticket.owner, ticket.responsible = owner, responsible
        self._note(ticket, "OwnerUpdate", f"%%{self._store.login_of(owner)}%%{owner}", by)
        self._note(ticket, "ResponsibleUpdate", f"%%{self._store.login_of(responsible)}%%{responsible}", by)

    def tell_opened(self, ticket: Ticket, article: Article, old: Mapping[str, Any], by: int) -> None:
        """The five posts of a create, in the order in which they were recorded."""
        base = {"TicketID": ticket.id, "UserID": by}
        self._tell("TicketOwnerUpdate", base)
        self._tell("TicketCustomerUpdate", {**base, "TicketCreated": 1})
        self._tell("TicketCreate", base)
        self._tell("TicketResponsibleUpdate", base)
        self._tell("ArticleCreate", {**base, "ArticleID": article.id, "OldTicketData": dict(old)})

    def title(self, ticket: Ticket, title: str, by: int) -> None:
        self._note(ticket, "TitleUpdate", f"%%{ticket.title[:50]}%%{title[:50]}", by)
        ticket.title = title
        self._changed(ticket, "TicketTitleUpdate", by)

    def queue(self, ticket: Ticket, queue: Queue, by: int) -> None:
        old, before = self._old(ticket), ticket.queue
        ticket.queue = queue
        self._note(ticket, "Move", f"%%{queue.name}%%{queue.id}%%{before.name}%%{before.id}", by)
        self._changed(ticket, "TicketQueueUpdate", by, OldTicketData=old)

    def state(self, ticket: Ticket, state_id: int, by: int) -> None:
        old, before = self._old(ticket), ticket.state
        ticket.state = next(s for s in STATES if s.id == state_id)
        if ticket.state.type == "closed":
            ticket.closed = self._store.now()
        self._note(ticket, "StateUpdate", f"%%{before.name}%%{ticket.state.name}%%", by)
        self._changed(ticket, "TicketStateUpdate", by, OldTicketData=old)

    def pending(self, ticket: Ticket, until: datetime, by: int) -> None:
        ticket.pending_until = until
        self._changed(ticket, "TicketPendingTimeUpdate", by)

    def priority(self, ticket: Ticket, priority: int, by: int) -> None:
        before = ticket.priority
        ticket.priority = priority
        name = f"%%{PRIORITIES[before]}%%{before}%%{PRIORITIES[priority]}%%{priority}"
        self._note(ticket, "PriorityUpdate", name, by)
        self._changed(ticket, "TicketPriorityUpdate", by)

    def type(self, ticket: Ticket, type_id: int, by: int) -> None:
        ticket.type = type_id
        self._note(ticket, "TypeUpdate", f"%%{self._store.types[type_id]}%%{type_id}", by)
        self._changed(ticket, "TicketTypeUpdate", by)

    def service(self, ticket: Ticket, service: str, sla: str, by: int) -> None:
        ticket.service, ticket.sla = service, sla
        self._note(ticket, "ServiceUpdate", f"%%{service}%%{self._store.services.get(service, 'NULL')}%%%%", by)
        self._changed(ticket, "TicketServiceUpdate", by)

    def customer(self, ticket: Ticket, user: str, company: str, by: int) -> None:
        ticket.customer_user, ticket.customer_id = user, company
        self._note(ticket, "CustomerUpdate", f"%%CustomerID={company};CustomerUser={user};", by)
        self._changed(ticket, "TicketCustomerUpdate", by)

    def owner(self, ticket: Ticket, owner: int, by: int) -> None:
        ticket.owner = owner
        self._note(ticket, "OwnerUpdate", f"%%{self._store.login_of(owner)}%%{owner}", by)
        self._changed(ticket, "TicketOwnerUpdate", by)

    def responsible(self, ticket: Ticket, responsible: int, by: int) -> None:
        ticket.responsible = responsible
        self._note(ticket, "ResponsibleUpdate", f"%%{self._store.login_of(responsible)}%%{responsible}", by)
        self._changed(ticket, "TicketResponsibleUpdate", by)

    def lock(self, ticket: Ticket, is_locked: bool, by: int) -> None:
        ticket.is_locked = is_locked
        self._note(ticket, "Lock" if is_locked else "Unlock", "%%lock" if is_locked else "%%unlock", by)
        self._note(ticket, "Misc", "Reset of unlock time.", by)
        self._changed(ticket, "TicketLockUpdate", by)

    def article(
        self,
        ticket: Ticket,
        given: Mapping[str, Any],
        files: Iterable[File],
        person: Agent | Customer,
        *,
        is_first: bool,
        is_visible: bool,
    ) -> Article:
        """A new article. The sender of a new ticket's first one is the customer, whoever typed it in."""
        by, now = person.id if isinstance(person, Agent) else ROOT, self._store.now()
        content_type = str(given.get("ContentType") or f"{given.get('MimeType')}; charset={given.get('Charset')}")
        body = str(given["Body"]).replace("\r\n", "\n")
        is_html = content_type.lower().startswith("text/html")
        article = Article(
            id=next(self._store.article_ids),
            number=len(ticket.articles) + 1,
            ticket_id=ticket.id,
            subject=" ".join(str(given["Subject"]).split("\n")).strip(),
            body=to_ascii(body) if is_html else body.strip(),
            html=body if is_html else "",
            content_type=content_type,
            sender=str(given.get("From") or self._sender(ticket, person, is_first)),
            sender_type=str(given.get("SenderType") or ("agent" if isinstance(person, Agent) else "customer")),
            to=str(given.get("To") or (ticket.queue.name if is_first else "")),
            cc=str(given.get("Cc") or ""),
            channel=CHANNELS[str(given.get("CommunicationChannel") or "Internal")],
            is_visible=is_visible,
            created=now,
            create_by=by,
            files=list(files),
            time_unit=float(given.get("TimeUnit") or 0),
        )
        if article.time_unit.is_integer():
            article.time_unit = int(article.time_unit)
        ticket.articles.append(article)
        if is_visible and article.sender_type == "agent" and ticket.first_response is None:
            ticket.first_response = now
        kind = str(given.get("HistoryType") or ("NewTicket" if is_first else "AddNote"))
        words = str(given.get("HistoryComment") or f"%%GenericInterface {'Create' if is_first else 'Note'}")
        self._note(ticket, kind, words, by, article.id)
        self._note(ticket, "Misc", "Reset of unlock time.", by)
        ticket.unlocked, ticket.changed, ticket.change_by = now, now, by
        return article

    def tell_article(self, ticket: Ticket, article: Article, old: Mapping[str, Any], by: int) -> None:
        """One post for an article that was added."""
        data = {"ArticleID": article.id, "OldTicketData": dict(old), "TicketID": str(ticket.id), "UserID": by}
        self._tell("ArticleCreate", data)

    def value(self, ticket: Ticket, article: Article | None, field: DynamicField, value: Any, by: int) -> None:
        """A dynamic field's value; empty texts and lists are no value."""
        held = _held(field, value)
        if field.of == "article":
            assert article is not None
            before = article.values.get(field.name)
            article.values[field.name] = held
            name = f"%%FieldName%%{field.name}%%Value%%{_readable(held)}%%OldValue%%{_readable(before)}"
            self._note(ticket, "ArticleDynamicFieldUpdate", name, by, article.id)
            return
        before = ticket.values.get(field.name)
        ticket.values[field.name] = held
        name = f"%%FieldName%%{field.name}%%Value%%{_readable(held)}%%OldValue%%{_readable(before)}"
        self._note(ticket, "TicketDynamicFieldUpdate", name, by)
        data = {"FieldName": field.name, "Value": held, "OldValue": before}
        self._changed(ticket, f"TicketDynamicFieldUpdate_{field.name}", by, **data)

    def merge(self, ticket: Ticket, main: Ticket, person: Agent) -> None:
        """Merges a ticket into another: only its last article stays with it."""
        moved, ticket.articles = ticket.articles, []
        for article in moved:
            article.ticket_id, article.number = main.id, len(main.articles) + 1
            main.articles.append(article)
        given = {
            "Subject": "Ticket Merged",
            "Body": f"Merged Ticket {ticket.number} to {main.number}.",
            "ContentType": "text/plain; charset=ascii",
            "HistoryComment": "%%Note",
        }
        article = self.article(ticket, given, (), person, is_first=False, is_visible=True)
        article.sender = ""
        self._note(ticket, "Merged", f"%%{ticket.number}%%{ticket.id}%%{main.number}%%{main.id}", person.id)
        self._note(ticket, "TicketLinkAdd", f"%%{main.number}%%{main.id}%%{ticket.id}", person.id)
        self.state(ticket, 9, person.id)
        self._changed(ticket, "TicketMerge", person.id, MainTicketID=str(main.id))

    def delete(self, ticket: Ticket, by: int) -> None:
        """Removes a ticket for good."""
        del self._store.tickets[ticket.id]
        self._tell("TicketDelete", {"TicketID": str(ticket.id), "UserID": by})

    def _changed(self, ticket: Ticket, event: str, by: int, **data: Any) -> None:
        ticket.changed, ticket.change_by = self._store.now(), by
        self._tell(event, {**data, "TicketID": str(ticket.id), "UserID": by})

    def _old(self, ticket: Ticket) -> dict[str, Any]:
        return shapes.old_data(self._store, ticket)

    def _note(self, ticket: Ticket, kind: str, name: str, by: int, article_id: int = 0) -> None:
        ticket.history.append(
            {
                "ArticleID": article_id,
                "CreateBy": by,
                "CreateTime": self._store.shown(self._store.now()),
                "HistoryType": kind,
                "HistoryTypeID": HISTORY_TYPES.get(kind, 25),
                "Name": name,
                "OwnerID": ticket.owner,
                "PriorityID": ticket.priority,
                "QueueID": ticket.queue.id,
                "StateID": ticket.state.id,
                "TicketID": str(ticket.id),
                "TypeID": ticket.type,
            }
        )

    def _sender(self, ticket: Ticket, person: Agent | Customer, is_first: bool) -> str:
        if isinstance(person, Customer):
            return f'"{person.name}" <{person.email}>'
        customer = self._store.customers.get(ticket.customer_user)
        if is_first:
            return f'"{customer.name}" <{customer.email}>' if customer else ticket.customer_user
        return person.name


def _held(field: DynamicField, value: Any) -> Any:
    if value in ("", []):
        return None
    if field.type == "Multiselect":
        return list(value) if isinstance(value, list) else [value]
    return int(value) if field.type == "Checkbox" else str(value)


def _readable(value: Any) -> str:
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
