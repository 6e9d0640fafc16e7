"""A deployment on sandboxes with a rule book, and the commands as people type them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from hub.cli import inspect, macros, orders, rules, tickets  # noqa: F401 - commands register themselves
from hub.cli.app import cli
from hub.connector import Known
from hub.demo.stage import Stage, make_sandbox, write_settings
from hub.deployment import Deployment, open_deployment
from hub.ticket import Comment, Ticket

BOOK = """
lines:
  1: {name: First line}
  2: {name: Experts}
  3: {name: Engineers}
rules: []
macros:
  hello:
    title: Say hello
    visibility: public
    text: "Dear {{ requester.name }}, we look at {{ ticket.key }}."
    then: {set: {status: pending}, add_labels: greeted}
  several languages:
    visibility: public
    text: {en: Hello., pl: Dzień dobry.}
  bilingual:
    visibility: public
    text: {en: Hello., pl: Dzień dobry.}
  quiet:
    then: {set: {priority: low}}
"""


@dataclass
class Desk:
    """Zendesk as `support`, Freshdesk as `desk`, Jira as `dev`."""

    stage: Stage
    folder: Path

    def hub(self, *arguments: str, answer: str = "") -> Result:
        """Types a command; `answer` is what is typed when it asks."""
        result = CliRunner().invoke(
            cli, ["--config", str(self.folder), *arguments], input=answer, env={"COLUMNS": "200"}
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    def deployment(self) -> Deployment:
        return open_deployment(self.folder)

    def see(self, ticket_id: str, tracker: str = "support") -> tuple[Ticket, list[Comment]]:
        with self.deployment() as deployment:
            snapshot = deployment.connectors[tracker].read(ticket_id, Known())
        return snapshot.ticket, list(snapshot.comments or ())

    def said(self, ticket_id: str, words: str, tracker: str = "support") -> list[Comment]:
        return [c for c in self.see(ticket_id, tracker)[1] if words in c.text]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A running desk; each test has one of its own."""
    stage = Stage(tmp_path, {}, {}, {})
    with ExitStack() as stack:
        stack.callback(stage.close)
        for name, kind in (("support", "zendesk"), ("desk", "freshdesk"), ("dev", "jira")):
            stage.sandboxes[name] = make_sandbox(kind)
            stage.sandboxes[name].start()
        write_settings(stage, None, {"desk": {"lines": {1: ["Helpdesk"], 2: ["Experts"]}}})
        (tmp_path / "rules.yaml").write_text(yaml.safe_dump(yaml.safe_load(BOOK), sort_keys=False))
        for name, value in stage.environment.items():
            monkeypatch.setenv(name, value)
        yield Desk(stage, tmp_path)
