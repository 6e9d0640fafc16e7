"""YAML files -> one tree of values that remember where they stand.

It knows YAML and nothing of what the settings mean. Plain words are read as YAML 1.2 reads them: `no`, `on`, `12:30`
and `007` are texts, only `true` and `false` are booleans. Nothing that an error quotes comes from a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from hub.settings.problems import Path, Place, Problem, dotted

# The parser in C is ten times as fast; it is missing where PyYAML was built without it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place. `key_place` is where its key stands, `written` a scalar's text as in the file.

    `is_literal` is False when the value came from the environment or another file. `is_known` is False when it should
    have, and could not.
    """

    value: dict[str, Node] | list[Node] | Scalar
    place: Place
    key_place: Place
    written: str = ""
    is_literal: bool = True
    is_known: bool = True

    def child(self, part: str | int) -> Node | None:
        """What stands under a key or at an index, None where there is nothing."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None

    def find(self, path: Path) -> Node | None:
        """The node at a path, None where there is none."""
        node: Node | None = self
        for part in path:
            node = node.child(part) if node else None
        return node

    def place_of(self, path: Path) -> Place:
        """Where the key at `path` stands, or else the nearest one above it."""
        node = self
        for part in path:
            below = node.child(part)
            if below is None:
                break
            node = below
        return node.key_place

    def scalars(self, path: Path = ()) -> Iterator[tuple[Path, Node]]:
        """Every scalar below, with its path."""
        if isinstance(self.value, dict):
            for key, node in self.value.items():
                yield from node.scalars((*path, key))
        elif isinstance(self.value, list):
            for index, node in enumerate(self.value):
                yield from node.scalars((*path, index))
        else:
            yield path, self

    def plain(self) -> Any:
        """The value without places: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


@dataclass
class Reading:
    """What was read: the merged tree, the problems, and whether every file could be read to its end."""

    tree: Node
    problems: list[Problem] = field(default_factory=list)
    is_whole: bool = True


def read_files(path: FilePath) -> Reading:
    """Reads a YAML file, or all `*.yaml` and `*.yml` of a folder in the order of their names.

    Sections of several files merge, lists at the top level are put one after the other, and a value that stands in two
    files is a problem.
    """
    top = Place(str(path))
    reading = Reading(Node({}, top, top))
    files = sorted(f for f in path.iterdir() if f.suffix in (".yaml", ".yml")) if path.is_dir() else [path]
    if not files:
        _fail(reading, Problem(place=top, what="there is no *.yaml file in this folder", remedy="Make one: hub init"))
    elif not path.exists():
        _fail(reading, Problem(place=top, what="there is no such file or folder", remedy="Make one: hub init"))
        return reading
    for file in files:
        text = _text_of(file, reading)
        if text is not None:
            _add(file, text, reading)
    return reading


def _fail(reading: Reading, problem: Problem) -> None:
    reading.problems.append(problem)
    reading.is_whole = False


def _text_of(file: FilePath, reading: Reading) -> str | None:
    place = Place(str(file))
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        _fail(reading, Problem(place=place, what=f"it cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        place = Place(str(file), before.count(b"\n") + 1)
        _fail(reading, Problem(place=place, what="this is not UTF-8 text", remedy="Save the file as UTF-8."))
    return None


def _add(file: FilePath, text: str, reading: Reading) -> None:
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        _fail(reading, syntax_problem(file, text, error))
        return
    if root is None:
        return
    top = Place(str(file), 1, 1)
    node = _Building(str(file), reading).build(root, top, ())
    if node is None:
        return
    if not isinstance(node.value, dict):
        remedy = "Write settings as key: value."
        _fail(reading, Problem(place=node.place, what="the file holds no settings", remedy=remedy))
        return
    if not reading.tree.value:
        reading.tree = Node({}, top, top)
    reading.tree = _merged(reading.tree, node, (), reading.problems)


def _merged(old: Node, new: Node, path: Path, problems: list[Problem]) -> Node:
    if isinstance(old.value, dict) and isinstance(new.value, dict):
        both = dict(old.value)
        for key, node in new.value.items():
            both[key] = _merged(both[key], node, (*path, key), problems) if key in both else node
        return Node(both, old.place, old.key_place)
    if isinstance(old.value, list) and isinstance(new.value, list) and len(path) == 1:
        return Node([*old.value, *new.value], old.place, old.key_place)
    if old.value is None or new.value is None:
        return new if old.value is None else old
    what = f"this is set already at {old.key_place}"
    problems.append(Problem(place=new.key_place, where=dotted(path), what=what, remedy="Remove one of the two."))
    return old


class _Building:
    """Makes nodes of one file."""

    def __init__(self, file: str, reading: Reading) -> None:
        self._file = file
        self._reading = reading
        self._open: set[int] = set()

    def build(self, node: yaml.Node, key_place: Place, path: Path) -> Node | None:
        """The node with everything below it; None where it cannot be used, after the problem was noted."""
        place = self._place(node)
        if not node.tag.startswith("tag:yaml.org,2002:"):
            self._note(place, path, "tags (!name) have no meaning here", "Put a text that begins with ! in quotes.")
            return None
        if id(node) in self._open:
            self._note(place, path, "this refers to itself", "Write the values out.")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return Node(self._mapping(node, path), place, key_place)
            if isinstance(node, yaml.SequenceNode):
                items = [self.build(item, self._place(item), (*path, i)) for i, item in enumerate(node.value)]
                return Node([item for item in items if item is not None], place, key_place)
            assert isinstance(node, yaml.ScalarNode)  # there are no other nodes
            return Node(_scalar(node), place, key_place, written=node.value)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Node]:
        found: dict[str, Node] = {}
        taken_over: dict[str, Node] = {}
        for key, value in node.value:
            place = self._place(key)
            if not isinstance(key, yaml.ScalarNode):
                self._note(place, path, "a key must be a word", "Does a text with { or [ need quotes?")
            elif key.value == "<<" and not key.style:
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    built = self.build(source, self._place(source), path)
                    if built is not None and isinstance(built.value, dict):
                        taken_over = built.value | taken_over
            elif _lacks_blank(key, value):
                word = key.value.partition(":")[0]
                self._note(
                    place, (*path, word), "the blank after the colon is missing", f"Write {word}: and the value."
                )
            elif key.value in found:
                first = found[key.value].key_place.line
                what = f"this key stands here twice; the other one is on line {first}"
                self._note(place, (*path, key.value), what, "Remove one of the two.")
            else:
                built = self.build(value, place, (*path, key.value))
                if built is not None:
                    found[key.value] = built
        return taken_over | found

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _note(self, place: Place, path: Path, what: str, remedy: str) -> None:
        self._reading.problems.append(Problem(place=place, where=dotted(path), what=what, remedy=remedy))


def _lacks_blank(key: yaml.ScalarNode, value: yaml.Node) -> bool:
    """Whether `{api_token:abc}` was written, which is a key without a value. It must not be shown: see `abc`."""
    is_plain = ":" in key.value and not key.style and not key.value.startswith("custom:")
    return is_plain and isinstance(value, yaml.ScalarNode) and not value.style and value.value == ""


def _scalar(node: yaml.ScalarNode) -> Scalar:
    text: str = node.value
    if node.style:  # a quoted text or a block; the parser in C says "" of a plain word, the other one None
        return text
    word = text.lower() if text in (text.lower(), text.upper(), text.capitalize()) else text
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and not _LEADING_ZERO.match(text):
        return float(text)
    return text


# What the parser says -> what is wrong, and what to do. The first that fits counts.
_SYNTAX: list[tuple[str, str, str]] = [
    ("mapping values are not allowed", "a colon stands where none may", "Is the line indented wrongly, or does a text "
     "with a colon need quotes?"),
    ("could not find expected ':'", "this is no key: value", "Is a colon missing, or the blank after it?"),
    ("undefined alias", "* refers to an anchor that does not exist", "Put a text that begins with * in quotes."),
    ("another document", "a second document begins here", "Remove the line ---, or make two files of it."),
    ("unexpected end of stream", "a quoted text has no end", "Close the quotes."),
    ("cannot start any token", "a text must not begin with this character", "Put the text in quotes."),
    ("escape", "there is no such escape in double quotes", "Use single quotes, or write \\\\ for a backslash."),
    ("',' or", "a bracket is not closed, or a comma is missing", "Mind [a, b] and {a: b}."),
    ("expected key", "the indentation does not fit the lines above", "Begin the lines of one section in one column."),
    ("block end", "the indentation does not fit the lines above", "Begin the lines of one section in one column."),
    ("expected '-' indicator", "the indentation does not fit the lines above", "Begin each item of a list with -."),
]  # fmt: skip


def syntax_problem(file: FilePath, text: str, error: yaml.YAMLError) -> Problem:
    """A parser's error in words for people. None of the file's own text is in it."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, int(error.position)) + 1
        what, remedy = "this character is not allowed in YAML", "Remove it, or write it as an escape in double quotes."
        return Problem(place=Place(str(file), line), what=what, remedy=remedy)
    said = str(getattr(error, "problem", "") or "")
    mark = getattr(error, "problem_mark", None)
    if "end of stream" in said:
        mark = getattr(error, "context_mark", None) or mark
    place = Place(str(file), mark.line + 1, mark.column + 1) if mark else Place(str(file))
    lines = text.splitlines()
    current = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    if "\t" in current[: len(current) - len(current.lstrip())]:
        return Problem(place=place, what="the line is indented with a tab", remedy="Indent with blanks.")
    for words, what, remedy in _SYNTAX:
        if words in said:
            return Problem(place=place, what=what, remedy=remedy)
    # What stands in quotes may come from the file, and so be a secret.
    return Problem(place=place, what="this is not valid YAML: " + re.sub(r"'[^']{2,}'", "…", said))
