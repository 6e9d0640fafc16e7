"""`hub connector verify`: the conformance kit against a configured tracker."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
from pydantic import ValidationError
from rich.console import Console

from hub.cli.app import NEEDS_A_PERSON, cli, opened, telling_errors
from hub.connector import Connector, Role
from hub.testing import checks
from hub.testing.checks import Check
from hub.testing.conformance import CheckResult, run_checks
from hub.testing.site import Site

COLOURS = {"passed": "green", "failed": "bold red", "not offered": "dim", "not possible": "yellow"}


@cli.group()
def connector() -> None:
    """Look at the connectors themselves."""


@connector.command()
@click.argument("tracker")
@click.option("--project", help="Where the scratch tickets go, for trackers with projects.")
@click.option("--queue", help="Where the scratch tickets go, for trackers with queues.")
@click.option("--set", "changed", multiple=True, metavar="NAME=VALUE", help="Any other setting, for this run only.")
@click.option("--only", multiple=True, metavar="WORDS", help="Only the checks whose name holds these words.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for scripts.")
@click.pass_context
@telling_errors
def verify(
    context: click.Context,
    tracker: str,
    project: str | None,
    queue: str | None,
    changed: Sequence[str],
    only: Sequence[str],
    as_json: bool,
) -> None:
    """Check that the connector and a TRACKER of the settings keep the contract, on scratch tickets.

    The tickets are titled so that everybody sees what they are, and are closed at the end.
    """
    values = dict(_named(one) for one in changed)
    values |= {name: value for name, value in (("project", project), ("queue", queue)) if value is not None}
    with opened(context) as deployment:
        site = Site(_changed(_known(deployment.connectors, tracker), values))
        wanted = [c for c in checks.ALL if not only or any(words.casefold() in c.name for words in only)]
        if not wanted:
            raise click.UsageError(f"no check is called like {' or '.join(only)}")
        results = list(_shown(site, wanted, as_json))
    failed = [r for r in results if r.outcome == "failed"]
    if as_json:
        click.echo(json.dumps({"tracker": tracker, "checks": [_plain(r) for r in results]}))
    else:
        click.echo(f"{len(results)} checks of {tracker}: {_count(results)}")
    if failed:
        raise SystemExit(NEEDS_A_PERSON)


def _known(connectors: Any, tracker: str) -> Connector:
    if tracker not in connectors:
        raise click.UsageError(f"there is no tracker {tracker!r}; there are {', '.join(sorted(connectors))}")
    found: Connector = connectors[tracker]
    if found.role is Role.ACTION:
        raise click.UsageError(f"{tracker!r} is of kind {found.kind}, which has no tickets to verify; use hub check")
    return found


def _named(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--set wants NAME=VALUE, not {text!r}")
    return name.strip(), value


def _changed(given: Connector, values: dict[str, str]) -> Connector:
    if not values:
        return given
    settings = given.base_settings
    unknown = sorted(set(values) - set(type(settings).model_fields))
    if unknown:
        raise click.UsageError(f"trackers of kind {settings.kind} have no setting {', '.join(unknown)}")
    try:
        checked = type(settings).model_validate({**dict(settings), **values})
    except ValidationError as error:
        first = error.errors()[0]
        raise click.UsageError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return type(given)(given.name, checked)


def _shown(site: Site, wanted: Sequence[Check], as_json: bool) -> list[CheckResult]:
    """Each result as it comes, with its reason; all of them at the end."""
    console = Console(stderr=as_json, highlight=False)
    found = []
    for result in run_checks(site, wanted):
        found.append(result)
        if not as_json:
            colour = COLOURS[result.outcome]
            reason = f"\n              {result.why}" if result.why else ""
            console.print(f"[{colour}]{result.outcome:<12}[/]  {result.check.name}", end="")
            console.print(reason, markup=False, style="" if result.outcome == "failed" else "dim")
    return found


def _count(results: Sequence[CheckResult]) -> str:
    numbers = {outcome: sum(r.outcome == outcome for r in results) for outcome in COLOURS}
    return ", ".join(f"{number} {outcome}" for outcome, number in numbers.items() if number)


def _plain(result: CheckResult) -> dict[str, Any]:
    return {
        "name": result.check.name,
        "outcome": result.outcome,
        "why": result.why,
        "seconds": round(result.seconds, 3),
    }
