"""Commands about macros: macro list, run, import, publish."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import yaml
from rich.console import Console
from rich.table import Table

from hub.cli.app import NEEDS_A_PERSON, cli, opened, telling_errors
from hub.cli.orders import looked_after, order_and_do, rule_book
from hub.connector import Capability, Connector, Unwritable
from hub.deployment import Deployment
from hub.journal import cases
from hub.rules.stored import Imported, button_form, imported, stored_form
from hub.settings.rules import Macro
from hub.sync.asking import macro_key, macro_order
from hub.sync.linking import LinkingError, connector_of

WIDTH = 110
"""Characters of a line of YAML."""


@cli.group()
def macro() -> None:
    """Ready answers and actions: list, run, import from a helpdesk, publish to one."""


@macro.command(name="list")
@click.pass_context
@telling_errors
def list_macros(context: click.Context) -> None:
    """List the macros of the rule book."""
    with opened(context) as deployment:
        macros = deployment.loaded.settings.macros
    table = Table("name", "title", "text", "languages", "does", box=None)
    for name, one in macros.items():
        languages = ", ".join(language or "one for all" for language in one.text)
        does = ", ".join(one.then.model_dump(exclude_defaults=True, by_alias=True))
        table.add_row(name, one.title, one.visibility or "none", languages, does)
    Console(markup=False).print(table if macros else "There are no macros; see hub macro import.")


@macro.command()
@click.argument("ticket")
@click.argument("name")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for a serving hub to do it.")
@click.pass_context
@telling_errors
def run(context: click.Context, ticket: str, name: str, timeout: float) -> None:
    """Run a macro on a ticket: hub macro run support:35436 password-reset."""
    with opened(context) as deployment:
        macro_key(deployment.context, name)
        ref = looked_after(deployment, ticket)
        order = macro_order(deployment.context, ref, name)
        is_done = order_and_do(deployment, order, timeout)
        with deployment.journal.read() as connection:
            placed = cases.orders_of(connection, ref)
    began = next(i for i, (one, _, _) in enumerate(placed) if one.mark == order.mark and one.kind == "macro")
    open_kinds = [one.kind for one, state, _ in placed[began:] if state == "open"]
    for one, state, outcome in placed[began + 1 :]:
        click.echo(f"{one.kind}: {state}" + (f" ({outcome})" if outcome else ""))
    if not is_done or open_kinds:
        click.echo(f"not done yet: {', '.join(open_kinds) or 'macro'}; see hub failures", err=True)
        raise SystemExit(NEEDS_A_PERSON)
    click.echo(f"{order.data['name']} was run on {ref}")


@macro.command(name="import")
@click.argument("tracker")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@click.pass_context
@telling_errors
def import_macros(context: click.Context, tracker: str, output: Path | None) -> None:
    """Print a helpdesk's macros as the settings' section macros:, to be looked over and pasted."""
    with opened(context) as deployment:
        connector = _connector(deployment, tracker, Capability.MACROS)
        found = list(imported(connector.macros(), deployment.loaded.settings.macros))
    text = as_yaml(tracker, found)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise LinkingError(f"{output} is there already; choose another file") from error
    left = sum(one.entry is None for one in found)
    noted = sum(bool(one.notes) for one in found)
    click.echo(f"{len(found) - left} macros written to {output}, {left} left out; {noted} have comments to read")


@macro.command()
@click.argument("tracker")
@click.argument("names", nargs=-1)
@click.pass_context
@telling_errors
def publish(context: click.Context, tracker: str, names: Sequence[str]) -> None:
    """Store macros (all of them, or the named ones) in a helpdesk, for agents to use there.

    What is published again replaces what was. A macro of which the helpdesk cannot do everything is published as a
    button: it sets the label by which the hub runs the macro.
    """
    failed = 0
    with opened(context) as deployment:
        rule_book(deployment)
        connector = _connector(deployment, tracker, Capability.PUBLISH_MACROS)
        chosen = [_macro(deployment, name) for name in names] or [*deployment.loaded.settings.macros.items()]
        for name, one in chosen:
            key = f"{deployment.journal.install_id}:{name}"
            try:
                click.echo(f"{name}: {_publish(connector, name, one, key)}")
            except Unwritable as error:
                failed += 1
                click.echo(f"{name}: not published: {error}", err=True)
    if failed:
        raise SystemExit(NEEDS_A_PERSON)


def as_yaml(tracker: str, macros: Sequence[Imported]) -> str:
    """The section `macros:` of the settings, with what has no equivalent in comments."""
    lines = [f"# Macros of {tracker}. Look them over, above all who reads each text, and put them into the settings."]
    entries = [one for one in macros if one.entry is not None]
    lines.append("macros:" if entries else "macros: {}")
    for one in macros:
        if one.entry is None:
            lines.append(_comment(f"left out: {one.title}: {one.why}"))
        lines += [_comment(f"{one.title}: {note}" if one.entry is None else note) for note in one.notes]
        if one.entry is not None:
            made = yaml.dump(
                {one.name: dict(one.entry)}, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=WIDTH
            )
            lines += [f"  {line}" if line else "" for line in made.rstrip("\n").split("\n")]
    return "\n".join(lines) + "\n"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stand as blocks, as people write them."""


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text_node)


def _comment(text: str) -> str:
    return f"  # {' '.join(text.split())}"


def _publish(connector: Connector, name: str, one: Macro, key: str) -> str:
    try:
        return f"published ({connector.publish_macro(stored_form(name, one), key)})"
    except Unwritable as error:
        why = str(error)
    button = button_form(name, one)
    (label,) = button.changes.add_labels
    if connector.hold_label(label).casefold() != label.casefold():
        raise Unwritable(f"{why}, and {connector.name} cannot hold the label {label!r}: give it a name without blanks")
    return f"published as a button ({connector.publish_macro(button, key)}): {why}"


def _macro(deployment: Deployment, name: str) -> tuple[str, Macro]:
    key = macro_key(deployment.context, name)
    return key, deployment.loaded.settings.macros[key]


def _connector(deployment: Deployment, tracker: str, capability: Capability) -> Connector:
    connector = connector_of(deployment.context, tracker)
    if capability not in connector.capabilities:
        lacking = "macros that can be read" if capability is Capability.MACROS else "place for macros"
        raise LinkingError(f"{tracker} ({connector.kind}) has no {lacking}")
    return connector
