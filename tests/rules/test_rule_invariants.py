"""The promises of the design for a hub with a rule book, over the real core with model trackers.

People edit, reply, ask for macros and escalate at random; time passes over deadlines; webhooks get lost, doubled and
reordered; the hub is killed, or gets no answer, before or after any outside call, and begins anew with other rules.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from hub.connector import RateLimitedError, TemporaryError
from hub.journal import cases, deliveries, events, failures, links
from hub.settings.model import Settings
from hub.sync.keys import link_key
from hub.sync.linking import LinkingError, join, leave
from hub.testing.model import HUB_ACCOUNT, Killed
from hub.testing.world import World
from hub.ticket import Person, TicketRef, Visibility
from tests.rules.worlds import Webhooks, waiting_failures

HELPDESKS = ("support", "partner")
STATUSES = ["open", "pending", "hold", "solved"]
PRIORITIES = ["low", "normal", "high", "urgent"]
LABELS = ["vip", "outage", "bug", "macro:hello", "macro:inside", "macro:none", "issue:new", "escalate"]
AGENT = Person("a1", "Agent", is_staff=True)
CUSTOMER = Person("c1", "Customer", "customer@example.com", is_staff=False)
MINUTE = 60.0
LINK_MARK_COLONS = 3
"""Of `hub:<installation>:<tracker>:<ticket>`; the marks of texts have more."""
FOREVER = 120
"""Timed wakes until all clocks must have come to their end."""

NOTICE = "{{ ticket.tracker }} {{ ticket.key }} {{ reason }}"
LINES: dict[int, dict[str, Any]] = {
    1: {"name": "First", "people": ["ada", "bob"], "assign": True},
    2: {"name": "Experts", "takes": {"label": "vip"}},
    3: {"name": "Engineers", "issues": "support-dev"},
}
RULES: dict[str, dict[str, Any]] = {
    str(made["name"]): made
    for made in [
        {"name": "vip", "when": {"label": "vip"}, "then": {"set": {"priority": "urgent"}, "note": "said-vip"}},
        {"name": "waiting", "when": {"status": "pending"}, "then": {"note": "said-waiting"}},
        {"name": "answered", "when": {"replied": "customer"}, "then": {"note": "said-answered"}},
        {
            "name": "outage",
            "when": {"label": "outage"},
            "then": {"line": 2, "add_labels": ["Seen It"], "note": "said-outage"},
        },
        {"name": "seen", "when": {"label": "seen_it"}, "then": {"note": "said-seen"}},
        {"name": "bug", "when": {"label": "bug"}, "then": {"line": 3, "note": "said-bug"}},
        {"name": "fixed", "when": {"changed": {"issue_status": {"to": "solved"}}}, "then": {"reply": "said-fixed"}},
        {"name": "quiet", "when": {"idle": "5h", "status": "open"}, "then": {"note": "said-quiet"}},
        {"name": "low", "when": {"priority": "low"}, "then": {"set": {"category": "incident"}, "macro": "inside"}},
    ]
}
AGREEMENTS: dict[str, dict[str, Any]] = {
    "gold": {
        "kind": "SLA",
        "targets": {"resolution": {"urgent": "2h", "any": "6h"}, "next_response": "1h"},
        "warnings": {50: {"note": "said-half {{ reason }}"}},
        "on_breach": {"raise_priority": 1, "notify": {"to": "oncall", "text": NOTICE}},
        "show": [{"target": "resolution", "due": "due", "state": "sla"}],
    },
    "experts": {
        "kind": "OLA", "lines": 2, "targets": {"resolution": "3h"},
        "on_breach": {"line": 3, "reason": "said-stuck"},
    },
}  # fmt: skip
MACROS = {
    "hello": {"visibility": "public", "text": "said-hello", "then": {"set": {"status": "pending"}}},
    "inside": {"visibility": "private", "text": "said-inside"},
}
COMMON: dict[str, Any] = {
    "lines": LINES,
    "people": {"ada": {"support": "10", "partner": "10"}, "bob": {"support": "11", "partner": "11"}},
    "macros": MACROS,
    "notifiers": {"oncall": {"url": "json://nowhere"}},
    "similar": {"mode": "off"},
}
BOOKS: list[dict[str, Any]] = [
    {**COMMON, "rules": list(RULES.values()), "agreements": AGREEMENTS},
    {
        **COMMON,
        "rules": [RULES[name] for name in ("bug", "waiting", "answered", "fixed", "quiet")],
        "agreements": {"gold": {**AGREEMENTS["gold"], "targets": {"resolution": "3h"}}},
    },
]
PRIVATE_WORDS = ["vip", "waiting", "answered", "outage", "seen", "bug", "quiet", "inside", "half", "stuck"]
names = st.sampled_from([*HELPDESKS, "dev"])
desks = st.sampled_from(HELPDESKS)
deeds = st.sampled_from(
    [
        "label",
        "label",
        "label",
        "unlabel",
        "status",
        "status",
        "priority",
        "title",
        "reply",
        "answer",
        "command",
        "new",
    ]
)
LOCKS = {"open": (), "no labels": ("labels",), "no line": ("line", "priority"), "no status": ("status",)}


class RuleMachine(RuleBasedStateMachine):
    """People, trackers, time and a hub; `teardown` is when people stop."""

    @initialize(private=st.sampled_from(["none", "both"]), label=st.sampled_from(LABELS))
    def begin(self, private: str, label: str) -> None:
        self.policy = {
            "comments": {"private": private},
            "fields": {"title": {"direction": "both", "initial": "tickets"}},
        }
        self.world = World(helpdesks=HELPDESKS, policy=self.policy, rules=BOOKS[0])
        self.books: list[Settings] = [
            World(helpdesks=HELPDESKS, policy=self.policy, rules=book).settings for book in BOOKS
        ]
        self.book = 0
        self.webhooks = {name: Webhooks(self.world, name) for name in self.world.trackers}
        self.world.poll_all()
        self.number = 0
        self.open_ticket("support", label)

    def word(self) -> str:
        self.number += 1
        return f"word{self.number}x"

    def some_ticket(self, tracker: str, index: int) -> str | None:
        tickets = self.world.trackers[tracker].tickets
        ids = sorted((id for id, ticket in tickets.items() if not ticket.is_deleted), key=int)
        return ids[index % len(ids)] if ids else None

    # what people do

    @rule(
        tracker=desks, index=st.integers(0, 1), deed=deeds, label=st.sampled_from(LABELS), pick=st.integers(0, 3),
        seen=st.booleans(),
    )  # fmt: skip
    def do(self, tracker: str, index: int, deed: str, label: str, pick: int, seen: bool) -> None:
        """Somebody works on a ticket; the hub may have come to know it before the next thing happens, or not."""
        desk, ticket_id = self.world.trackers[tracker], self.some_ticket(tracker, index)
        if deed == "new" or ticket_id is None:
            self.open_ticket(tracker, label)
        elif deed == "label":
            desk.edit(ticket_id, labels=desk.tickets[ticket_id].labels | {label})
        elif deed == "unlabel":
            desk.edit(ticket_id, labels=frozenset(list(desk.tickets[ticket_id].labels)[pick:]))
        elif deed in ("reply", "answer"):
            desk.say(ticket_id, self.word(), author=AGENT if deed == "answer" else CUSTOMER)
        elif deed == "command":
            desk.say(ticket_id, "/macro inside", Visibility.PRIVATE, author=AGENT if pick else CUSTOMER)
        else:
            self.edit(tracker, ticket_id, deed, pick)
        if seen:
            self.work(0)

    def open_ticket(self, tracker: str, label: str) -> None:
        if len(self.world.trackers[tracker].tickets) < 2:
            self.world.trackers[tracker].open_ticket(title=self.word(), labels=frozenset({label}), requester=CUSTOMER)

    def edit(self, tracker: str, ticket_id: str, name: str, pick: int) -> None:
        values = {"title": self.word(), "status": STATUSES[pick], "priority": PRIORITIES[pick]}
        self.world.trackers[tracker].edit(ticket_id, **{name: values[name]})

    @rule(index=st.integers(0, 1), deed=st.sampled_from(["status", "priority", "title", "say"]), pick=st.integers(0, 3))
    def do_on_an_issue(self, index: int, deed: str, pick: int) -> None:
        issue_id = self.some_ticket("dev", index)
        if issue_id is not None and deed == "say":
            self.world.dev.say(issue_id, "/macro inside", Visibility.PRIVATE if pick % 2 else Visibility.PUBLIC)
        elif issue_id is not None:
            self.edit("dev", issue_id, deed, pick)

    @rule(tracker=desks, index=st.integers(0, 1), what=st.sampled_from(["delete", "link", "unlink", *LOCKS]))
    def something_rare(self, tracker: str, index: int, what: str) -> None:
        ticket_id, issue_id = self.some_ticket(tracker, index), self.some_ticket("dev", 0)
        if what in LOCKS:
            # From now on the tracker does not take these.
            self.world.trackers[tracker].refuses = dict.fromkeys(LOCKS[what], "it is locked")
        elif ticket_id is not None and what == "delete":
            self.world.trackers[tracker].tickets[ticket_id].is_deleted = True
            self.world.trackers[tracker].touch(ticket_id, "person")
        elif ticket_id is not None:
            try:
                if what == "unlink":
                    leave(self.world.context, f"{tracker}:{ticket_id}")
                elif issue_id is not None:
                    join(self.world.context, f"{tracker}:{ticket_id}", f"dev:{issue_id}")
            except LinkingError:
                return

    # what the network and the time do

    @rule(tracker=names, index=st.integers(0, 10), times=st.integers(0, 1))
    def deliver(self, tracker: str, index: int, times: int) -> None:
        """Out of order; never, once or twice."""
        waiting = self.webhooks[tracker].waiting
        if waiting:
            hint = waiting.pop(index % len(waiting))
            for _ in range(times):
                self.webhooks[tracker].store(hint)

    @rule(polls=st.booleans())
    def run(self, polls: bool) -> None:
        if polls:
            self.world.poll_all()
        self.world.run_due()

    @rule(minutes=st.sampled_from([0, 1]))
    def work(self, minutes: int) -> None:
        """All is well for a moment."""
        self.deliver_all()
        self.world.pass_until(self.world.clock.time + timedelta(minutes=minutes))

    def deliver_all(self) -> None:
        for webhooks in self.webhooks.values():
            while webhooks.waiting:
                webhooks.store(webhooks.waiting.pop(0))

    @rule(minutes=st.sampled_from([1, 20, 70, 200, 400]))
    def time_passes(self, minutes: int) -> None:
        self.world.pass_until(self.world.clock.time + timedelta(minutes=minutes))

    @rule(minutes=st.sampled_from([20, 200, 400]), other_book=st.booleans())
    def hub_is_down(self, minutes: int, other_book: bool) -> None:
        self.world.clock.pass_by(minutes * MINUTE)
        if other_book:
            self.book = 1 - self.book
            self.world.settings = self.books[self.book]
        self.world.restart()

    @precondition(lambda self: any(w.waiting for w in self.webhooks.values()))
    @rule(
        countdown=st.integers(0, 6), after=st.booleans(), how=st.sampled_from(["killed", "no answer", "limited"]),
        side=st.sampled_from([*HELPDESKS, "dev", "oncall"]),
    )  # fmt: skip
    def trouble(self, countdown: int, after: bool, how: str, side: str) -> None:
        """The hub works until an outside call goes wrong, before or after its effect."""
        left = [countdown]

        def strike(call: str) -> None:
            left[0] -= 1
            if left[0] == -1:
                if how == "killed":
                    raise Killed
                if how == "limited" and not after:
                    raise RateLimitedError(side, call, "slow down", 30.0)
                raise TemporaryError(side, call, "no answer")

        self._strike(side, strike, after)
        self.deliver_all()
        try:
            self.world.run_due()
        except Killed:
            pass
        finally:
            self._strike(side, lambda call: None, after)
            self.world.restart()

    def _strike(self, side: str, strike: Any, after: bool) -> None:
        if side == "oncall":
            outlets, sent = self.world.context.outlets, self.world.sent

            def send(title: str, text: str) -> None:
                if not after:
                    strike("notify")
                sent.append(("oncall", text))
                if after:
                    strike("notify")

            outlets._senders["oncall"] = send
        elif after:
            self.world.connectors[side].after_call = strike
        else:
            self.world.connectors[side].before_call = strike

    # what must hold

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.come_to_rest()
        self.check_nobody_writes_any_more()
        self.check_everything_was_seen()
        self.check_orders_come_to_an_end()
        self.check_once()
        self.check_steps_are_once_and_in_order()
        self.check_nothing_leaks()
        self.check_one_issue_each()
        self.check_no_look_is_lost()
        self.check_what_holds_has_fired()

    def come_to_rest(self) -> None:
        """Lost webhooks are found by polls; what failed is tried again; every deadline comes."""
        world = self.world
        for tracker in world.trackers.values():
            tracker.refuses = {}
        with world.journal.write() as connection:
            for failure in failures.unresolved_failures(connection):
                failures.ask_for_retry(connection, failure.id)
                deliveries.wake(connection, failure.key, world.clock(), "asked for")
            # As `hub sync --all` does after a change of the rule book.
            for ref, _ in self.tickets():
                deliveries.wake(connection, str(ref), world.clock(), "asked for")
        for webhooks in self.webhooks.values():
            webhooks.waiting.clear()
        world.clock.pass_by(5)
        world.poll_all()
        world.run_due()
        for _ in range(FOREVER):
            world.clock.pass_by(5)
            world.poll_all()
            world.run_due()
            with world.journal.read() as connection:
                following = deliveries.next_wakes(connection, 1)
            if not following:
                return
            world.clock.time = max(world.clock.time, following[0][1])
            world.run_due()
        raise AssertionError(f"convergence: there is always a next deadline: {following}")

    def tickets(self) -> list[tuple[TicketRef, Any]]:
        return [
            (TicketRef(name, ticket_id), ticket)
            for name in HELPDESKS
            for ticket_id, ticket in self.world.trackers[name].tickets.items()
        ]

    def check_nobody_writes_any_more(self) -> None:
        world, before, sent = self.world, self.world.writes(), len(self.world.sent)
        for ref, _ in self.tickets():
            world.wake(str(ref))
        for key in world.link_keys():
            world.wake(key)
        world.run_due()
        assert (world.writes(), len(world.sent)) == (before, sent), (
            "no loop: nobody changed anything, and the hub wrote"
        )

    def check_everything_was_seen(self) -> None:
        for ref, ticket in self.tickets():
            if ticket.is_deleted:
                continue
            seen = self.case(ref).data["seen"]
            connector = self.world.connectors[ref.tracker]
            assert seen["status"] == connector.statuses.to_neutral(ticket.status), ref
            assert seen["priority"] == connector.priorities.to_neutral(ticket.priority), ref
            assert seen["labels"] == sorted(ticket.labels), ref
            assert seen["line"] == ticket.line, ref

    def case(self, ref: TicketRef) -> cases.CaseRow:
        with self.world.journal.read() as connection:
            found = cases.case_of(connection, ref)
        assert found is not None, f"nothing lost: {ref} was never looked at"
        return found

    def orders(self, ref: TicketRef) -> list[tuple[cases.Order, str, str]]:
        with self.world.journal.read() as connection:
            return cases.orders_of(connection, ref)

    def fired(self, ref: TicketRef) -> Counter[str]:
        with self.world.journal.read() as connection:
            timeline = events.timeline(connection, ref, [])
        return Counter(entry.data["rule"] for entry in timeline if entry.what == "rule")

    def check_orders_come_to_an_end(self) -> None:
        listed = " ".join(f"{failure.what} {failure.why}" for failure in waiting_failures(self.world))
        for ref, ticket in self.tickets():
            for order, state, outcome in self.orders(ref):
                if state == "open":
                    # The model has no form for a category.
                    no_form = [f"{ref} set {name}" for name in order.data.get("values", ())] or ["?"]
                    is_listed = f"{ref} order:{order.mark}" in listed or all(what in listed for what in no_form)
                    assert is_listed or ticket.is_deleted, f"nothing lost: {order} is neither done nor listed"
                elif state == "dropped":
                    assert outcome, order

    def linkings(self, ref: TicketRef) -> int:
        """How often the ticket came into a link."""
        with self.world.journal.read() as connection:
            timeline = events.timeline(connection, ref, [])
        return sum(entry.what in ("linked", "escalated") and entry.ref == ref for entry in timeline)

    def check_once(self) -> None:
        for ref, ticket in self.tickets():
            if ticket.is_deleted:
                continue
            said = Counter(c.text.replace("\\", "") for c in ticket.comments if c.author.id == HUB_ACCOUNT)
            fired = self.fired(ref)
            for name, made in RULES.items():
                for kind in ("note", "reply"):
                    if kind in made["then"]:
                        assert said[made["then"][kind]] == fired[name], (ref, name, said, fired)
            wanted = Counter(o.data["text"] for o, state, _ in self.orders(ref) if o.kind == "text" and state == "done")
            for word in ("said-hello", "said-inside"):
                assert said[word] == wanted[word], (ref, word)
            marks = Counter(c.marker for c in ticket.comments if c.marker)
            # Each linking shows the counterpart with a note of its own; everything else is written once.
            shown = [mark for mark in marks if mark.count(":") == LINK_MARK_COLONS]
            assert all(marks[mark] <= self.linkings(ref) for mark in shown), marks
            assert all(count == 1 for mark, count in marks.items() if mark not in shown), marks
            assert not any(label.startswith("macro:") for label in ticket.labels), ticket.labels

    def check_steps_are_once_and_in_order(self) -> None:
        assert all(count == 1 for count in Counter(self.world.sent).values()), self.world.sent
        for ref, ticket in self.tickets():
            steps: dict[str, list[int]] = {}
            notices = 0
            for order, _, _ in self.orders(ref):
                if order.mark.startswith("clock ") and order.kind in ("text", "notice"):
                    name, percent = order.mark.removeprefix("clock ").rsplit("Z ", 1)[0].rsplit("+00:00 ", 1)
                    steps.setdefault(name, []).append(int(percent.split()[0]))
                    notices += order.kind == "notice"
            for name, percents in steps.items():
                assert percents == sorted(set(percents)), (ref, name, percents)
            told = sum(text.replace("\\", "").startswith(f"{ref.tracker} #{ref.id} ") for _, text in self.world.sent)
            # One that may have gone out when the hub was killed is not sent again, and listed.
            listed = sum(f.ticket_id == ref.id and "order:clock" in f.what for f in waiting_failures(self.world))
            assert notices - listed <= told <= notices or ticket.is_deleted, (ref, notices, listed, self.world.sent)

    def check_nothing_leaks(self) -> None:
        for name, tracker in self.world.trackers.items():
            for ticket in tracker.tickets.values():
                for comment in ticket.comments:
                    text = comment.text.replace("\\", "")
                    if comment.visibility.is_public:
                        assert not any(f"said-{word}" in text for word in PRIVATE_WORDS), (name, ticket.id, text)

    def check_one_issue_each(self) -> None:
        sources = Counter("-".join(t.marker.split("-")[:2]) for t in self.world.dev.tickets.values() if t.marker)
        assert all(count == 1 for count in sources.values()), f"one issue a ticket: {sources}"
        with self.world.journal.read() as connection:
            for link_id in links.all_links(connection):
                loaded = links.load_link(connection, link_id)
                assert loaded is not None
                assert sum(m.role == "issue" for m in loaded[1]) == 1, (link_key(link_id), loaded[1])

    def check_no_look_is_lost(self) -> None:
        for ref, _ in self.tickets():
            with self.world.journal.read() as connection:
                row, wake = cases.case_of(connection, ref), deliveries.find_wake(connection, str(ref))
            if row is not None and row.next_at is not None:
                assert wake is not None, f"{ref} is to be looked at {row.next_at}, and nothing wakes it"
                assert wake.due <= row.next_at

    def check_what_holds_has_fired(self) -> None:
        names = {rule.name for rule in self.books[self.book].rules}
        for ref, ticket in self.tickets():
            if ticket.is_deleted:
                continue
            holding = {label for label in ("vip", "outage", "bug") if label in ticket.labels}
            holding |= {"waiting"} if ticket.status == "pending" else set()
            holding |= {"low"} if ticket.priority == "low" else set()
            holding |= {"seen"} if "seen_it" in ticket.labels else set()
            holding |= (
                {"answered"} if any(c.author == CUSTOMER and c.visibility.is_public for c in ticket.comments) else set()
            )
            missing = (holding & names) - set(self.fired(ref))
            assert not missing, f"nothing lost: {missing} hold for {ref} and never fired"


TestRuleInvariants = RuleMachine.TestCase
TestRuleInvariants.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
