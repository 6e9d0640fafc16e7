"""Commands about tickets: sync, plan, link, unlink."""

from __future__ import annotations

import threading
import time

import click
from filelock import Timeout
from rich.console import Console
from rich.table import Table

from hub.cli.app import NEEDS_A_PERSON, cli, opened, telling_errors
from hub.cli.rules import wanted_table
from hub.deployment import Deployment
from hub.journal import cases, deliveries, links
from hub.sync.asking import known_ticket
from hub.sync.keys import link_key, lock_key, ticket_of
from hub.sync.linking import join, leave, resolve
from hub.sync.plan import Decision
from hub.sync.preview import plan_link, plan_rules, plan_ticket
from hub.sync.run import run_key
from hub.sync.state import LinkState
from hub.ticket import TicketRef

MAX_RUNS = 20
"""Runs of one key by one command; a key that is never done has a mistake that is worth seeing."""


@cli.command()
@click.argument("what", required=False)
@click.option("--all", "everything", is_flag=True, help="Every link, and every open ticket that rules look after.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for a serving hub to do it.")
@click.pass_context
@telling_errors
def sync(context: click.Context, what: str | None, everything: bool, timeout: float) -> None:
    """Bring a ticket (support:35436), a link (link:7) or everything (--all) in step now."""
    if (what is None) == (not everything):
        raise click.UsageError("say which: hub sync support:35436, hub sync link:7, or hub sync --all")
    with opened(context) as deployment:
        if everything:
            with deployment.journal.read() as connection:
                keys = [link_key(link_id) for link_id in links.all_links(connection)]
                if deployment.context.book is not None:
                    keys += map(str, cases.open_and_unlinked(connection))
        else:
            assert what is not None
            keys = [_key(deployment, what)]
        failed = [key for key in keys if not bring_in_step(deployment, key, timeout)]
    click.echo(f"{len(keys) - len(failed)} of {len(keys)} in step")
    if failed:
        raise SystemExit(NEEDS_A_PERSON)


@cli.command()
@click.argument("what")
@click.pass_context
@telling_errors
def plan(context: click.Context, what: str) -> None:
    """Print what would be written about a ticket or link now, without writing."""
    with opened(context) as deployment:
        key = lock_key(deployment.context, _key(deployment, what))
        ref = ticket_of(key)
        state: LinkState | None
        decision: Decision | None
        if ref is None:
            state, decision = plan_link(deployment.context, int(key.removeprefix("link:")))
        else:
            why, state, decision = plan_ticket(deployment.context, ref)
            click.echo(f"{what} is in no link; {why}")
        rulings = plan_rules(deployment.context, state) if state else []
    console = Console()
    for about, ruling in rulings:
        if ruling.wanted:
            console.print(wanted_table(ruling))
        else:
            console.print(f"rules would do nothing about {about}")
    if decision is None:
        return
    if not decision.operations and not decision.problems:
        click.echo("nothing: everything is in step")
        return
    table = Table("would do", "because", box=None)
    for operation in decision.operations:
        table.add_row(operation.describe(), operation.because)
    for problem in decision.problems:
        table.add_row(f"cannot write {problem.field} in {problem.target}", problem.why)
    console.print(table)


@cli.command()
@click.argument("one")
@click.argument("other")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for a serving hub to do it.")
@click.pass_context
@telling_errors
def link(context: click.Context, one: str, other: str, timeout: float) -> None:
    """Keep two tickets in step from now on: hub link support:35436 dev:OPS-12."""
    with opened(context) as deployment:
        link_id = join(deployment.context, one, other)
        click.echo(f"link {link_id}: {one} and {other} are kept in step")
        if not bring_in_step(deployment, link_key(link_id), timeout):
            raise SystemExit(NEEDS_A_PERSON)


@cli.command()
@click.argument("ticket")
@click.pass_context
@telling_errors
def unlink(context: click.Context, ticket: str) -> None:
    """Keep a ticket in step no more. What was copied stays where it is."""
    with opened(context) as deployment:
        link_id = leave(deployment.context, ticket)
    click.echo(f"{ticket} is out of link {link_id}")


def bring_in_step(deployment: Deployment, key: str, timeout: float) -> bool:
    """Runs a key until nothing is left to do; by the serving hub when there is one. False when it could not.

    Whoever works on keys holds the lock of the deployment, so no two processes ever work on the same one.
    """
    with deployment.journal.write() as connection:
        deliveries.wake(connection, key, deployment.context.now(), "asked for")
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while True:
        try:
            with deployment.serving_lock():
                return _run_here(deployment, key)
        except Timeout:
            done = _is_done_elsewhere(deployment, key)
        if done is not None:
            return done
        if time.monotonic() > deadline:
            click.echo(f"{key}: the serving hub has not done it within {timeout:g} s; it will", err=True)
            return False
        pause.wait(0.1)


def _run_here(deployment: Deployment, key: str) -> bool:
    context = deployment.context
    for _ in range(MAX_RUNS):
        result = run_key(context, lock_key(context, key))
        if result.outcome == "postponed":
            click.echo(f"{key}: put off until {result.due:%H:%M:%S} UTC: {result.why}", err=True)
            return False
        with deployment.journal.read() as connection:
            if not deliveries.wakes_of(connection, [key], context.now()):
                return True
    return False


def _is_done_elsewhere(deployment: Deployment, key: str) -> bool | None:
    """Whether the process that works on keys has done this one, could not, or (None) has not come to it yet."""
    with deployment.journal.read() as connection:
        waiting = deliveries.find_wake(connection, key)
    if waiting is None:
        return True
    if waiting.attempts:
        click.echo(f"{key}: put off until {waiting.due:%H:%M:%S} UTC: {waiting.reason}", err=True)
        return False
    # A deadline ahead is no work that is left.
    return True if waiting.due > deployment.context.now() else None


def ticket_of_words(deployment: Deployment, what: str) -> TicketRef:
    """The ticket that a person means, by id or by what people call it. Asks the tracker only about unknown ones.

    Raises LinkingError, ConnectorError.
    """
    return known_ticket(deployment.context, what) or resolve(deployment.context, what)[0]


def _key(deployment: Deployment, what: str) -> str:
    """The key that a person means: a link's, or a ticket's."""
    return what if what.startswith("link:") else str(ticket_of_words(deployment, what))
