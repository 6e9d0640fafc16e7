"""The example deployments are complete: they load as soon as their variables are set."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from hub.registry import Registry
from hub.rules.book import compile_book
from hub.rules.trials import try_rules
from hub.settings.load import load_settings
from hub.settings.schema import SCHEMA_FILE
from hub.settings.starter import example_names, write_starter

EXAMPLES = sorted(p.parent for p in (Path(__file__).resolve().parents[2] / "config").glob("*/hub.yaml"))


def variables(folder: Path) -> dict[str, str]:
    """The variables that an example's environment file names, each with a value."""
    (file,) = [*folder.glob("env.example"), *folder.glob(".env.example")]
    return {name: f"value-of-{name}" for name in re.findall(r"^([A-Z0-9_]+)=", file.read_text(), re.MULTILINE)}


def needs_kinds(folder: Path) -> None:
    used = {t["kind"] for t in yaml.safe_load((folder / "hub.yaml").read_text())["trackers"].values()}
    missing = used - set(Registry.discover().kinds())
    if missing:
        pytest.skip(f"there is no connector yet for {', '.join(sorted(missing))}")


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda p: p.name)
def test_an_example_loads(folder: Path) -> None:
    needs_kinds(folder)
    loaded = load_settings(folder / "hub.yaml", env=variables(folder))
    assert loaded.settings.links
    assert sorted(loaded.secret_values()) == sorted(variables(folder).values())


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda p: p.name)
def test_the_rule_tests_of_an_example_are_right(folder: Path) -> None:
    settings = load_settings(folder / "hub.yaml", env=variables(folder)).settings
    if settings.has_rules:
        assert settings.rule_tests, "a rule book shows by tests what it does"
    wrong = [(trial.name, trial.wrong) for trial in (try_rules(compile_book(settings), t) for t in settings.rule_tests)]
    assert [one for one in wrong if one[1]] == []


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda p: p.name)
def test_an_example_keeps_to_the_schema(folder: Path) -> None:
    needs_kinds(folder)
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.validate(yaml.safe_load((folder / "hub.yaml").read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda p: p.name)
def test_an_examples_variables_are_those_that_it_uses(folder: Path) -> None:
    used = re.findall(r"\$\{([A-Z0-9_]+)", (folder / "hub.yaml").read_text(encoding="utf-8"))
    assert sorted(used) == sorted(variables(folder))


@pytest.mark.parametrize("example", example_names())
def test_starter_settings_load_once_the_variables_are_set(tmp_path: Path, example: str) -> None:
    written = write_starter(tmp_path / "new", example)
    assert {p.name for p in written} == {"hub.yaml", ".env.example"}
    needs_kinds(tmp_path / "new")
    assert load_settings(tmp_path / "new", env=variables(tmp_path / "new")).settings.trackers


def test_starter_settings_overwrite_nothing(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text("mine")
    with pytest.raises(FileExistsError, match=r"hub\.yaml is there already; nothing was written"):
        write_starter(tmp_path, "zendesk-jira")
    assert [p.name for p in tmp_path.iterdir()] == ["hub.yaml"]
    assert (tmp_path / "hub.yaml").read_text() == "mine"


def test_an_unknown_example_is_told(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"there is no example 'zendesk'; there are .*zendesk-jira"):
        write_starter(tmp_path, "zendesk")
