"""What an admin reads about each tracker has one shape, and its settings load as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hub.capabilities import connectors
from hub.connector import Capability, Connector, Role
from hub.registry import Registry
from hub.settings.load import load_settings

ROOT = Path(__file__).resolve().parents[2]
FOR_RULES = "Lines, articles, ratings, macros"
HEADINGS = ["What it keeps in step", "Permissions", "Settings", "The webhook", FOR_RULES, "Known limits"]
OF_ACTIONS = ["What it does", "Permissions", "Settings", "Known limits"]
OFFERED_TO_RULES = {Capability.LINES, Capability.KNOWLEDGE_BASE, Capability.RATINGS, Capability.MACROS}


@pytest.fixture(scope="module")
def known() -> dict[str, Connector]:
    return {connector.kind: connector for connector in connectors(Registry.discover())}


def folder_of(kind: str) -> Path:
    return ROOT / "plugins" / kind.replace("-", "_")


def text_of(kind: str) -> str:
    return (folder_of(kind) / "README.md").read_text(encoding="utf-8")


def test_every_readme_has_the_same_headings_in_the_same_order(known: dict[str, Connector]) -> None:
    for kind, connector in known.items():
        wanted = OF_ACTIONS if connector.role is Role.ACTION else HEADINGS
        found = re.findall(r"^## (.+)$", text_of(kind), re.MULTILINE)
        offers = (connector.capabilities | set(connector.settings_decide)) & OFFERED_TO_RULES
        if not offers and FOR_RULES not in found:
            wanted = [heading for heading in wanted if heading != FOR_RULES]
        assert found == wanted, kind


def test_every_readme_names_a_deployment_that_uses_the_tracker(known: dict[str, Connector]) -> None:
    for kind, connector in known.items():
        named = re.findall(r"\]\(\.\./\.\./(config/[\w-]+/hub\.yaml)\)", text_of(kind))
        assert named, kind
        for file in named:
            used = {tracker["kind"] for tracker in yaml.safe_load((ROOT / file).read_text())["trackers"].values()}
            assert kind in used or connector.role is Role.ACTION, f"{kind} names {file}"


def test_every_link_of_a_readme_leads_somewhere(known: dict[str, Connector]) -> None:
    for kind in known:
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)\)", text_of(kind)):
            assert (folder_of(kind) / target).exists(), f"{kind}: {target}"


def test_the_settings_that_a_readme_shows_load(known: dict[str, Connector], tmp_path: Path) -> None:
    for kind in known:
        shown = [block for block in re.findall(r"```yaml\n(.*?)```", text_of(kind), re.DOTALL) if "trackers:" in block]
        assert len(shown) == 1, kind
        file = tmp_path / f"{kind}.yaml"
        file.write_text(shown[0])
        env = dict.fromkeys(re.findall(r"\$\{(\w+)\}", shown[0]), "0123456789abcdef0123456789abcdef")
        (tracker,) = load_settings(file, env=env).settings.trackers.values()
        assert tracker.kind == kind
