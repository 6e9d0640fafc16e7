"""Plain text: nothing in it means anything but itself, and its line ends are meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.text.canonical import LONGEST, from_tree, parse
from hub.text.tree import (
    Block,
    Break,
    CodeBlock,
    Heading,
    Inline,
    Listing,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
    plain_inlines,
)
from hub.ticket import Markdown


def from_plain(text: str) -> Markdown:
    """Takes every character literally; an empty line begins a paragraph, any other line end is kept.

    No more than `LONGEST` characters are looked at.
    """
    lines = text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n")
    return from_tree([paragraph_of_lines(part.split("\n")) for part in re.split(r"\n[ \t]*\n+", lines)])


def to_plain(text: Markdown) -> str:
    """What the text says, readable without any markup."""
    return "\n\n".join(_block(block) for block in parse(text))


def paragraph_of_lines(lines: Sequence[str]) -> Paragraph:
    """A paragraph that keeps its line ends."""
    children: list[Inline] = []
    for line in lines:
        children += [Text(line), Break()]
    return Paragraph(tuple(children))


def _block(block: Block) -> str:
    match block:
        case Paragraph(children) | Heading(_, children):
            return "".join(plain_inlines(children))
        case CodeBlock(_, text):
            return text
        case Quote(blocks):
            return "\n".join(f"> {line}" for line in "\n\n".join(map(_block, blocks)).split("\n"))
        case Listing(ordered, items):
            return "\n".join(_item(f"{n}. " if ordered else "- ", item) for n, item in enumerate(items, 1))
        case Table(rows):
            return "\n".join(" | ".join("".join(plain_inlines(cell)) for cell in row) for row in rows)
        case Rule():
            return "----"


def _item(mark: str, blocks: Sequence[Block]) -> str:
    lines = "\n".join(map(_block, blocks)).split("\n")
    return mark + ("\n" + " " * len(mark)).join(lines)
