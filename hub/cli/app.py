"""The `hub` command and what its sub-commands share: where the settings are, how errors are told, exit codes.

Exit codes: 0 done; 1 something needs a person (it is named); 2 wrong usage or settings.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from hub import __version__
from hub.connector import ConnectorError
from hub.deployment import CannotServeError, Deployment, open_deployment
from hub.journal import JournalError
from hub.logs import configure_logs
from hub.settings.load import SettingsError
from hub.sync.linking import LinkingError

F = TypeVar("F", bound=Callable[..., Any])

NEEDS_A_PERSON = 1
WRONG_USAGE = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path),
    envvar="HUB_CONFIG",
    default=Path("hub.yaml"),
    show_default=True,
    help="The settings: a YAML file, or a folder of them. Also from the environment: HUB_CONFIG.",
)
@click.version_option(__version__, prog_name="hub")
@click.pass_context
def cli(context: click.Context, config: Path) -> None:
    """Keeps tickets in step between helpdesks and bug trackers."""
    context.obj = config


def opened(context: click.Context) -> Deployment:
    """The deployment that `--config` names, with logs going to standard error."""
    deployment = open_deployment(context.obj)
    logs = deployment.loaded.settings.logs
    configure_logs(logs.level, logs.format, sys.stderr, deployment.loaded.secret_values())
    return deployment


def telling_errors(command: F) -> F:
    """Turns the errors that people can act on into one message and an exit code, without a traceback."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except SettingsError as error:
            _stop(str(error), WRONG_USAGE)
        except (JournalError, LinkingError, CannotServeError, ConnectorError, LookupError) as error:
            _stop(str(error), NEEDS_A_PERSON)

    return wrapped  # type: ignore[return-value]  # the wrapper takes and returns what the command does


def _stop(message: str, code: int) -> None:
    click.echo(message, err=True)
    raise SystemExit(code)


def main() -> None:
    """Entry of the `hub` command."""
    # Commands register themselves on `cli` when their modules are imported.
    from hub.cli import admin, connector, inspect, macros, orders, report, rules, serve, tickets  # noqa: F401

    cli(prog_name="hub")
