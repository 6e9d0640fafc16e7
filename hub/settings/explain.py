"""Turns what pydantic says about a section into problems with a place, the value as written, and a remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from hub.settings.problems import Path, Problem, dotted, suggest
from hub.settings.shapes import Model, alternatives_at, fields_at
from hub.settings.tree import Node

_NOUNS = {"statuses": "status", "priorities": "priority", "categories": "category", "fields": "field"}
"""What a key of a table is called."""

_MUST_BE = {
    "int": ("a whole number", ""),
    "float": ("a number", ""),
    "bool": ("true or false", ""),
    "string": ("a text", ""),
    "dict": ("a section", "Is the indentation right?"),
    "model": ("a section", "Is the indentation right?"),
    "list": ("a list", "Write [a, b], or one line for each that begins with -."),
}
_BOUNDS = {"greater_than": ("more than", "gt"), "greater_than_equal": ("at least", "ge"),
           "less_than": ("less than", "lt"), "less_than_equal": ("at most", "le")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the settings under its model. `path` is its way from the root; `redact` takes secrets out of a text."""

    root: Node
    path: Path
    model: Model
    is_hidden: Callable[[Path], bool]
    redact: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Said:
    """One of pydantic's errors with its place in the data. `union` is the path of the alternatives it belongs to."""

    path: Path
    kind: str
    context: Mapping[str, Any]
    message: str
    on_key: bool
    union: Path | None
    arm: str
    also: str = ""
    """What else the value may be, besides the words of an enumeration: `a whole number`."""


def explain(error: ValidationError, section: Section) -> list[Problem]:
    """The problems that pydantic found, less those about values that are not known anyway."""
    said = [_placed(e, section) for e in error.errors(include_url=False, include_input=False)]
    problems = [_problem(s, section) for s in _of_several(said)]
    unions = dict.fromkeys(s.union for s in said if s.union is not None)
    for union in unions:
        problems += _union_problems(union, [s for s in said if s.union == union], section)
    return [p for p in problems if p is not None]


def _of_several(said: Sequence[_Said]) -> list[_Said]:
    """What to tell where a value may be of several sorts (`all`, or a number) and is none of them."""
    by_path: dict[Path, list[_Said]] = {}
    for one in said:
        if one.union is None:
            by_path.setdefault(one.path, []).append(one)
    told: list[_Said] = []
    for group in by_path.values():
        bounds = [s for s in group if s.kind in _BOUNDS]
        words = [s for s in group if s.kind == "literal_error"]
        others = [s for s in group if s.kind.partition("_")[0] in _MUST_BE]
        if bounds:
            told += bounds
        elif words and others:
            kind = _MUST_BE[others[0].kind.partition("_")[0]][0]
            told.append(replace(words[0], also=kind))
        else:
            told += group
    return told


def _placed(error: Any, section: Section) -> _Said:
    """Follows pydantic's location through the data. What is no key there names an alternative of a union."""
    node = section.root.find(section.path)
    path: Path = ()
    union: Path | None = None
    arm = ""
    location = error["loc"]
    on_key = bool(location) and location[-1] == "[key]"
    for index, part in enumerate(location[:-1] if on_key else location):
        below = node.child(part) if node else None
        is_last = index == len(location) - 1
        if below is not None or (is_last and error["type"] in ("missing", "extra_forbidden")):
            path, node = (*path, part), below
        elif union is None and _is_union(path, section):
            union, arm = path, str(part)
    return _Said(path, error["type"], error.get("ctx", {}), error["msg"], on_key, union, arm)


def _is_union(path: Path, section: Section) -> bool:
    return len(alternatives_at(section.model, path)) > 1


def _union_problems(union: Path, said: Sequence[_Said], section: Section) -> list[Problem | None]:
    """What is wrong with a section that may follow one of several models: told for the one that was meant."""
    node = section.root.find((*section.path, *union))
    by_arm: dict[str, list[_Said]] = {}
    for one in said:
        by_arm.setdefault(one.arm, []).append(one)
    if node is None or not isinstance(node.value, dict):
        return [_problem(said[0], section)]
    given = set(node.value)
    scores = {}
    for model in alternatives_at(section.model, union):
        if model.__name__ in by_arm:
            known = {f.alias or n for n, f in model.model_fields.items()}
            close = sum(1 for key in given - known if suggest(key, sorted(known), "").startswith("Did"))
            scores[model.__name__] = 2 * len(given & known) + close - len(by_arm[model.__name__])
    best = max(scores.values(), default=0)
    meant = [arm for arm, score in scores.items() if score == best]
    if len(meant) == 1 and given:
        return [_problem(s, section) for s in by_arm[meant[0]]]
    choices = [
        " and ".join(f.alias or n for n, f in model.model_fields.items() if f.is_required())
        for model in alternatives_at(section.model, union)
    ]
    what = "this is not complete" if given else "this is empty"
    return [_at((*section.path, *union), section, what, f"Give {', or '.join(choices)}.")]


def _problem(said: _Said, section: Section) -> Problem | None:
    path = (*section.path, *said.path)
    node = section.root.find(path)
    if node is not None and not node.is_known:
        return None
    what, remedy = _words(said, path, node, section)
    value = "" if node is None or section.is_hidden(path) else node.written
    return _at(path, section, what, remedy, value)


def _at(path: Path, section: Section, what: str, remedy: str = "", value: str = "") -> Problem:
    place = section.root.place_of(path)
    return Problem(place=place, where=dotted(path), what=what, remedy=remedy, value=value)


def _words(said: _Said, path: Path, node: Node | None, section: Section) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    here = said.path[:-1]
    fields = fields_at(section.model, here)
    name = str(said.path[-1]) if said.path else ""
    if said.kind == "missing":
        field = fields.get(name)
        return "this setting is missing", f"{field.description.rstrip('.')}." if field and field.description else ""
    if said.kind == "extra_forbidden":
        return f"there is no setting {name!r} here", suggest(name, list(fields))
    if node is not None and node.value is None:
        return "this is empty", "Give it a value, or remove the line."
    expected = re.findall(r"'([^']*)'", str(said.context.get("expected", "")))
    if said.kind in ("enum", "literal_error"):
        known = [word for word in expected if word != "unknown"]
        if said.on_key:
            noun = _NOUNS.get(str(said.path[-2]) if len(said.path) > 1 else "", "key")
            return f"there is no {noun} {name!r}", suggest(name, known)
        if said.also:
            shown = _shown(node, section.is_hidden(path))
            what = f"this must be {said.also} or {' or '.join(known)}"
            return what + (f", not {_quoted(node, shown)}" if shown else ""), ""
        return _not_allowed(node, known, section.is_hidden(path))
    if said.on_key:
        kind = _MUST_BE.get(said.kind.partition("_")[0], ("another word", ""))[0]
        return f"the key must be {kind}, not {name!r}", ""
    shown = _shown(node, section.is_hidden(path))
    for beginning, (kind, remedy) in _MUST_BE.items():
        if said.kind.startswith(f"{beginning}_") and said.kind not in ("string_too_short", "string_too_long"):
            if beginning == "string" and shown and isinstance(node.value if node else None, bool | int | float):
                remedy = f'Put it in quotes: "{shown}"'
                return f"this must be a text, not the {_sort(node)} {shown}", remedy
            return f"this must be {kind}" + (f", not {_quoted(node, shown)}" if shown else ""), remedy
    if said.kind in _BOUNDS:
        words, key = _BOUNDS[said.kind]
        return f"this must be {words} {said.context[key]}" + (f", not {shown}" if shown else ""), ""
    if said.kind == "too_short":
        return "this must not be empty", "Give it a value, or remove the line."
    if said.kind in ("value_error", "assertion_error"):
        told = section.redact(str(said.context["error"])).rstrip(".")
        fits = told.startswith("must ") and shown
        return (f"{told}, not {_quoted(node, shown)}" if fits else told), ""
    return section.redact(said.message[:1].lower() + said.message[1:]), ""


def _not_allowed(node: Node | None, known: Sequence[str], is_hidden: bool) -> tuple[str, str]:
    if node is None or is_hidden or isinstance(node.value, dict | list):
        return f"this must be one of {', '.join(known)}", ""
    what = f"{node.written!r} is none of {', '.join(known)}"
    if not node.is_literal:
        return f"the value of {node.written} is none of {', '.join(known)}", ""
    remedy = suggest(node.written, known, "")
    return what, remedy if remedy.startswith("Did") else ""


def _shown(node: Node | None, is_hidden: bool) -> str:
    """A value as written; a section or list by its name; nothing for a secret."""
    if node is None or is_hidden:
        return ""
    if isinstance(node.value, dict):
        return "a section"
    return "a list" if isinstance(node.value, list) else node.written


def _quoted(node: Node | None, shown: str) -> str:
    if node is None or isinstance(node.value, dict | list):
        return shown
    return repr(shown) if node.is_literal else f"the value of {shown}"


def _sort(node: Node | None) -> str:
    return "word" if node is not None and isinstance(node.value, bool) else "number"
