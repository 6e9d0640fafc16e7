"""Commands by which a person has something done that rules do otherwise: escalate, announce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from hub.cli.app import NEEDS_A_PERSON, cli, opened, telling_errors
from hub.cli.tickets import bring_in_step, ticket_of_words
from hub.deployment import Deployment
from hub.journal import cases
from hub.journal.cases import Order
from hub.rules.book import RuleBook
from hub.settings.rules import Condition
from hub.sync.announce import ANSWERABLE, Audience, announce, choose_audience, name_of_announcement
from hub.sync.asking import ask, book_of, check_line, line_order
from hub.sync.linking import LinkingError
from hub.text import canonical
from hub.ticket import TicketRef, Visibility

SHOWN = 50
"""Tickets of an announcement that are listed; of more only the number is told."""


@cli.command()
@click.argument("ticket")
@click.option("--line", type=click.IntRange(min=1), help="Hand it to this line.")
@click.option("--next", "is_next", is_flag=True, help="Hand it to the line after its present one.")
@click.option("--reason", required=True, help="Why, for the note that goes with it.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for a serving hub to do it.")
@click.pass_context
@telling_errors
def escalate(context: click.Context, ticket: str, line: int | None, is_next: bool, reason: str, timeout: float) -> None:
    """Hand a ticket to another support line: hub escalate support:35436 --next --reason "needs an expert"."""
    if (line is None) == (not is_next):
        raise click.UsageError("say to which line: --line 3, or --next")
    with opened(context) as deployment:
        book = rule_book(deployment)
        check_line(deployment.context, line or "next")
        ref = looked_after(deployment, ticket)
        order = line_order(deployment.context, ref, line or "next", reason)
        before = _line_of(deployment, ref)
        is_done = order_and_do(deployment, order, timeout)
        after = _line_of(deployment, ref)
    if not is_done:
        raise SystemExit(NEEDS_A_PERSON)
    if after is not None and after == before:
        click.echo(f"{ref} is with line {after} ({book.lines[after].name}) already")
    elif after is not None:
        click.echo(f"{ref} is with line {after} ({book.lines[after].name})")


@cli.command(name="announce")
@click.option("--text", help="What to say, as Markdown.")
@click.option("--text-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file that says it.")
@click.option(
    "--public/--private", "is_public", default=None, help="A reply that customers see, or a note. Must be said."
)
@click.option(
    "--where", multiple=True, metavar="FIELD=VALUE", help="Open tickets of which this holds; several: all do."
)
@click.option("--issue", "issues", multiple=True, metavar="TICKET", help="The tickets that wait for this issue.")
@click.option("--ticket", "tickets", multiple=True, metavar="TICKET", help="This ticket.")
@click.option(
    "--name", help="What to call it; the same name is said once to a ticket. By default the text is the name."
)
@click.option("--dry-run", is_flag=True, help="Only show to whom it would go.")
@click.option("--yes", is_flag=True, help="Do not ask before it goes out.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for a serving hub to do it.")
@click.pass_context
@telling_errors
def announce_command(
    context: click.Context,
    text: str | None,
    text_file: Path | None,
    is_public: bool | None,
    where: Sequence[str],
    issues: Sequence[str],
    tickets: Sequence[str],
    name: str | None,
    dry_run: bool,
    yes: bool,
    timeout: float,
) -> None:
    """Say one thing in every affected ticket, once: an outage, planned work, a mended fault.

    hub announce --public --text-file outage.md --where label=outage
    """
    said = _text(text, text_file)
    if is_public is None:
        raise click.UsageError("say who reads it: --public (customers do) or --private (a note)")
    if not (where or issues or tickets):
        raise click.UsageError("say to whom: --where label=outage, --issue dev:OPS-12 or --ticket support:35436")
    visibility = Visibility.PUBLIC if is_public else Visibility.PRIVATE
    with opened(context) as deployment:
        rule_book(deployment)
        audience = choose_audience(
            deployment.context,
            [_condition(one) for one in where],
            [ticket_of_words(deployment, one) for one in issues],
            [looked_after(deployment, one) for one in tickets],
        )
        _show(audience, said, is_public=is_public)
        if not audience.members or dry_run:
            return
        if not yes:
            click.confirm(f"Say this in {len(audience.members)} ticket(s)?", abort=True)
        known_as = name or name_of_announcement(said, visibility)
        new = announce(deployment.context, known_as, canonical(said), visibility, [*audience.members])
        failed = [ref for ref in new if not bring_in_step(deployment, str(ref), timeout)]
    had = len(audience.members) - len(new)
    click.echo(f"said in {len(new) - len(failed)} ticket(s)" + (f", {had} had it already" if had else ""))
    if failed:
        click.echo(f"not yet in {', '.join(map(str, failed))}; the hub goes on trying, see hub failures", err=True)
        raise SystemExit(NEEDS_A_PERSON)


def rule_book(deployment: Deployment) -> RuleBook:
    """The rule book. Raises LinkingError where the settings have none."""
    return book_of(deployment.context)


def looked_after(deployment: Deployment, what: str) -> TicketRef:
    """A ticket that the rules are for. Raises LinkingError, ConnectorError."""
    ref = ticket_of_words(deployment, what)
    if not deployment.context.looks_after(ref.tracker):
        raise LinkingError(f"the rules are for tickets of helpdesks, which {ref.tracker} is not")
    return ref


def order_and_do(deployment: Deployment, order: Order, timeout: float) -> bool:
    """Places an order of a person's and has it done; False when that could not be, or not yet."""
    ask(deployment.context, order)
    return bring_in_step(deployment, str(order.ref), timeout)


def _line_of(deployment: Deployment, ref: TicketRef) -> int | None:
    with deployment.journal.read() as connection:
        row = cases.case_of(connection, ref)
    line = row.data["seen"].get("line") if row else None
    return line if isinstance(line, int) else None


def _text(text: str | None, text_file: Path | None) -> str:
    if (text is None) == (text_file is None):
        raise click.UsageError("say it with --text or with --text-file")
    try:
        said = (text if text is not None else Path(str(text_file)).read_text(encoding="utf-8-sig")).strip()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{text_file} is not UTF-8") from error
    if not said:
        raise click.UsageError("there is nothing to say: the text is empty")
    if "{{" in said or "{%" in said:
        raise click.UsageError("an announcement says the same to everybody: it takes no placeholders")
    return said


def _condition(given: str) -> Condition:
    """`label=outage`, `priority=high,urgent` or `custom:area=billing` as a condition."""
    name, sign, value = given.partition("=")
    name, value = name.strip(), value.strip()
    if not (sign and name and value):
        raise click.UsageError(f"{given!r} is no condition: write a field and its value, e.g. label=outage")
    words: list[Any] = [int(word) if name == "line" and word.isdigit() else word for word in _parts(value)]
    asked: Mapping[str, Any] = {name: words}
    if name.startswith("custom:"):
        asked = {"custom": {name.removeprefix("custom:"): words}}
    elif name not in ANSWERABLE:
        raise click.UsageError(f"there is no field {name!r} to choose by; there are {', '.join(ANSWERABLE)}")
    try:
        return Condition.model_validate(asked)
    except ValidationError as error:
        why = "; ".join(str(problem["msg"]) for problem in error.errors())
        raise click.UsageError(f"{given}: {why}") from error


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _show(audience: Audience, said: str, *, is_public: bool) -> None:
    table = Table("ticket", "", box=None)
    for ref, title in [*audience.members.items()][:SHOWN]:
        table.add_row(str(ref), title)
    console = Console(highlight=False, markup=False)
    if audience.members:
        console.print(table)
    if len(audience.members) > SHOWN:
        click.echo(f"… and {len(audience.members) - SHOWN} more")
    for ref, why in audience.left_out.items():
        click.echo(f"left out: {ref}: {why}")
    kind = "a public reply, which customers see" if is_public else "a private note"
    click.echo(f"{len(audience.members)} ticket(s) get {kind}:\n\n{said}\n")
