"""Clocks as the makers of helpdesks document them, worked by hand; each case names its page."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hub.rules.calendars import ALWAYS, Calendar
from hub.rules.clocks import Again, Clock, ClockState, Measure, Target, clock_cycles, clock_of, usual_pauses
from hub.rules.history import History, starting
from hub.ticket import Status
from tests.rules.stories import OFFICE, story, when

PENDING = frozenset({Status.PENDING})
WAITING = frozenset({Status.PENDING, Status.ON_HOLD})


def clock(target: Target, history: History, now: str, calendar: Calendar = ALWAYS) -> Clock:
    found = clock_of(target, history, calendar, when(now))
    assert found is not None
    return found


class TestZendesk:
    def test_the_first_public_reply_of_an_agent_ends_the_first_reply_time_and_a_customers_does_not(self) -> None:
        """Zendesk, "Calculating first reply time" (article 4408821871642): from the creation to the first public agent
        comment."""
        history = story("Mon 09:00", "Mon 09:10 customer", "Mon 09:40 staff", "Mon 09:50 staff")
        target = Target(Measure.FIRST_RESPONSE, 60)
        waiting = clock(target, history, "Mon 09:30")
        assert (waiting.state, waiting.due, waiting.spent_minutes) == (ClockState.RUNNING, when("Mon 10:00"), 30)
        met = clock(target, history, "Tue 09:00")
        assert (met.state, met.ended, met.spent_minutes) == (ClockState.MET, when("Mon 09:40"), 40)

    def test_a_call_that_was_solved_without_a_comment_gets_its_first_reply_after_it_is_opened_again(self) -> None:
        """The same page, third example: solved with no comment, re-opened by the customer, then the agent responds;
        the first reply time ends when that comment is posted."""
        history = story("Mon 09:00", "Mon 09:05 solved", "Tue 10:00 customer", "Tue 10:00 open", "Tue 10:20 staff")
        target = Target(Measure.FIRST_RESPONSE, 60)
        assert clock(target, history, "Mon 12:00").state is ClockState.STOPPED
        assert clock(target, history, "Tue 10:10").state is ClockState.RUNNING
        met = clock(target, history, "Tue 11:00")
        assert (met.state, met.ended, met.spent_minutes) == (ClockState.MET, when("Tue 10:20"), 25)

    def test_requester_wait_time_pauses_in_pending_and_agent_work_time_on_hold_too(self) -> None:
        """Zendesk, "Ticket metric event types reference", pause events."""
        history = story("Mon 08:00", "Mon 09:00 pending", "Mon 11:00 open", "Mon 12:00 on_hold", "Mon 15:00 open")
        requester_wait = Target(Measure.RESOLUTION, 480, paused_in=usual_pauses(Measure.RESOLUTION))
        agent_work = Target(Measure.RESOLUTION, 480, paused_in=WAITING)
        assert clock(requester_wait, history, "Mon 16:00").spent_minutes == 60 + 60 + 180 + 60
        assert clock(agent_work, history, "Mon 16:00").spent_minutes == 60 + 60 + 60
        paused = clock(requester_wait, history, "Mon 10:00")
        assert (paused.state, paused.due, paused.next_at) == (ClockState.PAUSED, None, None)
        assert clock(requester_wait, history, "Mon 11:00").due == when("Mon 18:00")

    def test_reply_time_does_not_pause_in_pending(self) -> None:
        """GitLab handbook on its Zendesk, "Zendesk ticket basics": changing the status (except solved) without
        replying will not stop the breach clock."""
        history = story("Mon 09:00", "Mon 09:30 pending")
        late = clock(Target(Measure.FIRST_RESPONSE, 60), history, "Mon 10:30")
        assert (late.state, late.breached_at, late.left_minutes) == (ClockState.BREACHED, when("Mon 10:00"), -30)

    def test_next_reply_time_begins_with_the_oldest_unanswered_comment(self) -> None:
        """Zendesk, "Defining SLA policies" (article 4408829459866): the oldest unanswered comment of a customer."""
        history = story(
            "Mon 09:00", "Mon 09:30 staff", "Mon 10:00 customer", "Mon 10:40 customer", "Mon 11:30 staff",
            "Mon 12:00 customer",
        )  # fmt: skip
        target = Target(Measure.NEXT_RESPONSE, 60)
        assert clock_of(target, history, ALWAYS, when("Mon 09:45")) is None
        assert clock(target, history, "Mon 10:50").due == when("Mon 11:00")
        first, second = clock_cycles(target, history, ALWAYS, when("Mon 12:30"))
        assert (first.state, first.breached_at, first.spent_minutes) == (ClockState.MISSED, when("Mon 11:00"), 90)
        assert (second.state, second.cycle, second.due) == (ClockState.RUNNING, 2, when("Mon 13:00"))

    def test_a_periodic_update_runs_from_public_reply_to_public_reply(self) -> None:
        """GitLab handbook on its Zendesk, "Metrics definitions": the time between public agent replies."""
        history = story("Mon 09:00", "Mon 10:00 staff", "Mon 11:00 customer", "Mon 13:30 staff", "Mon 15:00 solved")
        target = Target(Measure.UPDATE, 180)
        assert clock_of(target, history, ALWAYS, when("Mon 09:59")) is None
        first, second = clock_cycles(target, history, ALWAYS, when("Mon 14:00"))
        assert (first.state, first.breached_at) == (ClockState.MISSED, when("Mon 13:00"))
        assert (second.state, second.due) == (ClockState.RUNNING, when("Mon 16:30"))
        assert clock(target, history, "Mon 18:00").state is ClockState.STOPPED

    def test_a_ticket_that_is_opened_again_goes_on_without_the_time_it_was_solved(self) -> None:
        """Zendesk, "Ticket metric event types reference": a further activate event follows a fulfilled metric; the
        time in solved is not waited for."""
        history = story("Mon 09:00", "Mon 11:00 solved", "Tue 09:00 open")
        target = Target(Measure.RESOLUTION, 240)
        assert clock(target, history, "Mon 20:00").state is ClockState.MET
        running = clock(target, history, "Tue 10:00")
        assert (running.state, running.cycle, running.spent_minutes) == (ClockState.RUNNING, 1, 180)
        assert running.due == when("Tue 11:00")
        assert clock(target, history, "Tue 12:00").breached_at == when("Tue 11:00")

    def test_another_priority_is_another_target_for_the_same_elapsed_time(self) -> None:
        """Zendesk, "Defining and using SLA policies" (article 204770038): a changed priority changes the targets. The
        metric began when the ticket did, whenever the policy came (community post 5321452538394)."""
        history = story("Mon 09:00", "Mon 12:00 urgent")
        assert clock(Target(Measure.RESOLUTION, 480), history, "Mon 11:59").due == when("Mon 17:00")
        urgent = clock(Target(Measure.RESOLUTION, 120), history, "Mon 12:00")
        assert (urgent.state, urgent.breached_at) == (ClockState.BREACHED, when("Mon 11:00"))

    def test_ownership_time_of_a_group_begins_anew_on_return_and_on_opening_again(self) -> None:
        """Zendesk, "Defining group SLA policies" (article 5322445643802): it ends when the ticket is reassigned or
        solved; if re-opened, a new one is started. API page "Group SLA policies": tier 1 within 10 minutes."""
        history = story(
            "Mon 09:00", "Mon 09:08 line 2", "Mon 10:00 line 1", "Mon 10:20 solved", "Mon 11:00 open", line=1
        )  # fmt: skip
        tier1 = Target(Measure.RESOLUTION, 10, lines=frozenset({1}))
        first, second, third = clock_cycles(tier1, history, ALWAYS, when("Mon 11:05"))
        assert (first.state, first.ended, first.spent_minutes) == (ClockState.MET, when("Mon 09:08"), 8)
        assert (second.state, second.breached_at, second.spent_minutes) == (ClockState.MISSED, when("Mon 10:10"), 20)
        assert (third.state, third.due) == (ClockState.RUNNING, when("Mon 11:10"))


class TestJira:
    def test_the_goal_time_of_the_documented_example(self) -> None:
        """Jira Service Management, "How teams see SLAs": 16 hours from Monday 11:00, working Monday 09:00-17:00,
        Tuesday 09:00-16:00, Thursday 08:00-17:00. 6 hours on Monday, 7 on Tuesday, 3 on Thursday."""
        week = {0: ((540, 1020),), 1: ((540, 960),), 3: ((480, 1020),)}
        calendar = Calendar("request A", ZoneInfo("Europe/Warsaw"), week)
        history = story("Mon 11:00")
        target = Target(Measure.RESOLUTION, 16 * 60)
        assert clock(target, history, "Mon 11:00", calendar).due == when("Thu 11:00")
        on_wednesday = clock(target, history, "Wed 12:00", calendar)
        assert (on_wednesday.left_minutes, on_wednesday.due) == (180, when("Thu 11:00"))

    def test_twenty_four_hours_of_nine_to_five_are_three_days(self) -> None:
        """Jira Service Management, "Example SLA configurations", basic SLA: 24h on the sample 9-5 calendar."""
        assert clock(Target(Measure.RESOLUTION, 24 * 60), story("Mon 09:00"), "Mon 09:00", OFFICE).due == when(
            "Wed 17:00"
        )

    def test_time_spent_waiting_for_the_customer_does_not_count_against_forty_hours(self) -> None:
        """The same page, "SLA that doesn't track continuous time": start on creation, paused while waiting for the
        customer, stop on resolution; 40h, 24/7."""
        history = story("Mon 09:00", "Mon 19:00 pending", "Wed 09:00 open", "Thu 14:00 solved")
        target = Target(Measure.RESOLUTION, 40 * 60, paused_in=PENDING)
        assert clock(target, history, "Wed 09:00").due == when("Thu 15:00")
        met = clock(target, history, "Fri 09:00")
        assert (met.state, met.spent_minutes) == (ClockState.MET, 39 * 60)

    def test_a_response_in_two_hours_after_the_creation_and_after_each_update(self) -> None:
        """The same page, "SLA with multiple cycles". Two targets say it here."""
        history = story("Mon 09:00", "Mon 10:30 staff", "Mon 12:00 customer", "Mon 14:30 staff")
        first = clock(Target(Measure.FIRST_RESPONSE, 120), history, "Mon 15:00")
        following = clock(Target(Measure.NEXT_RESPONSE, 120), history, "Mon 15:00")
        assert first.state is ClockState.MET
        assert (following.state, following.breached_at) == (ClockState.MISSED, when("Mon 14:00"))

    def test_a_stopped_sla_that_starts_again_starts_a_new_cycle(self) -> None:
        """Atlassian, "Can SLA's have multiple cycles?": reset on the new start; past cycles of 3 minutes, not breached,
        and of 35 minutes, breached, are kept."""
        history = story("Mon 09:00", "Mon 09:03 solved", "Mon 10:00 open", "Mon 10:35 solved", "Mon 12:00 open")
        target = Target(Measure.RESOLUTION, 30, again=Again.ANEW)
        first, second, third = clock_cycles(target, history, ALWAYS, when("Mon 12:10"))
        assert (first.state, first.spent_minutes) == (ClockState.MET, 3)
        assert (second.state, second.spent_minutes) == (ClockState.MISSED, 35)
        assert (third.state, third.cycle, third.spent_minutes) == (ClockState.RUNNING, 3, 10)

    def test_a_changed_calendar_recalculates(self) -> None:
        """Atlassian, "Create and edit SLA calendars": when you make changes, linked SLAs are recalculated."""
        history = story("Mon 15:00")
        target = Target(Measure.RESOLUTION, 240)
        assert clock(target, history, "Mon 18:00", OFFICE).due == when("Tue 11:00")
        assert clock(target, history, "Mon 18:00").due == when("Mon 19:00")
        shorter = Calendar("shorter", OFFICE.zone, dict.fromkeys(range(5), ((540, 960),)))
        assert clock(target, history, "Mon 18:00", shorter).due == when("Tue 12:00")

    def test_a_goal_of_another_priority_takes_over_the_elapsed_time(self) -> None:
        """SaaSJet's SLA for Jira, "Transition between SLA goals": created 10:00 with 3 hours, at 11:00 the priority's
        goal becomes 2 hours; the new deadline is 12:00."""
        history = story("Mon 10:00", "Mon 11:00 high")
        assert clock(Target(Measure.RESOLUTION, 180), history, "Mon 10:59").due == when("Mon 13:00")
        assert clock(Target(Measure.RESOLUTION, 120), history, "Mon 11:00").due == when("Mon 12:00")


class TestFreshdesk:
    def test_the_timer_starts_with_the_ticket_and_is_off_in_pending(self) -> None:
        """Freshdesk, solution article 229718: the timer begins when the ticket is created, open; it can be off in
        pending and in waiting on third party."""
        history = story("Fri 16:00", "Mon2 10:00 pending", "Tue2 09:00 open")
        target = Target(Measure.RESOLUTION, 240, paused_in=WAITING)
        assert clock(target, history, "Fri 16:00", OFFICE).due == when("Mon2 12:00")
        assert clock(target, history, "Mon2 15:00", OFFICE).due is None
        assert clock(target, history, "Tue2 09:00", OFFICE).due == when("Tue2 11:00")

    def test_a_changed_priority_changes_the_due_time(self) -> None:
        """Freshdesk, solution folder 272943: only a due time set by hand stays when, say, the priority changes."""
        history = story("Mon 09:00", "Mon 10:00 low")
        assert clock(Target(Measure.RESOLUTION, 240), history, "Mon 09:30", OFFICE).due == when("Mon 13:00")
        assert clock(Target(Measure.RESOLUTION, 600), history, "Mon 10:00", OFFICE).due == when("Tue 11:00")

    def test_every_response_is_measured_after_the_first_one(self) -> None:
        """Freshdesk, "Understanding SLA policies" (80001061595): the very first response, every response sent after
        the first response, and the resolution have targets of their own."""
        history = story("Mon 09:00", "Mon 09:20 customer", "Mon 09:50 staff", "Mon 11:00 customer")
        assert clock(Target(Measure.FIRST_RESPONSE, 60), history, "Mon 11:10").state is ClockState.MET
        assert [
            c.started for c in clock_cycles(Target(Measure.NEXT_RESPONSE, 60), history, ALWAYS, when("Mon 11:10"))
        ] == [when("Mon 11:00")]

    def test_response_due_and_overdue_are_two_clocks(self) -> None:
        """Freshdesk, solution article 228680: a late first response is "response due", a late resolution "overdue"."""
        history = story("Mon 09:00")
        response = clock(Target(Measure.FIRST_RESPONSE, 60), history, "Mon 12:00")
        resolution = clock(Target(Measure.RESOLUTION, 240), history, "Mon 12:00")
        assert (response.state, resolution.state) == (ClockState.BREACHED, ClockState.RUNNING)


class TestBoldDesk:
    """BoldDesk, "Recalculating SLA upon ticket reopening" (article 15281). It agrees with the default here."""

    def test_opened_again_before_the_due_time(self) -> None:
        """Scenario 1: due 16:00, closed 13:00, opened again 15:00; the new due time is 18:00."""
        history = story("Mon 12:00", "Mon 13:00 closed", "Mon 15:00 open")
        assert clock(Target(Measure.RESOLUTION, 240), history, "Mon 15:30").due == when("Mon 18:00")

    def test_opened_again_after_the_due_time(self) -> None:
        """Scenario 2: due 16:00, closed in time at 15:00, opened again 18:00; the new due time is 19:00."""
        history = story("Mon 12:00", "Mon 15:00 closed", "Mon 18:00 open")
        assert clock(Target(Measure.RESOLUTION, 240), history, "Mon 18:30").due == when("Mon 19:00")


class TestOtrs:
    """OTRS 4 to Znuny 7, `TicketEscalationIndexBuild` in Kernel/System/Ticket.pm, and the manuals."""

    def test_the_first_response_is_due_from_the_creation_in_working_time(self) -> None:
        """The destination time is counted from `Created` with the calendar of the SLA or queue."""
        assert clock(Target(Measure.FIRST_RESPONSE, 120), story("Fri 16:00"), "Fri 16:30", OFFICE).due == when(
            "Mon2 10:00"
        )

    def test_without_a_calendar_every_minute_counts(self) -> None:
        """Znuny manual, "Managing Service Level Agreements": no calendar results in 24*7*365."""
        assert clock(Target(Measure.FIRST_RESPONSE, 120), story("Sat 23:00"), "Sat 23:30").due == when("Sun 01:00")

    def test_the_first_close_is_final(self) -> None:
        """`_TicketGetClosed`: once there is a first close time, the solution does not escalate again."""
        history = story("Mon 09:00", "Mon 10:00 closed", "Tue 09:00 open")
        solution = clock(Target(Measure.RESOLUTION, 240, again=Again.NEVER), history, "Fri 09:00")
        assert (solution.state, solution.ended, solution.spent_minutes) == (ClockState.MET, when("Mon 10:00"), 60)

    def test_an_update_is_due_from_the_agents_latest_article(self) -> None:
        """Walking back through the articles, the first agent's one sets the start, with notes passed over."""
        history = story("Mon 09:00", "Mon 10:00 staff", "Mon 12:00 staff")
        assert clock(Target(Measure.UPDATE, 120), history, "Mon 12:30", OFFICE).due == when("Mon 14:00")

    def test_of_customers_articles_after_the_agents_the_oldest_sets_the_start(self) -> None:
        """Walking back over customers' articles, the start is the oldest one before an agent's is met."""
        history = story("Mon 09:00", "Mon 10:00 staff", "Mon 11:00 customer", "Mon 11:30 customer")
        assert clock(Target(Measure.NEXT_RESPONSE, 120), history, "Mon 12:30", OFFICE).due == when("Mon 13:00")

    def test_no_update_escalates_while_pending(self) -> None:
        """The state type pending sets the update's escalation time to 0."""
        history = story("Mon 09:00", "Mon 10:00 staff", "Mon 10:00 pending")
        paused = clock(Target(Measure.UPDATE, 120, paused_in=PENDING), history, "Tue 12:30", OFFICE)
        assert (paused.state, paused.due, paused.spent_minutes) == (ClockState.PAUSED, None, 0)

    def test_a_suspended_escalation_goes_on_with_the_time_that_was_left(self) -> None:
        """OTRS manual, "Escalation suspend": it starts with the date when the status was changed, with the remaining
        time; the suspended period is not counted."""
        history = story("Mon 09:00", "Mon 11:00 pending", "Tue 10:00 open")
        solution = clock(Target(Measure.RESOLUTION, 300, paused_in=PENDING), history, "Tue 10:00", OFFICE)
        assert (solution.left_minutes, solution.due) == (180, when("Tue 13:00"))

    def test_a_notification_comes_at_its_share_of_the_working_time(self) -> None:
        """`TicketEscalationDateCalculation`: reached = 100 - working time left / (time / 100) >= notify."""
        target = Target(Measure.RESOLUTION, 600, warn_at=(80,))
        running = clock(target, story("Mon 09:00"), "Mon 17:00", OFFICE)
        assert running.warnings == ((80, when("Mon 17:00")),)
        assert running.next_at == when("Tue 11:00")


def test_an_hour_of_office_time_over_the_night_when_clocks_change() -> None:
    """Created in Warsaw on Friday 2024-10-25 at 15:30, closing at 16:00: 60 minutes are due on Monday at 08:30 local
    time, which is 07:30 UTC after the change, not 06:30."""
    office = Calendar("pl", ZoneInfo("Europe/Warsaw"), dict.fromkeys(range(5), ((480, 960),)))
    created = datetime(2024, 10, 25, 13, 30, tzinfo=UTC)
    found = clock_of(Target(Measure.FIRST_RESPONSE, 60), starting(created), office, created)
    assert found is not None
    assert found.due == datetime(2024, 10, 28, 7, 30, tzinfo=UTC)
