"""The examples in the documentation work as they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import jsonify, request

from hub.connector import AuthError, Known, NotFoundError, NotOfferedError
from hub.registry import Registry
from hub.sandbox import Sandbox
from hub.settings.load import load_settings
from hub.ticket import Status

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "plugins.md"
TOKEN = "acme-token-for-tests"


class AcmeSandbox(Sandbox):
    kind = "acme"

    def __init__(self) -> None:
        super().__init__()

        @self.app.get("/me")
        def me() -> Any:
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return jsonify(message="who are you?"), 401
            return jsonify(id="1", name="Hub")

        @self.app.get("/tickets/<ticket_id>")
        def ticket(ticket_id: str) -> Any:
            if ticket_id != "7":
                return jsonify(message="no such ticket"), 404
            return jsonify(id="7", title="A", text="b *c*", status="done", updated="2026-03-01T12:00:00+00:00")


@pytest.fixture
def acme() -> Iterator[AcmeSandbox]:
    with AcmeSandbox() as sandbox:
        yield sandbox


def example_of_a_connector() -> str:
    example = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert example is not None
    return example.group(1)


def connector(folder: Path, url: str, token: str = TOKEN) -> Any:
    """The connector of the guide, loaded as a local plugin."""
    (folder / "acme.py").write_text(example_of_a_connector())
    registry = Registry.discover(folder)
    assert registry.broken == []
    cls = registry.connector_class("acme")
    return cls(
        "support", cls.settings_model.model_validate({"kind": "acme", "url": url, "credentials": {"token": token}})
    )


def test_the_connector_of_the_guide_reads_a_ticket(tmp_path: Path, acme: AcmeSandbox) -> None:
    made = connector(tmp_path, acme.url)
    assert made.identify().name == "Hub"
    ticket = made.read("7", Known()).ticket
    assert (ticket.title, ticket.description, ticket.status) == ("A", r"b \*c\*", Status.SOLVED)
    made.close()


def test_its_errors_are_the_hubs_and_show_no_secret(tmp_path: Path, acme: AcmeSandbox) -> None:
    made = connector(tmp_path, acme.url, token="a-wrong-token")
    with pytest.raises(AuthError, match="who are you") as error:
        made.identify()
    assert "a-wrong-token" not in str(error.value)
    with pytest.raises(NotFoundError, match="no such ticket"):
        made.read("8", Known())
    with pytest.raises(NotOfferedError):
        made.delete_comment("7", "1")
    made.close()


ALERTS = GUIDE.with_name("alerts.md")


def yaml_of(guide: Path) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", guide.read_text(), re.DOTALL)


def test_the_settings_in_the_guide_to_alerts_are_valid(tmp_path: Path) -> None:
    examples = [text for text in yaml_of(ALERTS) if text.startswith("alerts:")]
    assert len(examples) == 5
    (tmp_path / "acme.py").write_text(example_of_a_connector())
    for text in examples:
        (tmp_path / "hub.yaml").write_text(
            f"plugin_folder: .\ntrackers:\n  support: {{kind: acme, url: 'https://a.example', "
            f"credentials: {{token: '${{ALERTS_TOKEN}}'}}}}\n{text}"
        )
        load_settings(tmp_path / "hub.yaml", env={"ALERTS_TOKEN": "token-one", "CHECKS_TOKEN": "token-two"})


def test_the_receiver_in_the_guide_to_alerts_sends_where_the_hub_listens_what_the_hub_asks_for() -> None:
    (text,) = [text for text in yaml_of(ALERTS) if text.startswith("route:")]
    receiver = yaml.safe_load(text)["receivers"][0]["webhook_configs"][0]
    assert receiver["url"].endswith("/alerts/prom")
    assert receiver["send_resolved"] is True
    assert receiver["http_config"]["authorization"]["type"] == "Bearer"


def test_the_settings_in_the_guide_to_messages_are_valid(tmp_path: Path) -> None:
    (example,) = yaml_of(GUIDE.with_name("notifications.md"))
    (tmp_path / "hub.yaml").write_text(example)
    settings = load_settings(tmp_path / "hub.yaml", env={"ONCALL_URL": "json://127.0.0.1"}).settings
    assert (settings.failures.notify, settings.failures.every) == (["oncall"], 15)
