"""From a ticket's case and present state to what the rules want: orders, a new case, and the time of the next look.

Pure: no I/O, no clock, no randomness. One pass goes once, in order, through intake, clocks, rules and macros; each may
see what an earlier one wants. It always ends, and says of every rule whether it fired and on what that hung.

It must not know what an action does, nor how a clock counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub.rules.agreements import keep_agreements, show_clocks
from hub.rules.book import RuleBook
from hub.rules.case import IN_A_ROW, MOST_IN_A_ROW, Case, Firing, News, Seen, observe, with_values
from hub.rules.case_clocks import clocks_of, shown
from hub.rules.conditions import evaluate, flips
from hub.rules.doing import do_actions, hand_over, number_of, private_text
from hub.rules.macros import run_macros
from hub.rules.ruling import CLOCK, Explained, Ruling, Situation, Wanted
from hub.rules.work import Work, mark_of
from hub.settings.rules import Rule
from hub.ticket import Person, Priority, TicketRef, Visibility

SOON = timedelta(seconds=1)
"""When the ticket is looked at again because what rules did leads to more."""


def rule_on(
    book: RuleBook, case: Case | None, ref: TicketRef, seen: Seen, situation: Situation, now: datetime
) -> Ruling:
    """What the rule book says about a ticket now."""
    observed, news = observe(case, ref, seen, now)
    ruling = _one_pass(book, observed, seen, situation, news, now)
    if ruling.wanted and _leads_to_more(book, ruling, seen, situation, now):
        return replace(ruling, next_at=min(now + SOON, ruling.next_at or now + SOON))
    return ruling


def _one_pass(book: RuleBook, case: Case, seen: Seen, situation: Situation, news: News, now: datetime) -> Ruling:
    work = Work(book, case, seen, situation, news, now)
    _take_in(work)
    keep_agreements(work)
    _follow_rules(work)
    run_macros(work)
    _follow_moves(work)
    return _outcome(work)


def _leads_to_more(book: RuleBook, ruling: Ruling, seen: Seen, situation: Situation, now: datetime) -> bool:
    """Whether the rules want more once all that they want now is done.

    The hub's own writes are recognised and wake nobody, so such a second look has to be asked for. It is a look like
    every other, at what the tracker really made of the writes.
    """
    case, after = ruling.case, seen
    for wanted in ruling.wanted:
        if wanted.kind == "change":
            after = _seen_after(after, wanted.data)
        elif wanted.kind == "text" and wanted.data["visibility"] == Visibility.PUBLIC.value:
            case = replace(case, seen={**case.seen, "last_reply": "staff"})
    following = _one_pass(book, case, after, replace(situation, asked=()), News(), now)
    return bool(following.wanted) or any(one.fired for one in following.explained)


def _seen_after(seen: Seen, change: Mapping[str, Any]) -> Seen:
    """What a look shows after a change was made."""
    values = dict(change["values"])
    custom = {n.removeprefix("custom:"): values.pop(n) for n in list(values) if n.startswith("custom:")}
    key = values.get("assignee", seen.assignee)
    if "assignee" in values:
        values["assignee"] = None if key is None else Person(str(key), str(key))
    labels = (seen.ticket.labels | set(change["add"])) - set(change["remove"])
    ticket = replace(seen.ticket, **values, custom={**seen.ticket.custom, **custom}, labels=labels)
    return replace(seen, ticket=ticket, assignee=key, line=values.get("line", seen.line))


def _take_in(work: Work) -> None:
    """Priority from impact and urgency, and the first line."""
    matrix = work.book.matrix
    if matrix is not None:
        custom = work.seen.ticket.custom
        impact, urgency = str(custom.get(matrix.impact)), str(custom.get(matrix.urgency))
        priority = matrix.table.get(impact, {}).get(urgency)
        if priority is not None and work.news.is_first:
            work.set_value("priority", Priority(priority), "intake", f"impact {impact} and urgency {urgency}")
    if work.case.line is None and work.case.is_open and work.book.lines:
        number, because = _first_line(work)
        hand_over(work, number, "intake", because, is_told=False)


def _first_line(work: Work) -> tuple[int, str]:
    for number, line in work.book.lines.items():
        if line.takes is not None:
            answer = work.evaluate(line.takes)
            if answer.holds:
                return number, answer.because
    return next(iter(work.book.lines)), "no other line takes it"


def _follow_rules(work: Work) -> None:
    """Each rule whose condition has come to hold does what it says, in the order of the book."""
    for rule in work.book.rules:
        answer = work.evaluate(rule.when)
        before = work.fired.get(rule.name, Firing())
        is_due = bool(answer.holds) and (not before.holds or _is_due_again(work, rule, before))
        is_stopped = is_due and before.is_often(work.now)
        fires = is_due and not is_stopped
        if fires:
            work.fired[rule.name] = before.again(work.now)
            source = f"rule {rule.name}.{before.count + 1}"
            do_actions(work, rule.then, source, answer.because, rule=rule.name)
        why = answer.because
        if is_stopped:
            why += f"; but it fired {MOST_IN_A_ROW} times in a row: does something else undo what it does?"
        elif answer.holds and not fires:
            why += "; done already"
        work.explained.append(Explained(rule=rule.name, fired=fires, holds=answer.holds, because=why))


def _is_due_again(work: Work, rule: Rule, before: Firing) -> bool:
    if rule.again_after is None or before.at is None:
        return False
    return before.at + timedelta(minutes=rule.again_after) <= work.now


def _follow_moves(work: Work) -> None:
    """Hands the ticket to the lines that a person asked for from outside."""
    for move in work.situation.moves:
        number = number_of(work, move.line)
        if number not in work.book.lines:
            known = ", ".join(map(str, work.book.lines)) or "none"
            because = "a person asked for it"
            work.want(
                move.mark, "note", "text", private_text(f"There is no line {number}; there are: {known}."), because
            )
        elif number != work.facts.get("line"):
            hand_over(work, number, move.mark, move.reason, is_told=True)


def _outcome(work: Work) -> Ruling:
    """What all of it comes to. The clocks are those after everything that was set."""
    found = clocks_of(work.book, with_values(work.case, work.values, work.now), work.facts, work.now)
    work.facts["clocks"] = {name: clock for name, (_, clock) in found.items()}
    _settle_rules(work)
    show_clocks(work, found)
    if work.values or work.add_labels or work.remove_labels:
        data: dict[str, Any] = {
            "values": dict(work.values),
            "add": [label for label in work.add_labels if label not in work.seen.ticket.labels],
            "remove": [label for label in work.remove_labels if label in work.seen.ticket.labels],
        }
        if work.if_free:
            data["if_free"] = True
        if data["values"] or data["add"] or data["remove"]:
            mark = mark_of(f"change {work.now.isoformat()}")
            because = "; ".join(dict.fromkeys(work.reasons.values()))
            work.wanted.insert(0, Wanted(mark=mark, kind="change", data=data, because=because))
    case = replace(
        _with_own_work(work, with_values(work.case, work.values, work.now)),
        fired=work.fired,
        answers={e.rule: (e.holds, e.because) for e in _rules_explained(work)},
        steps=frozenset(work.steps),
    )
    clocks = {name: clock for name, (_, clock) in found.items()}
    case = replace(case, clocks={name: shown(clock) for name, clock in clocks.items()})
    looks = [*work.looks, *(clock.next_at for clock in clocks.values() if clock.next_at is not None)]
    return Ruling(
        case=case,
        news=work.news,
        wanted=tuple(work.wanted),
        explained=tuple(work.explained),
        clocks=clocks,
        next_at=min((at for at in looks if at > work.now), default=None),
    )


def _settle_rules(work: Work) -> None:
    """Whether each condition holds after all that was done, without what was news: by that the next look tells
    what has come to hold since."""
    calm = {**work.facts, "changed": {}, "replied": frozenset()}
    for explained, rule in zip(_rules_explained(work), work.book.rules, strict=True):
        firing = work.fired.get(rule.name, Firing())
        holds = evaluate(rule.when, calm, work.now).holds
        if firing.is_often(work.now) and not firing.holds and not explained.fired:
            assert firing.at is not None
            work.looks.append(firing.at + IN_A_ROW)
            continue
        if holds and not explained.holds and not firing.holds:
            # A later rule brought it about: it is this rule's turn at the next look, which is at once.
            work.looks.append(work.now + SOON)
            continue
        work.fired[rule.name] = firing if holds is None else replace(firing, holds=holds)
        if holds and rule.again_after is not None and firing.at is not None:
            work.looks.append(max(firing.at + timedelta(minutes=rule.again_after), work.now + SOON))
        work.looks += flips(rule.when, work.facts, work.now)


def _rules_explained(work: Work) -> list[Explained]:
    return [e for e in work.explained if not e.rule.startswith(CLOCK)]


def _with_own_work(work: Work, case: Case) -> Case:
    """The case with the labels and custom fields that rules set, so that their echo is recognised."""
    labels = work.facts["labels"]
    assert isinstance(labels, frozenset)
    custom = dict(case.seen.get("custom", {}))
    for name, value in work.values.items():
        if name.startswith("custom:"):
            custom[name.removeprefix("custom:")] = str(value)
            if value is None:
                del custom[name.removeprefix("custom:")]
    customers_see = any(w.kind == "text" and w.data["visibility"] == Visibility.PUBLIC.value for w in work.wanted)
    touched = work.now if customers_see or "status" in work.values else case.touched
    return replace(case, seen={**case.seen, "labels": sorted(labels), "custom": custom}, touched=touched)
