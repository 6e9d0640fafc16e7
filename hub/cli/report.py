"""The command report: figures of a period."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table

from hub.cli.app import cli, opened, telling_errors
from hub.report import Period, as_csv, as_json, as_tables, figures_of
from hub.report.reading import records
from hub.rules.book import RuleBook
from hub.sync.context import utc_now

_MONTH = re.compile(r"(\d{4})-(\d{2})")


@cli.command()
@click.option("--month", help="A month, e.g. 2026-05. By default the present one.")
@click.option("--since", help="First day, e.g. 2026-05-01; with --until, instead of a month.")
@click.option("--until", help="Last day, included.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone of days and months, e.g. Europe/Warsaw.")
@click.option("--tracker", help="Only tickets of this helpdesk.")
@click.option("--line", type=click.IntRange(1), help="Only tickets that this support line had in the period.")
@click.option("--organisation", help="Only tickets of this customer.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.pass_context
@telling_errors
def report(
    context: click.Context,
    month: str | None,
    since: str | None,
    until: str | None,
    zone: str,
    tracker: str | None,
    line: int | None,
    organisation: str | None,
    form: str,
) -> None:
    """Print figures: response and resolution times, breaches, where the time went, backlog, ratings."""
    period = _period(month, since, until, zone)
    with opened(context) as deployment, deployment.journal.read() as connection:
        if tracker is not None and tracker not in deployment.connectors:
            raise click.UsageError(f"there is no tracker {tracker!r}; there are {', '.join(deployment.connectors)}")
        book = deployment.context.book or RuleBook()
        cases = list(records(connection, book, period.until))
    figures = figures_of(cases, period, tracker=tracker, line=line, organisation=organisation)
    if form == "csv":
        click.echo(as_csv(figures), nl=False)
    elif form == "json":
        click.echo(as_json(figures))
    else:
        console = Console(highlight=False)
        console.print(
            f"{period.since:%Y-%m-%d %H:%M} to {period.until:%Y-%m-%d %H:%M} UTC, {len(cases)} tickets on record"
        )
        for name, (header, rows) in as_tables(figures).items():
            table = Table(*header, title=name, title_justify="left", box=None)
            for row in rows:
                table.add_row(*row)
            console.print(table)


def _period(month: str | None, since: str | None, until: str | None, zone: str) -> Period:
    try:
        where = ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise click.UsageError(f"{zone!r} is no time zone: write one such as Europe/Warsaw") from error
    if (since is None) != (until is None) or (month and since):
        raise click.UsageError("give --month, or --since and --until together")
    try:
        if since and until:
            first, last = _day(since, where), _day(until, where) + timedelta(days=1)
        else:
            first = _month(month or f"{datetime.now(where):%Y-%m}", where)
            last = (first + timedelta(days=32)).replace(day=1)
        if first >= last:
            raise click.UsageError("--until is before --since")
        now = utc_now()
        if first >= now:
            raise click.UsageError("the period has not begun")
        # What has not happened yet is in no figure: a ticket that is open now does not count as open until the end.
        return Period(first.astimezone(UTC), min(last.astimezone(UTC), now), where)
    except OverflowError as error:
        raise click.UsageError("that is beyond the years 1 to 9999") from error


def _month(text: str, zone: ZoneInfo) -> datetime:
    match = _MONTH.fullmatch(text)
    if match is None or not 1 <= int(match[2]) <= 12 or match[1] == "0000":
        raise click.UsageError(f"{text!r} is no month: write one such as 2026-05")
    return datetime(int(match[1]), int(match[2]), 1, tzinfo=zone)


def _day(text: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError as error:
        raise click.UsageError(f"{text!r} is no day: write one such as 2026-05-01") from error
