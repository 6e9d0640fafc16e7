"""What changes a ticket, and what the account's automation rules hear of it. Input is checked before it comes here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from plugins.freshdesk.sandbox.shapes import stored_html
from plugins.freshdesk.sandbox.state import CUSTOM, Conversation, File, Rating, Store, Ticket, User

Tell = Callable[[Ticket, User, str], None]
"""Called with who did it and Freshdesk's pseudo-JSON of what happened."""
REOPENED_BY_REPLIES = (3, 4, 6)
"""Statuses that an account's default rule sets to open when the requester writes."""
PLAIN = ("subject", "status", "priority", "type", "responder_id", "group_id", "source")
NAMED_IN_EVENTS = ("status", "priority", "responder_id", "group_id")


class Changes:
    """Every write; the search's index follows `search_lag` seconds later."""

    def __init__(self, store: Store, tell: Tell, search_lag: Callable[[], float]) -> None:
        self._store, self._tell, self._search_lag = store, tell, search_lag

    def create(self, actor: User, body: Mapping[str, Any], files: Sequence[File]) -> Ticket:
        store, now = self._store, self._store.now()
        ticket = Ticket(
            id=store.new_number(),
            subject=body["subject"],
            description=stored_html(body["description"]),
            requester=self._requester(body),
            created=now,
            updated=now,
            files=list(files),
        )
        self._write(ticket, {k: v for k, v in body.items() if k not in ("subject", "description")})
        store.tickets[ticket.id] = ticket
        self._touch(ticket)
        self._tell(ticket, actor, "{ticket_action:created}")
        return ticket

    def update(self, actor: User, ticket: Ticket, body: Mapping[str, Any], files: Sequence[File] = ()) -> None:
        before = {name: getattr(ticket, name) for name in NAMED_IN_EVENTS}
        self._write(ticket, body)
        ticket.files += files
        self._touch(ticket)
        told = [
            f"{name}:{{from:{before[name]},to:{getattr(ticket, name)}}}"
            for name in NAMED_IN_EVENTS
            if getattr(ticket, name) != before[name]
        ]
        self._tell(ticket, actor, f"{{{','.join(told) or 'ticket_action:update'}}}")

    def converse(
        self, actor: User, ticket: Ticket, body: str, files: Sequence[File], *, private: bool, is_reply: bool
    ) -> Conversation:
        store, now = self._store, self._store.now()
        incoming = not actor.is_agent
        one = Conversation(
            store.new_id(), actor, stored_html(body), private, incoming, 0 if is_reply else 2, now, now, list(files)
        )
        ticket.conversations.append(one)
        if incoming and ticket.status in REOPENED_BY_REPLIES:
            ticket.status = 2
        self._touch(ticket)
        event = "reply_sent:sent" if is_reply else f"note_type:{'private' if private else 'public'}"
        self._tell(ticket, actor, f"{{{event}}}")
        return one

    def rate(self, actor: User, ticket: Ticket, answer: int, feedback: str) -> Rating:
        rating = Rating(self._store.new_id(), actor, answer, feedback, self._store.now())
        ticket.ratings.append(rating)
        self._touch(ticket)
        self._tell(ticket, actor, "{customer_feedback:received}")
        return rating

    def edit(self, actor: User, ticket: Ticket, one: Conversation, body: str) -> None:
        now = self._store.now()
        one.body, one.updated, one.edited, one.edited_by = stored_html(body), now, now, actor
        self._touch(ticket)

    def drop(self, ticket: Ticket, one: Conversation) -> None:
        ticket.conversations.remove(one)
        self._touch(ticket)

    def put_away(self, ticket: Ticket, *, deleted: bool | None = None, spam: bool | None = None) -> None:
        """Deletes, restores, marks as spam or not. No rule hears of it."""
        ticket.deleted = ticket.deleted if deleted is None else deleted
        ticket.spam = ticket.spam if spam is None else spam
        self._touch(ticket)

    def _requester(self, body: Mapping[str, Any]) -> User:
        if body.get("requester_id"):
            return self._store.users[body["requester_id"]]
        email = str(body["email"])
        return self._store.by_email(email) or self._store.add_contact(str(body.get("name") or email), email)

    def _write(self, ticket: Ticket, body: Mapping[str, Any]) -> None:
        for name in PLAIN:
            if name in body:
                setattr(ticket, name, body[name])
        if "description" in body:
            ticket.description = stored_html(body["description"])
        if "tags" in body:
            ticket.tags = list(dict.fromkeys(body["tags"] or ()))
        ticket.custom_fields |= {k: v for k, v in (body.get("custom_fields") or {}).items() if k in CUSTOM}

    def _touch(self, ticket: Ticket) -> None:
        ticket.updated = self._store.now()
        ticket.searchable_from = ticket.updated + timedelta(seconds=self._search_lag())
