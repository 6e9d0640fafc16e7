"""What changes tickets and changes, and what the account's workflows hear of it. Input is checked before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from plugins.freshservice.sandbox import seed
from plugins.freshservice.sandbox.shapes import stored_html
from plugins.freshservice.sandbox.state import Change, Conversation, File, Item, Store, Ticket, User

Tell = Callable[[Item, User, str], None]
"""Called with who did it and the name of the workflow event."""
REOPENED_BY_REPLIES = (3, 4)
"""Statuses that an account's default workflow sets to open when the requester writes."""
PLAIN = ("subject", "status", "priority", "impact", "group_id", "department_id", "category")
PLAIN_OF_TICKETS = (*PLAIN, "urgency", "responder_id", "source", "type")
PLAIN_OF_CHANGES = (*PLAIN, "agent_id", "change_type", "risk")


class Effects:
    """Every write. `setting` reads the sandbox's switches: the filter's index follows `search_lag` seconds later, and
    with `priority_matrix` urgency and impact make the priority."""

    def __init__(self, store: Store, tell: Tell, setting: Callable[[str], float]) -> None:
        self._store, self._tell, self._setting = store, tell, setting

    def create_ticket(self, actor: User, body: Mapping[str, Any], files: Sequence[File], kind: str) -> Ticket:
        store, now = self._store, self._store.now()
        ticket = Ticket(
            id=store.new_number(Ticket), subject=body["subject"], description=stored_html(body["description"]),
            requester=self._requester(body), workspace_id=body.get("workspace_id") or seed.PRIMARY, created=now,
            updated=now, status=2, type=kind, files=list(files),
        )  # fmt: skip
        ticket.department_id = ticket.requester.department_id
        store.tickets[ticket.id] = ticket
        self._write(ticket, body, PLAIN_OF_TICKETS)
        self._tell(ticket, actor, "ticket_raised")
        return ticket

    def create_change(self, actor: User, body: Mapping[str, Any], files: Sequence[File]) -> Change:
        store, now = self._store, self._store.now()
        change = Change(
            id=store.new_number(Change), subject=body["subject"], description=stored_html(body["description"]),
            requester=self._requester(body), workspace_id=body.get("workspace_id") or seed.PRIMARY, created=now,
            updated=now, status=1, files=list(files), planned_start=body["planned_start_date"],
            planned_end=body["planned_end_date"],
        )  # fmt: skip
        store.changes[change.id] = change
        self._write(change, body, PLAIN_OF_CHANGES)
        self._tell(change, actor, "change_raised")
        return change

    def update(self, actor: User, item: Item, body: Mapping[str, Any], files: Sequence[File] = ()) -> None:
        item.files += files
        self._write(item, body, PLAIN_OF_TICKETS if isinstance(item, Ticket) else PLAIN_OF_CHANGES)
        self._tell(item, actor, "ticket_updated" if isinstance(item, Ticket) else "change_updated")

    def converse(
        self, actor: User, item: Item, body: str, files: Sequence[File], *, private: bool, is_reply: bool
    ) -> Conversation:
        now, incoming = self._store.now(), not actor.is_agent
        source = 0 if is_reply else 2
        one = Conversation(
            self._store.new_id(), actor, stored_html(body), private, incoming, source, now, now, list(files)
        )
        item.conversations.append(one)
        if isinstance(item, Ticket) and incoming and item.status in REOPENED_BY_REPLIES:
            item.status = 2
        self._touch(item)
        self._tell(item, actor, "reply_sent" if is_reply else "note_added")
        return one

    def edit(self, ticket: Ticket, one: Conversation, body: str) -> None:
        one.body, one.updated = stored_html(body), self._store.now()
        self._touch(ticket)

    def drop(self, item: Item, one: Conversation) -> None:
        item.conversations.remove(one)
        self._touch(item)

    def put_away(self, ticket: Ticket, *, deleted: bool | None = None, spam: bool | None = None) -> None:
        """Deletes, restores, marks as spam or not. No workflow hears of it."""
        ticket.deleted = ticket.deleted if deleted is None else deleted
        ticket.spam = ticket.spam if spam is None else spam
        self._touch(ticket)

    def move(self, ticket: Ticket, workspace_id: int) -> None:
        """Into another workspace: group and agent stay behind."""
        ticket.workspace_id, ticket.group_id, ticket.responder_id = workspace_id, None, None
        self._touch(ticket)

    def _requester(self, body: Mapping[str, Any]) -> User:
        if body.get("requester_id"):
            return self._store.users[body["requester_id"]]
        email = str(body["email"])
        known = self._store.by_email(email)
        return known or self._store.add_requester(str(body.get("name") or email), "", email)

    def _write(self, item: Item, body: Mapping[str, Any], plain: Sequence[str]) -> None:
        for name in plain:
            if name in body:
                setattr(item, name, body[name])
        if "description" in body:
            item.description = stored_html(body["description"])
        item.custom_fields |= body.get("custom_fields") or {}
        if isinstance(item, Ticket):
            if "tags" in body:
                item.tags = list(dict.fromkeys(body["tags"] or ()))
            if self._setting("priority_matrix"):
                item.priority = seed.MATRIX[item.urgency, item.impact]
        self._touch(item)

    def _touch(self, item: Item) -> None:
        item.updated = self._store.now()
        if isinstance(item, Ticket):
            item.searchable_from = item.updated + timedelta(seconds=self._setting("search_lag"))
