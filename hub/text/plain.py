"""Plain text: nothing in it means anything but itself, and its line ends are meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from hub.text.canonical import LONGEST, from_tree, parse
from hub.text.tree import (
    Block,
    Break,
    CodeBlock,
    Heading,
    Inline,
    Link,
    Listing,
    Paragraph,
    Quote,
    Rule,
    Styled,
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


def to_plain(text: Markdown, *, address: str = "<{}>") -> str:
    """What the text says, readable without any markup.

    A link is its words and the address behind them, in the form of `address`: `words <https://…>`. Where the words
    are the address, it stands there alone.
    """
    return "\n\n".join(_block(block, address) for block in parse(text))


def paragraph_of_lines(lines: Sequence[str]) -> Paragraph:
    """A paragraph that keeps its line ends."""
    children: list[Inline] = []
    for line in lines:
        children += [Text(line), Break()]
    return Paragraph(tuple(children))


def _block(block: Block, address: str) -> str:
    match block:
        case Paragraph(children) | Heading(_, children):
            return _said(children, address)
        case CodeBlock(_, text):
            return text
        case Quote(blocks):
            said = "\n\n".join(_block(inner, address) for inner in blocks)
            return "\n".join(f"> {line}" for line in said.split("\n"))
        case Listing(ordered, items):
            marks = (f"{n}. " if ordered else "- " for n, _ in enumerate(items, 1))
            return "\n".join(_item(mark, item, address) for mark, item in zip(marks, items, strict=True))
        case Table(rows):
            return "\n".join(" | ".join(_said(cell, address) for cell in row) for row in rows)
        case Rule():
            return "----"


def _item(mark: str, blocks: Sequence[Block], address: str) -> str:
    lines = "\n".join(_block(block, address) for block in blocks).split("\n")
    return mark + ("\n" + " " * len(mark)).join(lines)


def _said(inlines: Iterable[Inline], address: str) -> str:
    made = ""
    for one in inlines:
        match one:
            case Link(href, children):
                made += _link(href, "".join(plain_inlines(children)), address)
            case Styled(_, children):
                made += _said(children, address)
            case _:
                made += "".join(plain_inlines([one]))
    return made


def _link(href: str, words: str, address: str) -> str:
    href = re.sub("^mailto:", "", href, flags=re.I)
    said, meant = (unquote(one).rstrip("/").casefold() for one in (words, href))
    if said == meant:
        return words
    # Without its scheme it is no address to a tracker that makes links of those it finds in a text.
    return href if said == meant.partition("://")[2] else f"{words} {address.format(href)}"
