"""Clocks against an oracle that lives a ticket's life minute by minute; the laws that callers rely on; odd cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.rules.calendars import ALWAYS, Calendar, CalendarError
from hub.rules.clocks import (
    Again,
    Clock,
    ClockState,
    Measure,
    Target,
    Waiting,
    clock_cycles,
    clock_of,
    time_by_line,
    time_waiting,
)
from hub.rules.history import Change, History, Reply, starting
from hub.ticket import Status
from tests.rules.stories import OFFICE, story, when

CREATED = when("Mon 15:00")
MINUTE = timedelta(minutes=1)
SHIFTS = Calendar("shifts", ZoneInfo("Europe/Warsaw"), dict.fromkeys(range(7), ((900, 950), (960, 1100), (1110, 1500))))
FROM_THE_START = (Measure.FIRST_RESPONSE, Measure.RESOLUTION, Measure.OWNERSHIP)


def after(minutes: float) -> datetime:
    return CREATED + timedelta(minutes=minutes)


@dataclass
class Lived:
    """A run as the oracle saw it; moments in minutes since the creation."""

    started: int
    spent: int = 0
    ended: int | None = None
    is_reached: bool = False
    breached: int | None = None
    warned: dict[int, int] = field(default_factory=dict)
    when_first_done: Lived | None = None
    """How it stood when the ticket was done for the first time before the goal."""

    def end(self, minute: int, *, is_reached: bool, became_done: bool = True) -> None:
        self.ended, self.is_reached = minute, is_reached
        # What falls on the very moment of the end did not come to pass.
        self.breached = None if self.breached == minute else self.breached
        self.warned = {percent: at for percent, at in self.warned.items() if at != minute}
        if not is_reached and became_done and self.when_first_done is None:
            self.when_first_done = replace(self)


class Life:
    """The runs of a target of the whole life that continues, or of one that is bound to lines and begins anew.

    One thing may happen in a minute, or several that do not bear on each other.
    """

    def __init__(self, target: Target, calendar: Calendar) -> None:
        self.target, self.calendar = target, calendar
        self.runs: list[Lived] = []
        self.running: Lived | None = None
        self.is_answered = self.is_owned = self.was_here = self.was_with_lines = False

    def begin(self, minute: int) -> None:
        self.running = Lived(minute)
        self.runs.append(self.running)

    def finish(self, minute: int, *, is_reached: bool, became_done: bool = True) -> None:
        if self.running is not None:
            self.running.end(minute, is_reached=is_reached, became_done=became_done)
        self.running = None

    def live(self, minute: int, history: History, *, is_last: bool) -> None:
        at, measure, lines = after(minute), self.target.measure, self.target.lines
        status, line = history.status_at(at), history.line_at(at)
        with_lines = lines is None or line in lines
        here = with_lines and status not in (Status.SOLVED, Status.CLOSED)
        staff, customer = (Reply(at, by) in history.replies for by in ("staff", "customer"))
        owner = next((change for change in history.of("assignee") if change.at == at), None)

        if with_lines and not self.was_with_lines:
            self.is_owned = False
        if owner is not None and with_lines:
            self.is_owned = owner.value is not None
        if lines is None:
            self.enter_whole_life(minute, here)
        elif here and not self.was_here and not (measure is Measure.OWNERSHIP and self.is_owned and owner is None):
            self.begin(minute)

        reached = {
            Measure.FIRST_RESPONSE: staff,
            Measure.NEXT_RESPONSE: staff,
            Measure.UPDATE: staff,
            Measure.OWNERSHIP: owner is not None and self.is_owned,
            Measure.RESOLUTION: not here,
        }[measure]
        if reached and self.running is None and lines is None and self.runs and not self.runs[-1].is_reached:
            self.running = self.runs[-1]  # an answer after the ticket was done is one
        if reached:
            self.finish(minute, is_reached=True)

        if measure is Measure.UPDATE and staff:
            self.begin(minute)
        if measure is Measure.NEXT_RESPONSE and customer and self.is_answered:
            if self.running is not None and self.running.when_first_done is not None:
                self.runs[-1] = self.running.when_first_done  # it was done, and the customer writes again
                self.running = None
            if self.running is None and not (self.runs and self.is_waiting_while_done(minute)):
                self.begin(minute)
        if measure is Measure.OWNERSHIP and owner is not None and owner.value is None and self.running is None:
            if lines is None and not self.runs[-1].is_reached:
                pass  # it was not owned before either
            elif lines is None or here:
                self.begin(minute)
        self.is_answered = self.is_answered or staff
        if not here:
            # A customer who writes while the ticket is done already waits from then on, also when it is opened again.
            self.finish(minute, is_reached=False, became_done=self.was_here)
        if self.running is not None:
            self.count(self.running, minute, counts=not is_last and status not in self.target.paused_in)
        self.was_here, self.was_with_lines = here, with_lines

    def is_waiting_while_done(self, minute: int) -> bool:
        """Whether the last run began while the ticket was done, which it still is: it waits already."""
        last = self.runs[-1]
        return not last.is_reached and last.ended == last.started and last.started != minute

    def enter_whole_life(self, minute: int, here: bool) -> None:
        if minute == 0 and self.target.measure in FROM_THE_START:
            self.begin(0)
        elif here and not self.was_here and self.runs and self.running is None and self.goes_on(self.runs[-1]):
            self.running = self.runs[-1]
            self.running.ended, self.running.is_reached = None, False

    def goes_on(self, run: Lived) -> bool:
        """Opened again: what had not reached its goal goes on, and a resolution does in any case."""
        return self.target.measure is Measure.RESOLUTION or not run.is_reached

    def count(self, run: Lived, minute: int, *, counts: bool) -> None:
        for percent in (100, *self.target.warn_at):
            if run.spent * 100 >= self.target.minutes * percent:
                if percent == 100 and run.breached is None:
                    run.breached = minute
                if percent in self.target.warn_at:
                    run.warned.setdefault(percent, minute)
        run.spent += counts and self.calendar.is_open(after(minute))


def live(target: Target, history: History, calendar: Calendar, now: int) -> list[Lived]:
    life = Life(target, calendar)
    for minute in range(now + 1):
        life.live(minute, history, is_last=minute == now)
    return life.runs


minutes = st.integers(0, 90)
statuses = st.builds(Change, minutes.map(after), st.just("status"), st.sampled_from(list(Status)))
lines = st.builds(Change, minutes.map(after), st.just("line"), st.sampled_from([1, 2, None]))
owners = st.builds(Change, minutes.map(after), st.just("assignee"), st.sampled_from(["ann", None]))
replies = st.builds(Reply, minutes.map(after), st.sampled_from(["customer", "staff"]))


def histories(changes: st.SearchStrategy[Change]) -> st.SearchStrategy[History]:
    """Things happen one at a time: what happens at one moment has cases of its own below."""
    events = st.lists(changes | replies, max_size=10, unique_by=lambda event: event.at)
    return events.map(
        lambda chosen: History(
            CREATED,
            (
                *starting(CREATED, status=Status.OPEN, line=1).changes,
                *(event for event in chosen if isinstance(event, Change)),
            ),
            tuple(event for event in chosen if isinstance(event, Reply)),
        )
    )


amounts = st.integers(1, 60)
warnings = st.lists(st.sampled_from([50, 75, 100, 150]), max_size=2).map(tuple)
paused = st.frozensets(st.sampled_from([Status.PENDING, Status.ON_HOLD]))
calendars = st.sampled_from([ALWAYS, SHIFTS])
whole_life = st.builds(Target, st.sampled_from(list(Measure)), amounts, warnings, paused)
of_a_line = st.builds(
    Target,
    st.sampled_from([Measure.RESOLUTION, Measure.OWNERSHIP]),
    amounts,
    warnings,
    paused,
    st.just(frozenset({1})),
)


def check(target: Target, history: History, calendar: Calendar, now: int) -> None:
    lived = live(target, history, calendar, now)
    clocks = clock_cycles(target, history, calendar, after(now))
    assert [(c.started, c.ended, c.spent_minutes) for c in clocks] == [
        (after(run.started), None if run.ended is None else after(run.ended), run.spent) for run in lived
    ]
    for clock, run in zip(clocks, lived, strict=True):
        if run.spent == target.minutes and run.when_first_done is not None:
            continue  # done in the very minute in which it was due, and answered or opened again later: late or not
        assert clock.state is state_of(run, target, history, now)


def state_of(run: Lived, target: Target, history: History, now: int) -> ClockState:
    late = run.spent > target.minutes or (run.spent == target.minutes and run.ended is None)
    if run.ended is not None:
        late = run.breached is not None
        return ClockState.MISSED if late else ClockState.MET if run.is_reached else ClockState.STOPPED
    if history.status_at(after(now)) in target.paused_in:
        return ClockState.PAUSED
    return ClockState.BREACHED if late else ClockState.RUNNING


@settings(max_examples=300, deadline=None)
@given(whole_life, histories(statuses | owners), calendars, minutes)
def test_clocks_of_a_tickets_whole_life_are_those_an_oracle_lives_through(
    target: Target, history: History, calendar: Calendar, now: int
) -> None:
    check(target, history, calendar, now)


@settings(max_examples=200, deadline=None)
@given(of_a_line, histories(statuses | lines | owners), calendars, minutes)
def test_clocks_of_a_line_are_those_an_oracle_lives_through(
    target: Target, history: History, calendar: Calendar, now: int
) -> None:
    check(target, history, calendar, now)


targets = whole_life | of_a_line
any_again = st.one_of(st.none(), st.sampled_from(list(Again)))
everything = histories(statuses | lines | owners)


@settings(max_examples=150, deadline=None)
@given(targets, any_again, everything, calendars, minutes)
def test_nothing_comes_to_pass_before_the_next_moment_and_something_does_then(
    target: Target, again: Again | None, history: History, calendar: Calendar, now: int
) -> None:
    """What lets the hub sleep until `next_at`."""
    target = replace(target, again=again)
    history = history.until(after(now))
    clock = clock_of(target, history, calendar, after(now))
    if clock is None or clock.next_at is None:
        return
    assert clock.next_at > after(now)
    just_before = clock_of(target, history, calendar, clock.next_at - timedelta(microseconds=1))
    then = clock_of(target, history, calendar, clock.next_at)
    assert just_before is not None
    assert then is not None
    assert (just_before.warnings, just_before.breached_at) == (clock.warnings, clock.breached_at)
    assert (then.warnings, then.breached_at) != (clock.warnings, clock.breached_at)
    newly = [moment for _, moment in then.warnings[len(clock.warnings) :]]
    newly += [then.breached_at] if then.breached_at != clock.breached_at and then.breached_at else []
    assert set(newly) == {clock.next_at}


@settings(max_examples=150, deadline=None)
@given(targets, any_again, everything, calendars, minutes, minutes)
def test_what_has_come_to_pass_stays_while_the_run_lasts(
    target: Target, again: Again | None, history: History, calendar: Calendar, now: int, later: int
) -> None:
    """Warnings and the breach keep their moments as time goes on; time spent only grows."""
    target = replace(target, again=again)
    first = clock_of(target, history, calendar, after(now))
    second = clock_of(target, history, calendar, after(now + later))
    if first is None:
        return
    assert second is not None
    assert second.cycle >= first.cycle
    assert [c.started for c in clock_cycles(target, history, calendar, after(now + later))[: first.cycle]] == [
        c.started for c in clock_cycles(target, history, calendar, after(now))
    ]
    if second.cycle == first.cycle:
        assert second.spent_minutes >= first.spent_minutes
        assert second.warnings[: len(first.warnings)] == first.warnings
        assert first.breached_at in (None, second.breached_at)


@settings(max_examples=150, deadline=None)
@given(targets, any_again, everything, calendars, minutes)
def test_a_clock_agrees_with_itself(
    target: Target, again: Again | None, history: History, calendar: Calendar, now: int
) -> None:
    target = replace(target, again=again)
    for clock in clock_cycles(target, history, calendar, after(now)):
        assert clock.spent_minutes + clock.left_minutes == pytest.approx(target.minutes)
        assert (clock.ended is None) == clock.state.is_open
        assert (clock.due is None) == (clock.state is ClockState.PAUSED and clock.breached_at is None)
        if clock.state in (ClockState.BREACHED, ClockState.MISSED):
            assert clock.due == clock.breached_at
        if clock.state in (ClockState.RUNNING, ClockState.MET, ClockState.STOPPED):
            assert clock.breached_at is None
            assert clock.due is not None
            assert clock.due >= (clock.ended or after(now))
        moments = [moment for _, moment in clock.warnings]
        assert moments == sorted(moments)
        assert all(clock.started <= moment <= (clock.ended or after(now)) for moment in moments)


@settings(max_examples=100, deadline=None)
@given(targets, any_again, everything, calendars, minutes)
def test_what_happens_later_is_not_seen(
    target: Target, again: Again | None, history: History, calendar: Calendar, now: int
) -> None:
    target = replace(target, again=again)
    then = after(now)
    assert clock_cycles(target, history, calendar, then) == clock_cycles(target, history.until(then), calendar, then)


@settings(max_examples=100, deadline=None)
@given(whole_life, histories(statuses), calendars, minutes, st.integers(0, 200))
def test_more_minutes_never_make_it_later(
    target: Target, history: History, calendar: Calendar, now: int, more: int
) -> None:
    tight = clock_of(target, history, calendar, after(now))
    loose = clock_of(replace(target, minutes=target.minutes + more), history, calendar, after(now))
    assert (tight is None) == (loose is None)
    if tight is not None and loose is not None:
        assert loose.spent_minutes == tight.spent_minutes
        if tight.due is not None and loose.due is not None:
            assert loose.due >= tight.due
        if loose.breached_at is not None:
            assert tight.breached_at is not None
            assert tight.breached_at <= loose.breached_at


@settings(max_examples=80, deadline=None)
@given(everything, calendars, minutes)
def test_where_the_time_went_is_what_is_counted_minute_by_minute(
    history: History, calendar: Calendar, until: int
) -> None:
    by_line: dict[int | None, float] = {}
    waiting = dict.fromkeys(Waiting, 0.0)
    for minute in range(until):
        status, line = history.status_at(after(minute)), history.line_at(after(minute))
        if status in (Status.SOLVED, Status.CLOSED):
            continue
        is_open = calendar.is_open(after(minute))
        by_line[line] = by_line.get(line, 0) + is_open
        whose = Waiting.CUSTOMER if status is Status.PENDING else Waiting.US
        waiting[Waiting.SUPPLIER if status is Status.ON_HOLD else whose] += is_open
    assert time_by_line(history, calendar, after(until)) == by_line
    assert time_waiting(history, calendar, after(until)) == waiting


def only(target: Target, history: History, now: str, calendar: Calendar = ALWAYS) -> Clock:
    found = clock_of(target, history, calendar, when(now))
    assert found is not None
    return found


def summary(clocks: Sequence[Clock]) -> list[tuple[int, str, float]]:
    return [(clock.cycle, clock.state.value, clock.spent_minutes) for clock in clocks]


def test_a_ticket_that_is_not_yet_there_has_no_clock() -> None:
    assert clock_of(Target(Measure.RESOLUTION, 60), story("Mon 09:00"), ALWAYS, when("Mon 08:59")) is None


def test_a_ticket_that_is_entered_as_solved_was_solved_at_once() -> None:
    """A call that was settled on the phone."""
    history = story("Mon 09:00", status=Status.SOLVED)
    assert summary(clock_cycles(Target(Measure.RESOLUTION, 60), history, ALWAYS, when("Tue 09:00"))) == [(1, "met", 0)]


def test_a_goal_reached_exactly_when_due_is_in_time_and_an_open_clock_is_late_then() -> None:
    target = Target(Measure.FIRST_RESPONSE, 60, warn_at=(100,))
    assert only(target, story("Mon 09:00"), "Mon 10:00").state is ClockState.BREACHED
    answered = only(target, story("Mon 09:00", "Mon 10:00 staff"), "Mon 10:00")
    assert (answered.state, answered.breached_at, answered.warnings) == (ClockState.MET, None, ())


def test_a_target_of_no_time_is_due_at_once() -> None:
    clock = only(Target(Measure.FIRST_RESPONSE, 0), story("Mon 09:00"), "Mon 09:00")
    assert (clock.state, clock.due, clock.breached_at) == (ClockState.BREACHED, when("Mon 09:00"), when("Mon 09:00"))


def test_warnings_come_before_and_after_the_breach() -> None:
    target = Target(Measure.RESOLUTION, 100, warn_at=(200, 50, 75, 50))
    history = story("Mon 09:00")
    early = only(target, history, "Mon 10:00")
    assert early.warnings == ((50, when("Mon 09:50")),)
    assert early.next_at == when("Mon 10:15")
    late = only(target, history, "Mon 10:45")
    assert [percent for percent, _ in late.warnings] == [50, 75]
    assert (late.breached_at, late.next_at) == (when("Mon 10:40"), when("Mon 12:20"))
    assert only(target, history, "Tue 09:00").next_at is None


def test_a_late_clock_that_is_paused_keeps_its_breach() -> None:
    target = Target(Measure.RESOLUTION, 60, paused_in=frozenset({Status.PENDING}))
    clock = only(target, story("Mon 09:00", "Mon 10:30 pending"), "Mon 12:00")
    assert (clock.state, clock.breached_at, clock.due) == (ClockState.PAUSED, when("Mon 10:00"), when("Mon 10:00"))
    assert clock.left_minutes == -30
    assert clock.next_at is None


def test_a_reply_at_the_moment_of_solving_is_an_answer() -> None:
    history = story("Mon 09:00", "Mon 09:30 staff", "Mon 09:30 solved")
    assert only(Target(Measure.FIRST_RESPONSE, 60), history, "Tue 09:00").state is ClockState.MET


def test_a_reply_just_after_solving_is_an_answer() -> None:
    """Tools that solve first and then add the comment."""
    history = story("Mon 09:00", "Mon 09:30 solved", "Mon 09:31 staff")
    clock = only(Target(Measure.FIRST_RESPONSE, 60), history, "Tue 09:00")
    assert (clock.state, clock.ended, clock.spent_minutes) == (ClockState.MET, when("Mon 09:31"), 30)


def test_a_customer_who_writes_again_after_a_silent_solution_waits_from_then_on() -> None:
    history = story(
        "Mon 09:00", "Mon 09:10 staff", "Mon 10:00 customer", "Mon 10:20 solved", "Tue 09:00 open", "Tue 09:01 customer"
    )  # fmt: skip
    clocks = clock_cycles(Target(Measure.NEXT_RESPONSE, 60), history, ALWAYS, when("Tue 09:11"))
    assert summary(clocks) == [(1, "stopped", 20), (2, "running", 10)]


def test_a_ticket_opened_again_by_staff_still_owes_the_answer() -> None:
    history = story("Mon 09:00", "Mon 09:10 staff", "Mon 10:00 customer", "Mon 10:20 solved", "Mon 11:00 open")
    clocks = clock_cycles(Target(Measure.NEXT_RESPONSE, 60), history, ALWAYS, when("Mon 11:10"))
    assert summary(clocks) == [(1, "running", 30)]


def test_ownership_is_asked_for_again_when_the_owner_goes() -> None:
    history = story("Mon 09:00", "Mon 09:20 owner ann", "Mon 12:00 nobody", "Mon 12:50 owner bob")
    clocks = clock_cycles(Target(Measure.OWNERSHIP, 30), history, ALWAYS, when("Mon 13:00"))
    assert summary(clocks) == [(1, "met", 20), (2, "missed", 50)]


def test_an_owner_in_another_line_does_not_own_it_here() -> None:
    history = story("Mon 09:00", "Mon 10:00 line 2", "Mon 10:20 owner bob", line=1, assignee="ann")
    second = Target(Measure.OWNERSHIP, 30, lines=frozenset({2}))
    assert only(second, history, "Mon 10:10").state is ClockState.RUNNING
    assert summary(clock_cycles(second, history, ALWAYS, when("Mon 11:00"))) == [(1, "met", 20)]


def test_an_owner_named_on_handing_over_owns_it_at_once() -> None:
    history = story("Mon 09:00", "Mon 10:00 owner bob", "Mon 10:00 line 2", line=1, assignee="ann")
    second = Target(Measure.OWNERSHIP, 30, lines=frozenset({2}))
    assert summary(clock_cycles(second, history, ALWAYS, when("Mon 11:00"))) == [(1, "met", 0)]


def test_an_owner_keeps_it_when_the_ticket_is_opened_again_in_the_same_line() -> None:
    history = story("Mon 09:00", "Mon 09:05 owner ann", "Mon 10:00 solved", "Mon 11:00 open", line=1)
    first = Target(Measure.OWNERSHIP, 30, lines=frozenset({1}))
    assert summary(clock_cycles(first, history, ALWAYS, when("Mon 13:00"))) == [(1, "met", 5)]


def test_a_lines_target_can_go_on_where_it_was_when_the_ticket_comes_back() -> None:
    """So that handing a ticket to and fro does not give a line its time again."""
    history = story("Mon 09:00", "Mon 09:20 line 2", "Mon 11:00 line 1", line=1)
    first = Target(Measure.RESOLUTION, 60, lines=frozenset({1}), again=Again.CONTINUES)
    away = only(first, history, "Mon 10:30")
    assert (away.state, away.spent_minutes, away.due) == (ClockState.PAUSED, 20, None)
    back = only(first, history, "Mon 11:10")
    assert (back.state, back.cycle, back.due) == (ClockState.RUNNING, 1, when("Mon 11:40"))


def test_a_line_that_got_it_late_answers_from_then_on() -> None:
    """Line 1 replies as it hands on: that is not line 2's answer."""
    history = story("Mon 09:00", "Mon 10:00 staff", "Mon 10:00 line 2", "Mon 10:40 staff", line=1)
    second = Target(Measure.FIRST_RESPONSE, 30, lines=frozenset({2}))
    first = Target(Measure.FIRST_RESPONSE, 90, lines=frozenset({1}))
    assert summary(clock_cycles(second, history, ALWAYS, when("Mon 11:00"))) == [(1, "missed", 40)]
    assert summary(clock_cycles(first, history, ALWAYS, when("Mon 11:00"))) == [(1, "met", 60)]


def test_a_line_that_gets_an_unanswered_customer_has_its_time_from_then_on() -> None:
    history = story("Mon 09:00", "Mon 09:10 staff", "Mon 09:30 customer", "Mon 10:00 line 2", line=1)
    second = only(Target(Measure.NEXT_RESPONSE, 60, lines=frozenset({2})), history, "Mon 10:20")
    assert (second.started, second.due) == (when("Mon 10:00"), when("Mon 11:00"))


def test_a_customer_who_writes_to_a_solved_ticket_waits_once_it_is_opened_again() -> None:
    history = story("Mon 09:00", "Mon 09:10 staff", "Mon 09:10 solved", "Mon 12:00 customer", "Mon 12:30 open")
    target = Target(Measure.NEXT_RESPONSE, 60)
    solved = only(target, history, "Mon 12:10")
    assert (solved.state, solved.started, solved.ended) == (ClockState.STOPPED, when("Mon 12:00"), when("Mon 12:00"))
    assert only(target, history, "Mon 12:40").due == when("Mon 13:30")


def test_a_line_that_hands_on_without_an_answer_did_not_miss_it() -> None:
    history = story("Mon 09:00", "Mon 09:20 line 2", line=1)
    first = Target(Measure.FIRST_RESPONSE, 60, lines=frozenset({1}))
    assert summary(clock_cycles(first, history, ALWAYS, when("Mon 12:00"))) == [(1, "stopped", 20)]


def test_a_contract_with_a_supplier_runs_while_the_ticket_is_on_hold() -> None:
    history = story("Mon 09:00", "Mon 10:00 on_hold", "Mon 14:00 open", "Tue 09:00 on_hold")
    supplier = Target(Measure.RESOLUTION, 180, statuses=frozenset({Status.ON_HOLD}))
    assert clock_of(supplier, history, OFFICE, when("Mon 09:59")) is None
    clocks = clock_cycles(supplier, history, OFFICE, when("Tue 09:30"))
    assert summary(clocks) == [(1, "missed", 240), (2, "running", 30)]
    assert clocks[0].breached_at == when("Mon 13:00")


def test_a_run_knows_what_it_is_of_and_when_it_would_have_been_due() -> None:
    clock = only(Target(Measure.FIRST_RESPONSE, 60), story("Mon 09:00", "Mon 09:40 staff"), "Tue 09:00")
    assert (clock.measure, clock.due) == (Measure.FIRST_RESPONSE, when("Mon 10:00"))


def test_an_unknown_status_is_one_in_which_work_goes_on() -> None:
    clock = only(Target(Measure.RESOLUTION, 60), story("Mon 09:00", "Mon 09:10 unknown"), "Mon 09:30")
    assert (clock.state, clock.spent_minutes) == (ClockState.RUNNING, 30)


def test_where_the_time_went_counts_office_hours_until_the_ticket_is_done() -> None:
    history = story(
        "Mon 16:00", "Tue 10:00 line 2", "Tue 11:00 pending", "Wed 10:00 open", "Wed 12:00 on_hold", "Wed 15:00 solved",
        line=1,
    )  # fmt: skip
    assert time_by_line(history, OFFICE, when("Fri 17:00")) == {1: 120, 2: 60 + 360 + 60 + 120 + 180}
    assert time_waiting(history, OFFICE, when("Fri 17:00")) == {
        Waiting.US: 120 + 60 + 120,
        Waiting.CUSTOMER: 360 + 60,
        Waiting.SUPPLIER: 180,
    }


def test_a_calendar_that_never_opens_is_named() -> None:
    never = Calendar("never", ZoneInfo("UTC"), {})
    with pytest.raises(CalendarError, match="calendar never"):
        clock_of(Target(Measure.RESOLUTION, 60), story("Mon 09:00"), never, when("Mon 10:00"))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"minutes": -1}, "-1 minutes cannot be"),
        ({"minutes": float("nan")}, "nan minutes cannot be"),
        ({"minutes": 1e9}, "minutes cannot be"),
        ({"warn_at": (0,)}, "0 percent"),
        ({"warn_at": (50, 1000)}, "1000 percent"),
        ({"lines": frozenset()}, "no line at all"),
        ({"statuses": frozenset({Status.OPEN, Status.SOLVED})}, "status solved"),
        ({"statuses": frozenset({Status.PENDING}), "paused_in": frozenset({Status.PENDING})}, "paused in every status"),
    ],
)
def test_a_target_that_cannot_be_is_refused_in_words(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(Target(Measure.RESOLUTION, 60), **wrong)  # type: ignore[arg-type]
