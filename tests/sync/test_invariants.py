"""The six promises of the design, by name, over the real core with model trackers.

People edit on all sides at random; wakes get lost, doubled and reordered; mappings are lossy; the hub is killed, or
gets no answer, before or after any outside call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from hub.connector import RateLimitedError, TemporaryError
from hub.sync.linking import LinkingError, join
from hub.testing.model import HUB_ACCOUNT, Killed, ModelConnector
from hub.testing.world import World
from hub.ticket import Visibility

STATUSES = ["open", "pending", "hold", "solved"]
PRIORITIES = ["low", "normal", "high", "urgent"]
LABELS = ["red", "Green Light", "blue"]
names = st.sampled_from(["support", "partner", "dev"])
sides = st.sampled_from(["support", "dev"])


class HubMachine(RuleBasedStateMachine):
    """People, trackers and a hub; `teardown` is when people stop."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.told: dict[str, tuple[str, str, Visibility]] = {}
        """Each comment's own word -> where it was written, its id and its visibility."""

    @initialize(
        edits=st.sampled_from(["mirror", "note", "ignore"]),
        private=st.sampled_from(["none", "both"]),
        told_by=st.sampled_from(["nothing", "answer", "history"]),
    )
    def begin(self, edits: str, private: str, told_by: str) -> None:
        self.private = private
        self.world = World(
            helpdesks=("support", "partner"),
            policy={
                "comments": {"edits": edits, "deletes": edits, "private": private},
                "fields": {"title": {"direction": "both", "initial": "tickets"}, "custom:build": "both"},
            },
        )
        self.world.connectors["dev"].tells_replaced = told_by == "answer"
        self.world.connectors["dev"].tells_history = told_by == "history"
        self.world.poll_all()
        self.first = self.world.support.open_ticket(title="first", labels=frozenset({"escalate"}))

    def word(self) -> str:
        self.number += 1
        return f"word{self.number}x"

    def some_ticket(self, tracker: str, index: int) -> str | None:
        ids = sorted(self.world.trackers[tracker].tickets, key=int)
        return ids[index % len(ids)] if ids else None

    # what people do

    @rule(tracker=st.sampled_from(["support", "partner"]), escalate=st.booleans())
    def open_ticket(self, tracker: str, escalate: bool) -> None:
        if len(self.world.trackers[tracker].tickets) < 3:
            labels = frozenset({"escalate"} if escalate else ())
            self.world.trackers[tracker].open_ticket(title=self.word(), labels=labels, description=self.word())

    @rule(
        tracker=names,
        index=st.integers(0, 2),
        field=st.sampled_from(["title", "status", "priority", "build"]),
        pick=st.integers(0, 3),
    )
    def edit(self, tracker: str, index: int, field: str, pick: int) -> None:
        ticket_id = self.some_ticket(tracker, index)
        if ticket_id is not None:
            self.world.trackers[tracker].edit(ticket_id, **self.choice(field, pick))

    def choice(self, field: str, pick: int) -> dict[str, Any]:
        choices: dict[str, dict[str, Any]] = {
            "title": {"title": self.word()},
            "status": {"status": STATUSES[pick]},
            "priority": {"priority": PRIORITIES[pick]},
            "build": {"custom": {"build": f"b{pick}"}},
        }
        return choices[field]

    @rule(index=st.integers(0, 2), field=st.sampled_from(["title", "status", "priority"]), pick=st.integers(0, 3))
    def act_between_read_and_write(self, index: int, field: str, pick: int) -> None:
        """An engineer is a moment faster than the hub's next write, in a tracker without an optimistic lock."""
        issue_id = self.some_ticket("dev", index)
        if issue_id is None:
            return
        has_acted = False

        def act(call: str) -> None:
            nonlocal has_acted
            if call in ("update", "transition") and not has_acted:
                has_acted = True
                self.world.dev.edit(issue_id, **self.choice(field, pick))

        self.world.connectors["dev"].before_call = act
        self.world.deliver_all()
        self.world.run_due()
        self.world.connectors["dev"].before_call = lambda call: None

    @rule(tracker=names, index=st.integers(0, 2), label=st.sampled_from(LABELS), adds=st.booleans())
    def label(self, tracker: str, index: int, label: str, adds: bool) -> None:
        ticket_id = self.some_ticket(tracker, index)
        if ticket_id is None:
            return
        labels = self.world.trackers[tracker].tickets[ticket_id].labels
        changed = labels | {label} if adds else labels - {label}
        self.world.trackers[tracker].edit(ticket_id, labels=changed)

    @rule(tracker=names, index=st.integers(0, 2), visibility=st.sampled_from(list(Visibility)), file=st.booleans())
    def comment(self, tracker: str, index: int, visibility: Visibility, file: bool) -> None:
        ticket_id = self.some_ticket(tracker, index)
        if ticket_id is None:
            return
        word = self.word()
        files = [self.world.trackers[tracker].new_file(f"{word}.txt", word.encode())] if file else []
        comment_id = self.world.trackers[tracker].say(ticket_id, word, visibility, files=files)
        self.told[word] = (f"{tracker}:{ticket_id}", comment_id, visibility)

    @rule(pick=st.integers(0, 5), deletes=st.booleans())
    def change_comment(self, pick: int, deletes: bool) -> None:
        if not self.told:
            return
        word = sorted(self.told)[pick % len(self.told)]
        place, comment_id, _ = self.told.pop(word)
        tracker, _, ticket_id = place.partition(":")
        if deletes:
            self.world.trackers[tracker].delete_comment(ticket_id, comment_id)
        else:
            self.world.trackers[tracker].edit_comment(ticket_id, comment_id, f"{self.word()} edited")

    @rule()
    def attach(self) -> None:
        ticket_id = self.some_ticket("dev", 0)
        if ticket_id is not None:
            tracker = self.world.dev
            word = self.word()
            tracker.tickets[ticket_id].files.append(tracker.new_file(f"{word}.log", word.encode()))
            tracker.touch(ticket_id, "person")

    @rule(index=st.integers(0, 2), issue=st.integers(0, 2))
    def link_by_hand(self, index: int, issue: int) -> None:
        ticket_id, issue_id = self.some_ticket("partner", index), self.some_ticket("dev", issue)
        if ticket_id and issue_id:
            try:
                join(self.world.context, f"partner:{ticket_id}", f"dev:{issue_id}")
            except LinkingError:
                return

    # what the network does

    @precondition(lambda self: self.world.pending)
    @rule(index=st.integers(0, 10), times=st.integers(0, 2))
    def deliver(self, index: int, times: int) -> None:
        """Out of order; never, once or twice."""
        key = self.world.pending.pop(index % len(self.world.pending))
        for _ in range(times):
            self.world.wake(key)

    @rule()
    def poll(self) -> None:
        self.world.poll_all()

    @rule()
    def run(self) -> None:
        self.world.run_due()

    @rule(
        countdown=st.integers(0, 6),
        after=st.booleans(),
        how=st.sampled_from(["killed", "no answer", "limited"]),
        side=names,
    )
    def trouble(self, countdown: int, after: bool, how: str, side: str) -> None:
        """The hub works until an outside call goes wrong, before or after its effect."""
        connector = self.world.connectors[side]
        left = [countdown]

        def strike(call: str) -> None:
            left[0] -= 1
            if left[0] == -1:
                if how == "killed":
                    raise Killed
                if how == "limited" and not after:
                    raise RateLimitedError(side, call, "slow down", 30.0)
                raise TemporaryError(side, call, "no answer")

        _strike(connector, strike, after)
        self.world.deliver_all()
        try:
            self.world.run_due()
        except Killed:
            self.world.restart()
        finally:
            _strike(connector, lambda call: None, after)
            self.world.restart()

    # what must hold

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.poll_all()
        world.settle()
        before = world.writes()
        for key in world.link_keys():
            world.wake(key)
        world.run_due()
        assert world.writes() == before, "no loop: nobody changed anything, and the hub wrote"
        self.check_convergence()
        self.check_nothing_doubled()
        self.check_nothing_lost_and_nothing_leaks()
        self.check_order()

    def links(self) -> list[tuple[list[tuple[str, str]], tuple[str, str]]]:
        from hub.journal import links

        found = []
        with self.world.journal.read() as connection:
            for link_id in links.all_links(connection):
                loaded = links.load_link(connection, link_id)
                assert loaded is not None
                tickets = [(m.ref.tracker, m.ref.id) for m in loaded[1] if m.role == "ticket"]
                issue = next((m.ref.tracker, m.ref.id) for m in loaded[1] if m.role == "issue")
                found.append((tickets, issue))
        return found

    def check_convergence(self) -> None:
        for tickets, (_, issue_id) in self.links():
            if len(tickets) != 1:
                continue
            ticket = self.world.trackers[tickets[0][0]].tickets[tickets[0][1]]
            issue = self.world.dev.tickets[issue_id]
            assert ticket.title == issue.title
            assert ticket.priority == issue.priority
            assert ticket.custom.get("build") == issue.custom.get("build")
            assert ticket.status == issue.status or {ticket.status, issue.status} <= {"open", "new"}
            theirs = {label.lower().replace(" ", "_") for label in ticket.labels} - {"escalate"}
            ours = {label.lower().replace(" ", "_") for label in issue.labels if "-" not in label}
            assert theirs == ours

    def check_nothing_doubled(self) -> None:
        for tracker in self.world.trackers.values():
            markers = Counter(t.marker for t in tracker.tickets.values() if t.marker)
            assert all(count == 1 for count in markers.values()), markers
            for ticket in tracker.tickets.values():
                marks = Counter(c.marker for c in ticket.comments if c.marker)
                assert all(count == 1 for count in marks.values()), marks
                files = Counter(f.name for c in ticket.comments for f in c.attachments)
                files.update(f.name for f in ticket.files)
                assert all(count == 1 for count in files.values()), files

    def check_nothing_lost_and_nothing_leaks(self) -> None:
        for tickets, issue in self.links():
            for word, (place, _, visibility) in self.told.items():
                tracker, _, ticket_id = place.partition(":")
                here = (tracker, ticket_id)
                others = [issue] if here in tickets else tickets if here == issue else []
                for other in others:
                    texts = [
                        c for c in self.world.trackers[other[0]].tickets[other[1]].comments if word in c.text.split()
                    ]
                    if visibility is Visibility.PUBLIC:
                        assert [c.visibility for c in texts] == [Visibility.PUBLIC], (word, texts)
                    elif self.private == "none":
                        assert texts == []
                    else:
                        assert [c.visibility for c in texts] == [Visibility.PRIVATE], (word, texts)

    def check_order(self) -> None:
        for tracker in self.world.trackers.values():
            for ticket in tracker.tickets.values():
                seen: dict[str, int] = {}
                for comment in ticket.comments:
                    parts = (comment.marker or "").split(":")
                    if comment.author.id != HUB_ACCOUNT or len(parts) != 5 or not parts[4].isdigit():
                        continue
                    origin = ":".join(parts[2:4])
                    assert seen.get(origin, 0) < int(parts[4]), "order: a later comment arrived before an earlier one"
                    seen[origin] = int(parts[4])


def _strike(connector: ModelConnector, strike: Callable[[str], None], after: bool) -> None:
    if after:
        connector.after_call = strike
    else:
        connector.before_call = strike


TestInvariants = HubMachine.TestCase
TestInvariants.settings = settings(
    max_examples=150,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
