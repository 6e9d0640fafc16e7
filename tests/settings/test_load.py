"""Settings that are right: what they become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.settings.load import load_settings

GOOD = """
    trackers:
      support: {kind: desk, url: "https://desk.example.com/", statuses: {open: open, on_hold: [hold, waiting]}}
      dev: {kind: bugs, url: https://bugs.example.com}
    links:
      - {tickets: support, issues: dev, when: {label: escalate}}
"""


def test_each_tracker_gets_the_settings_of_its_kind(load: Any) -> None:
    settings = load(GOOD).settings
    assert type(settings.trackers["support"]).__name__ == "DeskSettings"
    assert settings.trackers["support"].url == "https://desk.example.com"
    assert settings.trackers["support"].statuses["on_hold"] == ["hold", "waiting"]
    assert settings.links[0].tickets == ["support"]


def test_an_empty_file_is_a_deployment_with_defaults(load: Any) -> None:
    assert load("# nothing yet\n").settings.server.port == 8080


def test_keys_without_values_count_as_absent(load: Any) -> None:
    settings = load("links:\npeople:\nserver:\n  port:\n").settings
    assert (settings.links, settings.server.port) == ([], 8080)


def test_words_that_older_yaml_takes_for_something_else_stay_texts(load: Any) -> None:
    settings = load("""
        people:
          no: {support: on, dev: 007}
        trackers:
          support: {kind: desk, url: https://a.example, statuses: {open: 12:30, closed: "yes"}}
          dev: {kind: bugs, url: https://b.example, statuses: {open: 2026-01-31}}
    """).settings
    assert settings.people == {"no": {"support": "on", "dev": "007"}}
    assert settings.trackers["support"].statuses == {"open": ["12:30"], "closed": ["yes"]}
    assert settings.trackers["dev"].statuses == {"open": ["2026-01-31"]}


def test_numeric_account_ids_need_no_quotes(load: Any) -> None:
    people = load("""
        trackers: {support: {kind: desk, url: https://a.example}}
        people: {anna: {support: 8447388090495}}
    """).settings.people
    assert people == {"anna": {"support": "8447388090495"}}


def test_variables_stand_in_texts_and_for_numbers(load: Any) -> None:
    settings = load(
        """
        server: {port: "${PORT}", public_url: "https://${HOST:-hub.example.com}"}
        engine: {workers: "${WORKERS:-2}"}
        """,
        {"PORT": "9000", "HOST": ""},
    ).settings
    assert (settings.server.port, settings.server.public_url) == (9000, "https://hub.example.com")
    assert settings.engine.workers == 2


def test_a_doubled_dollar_sign_is_a_plain_one(load: Any) -> None:
    settings = load("trackers: {support: {kind: desk, url: https://a.example, account: '$${NAME}'}}").settings
    assert settings.trackers["support"].account == "${NAME}"


def test_secrets_come_from_the_environment_and_from_files(load: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-the-file\n")
    (tmp_path / "mail").write_text("hub@example.com\n")
    loaded = load(
        """
        trackers:
          support:
            kind: desk
            url: https://a.example
            credentials: {email: "file:mail", api_token: file:token}
            webhook: {secret: "${SECRET}"}
        """,
        {"SECRET": "from-the-environment"},
    )
    support = loaded.settings.trackers["support"]
    assert support.credentials.api_token.get_secret_value() == "from-the-file"
    assert support.credentials.email == "hub@example.com"
    assert loaded.secret_values() == ["from-the-file", "from-the-environment"]
    assert "from-the" not in repr(loaded)


def test_a_password_in_an_address_counts_as_a_secret(load: Any) -> None:
    loaded = load("store: {url: 'postgresql://hub:${PW}@db/hub'}", {"PW": "pa%2Fss"})
    assert loaded.secret_values() == ["pa%2Fss", "pa/ss"]
    assert "pa%2Fss" not in repr(loaded)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///hub.sqlite3", "sqlite:///{folder}/hub.sqlite3"),
        ("sqlite+pysqlite:///data/hub.db?timeout=5", "sqlite+pysqlite:///{folder}/data/hub.db?timeout=5"),
        ("sqlite:////var/lib/hub.db", "sqlite:////var/lib/hub.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite://", "sqlite://"),
        ("postgresql://db/hub", "postgresql://db/hub"),
    ],
)
def test_a_relative_database_is_in_the_settings_folder(load: Any, tmp_path: Path, url: str, expected: str) -> None:
    store = load(files={"conf/hub.yaml": f"store: {{url: '{url}'}}"}).settings.store
    assert store.url == expected.format(folder=tmp_path / "conf")


def test_files_of_a_folder_are_put_together(load: Any) -> None:
    loaded = load(
        files={
            "conf/10-support.yaml": "trackers: {support: {kind: desk, url: https://a.example}}\n"
            "links: [{tickets: support, issues: dev}]",
            "conf/20-dev.yml": "trackers: {dev: {kind: bugs, url: https://b.example}}\n"
            "links: [{name: second, tickets: support, issues: dev}]",
            "conf/notes.txt": "not: {read",
        }
    )
    assert list(loaded.settings.trackers) == ["support", "dev"]
    assert [link.title for link in loaded.settings.links] == ["support-dev", "second"]
    assert str(loaded.places["links[1].name"]) == "conf/20-dev.yml:2"


def test_anchors_and_merge_keys_share_values(load: Any) -> None:
    settings = load("""
        trackers:
          support: &base {kind: desk, url: https://a.example, timeout: 7}
          second: {<<: *base, url: https://b.example}
    """).settings
    assert (settings.trackers["second"].timeout, settings.trackers["second"].url) == (7, "https://b.example")


def test_the_settings_bring_their_own_plugin_folder(load: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "other.py").write_text(
        "from hub.connector import Connector, Role\n"
        "from hub.hookspecs import hookimpl\n"
        "from hub.settings.trackers import TrackerSettings\n"
        "class Other(Connector):\n"
        "    kind, role, settings_model, capabilities = 'other', Role.HELPDESK, TrackerSettings, frozenset()\n"
        "    def identify(self): ...\n"
        "    def read(self, ticket_id, known): ...\n"
        "@hookimpl\n"
        "def hub_connectors(): return [Other]\n"
    )
    (tmp_path / "own.yaml").write_text(
        "plugin_folder: mine\nplugins: [other]\ntrackers: {a: {kind: other, url: https://a}}"
    )
    loaded = load_settings(tmp_path / "own.yaml")
    made = loaded.registry.create("a", loaded.settings.trackers["a"])
    assert (made.name, made.kind) == ("a", "other")
