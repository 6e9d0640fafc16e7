"""Sets the stage: sandboxes in this process, the hub in a process of its own, all on free loopback ports."""

from __future__ import annotations

import contextlib
import importlib
import os
import queue
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import yaml

from hub.connector import Capability, Connector, Known
from hub.connector import Role as ConnectorRole
from hub.registry import Registry
from hub.sandbox import Sandbox
from hub.sandbox.cast import Actor, Role
from hub.settings.load import load_settings
from hub.ticket import Snapshot

START_TIMEOUT = 30.0
"""Seconds for the hub to say where it listens."""
POLL_EVERY = 0.5
"""Seconds between two polls of a tracker that sends no webhooks."""
SECRET_KEYS = ("token", "password", "secret", "key")


@dataclass
class Stage:
    """A running hub with its sandboxes. `close` ends everything and removes the folder."""

    folder: Path
    sandboxes: dict[str, Sandbox]
    settings: dict[str, Any]
    environment: dict[str, str]
    hub_url: str = ""
    connectors: dict[str, Connector] = field(default_factory=dict)
    _hub: subprocess.Popen[str] | None = None
    _actors: dict[tuple[str, Role], Actor] = field(default_factory=dict)

    def actor(self, tracker: str, role: Role) -> Actor:
        """The person of a sandbox who plays this role."""
        if (tracker, role) not in self._actors:
            sandbox = self.sandboxes[tracker]
            self._actors[tracker, role] = _package(sandbox.kind).actor(sandbox, role)
        return self._actors[tracker, role]

    @property
    def quiet_after(self) -> float:
        """Seconds without a write after which the hub has finished: longer where it has to poll."""
        return 3 * POLL_EVERY if self.is_polled else 0.5

    @property
    def is_polled(self) -> bool:
        """Whether the hub has to poll a tracker, since it sends no webhooks."""
        return any(
            Capability.WEBHOOKS not in c.capabilities
            for c in self.connectors.values()
            if c.role is not ConnectorRole.ACTION
        )

    def snapshot(self, tracker: str, ticket_id: str) -> Snapshot:
        """A ticket as its tracker shows it now."""
        return self.connectors[tracker].read(ticket_id, Known())

    def describe(self) -> dict[str, Any]:
        """What a script needs to use it all, as JSON values."""
        return {
            "hub": self.hub_url,
            "config": str(self.folder),
            "trackers": {
                name: {
                    "kind": sandbox.kind,
                    "url": sandbox.url,
                    "credentials": sandbox.credentials(),
                    "webhook_secret": sandbox.webhook_secret,
                    "people": sandbox.people(),
                }
                for name, sandbox in self.sandboxes.items()
            },
        }

    def start_hub(self, port: int = 0) -> None:
        """Starts the hub's process and waits until it listens. Raises RuntimeError with what it said instead."""
        with (self.folder / "hub.log").open("a") as log:
            self._hub = subprocess.Popen(
                [sys.executable, "-m", "hub", "--config", str(self.folder), "serve", "--port", str(port)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **self.environment},
            )
        assert self._hub.stdout is not None
        line = _first_line(self._hub.stdout)
        if not line.startswith("hub listens on "):
            said = line or (self.folder / "hub.log").read_text()
            raise RuntimeError(f"the hub did not start: {said or 'it said nothing'}")
        self.hub_url = line.removeprefix("hub listens on ").strip()

    def kill_hub(self) -> None:
        """`kill -9`."""
        assert self._hub is not None
        self._hub.kill()
        self._end_process()

    def stop_hub(self) -> None:
        """Asks the hub to end, and waits."""
        if self._hub is not None and self._hub.poll() is None:
            self._hub.terminate()
        self._end_process()

    def run_command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A `hub` command on this deployment."""
        return subprocess.run(
            [sys.executable, "-m", "hub", "--config", str(self.folder), *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, **self.environment, "COLUMNS": "160"},
            timeout=60,
            check=False,
        )

    def point_webhooks_to_hub(self) -> None:
        """Every sandbox sends its webhooks to where the hub listens."""
        for name, sandbox in self.sandboxes.items():
            sandbox.add_webhook_target(f"{self.hub_url}/webhooks/{name}", sandbox.webhook_secret)

    def close(self) -> None:
        self.stop_hub()
        for actor in self._actors.values():
            actor.close()
        for connector in self.connectors.values():
            connector.close()
        for sandbox in self.sandboxes.values():
            sandbox.stop()

    def _end_process(self) -> None:
        if self._hub is not None:
            self._hub.wait(timeout=60)
            assert self._hub.stdout is not None
            self._hub.stdout.close()
            self._hub = None


@contextlib.contextmanager
def open_stage(
    trackers: Mapping[str, str],
    *,
    flavour: str = "cloud",
    links: list[dict[str, Any]] | None = None,
    tracker_settings: Mapping[str, Mapping[str, Any]] | None = None,
    with_webhooks: bool = True,
    rules: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Stage]:
    """Sandboxes by tracker name and kind, and a hub that keeps them in step, for the time of the block.

    `links` replaces the demo's pairing; `tracker_settings` adds to a tracker's entry; `rules` is a rule book, which
    stands in a file of its own; `environment` what it refers to.
    """
    with tempfile.TemporaryDirectory(prefix="hub-demo-") as folder:
        stage = Stage(Path(folder), {}, {}, {})
        stage.environment |= environment or {}
        try:
            for name, kind in trackers.items():
                stage.sandboxes[name] = make_sandbox(kind, flavour)
                stage.sandboxes[name].start()
            write_settings(stage, links, tracker_settings or {}, polls_only=not with_webhooks)
            if rules:
                (stage.folder / "rules.yaml").write_text(yaml.safe_dump(dict(rules), allow_unicode=True))
            loaded = load_settings(stage.folder, env={**os.environ, **stage.environment})
            for name, entry in loaded.settings.trackers.items():
                stage.connectors[name] = loaded.registry.create(name, entry)
            stage.start_hub()
            if with_webhooks:
                stage.point_webhooks_to_hub()
            yield stage
        finally:
            stage.close()


def make_sandbox(kind: str, flavour: str = "", clock: Callable[[], datetime] | None = None) -> Sandbox:
    """A new sandbox of this kind, not started, and of the flavour where it has that; `clock` gives its time, UTC.

    Raises LookupError when there is none of this kind.
    """
    try:
        made = _package(kind).SANDBOX
    except ImportError as error:
        raise LookupError(f"there is no sandbox of {kind!r}") from error
    given = {"flavour": flavour} if flavour in made.flavours else {}
    sandbox: Sandbox = made(clock=clock, **given)
    return sandbox


def write_settings(
    stage: Stage, links: list[dict[str, Any]] | None, more: Mapping[str, Mapping[str, Any]], *, polls_only: bool = False
) -> None:
    """Writes `hub.yaml` with every secret in the environment, as an admin would, and `.env` with the secrets.

    Trackers without webhooks are polled often; with `polls_only` all are.
    """
    names = list(stage.sandboxes)
    trackers = {}
    for name, sandbox in stage.sandboxes.items():
        polls = {"poll": {"every": POLL_EVERY}} if polls_only or not _has_webhooks(sandbox.kind) else {}
        entry = {**_package(sandbox.kind).hub_settings(sandbox), **polls, **more.get(name, {})}
        for section in ("credentials", "webhook"):
            entry[section] = {
                key: _in_environment(stage, f"{name}_{key}", value) if _is_secret(key) else value
                for key, value in entry[section].items()
            }
        trackers[name] = entry
    stage.settings = {
        "server": {"host": "127.0.0.1", "port": 0},
        "engine": {"retry_first": 0.2, "retry_most": 5},
        "trackers": trackers,
        "links": links if links is not None else [demo_link(names[:-1], names[-1])],
    }
    (stage.folder / "hub.yaml").write_text(yaml.safe_dump(stage.settings, sort_keys=False))
    # What people need to run commands on it from a shell of their own.
    lines = [f"{name}={shlex.quote(value)}" for name, value in stage.environment.items()]
    (stage.folder / ".env").write_text("\n".join([*lines, ""]))


def demo_link(tickets: list[str], issues: str) -> dict[str, Any]:
    """The demo's pairing: the label `escalate` makes an issue; private notes stay where they are."""
    return {
        "tickets": tickets,
        "issues": issues,
        "when": {"label": "escalate"},
        "labels": {"direction": "both", "ignore": ["escalate"]},
        "comments": {"public": "both", "private": "none"},
    }


def _has_webhooks(kind: str) -> bool:
    return Registry.discover().connector_class(kind).webhook_scheme is not None


def _is_secret(key: str) -> bool:
    return any(word in key for word in SECRET_KEYS)


def _in_environment(stage: Stage, name: str, value: str) -> str:
    variable = f"DEMO_{name}".upper()
    stage.environment[variable] = value
    return f"${{{variable}}}"


def _package(kind: str) -> Any:
    return importlib.import_module(f"plugins.{kind.replace('-', '_')}.sandbox")


def _first_line(stream: IO[str]) -> str:
    found: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: found.put(stream.readline()), daemon=True).start()
    try:
        return found.get(timeout=START_TIMEOUT)
    except queue.Empty:
        return ""
