"""Commands for whoever sets the hub up: init, check, sandbox."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from hub.cli.app import NEEDS_A_PERSON, cli, opened, telling_errors
from hub.connector import Capability, Connector, ConnectorError, Finding, Role
from hub.settings.starter import write_starter

CLOCK_SKEW_WARNING = 30.0
"""Seconds of difference between the tracker's clock and ours that an admin should know of."""


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--example", default="zendesk-jira", show_default=True, help="Which of the example deployments.")
def init(folder: Path, example: str) -> None:
    """Write commented starter settings into FOLDER. Nothing is overwritten."""
    try:
        written = write_starter(folder, example)
    except (FileExistsError, LookupError) as error:
        raise click.UsageError(str(error)) from error
    for path in written:
        click.echo(f"wrote {path}")
    click.echo("Fill in the addresses, set the variables that .env.example names, then: hub check")


@cli.command()
@click.option("--offline", is_flag=True, help="Check the settings only; call no tracker.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for scripts.")
@click.pass_context
@telling_errors
def check(context: click.Context, offline: bool, as_json: bool) -> None:
    """Check the settings, then ask each tracker: identity, permissions, webhook, clock."""
    with opened(context) as deployment:
        connectors = {} if offline else deployment.connectors
        public_url = deployment.loaded.settings.server.public_url
        with ThreadPoolExecutor(max(1, len(connectors))) as pool:
            found = dict(
                zip(connectors, pool.map(lambda c: check_tracker(c, public_url), connectors.values()), strict=True)
            )
        broken = [Finding("error", f"plugin {b.name}: {b.error} ({b.where})", "Mend or remove it.")
                  for b in deployment.loaded.registry.broken]  # fmt: skip
    if broken:
        found["plugins"] = broken
    for name, source in deployment.loaded.settings.alerts.items():
        found[f"alerts {name}"] = [_alerts(name, deployment.connectors[source.tracker], public_url)]
    if as_json:
        click.echo(json.dumps({n: [_plain(f) for f in fs] for n, fs in found.items()}))
    else:
        _print_findings(found)
        click.echo("The settings are valid." + (" No tracker was asked." if offline else ""))
    if any(f.level == "error" for fs in found.values() for f in fs):
        raise SystemExit(NEEDS_A_PERSON)


def check_tracker(connector: Connector, public_url: str) -> list[Finding]:
    """All that is right and wrong with one tracker, in words for an admin."""
    try:
        who = connector.identify()
        findings = [Finding("ok", f"signed in as {who.name} ({who.account_id})")]
        if who.clock_skew is not None:
            findings.append(_clock(who.clock_skew))
        findings += connector.check()
    except ConnectorError as error:
        return [Finding("error", f"{error.doing}: {error.why}", error.remedy or "Check url and credentials.")]
    if connector.role is not Role.ACTION:
        findings.append(_webhook(connector, public_url))
    return findings


def _clock(skew: float) -> Finding:
    if abs(skew) < CLOCK_SKEW_WARNING:
        return Finding("ok", f"its clock and ours agree within {abs(skew):.0f} s")
    return Finding(
        "warning",
        f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} ours",
        "Set this machine's clock by NTP; signed webhooks are refused when clocks differ too much.",
    )


def _webhook(connector: Connector, public_url: str) -> Finding:
    path = f"/webhooks/{connector.name}"
    if connector.base_settings.webhook.secret is None:
        return Finding(
            "warning",
            "no webhook secret is set, so every webhook is refused and changes are found by polling only",
            f"Set trackers.{connector.name}.webhook.secret to what the tracker signs with.",
        )
    if not public_url:
        return Finding(
            "warning",
            f"the webhook is received at {path}",
            "Set server.public_url to the hub's address as the tracker sees it.",
        )
    return Finding("ok", f"the webhook is received at {public_url.rstrip('/')}{path}")


def _alerts(name: str, connector: Connector, public_url: str) -> Finding:
    path = f"/alerts/{name}"
    if Capability.CREATE not in connector.capabilities:
        return Finding("error", f"no incident can be opened in {connector.name}", "Name another helpdesk as tracker.")
    if not public_url:
        remedy = "Set server.public_url to the hub's address as the monitoring sees it."
        return Finding("warning", f"alerts are received at {path}", remedy)
    return Finding("ok", f"alerts are received at {public_url}{path}")


def _plain(finding: Finding) -> dict[str, Any]:
    return {"level": finding.level, "what": finding.what, "remedy": finding.remedy}


def _print_findings(found: dict[str, list[Finding]]) -> None:
    table = Table("tracker", "", "what", "what to do", box=None)
    colours = {"ok": "green", "warning": "yellow", "error": "red"}
    for name, findings in found.items():
        for finding in findings:
            table.add_row(name, f"[{colours[finding.level]}]{finding.level}[/]", finding.what, finding.remedy)
    if table.row_count:
        Console().print(table)


@cli.command()
@click.argument("kind")
@click.option("--port", default=0, show_default=True, help="0 takes a free one.")
@click.option(
    "--flavour",
    default="",
    help="For trackers that come in several (jira: cloud, datacenter; bugzilla: 5.2, 5.3, bmo).",
)
def sandbox(kind: str, port: int, flavour: str) -> None:
    """Run a local stand-in of a tracker; its first line of output says where it is and who may sign in."""
    from hub.demo.stage import make_sandbox
    from hub.sandbox import run

    try:
        made = make_sandbox(kind, flavour)
    except LookupError as error:
        raise click.UsageError(str(error)) from error
    run(made, port)
