"""The tree between formats: blocks and inlines, and their normal form. Parsers make it, renderers read it."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

MAX_DEPTH = 12
"""Nesting beyond this is flattened: no person writes it, and every step costs a level of the stack."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class CodeSpan:
    text: str


@dataclass(frozen=True, slots=True)
class Break:
    """The line ends here, the paragraph goes on."""


@dataclass(frozen=True, slots=True)
class Styled:
    """`style` is strong, em or strike."""

    style: str
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Link:
    href: str
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """`src` is an address, or `attachment:<quoted name>` for a file of the ticket."""

    src: str
    alt: str


Inline = Text | CodeSpan | Break | Styled | Link | Image


@dataclass(frozen=True, slots=True)
class Paragraph:
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class CodeBlock:
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list; each item is blocks. `ordered` lists count from 1."""

    ordered: bool
    items: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The first row is the head. Every row has as many cells as the head."""

    rows: tuple[tuple[tuple[Inline, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the page."""


Block = Paragraph | Heading | CodeBlock | Quote | Listing | Table | Rule
Document = tuple[Block, ...]

_BLANK = re.compile(r"[ \t\n\r\f\v\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u200b\ufeff\ud800-\udfff\ue000\ue001]")
_LANGUAGE = re.compile(r"[^\w+#.-]")


def clean_text(text: str) -> str:
    """Text on one line: control characters and zero-width blanks gone, every run of blank space one blank."""
    return _BLANK.sub(" ", _CONTROL.sub("", text))


def clean_code(text: str) -> str:
    """Code as it is, with line ends made uniform and control characters gone."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).split("\n")
    return "\n".join(
        _CONTROL.sub("", line.replace("\u2028", " ").replace("\u2029", " "))
        .replace("\f", " ")
        .replace("\v", " ")
        .rstrip()
        for line in lines
    ).strip("\n")


def normalize(blocks: Iterable[Block], depth: int = 0) -> Document:
    """The one tree for everything that reads the same: no empty parts, no blank at an edge, nothing in itself."""
    made: list[Block] = []
    for block in blocks:
        match block:
            case Paragraph(children):
                inlines = normalize_inlines(children)
                if inlines:
                    made.append(Paragraph(inlines))
            case Heading(level, children):
                inlines = normalize_inlines(_without_breaks(children))
                if inlines:
                    made.append(Heading(min(max(level, 1), 6), inlines))
            case CodeBlock(language, text):
                text = clean_code(text)
                if text.strip():
                    made.append(CodeBlock(_LANGUAGE.sub("", language.split(" ")[0]).lower()[:20], text))
            case Quote(inner):
                content = normalize(inner, depth + 1)
                if depth >= MAX_DEPTH:
                    made.extend(content)
                elif content:
                    if made and isinstance(made[-1], Quote):
                        content = made.pop().blocks + content  # type: ignore[union-attr]  # just checked
                    made.append(Quote(content))
            case Listing(ordered, items):
                cleaned = tuple(item for item in (normalize(i, depth + 1) for i in items) if item)
                if depth >= MAX_DEPTH:
                    made.extend(b for item in cleaned for b in item)
                elif cleaned:
                    last = made[-1] if made else None
                    if isinstance(last, Listing) and last.ordered == ordered:
                        made[-1] = Listing(ordered, last.items + cleaned)
                    else:
                        made.append(Listing(ordered, cleaned))
            case Table(rows):
                table = _normalize_table(rows)
                if table:
                    made.append(table)
            case Rule():
                made.append(block)
    return tuple(made)


def _normalize_table(rows: Sequence[Sequence[Sequence[Inline]]]) -> Table | None:
    cells = [tuple(normalize_inlines(_without_breaks(cell)) for cell in row) for row in rows if row]
    width = max((len(row) for row in cells), default=0)
    if not any(cell for row in cells for cell in row):
        return None
    return Table(tuple(row + ((),) * (width - len(row)) for row in cells))


def _without_breaks(inlines: Iterable[Inline]) -> list[Inline]:
    made: list[Inline] = []
    for one in inlines:
        if isinstance(one, Break):
            made.append(Text(" "))
        elif isinstance(one, Styled | Link):
            made.append(replace(one, children=tuple(_without_breaks(one.children))))
        else:
            made.append(one)
    return made


def normalize_inlines(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """The normal form of a run of inlines: see `normalize`."""
    flat = _merge(_flatten(inlines, frozenset(), 0))
    return tuple(_trim(flat))


def _flatten(inlines: Iterable[Inline], styles: frozenset[str], depth: int) -> list[Inline]:
    made: list[Inline] = []
    for one in inlines:
        match one:
            case Text(text):
                text = clean_text(text)
                if text:
                    made.append(Text(text))
            case CodeSpan(text):
                text = clean_text(text).strip()
                if text:
                    made.append(CodeSpan(text))
            case Break():
                made.append(one)
            case Styled(style, children):
                if style in styles or depth >= MAX_DEPTH:
                    made.extend(_flatten(children, styles, depth + 1))
                else:
                    made.extend(_styled(style, _merge(_flatten(children, styles | {style}, depth + 1))))
            case Link(href, children):
                made.extend(_linked(href, children, styles, depth))
            case Image(src, alt):
                src = src.strip()
                if src and not _BLANK.search(src):
                    made.append(Image(src, clean_text(alt).strip()))
                elif clean_text(alt).strip():
                    made.append(Text(clean_text(alt).strip()))
    return made


def _linked(href: str, children: tuple[Inline, ...], styles: frozenset[str], depth: int) -> list[Inline]:
    inner = _merge(_flatten([c for c in children if not isinstance(c, Break)], styles, depth + 1))
    # A link in a link, and a style around half a link, exist in no format but HTML.
    text = "".join(plain_inlines(inner)).strip()
    href = _BLANK.sub("", clean_text(href))
    if not is_safe_address(href):
        return [*inner]
    return [Link(href, (Text(text or href),))]


def is_safe_address(href: str) -> bool:
    """Addresses that may stand in a text: web and mail."""
    return href.lower().startswith(("http://", "https://", "mailto:")) and not re.search(r'[<>"\\^`{}|\[\]()]', href)


def _styled(style: str, inner: list[Inline]) -> list[Inline]:
    """The style around what is visible; blanks and line ends at the edges stay outside."""
    before: list[Inline] = []
    after: list[Inline] = []
    while inner and _is_blank(inner[0]):
        before.append(inner.pop(0))
    while inner and _is_blank(inner[-1]):
        after.insert(0, inner.pop())
    if inner and isinstance(inner[0], Text) and inner[0].text.startswith(" "):
        before.append(Text(" "))
        inner[0] = Text(inner[0].text[1:])
    if inner and isinstance(inner[-1], Text) and inner[-1].text.endswith(" "):
        after.insert(0, Text(" "))
        inner[-1] = Text(inner[-1].text[:-1])
    made: list[Inline] = [*before]
    line: list[Inline] = []
    for one in [*inner, None]:
        if one is None or isinstance(one, Break):
            trimmed = _trim(line)
            if trimmed:
                made.append(Styled(style, tuple(trimmed)))
            if one is not None:
                made.append(one)
            line = []
        else:
            line.append(one)
    return made + after


def _is_blank(one: Inline) -> bool:
    return isinstance(one, Break) or (isinstance(one, Text) and not one.text.strip())


def _merge(inlines: Sequence[Inline]) -> list[Inline]:
    """Neighbours of a kind become one, each run of them at once: a paragraph may have a hundred thousand."""
    made: list[Inline] = []
    for _, together in itertools.groupby(inlines, _mergeable):
        first, *others = together
        match first:
            case _ if not others:
                made.append(first)
            case Text():
                made.append(Text(_BLANK.sub(" ", "".join(one.text for one in (first, *others)))))  # type: ignore[union-attr]
            case CodeSpan():
                made.append(CodeSpan("".join(one.text for one in (first, *others))))  # type: ignore[union-attr]
            case Styled(style, _):
                made.append(Styled(style, tuple(_merge([c for one in (first, *others) for c in one.children]))))  # type: ignore[union-attr]
            case _:
                made += [first, *others]
    return made


def _mergeable(one: Inline) -> object:
    """The same for neighbours that become one."""
    return (type(one), one.style) if isinstance(one, Styled) else type(one)


def _trim(inlines: Sequence[Inline]) -> list[Inline]:
    """No blank at the ends of a line, no line end at the ends of the run, at most one empty line nowhere."""
    made: list[Inline] = []
    for one in inlines:
        if isinstance(one, Break):
            if made and isinstance(made[-1], Text):
                text = made[-1].text.rstrip(" ")
                made[-1:] = [Text(text)] if text else []
            if made and not isinstance(made[-1], Break):
                made.append(one)
        elif isinstance(one, Text) and (not made or isinstance(made[-1], Break)):
            text = one.text.lstrip(" ")
            if text:
                made.append(Text(text))
        else:
            made.append(one)
    if made and isinstance(made[-1], Text):
        text = made[-1].text.rstrip(" ")
        made[-1:] = [Text(text)] if text else []
    while made and isinstance(made[-1], Break):
        made.pop()
    return made


def plain_inlines(inlines: Iterable[Inline]) -> Iterable[str]:
    """What the inlines say, without their form."""
    for one in inlines:
        match one:
            case Text(text) | CodeSpan(text):
                yield text
            case Break():
                yield "\n"
            case Styled(_, children) | Link(_, children):
                yield from plain_inlines(children)
            case Image(src, alt):
                yield f"[{alt or src}]"


def is_wordlike(char: str) -> bool:
    """Letters, digits and marks: what stands inside a word."""
    return bool(char) and unicodedata.category(char)[0] in "LNM"
