"""Texts with placeholders: compiled once, rendered in a sandbox that cannot run code or run on.

Only little is let in: names, attributes, filters of a short list, `if`, and `for` over the
lists that a ticket has. What customers wrote is inserted as plain text: it cannot format, mention or command anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hub.settings.problems import suggest
from hub.text import canonical, defuse, from_plain
from hub.ticket import Markdown

LONGEST = 60_000
"""Characters of a rendered text; no tracker takes more."""
NAMES: Mapping[str, tuple[str, ...]] = {
    "ticket": ("key", "url", "title", "description", "status", "priority", "category", "tracker", "organisation"),
    "requester": ("name", "email", "language"),
    "agent": ("name", "email"),
    "issue": ("key", "url", "status"),
    "line": ("number", "name"),
    "tickets": (),
    "due": (),
    "customers": (),
    "reason": (),
    "rule": (),
    "now": (),
    "custom": (),
}
"""What a text may name, and the parts of each. `tickets` is a list with key, url, title and tracker of each."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """What the texts of one sort may name, and the parts of each; those with no parts named may have any."""

    names: Mapping[str, tuple[str, ...]]


OF_TICKETS = Vocabulary(NAMES)
FILTERS = ("default", "lower", "upper", "title", "trim", "truncate", "length", "first", "last", "join")
_LET_IN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const, nodes.Filter, nodes.If,
    nodes.For, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Keyword,
)  # fmt: skip


class PlaceholderError(Exception):
    """A text cannot be used; the message says which part and what to do. `line` counts from 1 within the text."""

    def __init__(self, message: str, line: int) -> None:
        self.line = line
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Rendered:
    """`missing` names the placeholders that have no value for this ticket; they stand as `(name)` in the text."""

    text: Markdown
    missing: tuple[str, ...] = ()


class Formatted(str):
    """A value that is Markdown already and is inserted as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Missing:
    """Stands for a value that is not there: false in conditions, its name in texts."""

    name: str
    noted: dict[str, None] = field(repr=False, compare=False)

    def __getattr__(self, part: str) -> _Missing:
        if part.startswith("_"):
            raise AttributeError(part)
        return _Missing(f"{self.name}.{part}", self.noted)

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        self.noted[self.name] = None
        return f"({self.name})"

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def check_text(text: str, known: Vocabulary = OF_TICKETS) -> None:
    """Raises PlaceholderError when a text has something that is not let in, or names what does not exist."""
    _compiled(text, known)


def render(text: str, values: Mapping[str, Any], known: Vocabulary = OF_TICKETS) -> Rendered:
    """The text with its placeholders filled. Pure. Raises PlaceholderError only for what `check_text` refuses."""
    template = _compiled(text, known)
    noted: dict[str, None] = {}
    shown = {name: _shown(values.get(name), name, noted) for name in known.names}
    made = template.render(shown)[:LONGEST]
    return Rendered(Markdown(defuse(canonical(made), quick_actions=True)), tuple(noted))


def _shown(value: Any, name: str, noted: dict[str, None]) -> Any:
    if value is None or value == "":
        return _Missing(name, noted)
    if isinstance(value, Mapping):
        return _Parts({key: _shown(part, f"{name}.{key}", noted) for key, part in value.items()}, name, noted)
    if isinstance(value, list | tuple):
        return [_shown(part, name, noted) for part in value]
    return value


class _Parts(dict[str, Any]):
    """A mapping whose absent keys are missing values rather than errors: custom fields differ by ticket."""

    def __init__(self, parts: Mapping[str, Any], name: str, noted: dict[str, None]) -> None:
        super().__init__(parts)
        self._name, self._noted = name, noted

    def __missing__(self, key: str) -> _Missing:
        return _Missing(f"{self._name}.{key}", self._noted)


def _finalize(value: Any) -> str:
    if isinstance(value, Formatted | _Missing):
        return str(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M %Z")
    return str(from_plain(str(value)))


_ENVIRONMENT = ImmutableSandboxedEnvironment(autoescape=False, finalize=_finalize, keep_trailing_newline=False)
_ENVIRONMENT.globals.clear()
_ENVIRONMENT.filters = {name: _ENVIRONMENT.filters[name] for name in FILTERS}


def _default(value: Any, otherwise: Any = "") -> Any:
    return otherwise if isinstance(value, _Missing) else value


_ENVIRONMENT.filters["default"] = _default


@lru_cache(maxsize=1024)
def _compiled(text: str, known: Vocabulary) -> Any:
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        raise PlaceholderError(f"a placeholder is wrong: {error.message}", error.lineno) from error
    _check(tree, known.names, frozenset(), inside_loop=False)
    try:
        return _ENVIRONMENT.from_string(text)
    except TemplateSyntaxError as error:
        raise PlaceholderError(f"a placeholder is wrong: {error.message}", error.lineno) from error


def _check(node: nodes.Node, known: Mapping[str, tuple[str, ...]], own: frozenset[str], *, inside_loop: bool) -> None:
    if not isinstance(node, _LET_IN):
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", type(node).__name__).lower()
        raise PlaceholderError(f"placeholders can name values, but not use {words!r}", getattr(node, "lineno", 1) or 1)
    match node:
        case nodes.For():
            if inside_loop or not isinstance(node.iter, nodes.Name) or not isinstance(node.target, nodes.Name):
                raise PlaceholderError(
                    "a for can go over a list such as tickets, and not stand in another for", node.lineno
                )
            _check(node.iter, known, own, inside_loop=inside_loop)
            for child in (*node.body, *node.else_):
                _check(child, known, own | {node.target.name}, inside_loop=True)
            return
        case nodes.Name() if node.name not in known and node.name not in own:
            raise PlaceholderError(
                f"there is no placeholder {node.name!r}. {suggest(node.name, [*known])}", node.lineno
            )
        case nodes.Getattr() if not isinstance(node.node, nodes.Name | nodes.Getattr) or node.attr.startswith("_"):
            raise PlaceholderError(f"there is no placeholder with {node.attr!r} here", node.lineno)
        case nodes.Getattr(node=nodes.Name(name=name)) if (
            name in known and name not in own and known[name] and node.attr not in known[name]
        ):
            remedy = suggest(node.attr, known[name])
            raise PlaceholderError(f"there is no placeholder {name}.{node.attr}. {remedy}", node.lineno)
        case nodes.Filter() if node.name not in FILTERS:
            raise PlaceholderError(f"there is no filter {node.name!r}. {suggest(node.name, FILTERS)}", node.lineno)
        case _:
            pass
    for child in node.iter_child_nodes():
        _check(child, known, own, inside_loop=inside_loop)
