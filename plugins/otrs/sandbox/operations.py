"""The operations of the Generic Interface: session, create, update, get, search, history.

Sources: recorded exchanges with OTOBO; OTRS admin manual, "GenericInterface: Operations".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plugins.otrs.sandbox import shapes
from plugins.otrs.sandbox.checking import Checker, chosen, is_visible
from plugins.otrs.sandbox.errors import Fault, GiError
from plugins.otrs.sandbox.people import People
from plugins.otrs.sandbox.search import search
from plugins.otrs.sandbox.shapes import Json
from plugins.otrs.sandbox.state import PRIORITIES, STATES, Agent, Article, Customer, Store, Ticket
from plugins.otrs.sandbox.writing import ROOT, Writer

NO_TICKET = "User does not have access to the ticket!"
STATE_IDS = {s.name: s.id for s in STATES}
PRIORITY_IDS = {name: number for number, name in PRIORITIES.items()}


class Operations:
    """All operations by the type that a web service names; each takes the request's data and gives the answer's."""

    def __init__(self, store: Store, people: People, writer: Writer, acting: Callable[[str], None]) -> None:
        self._store, self._people, self._writer, self._acting = store, people, writer, acting
        self.by_type: Mapping[str, Callable[[Json, bool], Json]] = {
            "Session::SessionCreate": lambda data, _: {"SessionID": people.open(data)},
            "Session::SessionGet": lambda data, _: {"SessionData": people.session_data(data.get("SessionID"))},
            "Ticket::TicketCreate": lambda data, _: self.create(data),
            "Ticket::TicketUpdate": lambda data, _: self.update(data),
            "Ticket::TicketGet": lambda data, _: self.get(data),
            "Ticket::TicketSearch": self.search,
            "Ticket::TicketHistoryGet": lambda data, _: self.history(data),
        }

    def create(self, data: Json) -> Json:
        """Checked as a whole, then written."""
        name, store = "TicketCreate", self._store
        person, checker = self._signed_in(name, data), Checker(store, name)
        given, article = data.get("Ticket"), data.get("Article")
        if not isinstance(given, dict) or not given:
            raise GiError(name, "MissingParameter", "Ticket parameter is missing or not valid!")
        if not isinstance(article, dict) or not article:
            raise GiError(name, "MissingParameter", "Article parameter is missing or not valid!")
        checker.new_ticket(given)
        queue = next(
            q
            for q in store.queues.values()
            if q.id == chosen(given, "Queue", {q.name: q.id for q in store.queues.values()})
        )
        if isinstance(person, Agent) and not person.may("create", queue.name):
            raise GiError(name, "AccessDenied", "Can not create tickets in given Queue or QueueID!")
        checker.article(article)
        values = checker.dynamic_fields(data.get("DynamicField") or [], has_article=True)
        files = checker.attachments(data["Attachment"], has_article=True) if data.get("Attachment") else []
        if not given.get("QueueID") and given["Queue"] not in store.queues:
            raise Fault("Ticket could not be created, please contact the system administrator")
        by = person.id if isinstance(person, Agent) else ROOT
        ticket = self._new(given, queue, by)
        old = shapes.old_data(store, ticket, has_values=True)
        self._writer.open(ticket, by)
        made = self._article(ticket, article, files, person, is_first=True)
        agents = {a.login: a.id for a in store.agents.values()}
        owner = chosen(given, "Owner", agents) or by
        self._writer.hand_over(ticket, owner, chosen(given, "Responsible", agents) or by, by)
        self._writer.tell_opened(ticket, made, old, by)
        for field, value in values:
            self._write_value(ticket, made, field, value, by)
        return {"TicketID": str(ticket.id), "TicketNumber": ticket.number, "ArticleID": _article_id(made)}

    def update(self, data: Json) -> Json:
        """Fields, one article, files and dynamic fields in one call. A number in the body beats the id of the path."""
        name = "TicketUpdate"
        person = self._signed_in(name, data)
        ticket_id: Any = data.get("TicketID")
        if data.get("TicketNumber"):
            by_number = self._store.by_number(data["TicketNumber"])
            ticket_id = by_number.id if by_number else 0
        ticket = self._accessible(name, ticket_id, person)
        given, article = data.get("Ticket"), data.get("Article")
        for key, part in (("Ticket", given), ("Article", article)):
            if part is not None and (not isinstance(part, dict) or not part):
                raise GiError(name, "InvalidParameter", f"{key} parameter is not valid!")
        checker = Checker(self._store, name)
        if given:
            checker.values(given)
            self._check_pending(name, ticket, given)
        if article:
            checker.article(article)
        has_article = bool(article)
        values = checker.dynamic_fields(data.get("DynamicField") or [], has_article=has_article)
        files = checker.attachments(data["Attachment"], has_article=has_article) if data.get("Attachment") else []
        self._check_rights(name, ticket, person, given or {}, has_article, bool(values))
        by = person.id if isinstance(person, Agent) else ROOT
        self._write_fields(ticket, given or {}, person, by)
        answer: Json = {"TicketID": ticket_id, "TicketNumber": ticket.number}
        made = None
        if article:
            old = shapes.old_data(self._store, ticket, has_values=True)
            made = self._article(ticket, article, files, person, is_first=False)
            answer["ArticleID"] = _article_id(made)
            self._writer.tell_article(ticket, made, old, by)
        for field, value in values:
            self._write_value(ticket, made, field, value, by)
        return answer

    def get(self, data: Json) -> Json:
        """One or more tickets; one that may not be read fails them all."""
        person = self._signed_in("TicketGet", data)
        tickets = [self._accessible("TicketGet", i, person) for i in self._ids("TicketGet", data)]
        return {"Ticket": [shapes.with_more(self._store, t, data, person) for t in tickets]}

    def search(self, data: Json, has_body: bool) -> Json:
        """Ids, or nothing at all where nothing fits."""
        person = self._signed_in("TicketSearch", data)
        tickets = [t for t in self._store.tickets.values() if self._people.sees(person, t)]
        wanted = {k: v for k, v in data.items() if k != "CustomerUserLogin" or isinstance(person, Agent)}
        found = search(self._store, tickets, wanted, has_body=has_body)
        return {"TicketID": [str(t.id) for t in found]} if found else {}

    def history(self, data: Json) -> Json:
        """What happened to tickets; agents only."""
        name = "TicketHistoryGet"
        person = self._signed_in(name, data)
        if not isinstance(person, Agent):
            raise GiError(name, "AuthFail", "User needs to an Agent!")
        tickets = [self._accessible(name, i, person) for i in self._ids(name, data)]
        return {"TicketHistory": [{"TicketID": str(t.id), "History": t.history} for t in tickets]}

    def _signed_in(self, operation: str, data: Json) -> Agent | Customer:
        person = self._people.signed_in(operation, data)
        self._acting(person.login)
        return person

    def _ids(self, operation: str, data: Json) -> list[Any]:
        given = data.get("TicketID")
        if not given:
            raise GiError(operation, "MissingParameter", "TicketID parameter is missing!")
        if isinstance(given, list):
            return given
        return str(given).split(",")

    def _accessible(self, operation: str, ticket_id: Any, person: Agent | Customer) -> Ticket:
        """What is not there and what may not be seen look the same."""
        ticket = self._store.find_ticket(ticket_id)
        if ticket is None or not self._people.sees(person, ticket):
            raise GiError(operation, "AccessDenied", NO_TICKET)
        return ticket

    def _check_pending(self, name: str, ticket: Ticket, given: Json) -> None:
        state_id = chosen(given, "State", STATE_IDS)
        state = next((s for s in STATES if s.id == state_id), None)
        if state and state != ticket.state and state.type.startswith("pending") and not given.get("PendingTime"):
            raise GiError(name, "MissingParameter", "Ticket->PendingTime parameter is missing!")

    def _check_rights(
        self, name: str, ticket: Ticket, person: Agent | Customer, given: Json, has_article: bool, has_values: bool
    ) -> None:
        if not isinstance(person, Agent):
            return
        queue = ticket.queue.name
        if has_article and not person.may("note", queue):
            raise GiError(name, "AccessDenied", "Does not have permissions to create new articles!")
        if has_values and not person.may("rw", queue):
            raise GiError(name, "AccessDenied", "Does not have permissions to update dynamic fields!")
        for keys, right, words in (
            (("State", "StateID"), "rw", "state"),
            (("Owner", "OwnerID"), "owner", "owner"),
            (("Priority", "PriorityID"), "priority", "priority"),
        ):
            if any(given.get(key) for key in keys) and not person.may(right, queue):
                raise GiError(name, "AccessDenied", f"Does not have permissions to update {words}!")

    def _new(self, given: Json, queue: Any, by: int) -> Ticket:
        store, now, ticket_id = self._store, self._store.now(), next(self._store.ticket_ids)
        user = str(given["CustomerUser"])
        customer = store.customers.get(user)
        state_id = chosen(given, "State", STATE_IDS)
        pending = given.get("PendingTime")
        return Ticket(
            id=ticket_id,
            number=store.next_number(ticket_id),
            title=str(given["Title"]).strip()[:255],
            queue=queue,
            state=next(s for s in STATES if s.id == state_id),
            priority=chosen(given, "Priority", PRIORITY_IDS) or 3,
            type=chosen(given, "Type", {name: number for number, name in store.types.items()}) or 1,
            owner=ROOT,
            responsible=ROOT,
            customer_user=user,
            customer_id=str(given.get("CustomerID") or (customer.company if customer else user)),
            created=now,
            changed=now,
            create_by=by,
            change_by=by,
            is_locked=given.get("Lock") == "lock",
            service=str(given.get("Service") or ""),
            sla=str(given.get("SLA") or ""),
            pending_until=Checker(store, "TicketCreate").pending(pending) if pending else None,
        )

    def _write_fields(self, ticket: Ticket, given: Json, person: Agent | Customer, by: int) -> None:
        store, writer = self._store, self._writer
        agents = {a.login: a.id for a in store.agents.values()}
        title = given.get("Title")
        if title not in (None, "") and str(title) != ticket.title:
            writer.title(ticket, str(title).strip()[:255], by)
        queue_id = chosen(given, "Queue", {q.name: q.id for q in store.queues.values()})
        if queue_id not in (None, ticket.queue.id):
            queue = next(q for q in store.queues.values() if q.id == queue_id)
            is_other_case = not given.get("QueueID") and given["Queue"] != queue.name
            if is_other_case or (isinstance(person, Agent) and not person.may("move_into", queue.name)):
                raise Fault("Ticket queue could not be updated, please contact system administrator!")
            writer.queue(ticket, queue, by)
        type_id = chosen(given, "Type", {name: number for number, name in store.types.items()})
        if type_id not in (None, ticket.type):
            writer.type(ticket, int(type_id or 0), by)
        if given.get("Service") or given.get("SLA"):
            service = str(given.get("Service") or ticket.service)
            writer.service(ticket, service, str(given.get("SLA") or ticket.sla), by)
        if given.get("CustomerUser") or given.get("CustomerID"):
            user = str(given.get("CustomerUser") or ticket.customer_user)
            customer = store.customers.get(user)
            company = given.get("CustomerID") or (customer.company if customer else user)
            writer.customer(ticket, user, str(company), by)
        if given.get("PendingTime"):
            writer.pending(ticket, Checker(store, "TicketUpdate").pending(given["PendingTime"]), by)
        state_id = chosen(given, "State", STATE_IDS)
        if state_id not in (None, ticket.state.id):
            writer.state(ticket, int(state_id or 0), by)
        priority = chosen(given, "Priority", PRIORITY_IDS)
        if priority not in (None, ticket.priority):
            writer.priority(ticket, int(priority or 0), by)
        if given.get("Lock"):
            writer.lock(ticket, given["Lock"] == "lock", by)
        owner = chosen(given, "Owner", agents)
        if owner not in (None, ticket.owner):
            writer.owner(ticket, int(owner or 0), by)
        responsible = chosen(given, "Responsible", agents)
        if responsible not in (None, ticket.responsible):
            writer.responsible(ticket, int(responsible or 0), by)

    def _article(
        self, ticket: Ticket, given: Json, files: list[Any], person: Agent | Customer, *, is_first: bool
    ) -> Article:
        if isinstance(given["Body"], (list, dict)):
            raise Fault("Article could not be created, please contact the system administrator")
        return self._writer.article(ticket, given, files, person, is_first=is_first, is_visible=is_visible(given))

    def _write_value(self, ticket: Ticket, article: Article | None, field: Any, value: Any, by: int) -> None:
        if isinstance(value, (list, dict)) and field.type != "Multiselect":
            raise Fault(f"Dynamic Field {field.name} could not be set, please contact the system administrator")
        self._writer.value(ticket, article, field, value, by)


def _article_id(article: Article) -> int | str:
    """A number, but a text for what a customer is said to have sent. Source: recorded `create.article_SenderType=…`."""
    return str(article.id) if article.sender_type == "customer" else article.id
