"""Plugins are found, and a broken one harms nobody but itself."""

from __future__ import annotations

import importlib
import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from hub.registry import PluginError, Registry
from hub.settings.trackers import TrackerSettings

GOOD = """
from hub.connector import Connector, Role
from hub.hookspecs import hookimpl
from hub.settings.trackers import TrackerSettings

class Acme(Connector):
    kind, role, settings_model, capabilities = "acme", Role.HELPDESK, TrackerSettings, frozenset()
    def identify(self): ...
    def read(self, ticket_id, known): ...

@hookimpl
def hub_connectors():
    return [Acme]
"""


def folder_with(tmp_path: Path, **files: str) -> Path:
    """A plugin folder; `a__b` stands for the file a/b.py."""
    for name, text in files.items():
        path = tmp_path / f"{name.replace('__', '/', 1)}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))
    return tmp_path


def test_a_local_plugin_brings_its_kind(tmp_path: Path) -> None:
    registry = Registry.discover(folder_with(tmp_path, mine=GOOD))
    assert "acme" in registry.kinds()
    made = registry.create("support", TrackerSettings(kind="acme", url="https://a"))
    assert (made.name, type(made).__module__) == ("support", "ticket_hub_local.mine")


def test_a_package_folder_may_have_several_modules(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text(
        "from hub.hookspecs import hookimpl\nfrom .parts import Acme\n@hookimpl\ndef hub_connectors(): return [Acme]\n"
    )
    (tmp_path / "pack" / "parts.py").write_text(GOOD.partition("@hookimpl")[0])
    registry = Registry.discover(tmp_path)
    assert registry.broken == []
    assert registry.connector_class("acme").__module__ == "ticket_hub_local.pack.parts"


def test_two_folders_do_not_share_modules(tmp_path: Path) -> None:
    first = Registry.discover(folder_with(tmp_path / "a", mine=GOOD))
    second = Registry.discover(folder_with(tmp_path / "b", mine=GOOD.replace('"acme"', '"other"')))
    assert first.connector_class("acme") is not second.connector_class("other")
    with pytest.raises(PluginError):
        second.connector_class("acme")


def test_nothing_in_a_local_folder_takes_the_place_of_another_module(tmp_path: Path) -> None:
    path, modules = list(sys.path), set(sys.modules)
    shadow = "raise RuntimeError('this one must not be taken for the real one')\n"
    for name in ("json.py", "hub/__init__.py", "plugins/__init__.py", "hub/connector.py", "_hidden.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(shadow)
    (tmp_path / "mine.py").write_text("import json\nimport hub.connector\nassert json.loads('1') == 1\n" + GOOD)
    registry = Registry.discover(tmp_path)
    assert sys.path == path
    assert sys.modules["json"] is json
    assert {m for m in set(sys.modules) - modules if not m.startswith("ticket_hub_local")} <= {"plugins"}
    assert registry.connector_class("acme").kind == "acme"
    assert [b.name for b in registry.broken] == ["hub", "json", "plugins"]


BROKEN = {
    "no such module": ("x = 1\nimport nowhere\n", "ModuleNotFoundError: No module named 'nowhere'", 2),
    "not Python": ("x = 1\ndef :\n", "SyntaxError: invalid syntax", 2),
    "an exception": ("def f():\n    raise ValueError('two\\nlines')\nf()\n", "ValueError: two lines", 2),
    "an exit": ("import sys\nsys.exit('bye')\n", "SystemExit: bye", 2),
    "no hook": ("def hub_connectors(): return []\n", "it implements no hook; is @hookimpl missing?", 0),
    "an unknown hook": (
        "from hub.hookspecs import hookimpl\n@hookimpl\ndef hub_conectors(): return []\n",
        "there is no hook 'hub_conectors'. Did you mean 'hub_connectors'? Known are hub_actions, hub_calendars, "
        "hub_conditions, hub_connectors, hub_macros, hub_notifiers",
        2,
    ),
    "a wrong argument": (
        "from hub.hookspecs import hookimpl\n@hookimpl\ndef hub_connectors(config): return []\n",
        "the hook 'hub_connectors' takes no argument 'config'",
        2,
    ),
    "a failing hook": (
        "from hub.hookspecs import hookimpl\n@hookimpl\ndef hub_connectors():\n    return 1 / 0\n",
        "ZeroDivisionError: division by zero",
        4,
    ),
    "a wrong return": (
        "from hub.hookspecs import hookimpl\n@hookimpl\ndef hub_connectors(): return 'acme'\n",
        "hub_connectors returned str, not a list of classes",
        2,
    ),
    "no class": (
        "from hub.hookspecs import hookimpl\n@hookimpl\ndef hub_connectors(): return [int]\n",
        "hub_connectors returned <class 'int'>, which is no class of a Connector",
        2,
    ),
    "no kind": (GOOD.replace('"acme"', "None"), "Acme has no kind", 6),
    "no role": (GOOD.replace("Role.HELPDESK", "'x'"), "Acme has no role; set role = Role.HELPDESK or another", 6),
    "no settings": (
        GOOD.replace("Role.HELPDESK, TrackerSettings", "Role.HELPDESK, dict"),
        "Acme.settings_model is no class of TrackerSettings",
        6,
    ),
    "a method missing": (GOOD.replace("def read", "def raed"), "Acme lacks read", 6),
    "a kind twice": (GOOD.replace("[Acme]", "[Acme, Acme]"), "it brings the kind 'acme' twice", 6),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_with_its_line_and_stops_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    text, error, line = BROKEN[name]
    (tmp_path / "bad.py").write_text(text)
    good = GOOD.replace('"acme"', '"good"')
    with caplog.at_level(logging.ERROR):
        registry = Registry.discover(folder_with(tmp_path, good=good))
    (broken,) = registry.broken
    file = tmp_path / "bad.py"
    assert (broken.name, broken.origin, broken.error) == ("bad", str(file), error)
    assert broken.where == (f"{file}:{line}" if line else str(file))
    assert registry.connector_class("good").kind == "good"
    assert [r.getMessage() for r in caplog.records] == [f"plugin is broken: {broken}"]


def test_a_file_whose_name_is_no_python_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "my-plugin.py").write_text(GOOD)
    (broken,) = Registry.discover(tmp_path).broken
    assert broken.error == "'my-plugin' is no Python name; use letters, digits and _ only"


def test_two_plugins_of_one_kind_are_both_named(tmp_path: Path) -> None:
    registry = Registry.discover(folder_with(tmp_path, one=GOOD, two=GOOD))
    with pytest.raises(PluginError) as caught:
        registry.connector_class("acme")
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    assert str(caught.value) == f"two plugins bring the kind 'acme': one ({one}) and two ({two}). Remove one of them."


def test_an_unknown_kind_is_answered_with_the_nearest(tmp_path: Path) -> None:
    registry = Registry.discover(folder_with(tmp_path, mine=GOOD))
    with pytest.raises(PluginError) as caught:
        registry.connector_class("acmee")
    assert caught.value.what == "there is no kind 'acmee'"
    assert caught.value.remedy == f"Did you mean 'acme'? Known are {', '.join(registry.kinds())}."


def test_a_folder_that_is_missing_has_no_plugins(tmp_path: Path) -> None:
    assert Registry.discover(tmp_path / "none").broken == []


def test_a_folder_is_loaded_once(tmp_path: Path) -> None:
    registry = Registry.discover(folder_with(tmp_path, mine=GOOD))
    known = registry.connector_class("acme")
    registry.add_folder(tmp_path)
    assert registry.connector_class("acme") is known


def test_a_plugin_that_is_enabled_must_work(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import nowhere\n")
    with pytest.raises(PluginError, match="No module named 'nowhere'"):
        Registry.discover(tmp_path, enabled=["bad"])
    with pytest.raises(PluginError, match=r"there is no plugin 'bda'\. Did you mean 'bad'\?"):
        Registry.discover(tmp_path, enabled=["bda"])


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, text: str, entry: str) -> None:
    """Puts a distribution with one entry point onto the path, as pip does."""
    (tmp_path / f"{module}.py").write_text(text)
    info = tmp_path / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ticket_hub]\n{entry} = {module}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()


def test_an_installed_plugin_is_imported_when_its_kind_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "acme_for_the_hub", GOOD, "acme")
    registry = Registry.discover()
    assert "acme" in registry.kinds()
    assert "acme_for_the_hub" not in sys.modules
    assert registry.connector_class("acme").__module__ == "acme_for_the_hub"


def test_an_installed_plugin_may_bring_another_kind_than_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "acme_under_another_name", GOOD, "something")
    registry = Registry.discover()
    assert registry.connector_class("acme").__module__ == "acme_under_another_name"


def test_an_installed_plugin_that_is_broken_is_told_when_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "acme_in_pieces", "import nowhere\n", "acme")
    registry = Registry.discover()
    assert registry.broken == []
    with pytest.raises(PluginError, match=r"the plugin of kind 'acme' is broken: .*No module named 'nowhere'"):
        registry.connector_class("acme")
    assert [b.origin for b in registry.broken] == ["installed: acme_in_pieces"]
    assert "acme" not in registry.kinds()


ASK = """
import sys
from hub.registry import Registry, PluginError
registry = Registry.discover()
print(registry.kinds(), registry.names(), "plugins.acme_desk" in sys.modules)
try:
    print(registry.connector_class("acme-desk").__module__)
except PluginError as error:
    print(error)
"""


def ask_a_copy(tmp_path: Path, *before: Path) -> list[str]:
    """What a hub of its own answers, whose only built-in plugins are acme_desk (a connector) and notify (none)."""
    repository = Path(__file__).resolve().parents[1]
    copy = tmp_path / "copy"
    shutil.copytree(repository / "hub", copy / "hub", ignore=shutil.ignore_patterns("__pycache__"))
    text = GOOD.replace('"acme"', '"acme-desk"')
    for name in ("__init__.py", "acme_desk/__init__.py", "acme_desk/connector.py", "notify/__init__.py"):
        (copy / "plugins" / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / "plugins" / name).write_text(text if "acme" in name else "")
    path = os.pathsep.join(map(str, [*before, copy]))
    result = subprocess.run(
        [sys.executable, "-P", "-c", ASK],
        capture_output=True, text=True, check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    return result.stdout.splitlines()


def test_built_in_plugins_are_known_by_their_folders_and_imported_when_needed(tmp_path: Path) -> None:
    assert ask_a_copy(tmp_path) == ["['acme-desk'] ['acme-desk', 'notify'] False", "plugins.acme_desk"]


def test_a_foreign_folder_that_is_no_package_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "foreign" / "plugins" / "acme_desk" / "__init__.py"
    path.parent.mkdir(parents=True)
    path.write_text("")
    assert ask_a_copy(tmp_path, tmp_path / "foreign")[1] == "plugins.acme_desk"


@pytest.mark.parametrize("files", [["__init__.py"], ["__init__.py", "acme_desk/__init__.py"]])
def test_a_foreign_package_in_place_of_the_built_in_ones_is_told(tmp_path: Path, files: list[str]) -> None:
    for name in files:
        path = tmp_path / "foreign" / "plugins" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    answer = ask_a_copy(tmp_path, tmp_path / "foreign")[1]
    assert "another package named 'plugins' stands in its place; start the hub from another folder" in answer


def test_looking_for_plugins_imports_no_built_in_one() -> None:
    code = "import sys; from hub.registry import Registry; Registry.discover().kinds(); print('jira' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                            cwd=Path(__file__).resolve().parents[1])  # fmt: skip
    assert result.stdout == "False\n"
