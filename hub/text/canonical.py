"""Markdown in, canonical Markdown out: parsed by markdown-it, rendered here from the normal tree."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from hub.text.tree import (
    Block,
    Break,
    CodeBlock,
    CodeSpan,
    Document,
    Heading,
    Image,
    Inline,
    Link,
    Listing,
    Paragraph,
    Quote,
    Rule,
    Styled,
    Table,
    Text,
    clean_text,
    is_wordlike,
    normalize,
    plain_inlines,
)
from hub.ticket import Markdown

_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": 40}).enable(["table", "strikethrough"])
_MAYBE_MARKUP = re.compile(
    r"[\\`*_\[\]<>&~|#+=!\t\r]|^ |^[ ]*[-+\d]|  | $|\n\n\n"
    r"|[\x00-\x08\x0b-\x1f\x7f-\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff\ud800-\udfff\ue000\ue001]",
    re.M,
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_ODD_SPACES = re.compile("[\x0b\x0c\x85\u2028\u2029]")
_ESCAPED = re.compile(r"[\\`*_\[\]<>&~|]")
_LINE_START = re.compile(r"^(?:([-+])(?= |$)|(#{1,6})(?= |$)|(\d{1,9})([.)])(?= |$)|(=+|-+)(?= *$))")
MAX_ROUNDS = 4
LONGEST = 200_000
"""Characters of a tracker's text that are looked at. No tracker shows that much of one text, and a log that somebody
pasted must not hold everybody else's tickets up."""
LONGEST_KEPT = 20_000
"""Characters up to which a text's tree is kept for a while."""
OFTEN_READ = 4_000
"""Characters up to which the neutral form of a tracker's text is kept for a while: all comments of a ticket are read
again with every look at it, and nearly all of them are as they were."""
KEPT_TEXTS = 1024


def canonical(text: str) -> Markdown:
    """The normal form of a Markdown text. Idempotent; raises for no text."""
    text = text.strip("\n")
    if not _MAYBE_MARKUP.search(text):
        # No character that could mean anything: paragraphs of soft lines.
        return Markdown("\n\n".join(" ".join(p.split("\n")).strip() for p in text.split("\n\n") if p.strip()))
    return settle(render(parse(text)))


def settle(text: str) -> Markdown:
    """Renders until nothing changes any more; a text that never settles is taken literally."""
    for _ in range(MAX_ROUNDS):
        again = render(parse(text))
        if again == text:
            return Markdown(text)
        text = again
    words = "".join("".join(plain_inlines([Text(clean_text(text))])))
    return Markdown(
        re.sub(r"[^\w\s]", lambda m: "\\" + m.group(0) if m.group(0).isascii() else m.group(0), words).strip()
    )


def from_tree(document: Sequence[Block]) -> Markdown:
    """Canonical Markdown of a tree that a parser made."""
    text = render(normalize(document))
    return Markdown(text) if not _MAYBE_MARKUP.search(text) else settle(text)


def fingerprint(text: str) -> str:
    """32 hex digits that are the same for texts that differ only in form."""
    return hashlib.sha256(canonical(text).encode("utf-8", "surrogatepass")).hexdigest()[:32]


# -- Markdown -> tree ---------------------------------------------------------------------------------------------


def parse(text: str) -> Document:
    """The normal tree of a Markdown text. The same few texts are asked for again and again within a run."""
    return _parse_anew(text) if len(text) > LONGEST_KEPT else _parse(text)


def _parse_anew(text: str) -> Document:
    tokens = _PARSER.parse(_ODD_SPACES.sub(" ", _SURROGATES.sub("", text)))
    blocks, _ = _blocks(tokens, 0, "")
    return normalize(blocks)


_parse = functools.lru_cache(maxsize=256)(_parse_anew)


def _blocks(tokens: Sequence[Token], at: int, end: str) -> tuple[list[Block], int]:
    made: list[Block] = []
    while at < len(tokens):
        token = tokens[at]
        if token.type == end:
            return made, at
        match token.type:
            case "paragraph_open":
                made.append(Paragraph(tuple(_inlines(tokens[at + 1]))))
                at += 2
            case "heading_open":
                made.append(Heading(int(token.tag[1]), tuple(_inlines(tokens[at + 1]))))
                at += 2
            case "fence" | "code_block":
                made.append(CodeBlock(token.info.strip(), token.content))
            case "hr":
                made.append(Rule())
            case "blockquote_open":
                inner, at = _blocks(tokens, at + 1, "blockquote_close")
                made.append(Quote(tuple(inner)))
            case "bullet_list_open" | "ordered_list_open":
                items, at = _items(tokens, at + 1, token.type.replace("open", "close"))
                made.append(Listing(token.type.startswith("ordered"), tuple(items)))
            case "table_open":
                rows, at = _rows(tokens, at + 1)
                made.append(Table(tuple(rows)))
            case _:
                pass
        at += 1
    return made, at


def _items(tokens: Sequence[Token], at: int, end: str) -> tuple[list[tuple[Block, ...]], int]:
    items: list[tuple[Block, ...]] = []
    while tokens[at].type != end:
        inner, at = _blocks(tokens, at + 1, "list_item_close")
        items.append(tuple(inner))
        at += 1
    return items, at


def _rows(tokens: Sequence[Token], at: int) -> tuple[list[tuple[tuple[Inline, ...], ...]], int]:
    rows: list[tuple[tuple[Inline, ...], ...]] = []
    row: list[tuple[Inline, ...]] = []
    while tokens[at].type != "table_close":
        if tokens[at].type == "tr_open":
            row = []
        elif tokens[at].type == "tr_close":
            rows.append(tuple(row))
        elif tokens[at].type == "inline":
            row.append(tuple(_inlines(tokens[at])))
        at += 1
    return rows, at


_STYLES = {"strong": "strong", "em": "em", "s": "strike"}


def _inlines(token: Token) -> list[Inline]:
    stack: list[tuple[str, list[Inline]]] = [("", [])]
    for child in token.children or ():
        here = stack[-1][1]
        name, _, side = child.type.rpartition("_")
        if child.type in ("text", "text_special", "entity"):
            here.append(Text(child.content))
        elif child.type == "code_inline":
            here.append(CodeSpan(child.content))
        elif child.type == "softbreak":
            here.append(Text(" "))
        elif child.type == "hardbreak":
            here.append(Break())
        elif child.type == "image":
            alt = "".join(plain_inlines(_inlines(child)))
            here.append(Image(unquote_address(str(child.attrs.get("src", ""))), alt))
        elif side == "open":
            stack.append((unquote_address(str(child.attrs.get("href", ""))), []))
        elif side == "close":
            href, inner = stack.pop()
            here = stack[-1][1]
            here.append(Link(href, tuple(inner)) if name == "link" else Styled(_STYLES[name], tuple(inner)))
        else:
            here.append(Text(child.content))
    return stack[0][1]


def unquote_address(address: str) -> str:
    """markdown-it's percent-encoding of anything but plain characters is its own; ours is `attachment:` only."""
    if address.startswith("attachment:"):
        return address
    return (
        unquote(address)
        if "%" not in unquote(address) and unquote(address).isascii() and " " not in unquote(address)
        else address
    )


# -- tree -> Markdown ---------------------------------------------------------------------------------------------


def render(document: Document) -> str:
    """A normal tree as Markdown."""
    return "\n\n".join(_separated(document)).strip("\n")


def _separated(blocks: Sequence[Block]) -> list[str]:
    return [_block(b) for b in blocks]


def _block(block: Block) -> str:
    match block:
        case Paragraph(children):
            return _paragraph(children)
        case Heading(level, children):
            return f"{'#' * level} {_inline_text(children).replace('#', chr(92) + '#')}"
        case CodeBlock(language, text):
            longest = max((len(run) for run in re.findall("`+", text)), default=0)
            fence = "`" * max(3, longest + 1)
            return f"{fence}{language}\n{text}\n{fence}"
        case Quote(blocks):
            inner = "\n\n".join(_separated(blocks))
            return "\n".join(f"> {line}" if line else ">" for line in inner.split("\n"))
        case Listing(ordered, items):
            return "\n".join(_item(f"{n}. " if ordered else "- ", item) for n, item in enumerate(items, 1))
        case Table(rows):
            lines = ["| " + " | ".join(_inline_text(cell) for cell in row) + " |" for row in rows]
            return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])
        case Rule():
            return "***"


def _item(mark: str, blocks: Sequence[Block]) -> str:
    parts = _separated(blocks)
    text = parts[0]
    for previous, block, part in zip(blocks, blocks[1:], parts[1:], strict=False):
        tight = isinstance(previous, Paragraph) and isinstance(block, Listing) and not block.ordered
        text += ("\n" if tight else "\n\n") + part
    indent = " " * len(mark)
    lines = text.split("\n")
    return mark + "\n".join([lines[0], *(indent + line if line else "" for line in lines[1:])])


def _paragraph(children: Sequence[Inline]) -> str:
    lines = _inline_text(children).split("\n")
    return "\n".join(_LINE_START.sub(_escape_line_start, line) for line in lines)


def _escape_line_start(match: re.Match[str]) -> str:
    mark, hashes, number, dot, rule = match.groups()
    if number:
        return f"{number}\\{dot}"
    return "\\" + (mark or hashes or rule)


def _inline_text(inlines: Sequence[Inline]) -> str:
    made = ""
    for index, one in enumerate(inlines):
        following = next(iter("".join(plain_inlines(inlines[index + 1 : index + 2]))), "")
        made += _inline(one, made[-1:], following)
    return made


def _inline(one: Inline, before: str, after: str) -> str:
    match one:
        case Text(text):
            return _ESCAPED.sub(lambda m: "\\" + m.group(0), text).replace("!\\[", "\\!\\[")
        case CodeSpan(text):
            longest = max((len(run) for run in re.findall("`+", text)), default=0)
            ticks = "`" * (longest + 1)
            pad = " " if text.startswith("`") or text.endswith("`") else ""
            return (
                f"{ticks}{pad}{text}{pad}{ticks}".replace("|", "\\|")
                if "|" not in text
                else _ESCAPED.sub(r"\\\g<0>", text)
            )
        case Break():
            return "\\\n"
        case Styled(style, children):
            inner = _inline_text(children)
            mark = {"strong": "**", "em": "*", "strike": "~~"}[style]
            # Where Markdown's own rules would not see the mark, the style is given up for the text.
            if (
                _opens(before, inner[:1])
                and _opens(after, inner[-1:])
                and before not in ("*", "~")
                and inner[:1] != mark[0]
                and inner[-1:] != mark[0]
            ):
                return f"{mark}{inner}{mark}"
            return inner
        case Link(href, children):
            return (
                f"[{_inline_text(children)}](<{href}>)"
                if re.search(r"[()\s]", href)
                else f"[{_inline_text(children)}]({href})"
            )
        case Image(src, alt):
            label = _ESCAPED.sub(lambda m: "\\" + m.group(0), alt)
            return f"![{label}](<{src}>)" if re.search(r"[()\s]", src) else f"![{label}]({src})"


def _opens(outside: str, inside: str) -> bool:
    """Whether a mark between these two characters is seen: the inner one is a word's, or the outer one is none's."""
    return is_wordlike(inside) or not is_wordlike(outside)
