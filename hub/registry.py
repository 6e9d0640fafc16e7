"""Finds plugins and hands out their connectors: built-in, installed, and from a folder of the admin's own.

Built-in plugins are the packages in `plugins`; one with a module `connector` brings the kind that its folder is named
after (`_` stands for `-`). Installed plugins are entry points of the group `ticket_hub`, named after their kind.
Both are imported only when their kind is asked for. A local folder is loaded as a whole, file by file and by path, so
nothing in it can take the place of another module. One broken plugin never stops the others: see `Registry.broken`.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import inspect
import logging
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from hub import hookspecs
from hub.connector import Connector, Role
from hub.extensions import Extensions, guarded_action, guarded_notifier, guarded_test
from hub.settings.rules import CalendarSettings, Macro
from hub.settings.trackers import TrackerSettings

BUILT_IN_PACKAGE = "plugins"
ENTRY_POINT_GROUP = "ticket_hub"
LOCAL_PACKAGE = "ticket_hub_local"
"""A file `acme.py` or a package folder `acme/` becomes the module `ticket_hub_local.acme`."""

# Plugins are found before the settings say how to log; until then this goes to standard error by itself.
log = logging.getLogger("hub.registry")


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plugin that cannot be used: `error` is one line for people, `where` is file:line or empty."""

    name: str
    origin: str
    error: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.origin}): {self.error}" + (f" ({self.where})" if self.where else "")


class PluginError(Exception):
    """A kind or plugin that was asked for cannot be had. `what` says why, `remedy` what to do about it."""

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{what}. {remedy}" if remedy else what)


class _UnusableError(Exception):
    """A plugin breaks the contract; `where` is file:line of its mistake."""

    def __init__(self, error: str, where: str = "") -> None:
        super().__init__(error)
        self.where = where


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A plugin that was found. `kind` is the one that its name promises, None where only loading it tells."""

    name: str
    origin: str
    kind: str | None
    load: Callable[[], ModuleType]


class Registry:
    """All plugins of one process. Make it with `Registry.discover`; it is not for several threads at start-up."""

    def __init__(self, candidates: Iterable[_Candidate] = ()) -> None:
        self._candidates = list(candidates)
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._broken: dict[_Candidate, BrokenPlugin] = {}
        self._loaded: dict[_Candidate, dict[str, type[Connector]]] = {}
        self._faults: dict[BrokenPlugin, None] = {}
        self._folders: set[Path] = set()

    @classmethod
    def discover(cls, plugin_folder: Path | None = None, enabled: Sequence[str] = ()) -> Registry:
        """Looks for plugins, and imports those of `plugin_folder` and those that `enabled` names.

        Raises PluginError for a name in `enabled` that cannot be had.
        """
        registry = cls([*_built_in(), *_installed()])
        if plugin_folder is not None:
            registry.add_folder(plugin_folder)
        for name in enabled:
            registry.enable(name)
        return registry

    @property
    def broken(self) -> list[BrokenPlugin]:
        """The plugins that could not be loaded so far, and those that broke the contract in a part of them."""
        return [*self._broken.values(), *self._faults]

    @property
    def hook(self) -> pluggy.HookRelay:
        """Calls a hook in every plugin that is loaded."""
        return self._manager.hook

    def add_folder(self, folder: Path) -> None:
        """Loads every plugin of a local folder. Doing it twice changes nothing. A missing folder has no plugins."""
        folder = folder.resolve()
        if folder in self._folders:
            return
        self._folders.add(folder)
        for candidate in _local(folder):
            self._candidates.append(candidate)
            self._load(candidate)

    def enable(self, name: str) -> None:
        """Loads a plugin by its name. Raises PluginError when there is none, or when it is broken."""
        found = [c for c in self._candidates if c.name == name]
        if not found:
            raise PluginError(*_not_known("plugin", name, self.names()))
        for candidate in found:
            self._load(candidate)
            if candidate in self._broken:
                raise PluginError(f"plugin {self._broken[candidate]}", "Mend or remove it.")

    def names(self) -> list[str]:
        """Every plugin that was found, sorted; broken ones as well."""
        return sorted({c.name for c in self._candidates})

    def kinds(self) -> list[str]:
        """Every kind of tracker there is a connector for, sorted. Imports nothing; broken ones are left out."""
        promised = {c.kind for c in self._candidates if c.kind and c not in self._loaded and c not in self._broken}
        return sorted(promised.union(*self._loaded.values()))

    def connector_class(self, kind: str) -> type[Connector]:
        """The connector of a kind; imports its plugin when that was not done yet.

        Raises PluginError for a kind that is unknown, broken, or brought by two plugins.
        """
        promising = [c for c in self._candidates if c.kind == kind]
        for candidate in promising or self._candidates:
            # Nobody promises this kind: an installed plugin may still bring it under another name.
            if promising or candidate.origin.startswith(_INSTALLED):
                self._load(candidate)
        bringing = [c for c, classes in self._loaded.items() if kind in classes]
        if len(bringing) > 1:
            both = " and ".join(f"{c.name} ({c.origin})" for c in bringing)
            raise PluginError(f"two plugins bring the kind {kind!r}: {both}", "Remove one of them.")
        if bringing:
            return self._loaded[bringing[0]][kind]
        for candidate, why in self._broken.items():
            if kind in (candidate.kind, candidate.name):
                raise PluginError(f"the plugin of kind {kind!r} is broken: {why}", "Mend or remove it.")
        raise PluginError(*_not_known("kind", kind, self.kinds()))

    def connector_classes(self) -> dict[str, type[Connector]]:
        """Every usable connector by kind, sorted. Imports all plugins."""
        for candidate in list(self._candidates):
            if candidate.kind:
                self._load(candidate)
        return {kind: self.connector_class(kind) for kind in self.kinds()}

    def extensions(self) -> Extensions:
        """What the loaded plugins add to the rules. A part that breaks the contract is left out: see `broken`."""
        found: dict[str, dict[str, Any]] = {kind: {} for kind in _SHAPES}
        owners: dict[tuple[str, str], str] = {}
        for candidate in self._loaded:
            for kind, shape in _SHAPES.items():
                try:
                    for name, given in self._brought(candidate, f"hub_{kind}").items():
                        named = f"{candidate.name}.{name}" if kind == "actions" else name
                        if (kind, named) in owners:
                            raise _UnusableError(f"{named!r} is brought by the plugin {owners[kind, named]} already")
                        found[kind][named] = shape(candidate.name, named, given)
                        owners[kind, named] = candidate.name
                except _UnusableError as error:
                    self._fault(candidate, f"hub_{kind}: {error}", error.where)
                except (Exception, SystemExit) as error:  # noqa: BLE001 - as with a plugin that cannot be loaded
                    self._fault(candidate, f"hub_{kind}: {_one_line(error)}", _place_of(error))
        return Extensions(**found, owners=owners)

    def report_broken(self, plugin: str, error: str) -> None:
        """Says of a plugin that something which it brings cannot be used."""
        for candidate in self._loaded:
            if candidate.name == plugin:
                self._fault(candidate, error, "")

    def _brought(self, candidate: _Candidate, hook: str) -> Mapping[str, Any]:
        """One plugin's answer to a hook; nothing when it does not implement it."""
        module = self._manager.get_plugin(f"{candidate.origin}/{candidate.name}")
        others = self._manager.get_plugins() - {module}
        returned = self._manager.subset_hook_caller(hook, others)()
        where = _line_of(getattr(module, hook, module))
        for given in returned:
            if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
                raise _UnusableError(f"it returned {type(given).__name__}, not a mapping of names", where)
        return returned[0] if returned else {}

    def create(self, name: str, settings: TrackerSettings) -> Connector:
        """A connector for one configured tracker. Raises PluginError as `connector_class` does."""
        return self.connector_class(settings.kind)(name, settings)

    def _load(self, candidate: _Candidate) -> None:
        if candidate in self._loaded or candidate in self._broken:
            return
        try:
            module = candidate.load()
            self._loaded[candidate] = self._register(candidate, module)
        except _UnusableError as error:
            self._record(candidate, str(error), error.where)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin does wrong, the others go on
            self._record(candidate, _one_line(error), _place_of(error))

    def _record(self, candidate: _Candidate, error: str, where: str) -> None:
        self._broken[candidate] = BrokenPlugin(candidate.name, candidate.origin, error, where)
        log.error("plugin is broken: %s", self._broken[candidate])

    def _fault(self, candidate: _Candidate, error: str, where: str) -> None:
        """A plugin is of use, but for a part of it."""
        broken = BrokenPlugin(candidate.name, candidate.origin, error, where)
        if broken not in self._faults:
            self._faults[broken] = None
            log.error("a part of a plugin is broken: %s", broken)

    def _register(self, candidate: _Candidate, module: ModuleType) -> dict[str, type[Connector]]:
        """The plugin's connectors by kind, after its hooks were checked and joined to the others."""
        self._check_hooks(module)
        self._manager.register(module, name=f"{candidate.origin}/{candidate.name}")
        try:
            others = self._manager.get_plugins() - {module}
            returned = self._manager.subset_hook_caller("hub_connectors", others)()
            classes: dict[str, type[Connector]] = {}
            for connector in _checked(returned, module):
                if connector.kind in classes:
                    raise _UnusableError(f"it brings the kind {connector.kind!r} twice", _line_of(connector))
                classes[connector.kind] = connector
        except BaseException:
            # Whatever a plugin does here, be it to exit: what came up half-way must not stay registered.
            self._manager.unregister(module)
            raise
        return classes

    def _check_hooks(self, module: ModuleType) -> None:
        marked = {n: o for n in dir(module) if (o := self._manager.parse_hookimpl_opts(module, n)) is not None}
        if not marked:
            raise _UnusableError("it implements no hook; is @hookimpl missing?", str(module.__file__))
        known = [name for name in dir(hookspecs) if self._manager.parse_hookspec_opts(hookspecs, name) is not None]
        for name, options in marked.items():
            where, hook = _line_of(getattr(module, name)), options.get("specname") or name
            if hook not in known:
                raise _UnusableError(". ".join(_not_known("hook", hook, known)).rstrip("."), where)
            accepted = inspect.signature(getattr(hookspecs, hook)).parameters
            for argument in inspect.signature(getattr(module, name)).parameters:
                if argument not in accepted:
                    raise _UnusableError(f"the hook {hook!r} takes no argument {argument!r}", where)


def _function(name: str, given: Any) -> Any:
    if not callable(given):
        raise _UnusableError(f"{name!r} is {type(given).__name__}, not a function")
    return given


_SHAPES: Mapping[str, Callable[[str, str, Any], Any]] = {
    "conditions": lambda plugin, name, given: guarded_test(plugin, name, _function(name, given)),
    "actions": lambda plugin, name, given: guarded_action(plugin, name, _function(name, given)),
    "macros": lambda plugin, name, given: Macro.model_validate(given),
    "calendars": lambda plugin, name, given: CalendarSettings.model_validate(given),
    "notifiers": lambda plugin, name, given: guarded_notifier(plugin, name, _function(name, given)),
}
"""What plugins may add to the rules, and how each piece is checked: plugin, name and what was given -> what is used."""
_INSTALLED = "installed: "


def _built_in() -> list[_Candidate]:
    """The packages beside the hub. A foreign package of the same name elsewhere on the path is not looked at."""
    home = Path(inspect.getfile(hookspecs)).resolve().parents[1] / BUILT_IN_PACKAGE
    found = []
    for module in pkgutil.iter_modules([str(home)]):
        if module.ispkg and not module.name.startswith("_"):
            parts = {m.name for m in pkgutil.iter_modules([str(home / module.name)])}
            kind = module.name.replace("_", "-")
            found.append(
                _Candidate(kind, "built-in", kind if "connector" in parts else None, _importing(module.name, home))
            )
    return found


def _importing(name: str, home: Path) -> Callable[[], ModuleType]:
    def load() -> ModuleType:
        package = importlib.import_module(BUILT_IN_PACKAGE)
        foreign = [path for path in package.__path__ if Path(path).resolve() != home]
        if len(foreign) < len(list(package.__path__)):
            module = importlib.import_module(f"{BUILT_IN_PACKAGE}.{name}")
            if home in Path(module.__file__ or "").resolve().parents:
                return module
        raise _UnusableError(
            f"another package named {BUILT_IN_PACKAGE!r} stands in its place; start the hub from another folder, or "
            "uninstall that package",
            str(foreign[0]),
        )

    return load


def _installed() -> list[_Candidate]:
    return [
        _Candidate(point.name, _INSTALLED + _distribution(point), point.name, point.load)
        for point in entry_points(group=ENTRY_POINT_GROUP)
    ]


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value


def _local(folder: Path) -> list[_Candidate]:
    """The files and package folders of a local folder. Names that begin with `_` or `.` are not plugins."""
    found = []
    for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
        file = entry / "__init__.py" if entry.is_dir() else entry
        if not entry.name.startswith(("_", ".")) and file.suffix == ".py" and file.is_file():
            name = entry.name.removesuffix(".py")
            found.append(_Candidate(name, str(file), None, functools.partial(_load_file, name, file)))
    return found


def _load_file(plugin: str, file: Path) -> ModuleType:
    """Runs a local plugin's file and returns its module. `sys.path` stays as it is."""
    if not plugin.isidentifier():
        raise _UnusableError(f"{plugin!r} is no Python name; use letters, digits and _ only", str(file))
    name = f"{LOCAL_PACKAGE}.{plugin}"
    # A package without a path: nothing is ever found in it but what is put there here.
    parent = sys.modules.setdefault(LOCAL_PACKAGE, ModuleType(LOCAL_PACKAGE))
    parent.__path__ = []
    _forget(name)
    places = [str(file.parent)] if file.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=places)
    assert spec is not None  # a name that ends in .py always has a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        # Whatever a plugin does here, be it to exit: a module that is half there must not be found by the next import.
        _forget(name)
        raise
    return module


def _forget(name: str) -> None:
    for known in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
        del sys.modules[known]


def _checked(returned: Any, module: ModuleType) -> list[type[Connector]]:
    """The connector classes of a plugin's answer to `hub_connectors`; none when it does not implement the hook."""
    if not returned:
        return []
    hook = _line_of(getattr(module, "hub_connectors", module))
    classes = returned[0]
    if not isinstance(classes, list | tuple):
        raise _UnusableError(f"hub_connectors returned {type(classes).__name__}, not a list of classes", hook)
    for connector in classes:
        if not (isinstance(connector, type) and issubclass(connector, Connector)):
            raise _UnusableError(f"hub_connectors returned {connector!r}, which is no class of a Connector", hook)
        _check_class(connector)
    return list(classes)


def _check_class(connector: type[Connector]) -> None:
    where = _line_of(connector)
    if not isinstance(getattr(connector, "kind", None), str):
        raise _UnusableError(f"{connector.__name__} has no kind", where)
    if not isinstance(getattr(connector, "role", None), Role):
        raise _UnusableError(f"{connector.__name__} has no role; set role = Role.HELPDESK or another", where)
    model = getattr(connector, "settings_model", None)
    if not (isinstance(model, type) and issubclass(model, TrackerSettings)):
        raise _UnusableError(f"{connector.__name__}.settings_model is no class of TrackerSettings", where)
    if inspect.isabstract(connector):
        missing = ", ".join(sorted(connector.__abstractmethods__))
        raise _UnusableError(f"{connector.__name__} lacks {missing}", where)


def _not_known(noun: str, name: str, known: Iterable[str]) -> tuple[str, str]:
    """What is wrong with a name, and what to do about it."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    there_are = f"Known are {', '.join(names)}." if names else f"There are no {noun}s at all."
    return f"there is no {noun} {name!r}", f"Did you mean {close[0]!r}? {there_are}" if close else there_are


def _one_line(error: BaseException) -> str:
    text = str(error.msg if isinstance(error, SyntaxError) else error)
    return f"{type(error).__name__}: {' '.join(text.split())}".rstrip(": ")


def _place_of(error: BaseException) -> str:
    """file:line of the innermost frame that is not the import machinery's."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [f for f in inspect.getinnerframes(error.__traceback__) if "importlib" not in f.filename] \
        if error.__traceback__ else []  # fmt: skip
    own = [f for f in frames if f.filename != __file__]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def _line_of(thing: Any) -> str:
    try:
        return f"{inspect.getsourcefile(thing)}:{inspect.getsourcelines(thing)[1]}"
    except (OSError, TypeError):
        return str(getattr(thing, "__module__", ""))
