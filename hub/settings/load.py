"""Loads the settings of a deployment: YAML, references, validation, cross checks; every mistake is told at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import SecretStr, ValidationError

from hub.connector import Role
from hub.extensions import Extensions
from hub.registry import PluginError, Registry
from hub.rules.book import conditions_of
from hub.rules.checks import Surroundings, check_rules
from hub.settings.crosschecks import KnownTrackers, check_alerts, check_links, check_names, check_people
from hub.settings.explain import Section, explain
from hub.settings.model import Settings
from hub.settings.problems import Path, Place, Problem, SettingsError, dotted
from hub.settings.references import References
from hub.settings.shapes import Model, fields_at, is_secret
from hub.settings.trackers import TrackerSettings
from hub.settings.tree import Node, read_files

__all__ = ["Loaded", "Place", "Problem", "SettingsError", "load_settings"]

M = TypeVar("M", Settings, TrackerSettings)

_SECRET_WORDS = re.compile(r"token|secret|passw|api_?key|credential", re.IGNORECASE)


@dataclass(frozen=True)
class Loaded:
    """Valid settings. `folder` is where relative paths begin; `places` maps dotted keys to where they stand."""

    settings: Settings
    folder: FilePath
    registry: Registry
    secrets: tuple[SecretStr, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)
    extensions: Extensions = field(default_factory=Extensions)

    def secret_values(self) -> list[str]:
        """Every secret of the settings, to be kept out of logs."""
        return [secret.get_secret_value() for secret in self.secrets]


def load_settings(path: FilePath, registry: Registry | None = None, *, env: Mapping[str, str] | None = None) -> Loaded:
    """Loads a YAML file, or all of a folder, with references to `env` (the process's own unless given).

    Adds the settings' plugin folder to `registry` (a new one unless given) and enables the plugins they name. A
    relative SQLite path becomes relative to the settings' folder. Raises SettingsError with all problems; none of
    them shows a secret.
    """
    return _Load(path, registry or Registry.discover(), os.environ if env is None else env).run()


class _Load:
    """One loading, with what it finds on the way."""

    def __init__(self, path: FilePath, registry: Registry, env: Mapping[str, str]) -> None:
        reading = read_files(path)
        self._written, self._problems, self._is_whole = reading.tree, reading.problems, reading.is_whole
        self._folder = path if path.is_dir() else path.parent
        self._registry = registry
        self._env = env
        self._models: dict[str, type[TrackerSettings]] = {}
        self._roles: dict[str, Role] = {}

    def run(self) -> Loaded:
        if not self._written.value and not self._is_whole:
            raise SettingsError(self._problems)
        self._use_plugins()
        self._find_models()
        references = References(self._env, self._folder, self._is_secret)
        self._tree = references.resolve(self._written)
        self._problems += references.problems
        self._redact = references.redact
        trackers = self._trackers()
        rest = self._validated(Settings, (), self._rest())
        self._cross_check()
        extensions = self._registry.extensions()
        if rest is not None and not self._problems:
            extensions = self._without_mistakes(extensions, rest, trackers)
            rest = extended(rest, extensions)
            self._check_rules(rest, trackers, extensions)
        if rest is None or self._problems:
            raise SettingsError(self._problems)
        store = rest.store.model_copy(update={"url": _absolute(rest.store.url, self._folder)})
        return Loaded(
            rest.model_copy(update={"trackers": trackers, "store": store}),
            self._folder,
            self._registry,
            tuple(SecretStr(secret) for secret in dict.fromkeys(references.secrets)),
            {dotted(path): node.key_place for path, node in self._tree.scalars()},
            extensions,
        )

    def _use_plugins(self) -> None:
        folder = self._peek(("plugin_folder",))
        if folder:
            self._registry.add_folder(self._folder / folder)
        names = self._written.find(("plugins",))
        for index, _ in enumerate(names.value if names and isinstance(names.value, list) else []):
            try:
                self._registry.enable(self._peek(("plugins", index)))
            except PluginError as error:
                self._note(("plugins", index), error.what, error.remedy)

    def _find_models(self) -> None:
        trackers = self._written.find(("trackers",))
        for name in trackers.value if trackers and isinstance(trackers.value, dict) else []:
            kind = self._peek(("trackers", name, "kind"))
            if not kind:
                continue
            try:
                connector = self._registry.connector_class(kind)
                self._models[name], self._roles[name] = connector.settings_model, connector.role
            except PluginError as error:
                self._note(("trackers", name, "kind"), error.what, error.remedy)

    def _peek(self, path: Path) -> str:
        """A text that is needed before the settings are validated; empty when there is none."""
        node = self._written.find(path)
        if node is None or not isinstance(node.value, str):
            return ""
        resolved = References(self._env, self._folder, lambda _: False).resolve(node, path)
        return str(resolved.value) if resolved.is_known else ""

    def _is_secret(self, path: Path) -> bool:
        model, rest = self._model_of(path)
        return is_secret(model, rest)

    def _is_hidden(self, path: Path) -> bool:
        """Whether a value may not be shown: a secret, or something that looks like the place of one."""
        return self._is_secret(path) or any(_SECRET_WORDS.search(str(part)) for part in path)

    def _model_of(self, path: Path) -> tuple[Model, Path]:
        if len(path) > 1 and path[0] == "trackers":
            return self._models.get(str(path[1]), TrackerSettings), path[2:]
        return Settings, path

    def _trackers(self) -> dict[str, TrackerSettings]:
        node = self._tree.find(("trackers",))
        found = {}
        for name in node.value if node and isinstance(node.value, dict) else []:
            path: Path = ("trackers", name)
            model = self._models.get(name)
            # Of an unknown kind only what every tracker shares can be checked; its own settings are not known.
            section = self._tree.find(path)
            if model is None and section and isinstance(section.value, dict):
                shared = {k: n for k, n in section.value.items() if k in TrackerSettings.model_fields}
                self._validated(TrackerSettings, path, replace(section, value=shared))
            elif section:
                tracker = self._validated(model or TrackerSettings, path, section)
                if tracker is not None:
                    found[name] = tracker
        return found

    def _rest(self) -> Node:
        """Everything but the trackers' own settings, which their plugins' models check."""
        assert isinstance(self._tree.value, dict)
        trackers = self._tree.value.get("trackers")
        if trackers is None or not isinstance(trackers.value, dict):
            return self._tree
        return replace(self._tree, value=self._tree.value | {"trackers": replace(trackers, value={})})

    def _validated(self, model: type[M], path: Path, node: Node) -> M | None:
        try:
            return model.model_validate(_plain(node, model, ()))
        except ValidationError as error:
            section = Section(self._tree, path, model, self._is_hidden, self._redact)
            self._problems += explain(error, section)
            return None

    def _cross_check(self) -> None:
        """What one section alone cannot tell. Left out while a file is unreadable: names in it would be missed."""
        if not self._is_whole:
            return
        known = KnownTrackers(self._tree, self._roles)
        self._problems += check_names(known) + check_links(known) + check_people(known) + check_alerts(known)

    def _check_rules(self, settings: Settings, trackers: Mapping[str, TrackerSettings], extensions: Extensions) -> None:
        """What the rule book's parts have to do with each other, once each of them is right by itself."""
        for found in check_rules(settings, self._around(trackers, extensions)):
            place = self._tree.place_of(found.path)
            self._problems.append(Problem(place=place, where=dotted(found.path), what=found.what, remedy=found.remedy))

    def _around(self, trackers: Mapping[str, TrackerSettings], extensions: Extensions) -> Surroundings:
        return Surroundings(
            fields={name: list(tracker.fields) for name, tracker in trackers.items()},
            actions=[
                *(
                    f"{name}.{action}"
                    for name, tracker in trackers.items()
                    for action in self._registry.connector_class(tracker.kind).actions
                ),
                *extensions.actions,
            ],
            conditions=list(extensions.conditions),
        )

    def _without_mistakes(
        self, extensions: Extensions, settings: Settings, trackers: Mapping[str, TrackerSettings]
    ) -> Extensions:
        """What plugins bring, less the macros and calendars that cannot be used in this deployment."""
        if not extensions.macros and not extensions.calendars:
            return extensions
        own = {("macros", name) for name in settings.macros} | {("calendars", name) for name in settings.calendars}
        wrong: dict[tuple[str, str], str] = {}
        for found in check_rules(extended(settings, extensions), self._around(trackers, extensions)):
            part = (str(found.path[0]), str(found.path[1])) if len(found.path) > 1 else ("", "")
            if part in extensions.owners and part not in own:
                wrong.setdefault(part, found.what)
        for (kind, name), what in wrong.items():
            self._registry.report_broken(extensions.owners[kind, name], f"its {kind} {name!r} cannot be used: {what}")
        return replace(
            extensions,
            macros={n: m for n, m in extensions.macros.items() if ("macros", n) not in wrong},
            calendars={n: c for n, c in extensions.calendars.items() if ("calendars", n) not in wrong},
        )

    def _note(self, path: Path, what: str, remedy: str) -> None:
        place = self._written.place_of(path)
        self._problems.append(Problem(place=place, where=dotted(path), what=what, remedy=remedy))


def extended(settings: Settings, extensions: Extensions) -> Settings:
    """The settings with what plugins bring; where both have the same name, that of the settings counts."""
    for condition in conditions_of(settings):
        condition.use(extensions.conditions)
    return settings.model_copy(
        update={
            "macros": {**extensions.macros, **settings.macros},
            "calendars": {**extensions.calendars, **settings.calendars},
        }
    )


def _plain(node: Node, model: Model, path: Path) -> Any:
    """The values alone. A key without a value counts as absent where the setting has a default."""
    if isinstance(node.value, dict):
        fields = fields_at(model, path)
        return {
            key: _plain(child, model, (*path, key))
            for key, child in node.value.items()
            if child.value is not None or key not in fields or fields[key].is_required()
        }
    if isinstance(node.value, list):
        return [_plain(child, model, (*path, index)) for index, child in enumerate(node.value)]
    return node.value


def _absolute(url: str, folder: FilePath) -> str:
    """A database address whose SQLite file does not depend on where the hub was started."""
    match = re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^?]+)(\?.*)?", url)
    if match is None or match[2] == ":memory:" or match[2].startswith("file:"):
        return url
    return f"{match[1]}{(folder / match[2]).resolve()}{match[3] or ''}"
