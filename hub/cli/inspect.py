"""Commands that show: explain, links, failures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.app import NEEDS_A_PERSON, cli, opened, telling_errors
from hub.cli.tickets import bring_in_step
from hub.journal import cases, events, failures, incidents, links
from hub.journal.cases import CaseRow, Order
from hub.journal.events import TimelineEntry
from hub.rules.alerts import load_incident
from hub.sync.linking import LinkingError
from hub.ticket import TicketRef


@cli.command()
@click.argument("ticket")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
@telling_errors
def explain(context: click.Context, ticket: str, as_json: bool) -> None:
    """Print a ticket's whole timeline: what came in, what was decided and why, what was written."""
    try:
        given = TicketRef.parse(ticket)
    except ValueError as error:
        raise LinkingError(str(error)) from error
    with opened(context) as deployment, deployment.journal.read() as connection:
        ref = links.find_by_key(connection, given.tracker, given.id) or given
        ref = cases.find_case(connection, ref.tracker, ref.id) or ref
        case = cases.case_of(connection, ref)
        link_id = links.link_of(connection, ref)
        link_ids = sorted({*events.links_on_record(connection, ref), *([link_id] if link_id else [])})
        entries = events.timeline(connection, ref, link_ids)
        loaded = links.load_link(connection, link_id) if link_id else None
        ordered = cases.orders_of(connection, ref)
        incident = incidents.incident_of(connection, ref)
    if as_json:
        for entry in entries:
            click.echo(json.dumps(_as_json(entry)))
        for order, state, outcome in ordered:
            click.echo(json.dumps(_order_as_json(order, state, outcome)))
        if case is not None:
            click.echo(json.dumps({"at": case.data["looked"], "what": "case", "ticket": str(ref), "data": case.data}))
        return
    console = Console(highlight=False)
    if loaded:
        names = ", ".join(f"{m.ref} ({m.key})" for m in loaded[1])
        console.print(f"{ref} is in link {link_id}: {names}")
    else:
        console.print(f"{ref} is in no link")
    if not entries:
        console.print("Nothing is on record about it. Is the webhook set up? hub check tells.")
    for entry in entries:
        for line_number, line in enumerate(_lines(entry)):
            when = _when(entry.at) if line_number == 0 else " " * 23
            console.print(Text(f"{when}  {line}"), soft_wrap=True)
    if incident is not None:
        number = load_incident(incident.data).count
        state = f"{number} alert(s) go on" if number else "no alert goes on"
        console.print(Text(f"It stands for an incident of {incident.source}: {state}"), soft_wrap=True)
    for line in (*_order_lines(ordered), *(_case_lines(case) if case else ())):
        console.print(Text(line), soft_wrap=True)


def _order_lines(ordered: Iterable[tuple[Order, str, str]]) -> Iterator[str]:
    """What rules or people wanted and did not get (yet), and why."""
    for order, state, outcome in ordered:
        if state == "open":
            yield f"still to be done: {order.kind} of {order.mark} (because {order.because})"
        elif state == "dropped":
            yield f"not done: {order.kind} of {order.mark}: {outcome} (it was wanted because {order.because})"


def _order_as_json(order: Order, state: str, outcome: str) -> dict[str, Any]:
    data = {"mark": order.mark, "kind": order.kind, "because": order.because, "state": state, "outcome": outcome}
    at = order.made.isoformat() if order.made else None
    return {"at": at, "what": "order", "ticket": str(order.ref), "data": data}


def _case_lines(case: CaseRow) -> Iterator[str]:
    """How the clocks stood and what the rules said when the hub last looked."""
    if "gone" in case.data:
        yield f"It has not been found since {case.data['gone'][:16]} UTC; nothing is done about it."
    yield f"At the last look ({case.data['looked'][:16]} UTC):"
    for name, clock in case.data["clocks"].items():
        due = f", due {clock['due'][:16]} UTC" if clock["due"] else ""
        yield f"  clock {name}: {clock['state']}{due}"
    for rule, (holds, because) in case.data["answers"].items():
        word = {True: "holds", False: "does not hold", None: "is not known to hold"}[holds]
        yield f"  rule {rule} {word}: {because}"
    if case.next_at is not None:
        yield f"  the next look by itself is at {case.next_at:%Y-%m-%d %H:%M} UTC"


def _as_json(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "what": entry.what,
        "ticket": str(entry.ref) if entry.ref else None,
        "data": dict(entry.data),
    }


def _when(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:23]


def _lines(entry: TimelineEntry) -> list[str]:
    data, where = entry.data, f"{entry.ref}" if entry.ref else ""
    match entry.what:
        case "delivery":
            return [_delivery_line(where, data)]
        case "intent":
            return _intent_lines(where, data)
        case "planned":
            return ["decided:"] + [f"  {o['does']} (because {o['because']})" for o in data["operations"]]
        case "escalated":
            return [f"{where} escalated by rule {data['rule']}: {data['why']}"]
        case "rule":
            return [f"rule {data['rule']} fired on {where}: {data['why']}"]
        case "passed over":
            return [f"{data['rule']} was not acted on for {where}: {data['why']}"]
        case "incident":
            did = f"opened {data['opened']} for {data['alerts']} alert(s)" if "opened" in data else data["why"]
            return [f"{where} incident {data['name']} of {data['source']}: {did}"]
        case "similar":
            return [f"similar open issues for {where}: {data['found']} ({data['mode']})"]
        case "conflict":
            return [
                f"conflict on {data['field']}: kept {data['kept']!r} of {data['kept_from']}, "
                f"lost {data['lost']!r} of {where} ({data['why']})"
            ]
        case "overwritten":
            who = f"the account {data['by']}" if data["by"] else "somebody"
            told = data["changed_at"]
            at = f" at {_when(datetime.fromisoformat(told).astimezone(UTC))}" if told else ""
            return [
                f"{who} had set {data['field']} of {where} to {data['lost']!r}{at}, "
                f"while the hub was about to write {data['wrote']!r} there"
            ]
        case "failed":
            return [f"FAILED {data['what']} at {where}: {data['why']}", f"  {data['remedy']}"]
        case "postponed":
            return [f"postponed: {data['where']} {data['doing']}: {data['why']}"]
        case _:
            details = ", ".join(f"{k}: {v}" for k, v in data.items())
            return [f"{where} {entry.what}" + (f" ({details})" if details else "")]


def _delivery_line(where: str, data: Mapping[str, Any]) -> str:
    said = ", ".join(h["event"] for h in data["hints"]) or "nothing"
    repeats = f", came {data['repeats']} more time(s)" if data["repeats"] else ""
    note = f": {data['note']}" if data["note"] else ""
    return f"{where} webhook {data['id']} said {said}{repeats} -> {data['status']}{note}"


def _intent_lines(where: str, data: Mapping[str, Any]) -> list[str]:
    operation, receipt = data["operation"], data["receipt"] or {}
    details = ", ".join(f"{k} {v}" for k, v in receipt.items() if v not in ({}, [], None))
    state = {"open": "no receipt yet", "done": "done", "refused": "REFUSED", "void": "not done"}[data["state"]]
    return [f"{where} write {data['id']}: {operation['does']} -> {state}" + (f" ({details})" if details else "")]


@cli.command(name="links")
@click.pass_context
@telling_errors
def list_links(context: click.Context) -> None:
    """List what is kept in step with what."""
    table = Table("link", "tickets", "issue", "rule", "since", box=None)
    with opened(context) as deployment, deployment.journal.read() as connection:
        for link_id in links.all_links(connection):
            loaded = links.load_link(connection, link_id)
            if loaded is None:
                continue
            row, members = loaded
            tickets = ", ".join(f"{m.ref.tracker}:{m.key}" for m in members if m.role == "ticket")
            issue = ", ".join(f"{m.ref.tracker}:{m.key}" for m in members if m.role == "issue")
            table.add_row(str(link_id), tickets, issue or "none yet", row.policy, f"{row.created:%Y-%m-%d %H:%M}")
    Console().print(table if table.row_count else "Nothing is linked yet.")


@cli.group(name="failures", invoke_without_command=True)
@click.pass_context
def failures_group(context: click.Context) -> None:
    """What could not be done, why, and what to do about it."""
    if context.invoked_subcommand is None:
        context.invoke(list_failures)


@failures_group.command(name="list")
@click.pass_context
@telling_errors
def list_failures(context: click.Context) -> None:
    """List what waits for a person. Exits with 1 when there is anything."""
    with opened(context) as deployment, deployment.journal.read() as connection:
        waiting = failures.unresolved_failures(connection)
    if not waiting:
        click.echo("Nothing has failed.")
        return
    console = Console(highlight=False)
    for failure in waiting:
        since = f"since {failure.first_seen:%Y-%m-%d %H:%M} UTC, tried {failure.attempts}x"
        console.print(Text(f"{failure.id}  {failure.what}  {since}"))
        console.print(Text(f"   {failure.why}"), soft_wrap=True)
        if failure.remedy:
            console.print(Text(f"   {failure.remedy}"), soft_wrap=True)
    console.print("Try again: hub failures retry <number>, or hub failures retry --all")
    raise SystemExit(NEEDS_A_PERSON)


@failures_group.command()
@click.argument("number", type=int, required=False)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for a serving hub to do it.")
@click.pass_context
@telling_errors
def retry(context: click.Context, number: int | None, everything: bool, timeout: float) -> None:
    """Try again what failed."""
    if (number is None) == (not everything):
        raise click.UsageError("say which: hub failures retry 4711, or hub failures retry --all")
    with opened(context) as deployment:
        with deployment.journal.write() as connection:
            chosen = failures.unresolved_failures(connection)
            if number is not None:
                chosen = [f for f in chosen if f.id == number]
                if not chosen:
                    raise LinkingError(f"there is no failure {number} that waits; see hub failures")
            for failure in chosen:
                failures.ask_for_retry(connection, failure.id)
        for key in dict.fromkeys(f.key for f in chosen):
            bring_in_step(deployment, key, timeout)
        with deployment.journal.read() as connection:
            left = {f.id for f in failures.unresolved_failures(connection)} & {f.id for f in chosen}
    click.echo(f"{len(chosen) - len(left)} of {len(chosen)} done")
    if left:
        raise SystemExit(NEEDS_A_PERSON)
