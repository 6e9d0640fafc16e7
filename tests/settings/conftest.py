"""A folder for settings, and two small kinds of tracker from a local plugin: `desk` and `bugs`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from hub.registry import Registry
from hub.settings.load import Loaded, SettingsError, load_settings

PLUGIN = """
from pydantic import SecretStr, field_validator

from hub.connector import Connector, Role
from hub.hookspecs import hookimpl
from hub.settings.trackers import Section, TrackerSettings


class Token(Section):
    email: str
    api_token: SecretStr

    @field_validator("api_token")
    @classmethod
    def _tells_too_much(cls, value):
        if value.get_secret_value().startswith("wrong"):
            raise ValueError(f"{value.get_secret_value()} is no token")
        return value


class Client(Section):
    client_id: str
    client_secret: SecretStr


class Access(Section):
    access_token: SecretStr


class DeskSettings(TrackerSettings):
    credentials: Token | Client | Access | None = None
    account: str = ""
    lines: dict[int, str] = {}
    nested: dict[str, list[SecretStr]] = {}


class Desk(Connector):
    kind = "desk"
    role = Role.HELPDESK
    settings_model = DeskSettings
    capabilities = frozenset()

    def identify(self):
        raise NotImplementedError

    def read(self, ticket_id, known):
        raise NotImplementedError


class Bugs(Desk):
    kind = "bugs"
    role = Role.BUG_TRACKER


class Act(Desk):
    kind = "act"
    role = Role.ACTION


@hookimpl
def hub_connectors():
    return [Desk, Bugs, Act]
"""

Load = Callable[..., Loaded]
Errors = Callable[..., list[str]]


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "fake.py").write_text(PLUGIN)
    return Registry.discover(folder)


@pytest.fixture
def load(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads `text` as hub.yaml of an empty folder; `files` instead of a text are a folder of settings."""
    monkeypatch.chdir(tmp_path)

    def run(text: str = "", env: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None) -> Loaded:
        for name, content in (files or {"hub.yaml": text}).items():
            Path(name).parent.mkdir(exist_ok=True)
            Path(name).write_text(dedent(content).lstrip("\n"))
        return load_settings(Path("conf" if files else "hub.yaml"), registry, env=env or {})

    return run


@pytest.fixture
def errors(load: Load) -> Errors:
    """Loads settings that must be refused; returns the problems as lines."""

    def run(text: str = "", env: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            load(text, env, files)
        return str(caught.value).splitlines()

    return run
