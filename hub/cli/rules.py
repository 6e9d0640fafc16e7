"""Commands about the rule book: rules check, rules test, rules preview."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from hub.cli.app import NEEDS_A_PERSON, cli, opened, telling_errors
from hub.deployment import Deployment
from hub.rules.book import RuleBook, compile_book
from hub.rules.past import NOT_KEPT
from hub.rules.ruling import Explained, Ruling
from hub.rules.trials import try_rules
from hub.settings.load import load_settings
from hub.sync.adopt import ClockChange, clock_changes
from hub.sync.linking import LinkingError
from hub.sync.preview import rule_on_ticket
from hub.ticket import TicketRef

NO_RULES = "the settings have no rules: add lines, agreements, rules or macros"
SHOWN_CHANGES = 50
"""Lines of a preview; of more only the number is told."""


class UtcTime(click.ParamType):  # type: ignore[type-arg]  # generic in stubs of newer versions only
    """A time with its zone; one without is UTC."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time: write 2026-01-05T09:00 (UTC) or 2026-01-05T09:00+01:00", param, ctx)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


@cli.group()
def rules() -> None:
    """The rule book: check it, try it on a ticket, see what a change of it would do."""


@rules.command()
@click.option("-v", "--verbose", is_flag=True, help="Tell what happened in each rule test.")
@click.pass_context
@telling_errors
def check(context: click.Context, verbose: bool) -> None:
    """Check the rule book and run its rule tests. No tracker is asked, and no secret has to be at hand."""
    settings = load_settings(context.obj, env=_StandIns(os.environ)).settings
    if not settings.has_rules:
        raise LookupError(NO_RULES)
    book = compile_book(settings)
    trials = [try_rules(book, test) for test in settings.rule_tests]
    for trial in trials:
        click.echo(f"{'wrong' if trial.wrong else 'ok   '}  {trial.name}")
        for line in trial.wrong:
            click.echo(f"         {line}")
        if verbose or trial.wrong:
            for line in trial.log:
                click.echo(f"         | {line}")
    failed = sum(bool(trial.wrong) for trial in trials)
    told = f"{len(trials) - failed} of {len(trials)} rule tests are right" if trials else "there are no rule tests"
    click.echo(f"{len(book.rules)} rules, {len(book.promises)} agreements, {len(book.macros)} macros; {told}")
    if failed:
        raise SystemExit(NEEDS_A_PERSON)


@rules.command()
@click.argument("ticket")
@click.option("--at", type=UtcTime(), help="At this time, which may be over.")
@click.pass_context
@telling_errors
def test(context: click.Context, ticket: str, at: datetime | None) -> None:
    """Show what the rules would do about a ticket now, without doing it.

    With --at a time to come: if nothing else happens until then. With one that is over: which conditions held, by what
    the record knows of that time.
    """
    try:
        ref = TicketRef.parse(ticket)
    except ValueError as error:
        raise LinkingError(str(error)) from error
    with opened(context) as deployment:
        _book(deployment)
        is_over = at is not None and at < deployment.context.now()
        try:
            ruling = rule_on_ticket(deployment.context, ref, at)
        except ValueError as error:
            raise LookupError(f"{ref}: {error}") from error
    console = Console(highlight=False)
    console.print(_explained(ruling.explained, is_over=is_over))
    if ruling.clocks:
        clocks = Table("clock", "state", "due", "used", box=None)
        for name, clock in ruling.clocks.items():
            due = f"{clock.due:%Y-%m-%d %H:%M} UTC" if clock.due else "-"
            clocks.add_row(name, str(clock.state), due, f"{clock.spent_minutes:.0f} min")
        console.print(clocks)
    if is_over:
        console.print(f"Of that time nothing is known of: {', '.join(NOT_KEPT)}.", soft_wrap=True)
        console.print(f"What was done then: hub explain {ref}", soft_wrap=True)
        return
    console.print(wanted_table(ruling) if ruling.wanted else "nothing would be done")
    if ruling.next_at:
        console.print(f"next look at {ruling.next_at:%Y-%m-%d %H:%M} UTC")


def wanted_table(ruling: Ruling) -> Table:
    """What rules would do, for people."""
    table = Table("rules would do", "because", box=None)
    for order in ruling.wanted:
        table.add_row(f"{order.kind} {_brief(order.data)}", order.because)
    return table


@rules.command()
@click.pass_context
@telling_errors
def preview(context: click.Context) -> None:
    """Show which open clocks the present rule book would move, before a hub serves with it."""
    with opened(context) as deployment:
        _book(deployment)
        changes = clock_changes(deployment.context)
    table = Table("ticket", "clock", "was", "would be", box=None)
    for change in changes[:SHOWN_CHANGES]:
        table.add_row(str(change.ref), change.clock, _state(change, before=True), _state(change, before=False))
    if changes:
        Console(highlight=False).print(table)
    if len(changes) > SHOWN_CHANGES:
        click.echo(f"… and {len(changes) - SHOWN_CHANGES} more")
    click.echo(f"{len(changes)} clocks would change")


def _book(deployment: Deployment) -> RuleBook:
    book = deployment.context.book
    if book is None:
        raise LookupError(NO_RULES)
    return book


class _StandIns(dict[str, str]):
    """The environment, with something in place of every variable that is not set."""

    def get(self, name: str, default: str | None = None) -> str:  # type: ignore[override]  # never without a value
        return super().get(name) or default or f"https://{name.lower().replace('_', '-')}.example"


def _explained(explained: Iterable[Explained], *, is_over: bool) -> Table:
    table = Table("rule", "held" if is_over else "fires", "because", box=None)
    for one in explained:
        answer = one.holds if is_over else one.fired
        table.add_row(one.rule, {True: "yes", False: "no", None: "not known"}[answer], one.because)
    return table


def _brief(data: Mapping[str, Any]) -> str:
    text = ", ".join(f"{name}: {value}" for name, value in data.items())
    return text if len(text) <= 100 else text[:99] + "…"


def _state(change: ClockChange, *, before: bool) -> str:
    state = change.before if before else change.after
    if state is None:
        return "no clock"
    return f"{state['state']}, due {(state['due'] or '-')[:16]}"
