"""Commands that run the hub: serve, demo."""

from __future__ import annotations

import functools
import gc
import importlib
import signal
import threading
from collections.abc import Mapping

import click
import structlog
from filelock import Timeout

from hub.cli.app import NEEDS_A_PERSON, cli, opened, telling_errors
from hub.connector import Role
from hub.deployment import CannotServeError, Deployment
from hub.engine import EmbeddedEngine
from hub.engine.inbox import JournalInbox
from hub.engine.polling import periodics
from hub.engine.reporting import report_periodics
from hub.journal import events, failures
from hub.metrics import Metrics
from hub.registry import Registry
from hub.sync.finishing import Result

log = structlog.get_logger("hub")

LOOK_FOR_END = 1.0
"""Seconds."""
PATIENCE = 5.0
"""Seconds to wait for another process to let go of the deployment."""
GARBAGE_AFTER = 20_000
"""How many more objects there are when the garbage collector looks again; Python's own 700 suits small programs."""


@cli.command()
@click.option("--port", type=int, help="Overrides server.port; 0 takes a free one.")
@click.pass_context
@telling_errors
def serve(context: click.Context, port: int | None) -> None:
    """Receive webhooks, poll, and keep everything in step, until SIGINT or SIGTERM."""
    with opened(context) as deployment:
        try:
            # A command that works on a ticket just now is let finish.
            with deployment.serving_lock().acquire(timeout=PATIENCE):
                _serve(deployment, port)
        except Timeout as error:
            raise CannotServeError(
                f"a hub serves {deployment.loaded.settings.store.url} already; stop that one first"
            ) from error


def _serve(deployment: Deployment, port: int | None) -> None:
    settings = deployment.loaded.settings
    metrics = Metrics()
    context = deployment.context
    context.count_write = metrics.write
    for name, connector in context.connectors.items():
        connector.on_call = functools.partial(metrics.call, name)

    def count_run(result: Result, seconds: float) -> None:
        metrics.run(result.outcome, seconds)

    engine = EmbeddedEngine(context, periodics=[*periodics(context), *report_periodics(context)], on_run=count_run)
    # The core does not import the web server: it is named here and loaded when somebody serves.
    web = importlib.import_module("webhooks.app")
    app = web.create_app(
        connectors=deployment.connectors,
        inbox=JournalInbox(deployment.journal, engine.notify),
        metrics=metrics,
        ready=lambda: _ready(deployment, engine),
        max_body_bytes=settings.server.max_body_bytes,
        now=context.now,
        alerts=settings.alerts,
        api=web.api_routes(
            context=context,
            token=settings.server.api_token.get_secret_value() if settings.server.api_token else None,
            notify=engine.notify,
        ),
    )
    try:
        wanted = settings.server.port if port is None else port
        server = web.Server(app, settings.server.host, wanted, settings.server.threads)
    except OSError as error:
        raise CannotServeError(f"{error}. Choose another server.port, or stop what listens there.") from error
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    metrics.watch_wakes(engine.counts)
    metrics.watch_failures(lambda: _count_failures(deployment))
    metrics.watch_journal(deployment.journal.counts)
    metrics.watch_polls(lambda: _poll_ages(deployment))
    _keep_what_was_loaded()
    engine.start()
    server.start()
    click.echo(f"hub listens on {server.url}")
    log.info("serving", url=server.url, trackers=sorted(deployment.connectors))
    try:
        # In turns, because a signal that another thread took does not end a wait without an end.
        while not ended.wait(LOOK_FOR_END):
            pass
    finally:
        server.stop()
        engine.stop(settings.engine.drain)
        log.info("stopped")


def _count_failures(deployment: Deployment) -> int:
    with deployment.journal.read() as connection:
        return failures.count_open(connection)


def _poll_ages(deployment: Deployment) -> dict[str, float]:
    """Per tracker, the seconds since it was last polled."""
    now = deployment.context.now()
    with deployment.journal.read() as connection:
        known = {name: events.load_cursor(connection, name) for name in deployment.connectors}
    return {name: (now - found[1]).total_seconds() for name, found in known.items() if found}


def _keep_what_was_loaded() -> None:
    """Modules, settings and tables live as long as the process: the garbage collector need not look at them again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


def _ready(deployment: Deployment, engine: EmbeddedEngine) -> Mapping[str, str | None]:
    """Per part, what is wrong with it, or None."""
    try:
        with deployment.journal.read() as connection:
            failures.count_open(connection)
        database = None
    except Exception as error:  # noqa: BLE001 - whatever it is, the database does not answer, and that is the answer
        database = type(error).__name__
    return {"database": database, "engine": None if engine.is_running else "not running"}


@cli.command()
@click.option("--once", is_flag=True, help="End after the scenario; exit 0 only when everything held.")
@click.option("--json", "as_json", is_flag=True, help="The first line is one JSON object for scripts.")
@click.option("--no-scenario", is_flag=True, help="Start everything and play nothing.")
@click.option(
    "--pair",
    default="zendesk:jira",
    show_default=True,
    metavar="A:B",
    help="Which trackers: a helpdesk or bug tracker, a colon, a bug tracker. A+C+…:B puts several on one tracker.",
)
@click.option(
    "--flavour",
    default="",
    help="For trackers that come in several (jira: cloud, datacenter; bugzilla: 5.2, 5.3, bmo).",
)
@click.option("--rules", "with_rules", is_flag=True, help="Play the rule book of the example three-lines.")
@telling_errors
def demo(once: bool, as_json: bool, no_scenario: bool, pair: str, flavour: str, with_rules: bool) -> None:
    """Start sandboxes and a hub on free loopback ports, and play a ticket's life through them."""
    from hub.demo import play

    trackers = _trackers_of(pair)
    try:
        held = play(
            pair=trackers, once=once, as_json=as_json, with_scenario=not no_scenario, flavour=flavour,
            with_rules=with_rules,
        )  # fmt: skip
    except LookupError as error:
        raise click.UsageError(str(error)) from error
    if not held:
        raise SystemExit(NEEDS_A_PERSON)


def _trackers_of(pair: str) -> dict[str, str]:
    """Kinds by tracker name: `zendesk+otrs+zendesk:jira` are support, partner, partner2 and dev."""
    tickets, colon, issues = pair.partition(":")
    kinds = [kind.strip() for kind in (*tickets.split("+"), issues)]
    if not colon or not all(kinds):
        raise click.UsageError(f"--pair wants a:b or a+b:c, e.g. freshdesk:bugzilla, not {pair!r}")
    roles = {kind: found.role for kind, found in Registry.discover().connector_classes().items()}
    with_tickets = sorted(kind for kind, role in roles.items() if role is not Role.ACTION)
    for kind in kinds:
        if kind not in with_tickets:
            raise click.UsageError(f"there is no tracker of kind {kind!r}; there are {', '.join(with_tickets)}")
    if roles[kinds[-1]] is not Role.BUG_TRACKER:
        fitting = ", ".join(kind for kind in with_tickets if roles[kind] is Role.BUG_TRACKER)
        raise click.UsageError(f"behind the colon stands a bug tracker, and {kinds[-1]} is a helpdesk; try {fitting}")
    others = ["partner", *(f"partner{number}" for number in range(2, len(kinds)))]
    return dict(zip(["support", *others[: len(kinds) - 2], "dev"], kinds, strict=True))
