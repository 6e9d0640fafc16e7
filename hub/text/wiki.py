"""Jira wiki markup, both ways.

Lost on the way in: colours, panels' titles and frames, text effects without a Markdown twin (superscript, subscript,
insertion, citation). Lost on the way out: quotes in quotes, blocks inside list items (they become lines of the item).
Source: Atlassian's "Text Formatting Notation Help".
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from hub.text.canonical import KEPT_TEXTS, LONGEST, OFTEN_READ, from_tree, parse
from hub.text.html import attachment_address, attachment_name
from hub.text.tree import (
    Block,
    Break,
    CodeBlock,
    CodeSpan,
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
    is_safe_address,
    is_wordlike,
    plain_inlines,
)
from hub.ticket import Markdown

MentionName = Callable[[str], str | None]

_FENCE = re.compile(r"\{(code|noformat)(?::([^}\n]*))?\}(.*?)\{\1\}", re.S)
_QUOTE = re.compile(r"^[ \t]*\{quote\}[ \t]*\n?(.*?)\n?[ \t]*\{quote\}[ \t]*$", re.S | re.M)
_FRAME = re.compile(r"\{(?:color|panel|anchor|align|toc|section|column)(?::[^}\n]*)?\}")
_HEADING = re.compile(r"^\s*h([1-6])\.\s+(.*)$")
_BULLET = re.compile(r"^\s*([*#]+|-)\s+(.*)$")
_RULE = re.compile(r"^\s*-{4,}\s*$")
_PLACE = "\ue000{}\ue001"
_PLACED = re.compile("\ue000(\\d+)\ue001")
_PRIVATE_USE = re.compile("[\ue000\ue001]")

_INLINE = re.compile(
    r"\\\\(?P<br>)"
    r"|\\(?P<escaped>[{}\[\]|*_\-+^~?!#.\\:])"
    r"|\{\{(?P<mono>.+?)\}\}"
    r"|!(?P<image>[^\s!|][^!|\n]*?\.\w{2,5}|https?://[^!|\s]+)(?:\|[^!\n]*)?!"
    r"|\[\^(?P<file>[^\]\n]+)\]"
    r"|\[~(?P<mention>[^\]\n]+)\]"
    r"|\[(?:(?P<label>[^\]\n|]+)\|)?(?P<address>(?:https?|mailto):[^\]\s|]+)(?:\|[^\]\n]*)?\]"
)
_NOT_IN_LABEL = re.compile(r"[|\[\]{}]")
LINE_BREAK = "\\\\"
_MARKS = {"*": "strong", "_": "em", "-": "strike"}


def from_wiki(wiki: str, *, mention: MentionName | None = None) -> Markdown:
    """Neutral text of wiki markup. `mention` names the person behind a `[~account]`; unnamed ones become @account.

    No more than `LONGEST` characters are looked at.
    """
    if len(wiki) <= OFTEN_READ and not (mention and "[~" in wiki):
        return _read_before(wiki)
    return _read(wiki[:LONGEST], mention or _unnamed)


def _read(wiki: str, mention: MentionName) -> Markdown:
    reader = _Reader(mention)
    return from_tree(reader.blocks(reader.prepare(wiki)))


@functools.lru_cache(maxsize=KEPT_TEXTS)
def _read_before(wiki: str) -> Markdown:
    return _read(wiki, _unnamed)


def _unnamed(account: str) -> None:
    """Nobody is known by an account."""


def to_wiki(text: Markdown) -> str:
    """Wiki markup; what only looks like markup in the text is escaped."""
    return "\n\n".join(_block(block) for block in parse(text))


class _Reader:
    def __init__(self, mention: MentionName) -> None:
        self._mention = mention
        self._kept: list[Block] = []

    def prepare(self, wiki: str) -> str:
        """The text with code and quotes put aside, so that nothing in them is taken for markup."""
        text = _PRIVATE_USE.sub("", wiki).replace("\r\n", "\n").replace("\r", "\n")
        if "{" in text:
            text = _FENCE.sub(self._keep_code, text)
            text = _QUOTE.sub(self._keep_quote, text)
            text = _FRAME.sub("", text)
        return text

    def _keep_code(self, match: re.Match[str]) -> str:
        kind, parameters, content = match.groups()
        if match.start() and match.string[match.start() - 1] == "\\":
            return match.group(0)
        language = (
            (parameters or "").split("|")[0] if kind == "code" and "=" not in (parameters or "").split("|")[0] else ""
        )
        return self._keep(CodeBlock(language, content))

    def _keep_quote(self, match: re.Match[str]) -> str:
        return self._keep(Quote(tuple(self.blocks(match.group(1)))))

    def _keep(self, block: Block) -> str:
        self._kept.append(block)
        return "\n\n" + _PLACE.format(len(self._kept) - 1) + "\n\n"

    def blocks(self, text: str) -> list[Block]:
        made: list[Block] = []
        lines: list[str] = []
        listed: list[tuple[str, str]] = []
        rows: list[list[tuple[Inline, ...]]] = []

        def end() -> None:
            if lines:
                made.append(self._paragraph(lines))
            if listed:
                made.extend(self._lists(listed, 0))
            if rows:
                made.append(Table(tuple(tuple(row) for row in rows)))
            lines.clear()
            listed.clear()
            rows.clear()

        for line in text.split("\n"):
            stripped = line.strip()
            placed = _PLACED.fullmatch(stripped)
            heading, bullet = _HEADING.match(line), _BULLET.match(line)
            if not stripped:
                end()
            elif placed:
                end()
                made.append(self._kept[int(placed.group(1))])
            elif heading:
                end()
                made.append(Heading(int(heading.group(1)), tuple(self.inlines(heading.group(2)))))
            elif _RULE.match(line):
                end()
                made.append(Rule())
            elif stripped.startswith("bq. "):
                end()
                made.append(Quote((Paragraph(tuple(self.inlines(stripped[4:]))),)))
            elif bullet:
                if lines or rows:
                    end()
                listed.append((bullet.group(1).replace("-", "*"), bullet.group(2)))
            elif stripped.startswith("|"):
                if lines or listed:
                    end()
                rows.append(self._row(stripped))
            elif listed:
                listed[-1] = (listed[-1][0], f"{listed[-1][1]}\\\\{stripped}")
            else:
                if rows:
                    end()
                lines.append(line)
        end()
        return made

    def _paragraph(self, lines: Sequence[str]) -> Paragraph:
        children: list[Inline] = []
        for line in lines:
            children += [*self.inlines(line), Break()]
        return Paragraph(tuple(children))

    def _lists(self, listed: Sequence[tuple[str, str]], depth: int) -> list[Block]:
        made: list[Block] = []
        at = 0
        while at < len(listed):
            kind = listed[at][0][min(depth, len(listed[at][0]) - 1)]
            items: list[tuple[Block, ...]] = []
            while at < len(listed) and (len(listed[at][0]) > depth + 1 or listed[at][0][depth] == kind):
                marks, text = listed[at]
                if len(marks) > depth + 1:
                    begin = at
                    while at < len(listed) and len(listed[at][0]) > depth + 1:
                        at += 1
                    inner = self._lists(listed[begin:at], depth + 1) if depth < 8 else []
                    items[-1:] = [(*(items[-1] if items else ()), *inner)]
                else:
                    items.append((Paragraph(tuple(self.inlines(text))),))
                    at += 1
            made.append(Listing(kind == "#", tuple(items)))
        return made

    def _row(self, line: str) -> list[tuple[Inline, ...]]:
        cells: list[str] = [""]
        depth = 0
        at = 1 + line.startswith("||")
        while at < len(line):
            two = line[at : at + 2]
            if line[at] == "\\" and len(two) == 2:
                cells[-1] += two
                at += 2
                continue
            depth = max(0, depth + (line[at] == "[") - (line[at] == "]"))
            if line[at] == "|" and not depth:
                cells.append("")
                at += 1 + (two == "||")
                continue
            cells[-1] += line[at]
            at += 1
        if not cells[-1].strip():
            cells.pop()
        return [tuple(self.inlines(cell.strip())) for cell in cells]

    def inlines(self, text: str) -> list[Inline]:
        made: list[Inline] = []
        end = 0
        for match in _INLINE.finditer(text):
            if match.start() > end:
                made.append(Text(text[end : match.start()]))
            made.append(self._special(match))
            end = match.end()
        if end < len(text):
            made.append(Text(text[end:]))
        return _styled(made)

    def _special(self, match: re.Match[str]) -> Inline:
        kind = match.lastgroup
        if kind == "br":
            return Break()
        if kind == "escaped":
            return _Escaped(match.group("escaped"))  # type: ignore[return-value]  # becomes Text in `_styled`
        if kind == "mono":
            return CodeSpan(_literal(re.sub(r"\\([{}\[\]|*_\-+^~?!#.\\:])", r"\1", match.group("mono"))))
        if kind == "image":
            source = match.group("image")
            return Image(source if "://" in source else attachment_address(_literal(source)), _literal(source))
        if kind == "file":
            name = _literal(match.group("file"))
            return Text(f"[{name}]")
        if kind == "mention":
            account = match.group("mention")
            person = self._mention(account.removeprefix("accountid:"))
            return Text("@" + (person or account.removeprefix("accountid:")))
        label, address = match.group("label"), html.unescape(match.group("address"))
        return Link(address, (Text(_literal(label)) if label else Text(address),))


class _Escaped:
    """A character that was escaped: text, but never a mark."""

    __slots__ = ("char",)

    def __init__(self, char: str) -> None:
        self.char = char


def _literal(text: str) -> str:
    return html.unescape(text)


def _styled(parts: Sequence[Inline | _Escaped]) -> list[Inline]:
    """Finds `*strong*`, `_em_` and `-strike-` in what is left as text."""
    # One entry per character of text, or a whole inline; marks are found on this flat list.
    flat: list[str | Inline | _Escaped] = []
    for part in parts:
        if isinstance(part, Text):
            flat.extend(part.text)
        else:
            flat.append(part)
    return _spans(flat, 0, len(flat), frozenset())


def _spans(flat: Sequence[str | Inline | _Escaped], at: int, end: int, open_styles: frozenset[str]) -> list[Inline]:
    made: list[Inline] = []
    text: list[str] = []

    def flush() -> None:
        if text:
            made.append(Text(html.unescape("".join(text))))
            text.clear()

    while at < end:
        one = flat[at]
        if isinstance(one, _Escaped):
            flush()
            made.append(Text(one.char))
        elif not isinstance(one, str):
            flush()
            made.append(one)
        elif one in _MARKS and _MARKS[one] not in open_styles and _may_open(flat, at, end):
            close = _closing(flat, at, end, one)
            if close:
                flush()
                style = _MARKS[one]
                made.append(Styled(style, tuple(_spans(flat, at + 1, close, open_styles | {style}))))
                at = close
            else:
                text.append(one)
        else:
            text.append(one)
        at += 1
    flush()
    return made


def _may_open(flat: Sequence[object], at: int, end: int) -> bool:
    before, after = _char(flat, at - 1), _char(flat, at + 1) if at + 1 < end else " "
    return not is_wordlike(before) and not after.isspace()


def _closing(flat: Sequence[object], at: int, end: int, mark: str) -> int:
    for close in range(at + 2, min(end, at + 2000)):
        if flat[close] == mark and not _char(flat, close - 1).isspace():
            after = _char(flat, close + 1) if close + 1 < len(flat) else " "
            if not is_wordlike(after):
                return close
    return 0


def _char(flat: Sequence[object], at: int) -> str:
    """The character at a place; an inline or an escaped character counts as a sign, the edges as blanks."""
    if not 0 <= at < len(flat):
        return " "
    one = flat[at]
    if isinstance(one, _Escaped):
        return "."
    return one if isinstance(one, str) else "." if not isinstance(one, Break) else " "


# -- rendering ----------------------------------------------------------------------------------------------------


def _block(block: Block) -> str:
    match block:
        case Paragraph(children):
            return _lines(children)
        case Heading(level, children):
            return f"h{level}. {_inline_text(children)}"
        case CodeBlock(language, text):
            fence = "noformat" if "{code" in text else "code"
            return f"{{{fence}{':' + language if language and fence == 'code' else ''}}}\n{text}\n{{{fence}}}"
        case Quote(blocks):
            return "{quote}\n" + "\n\n".join(_unquoted(blocks)) + "\n{quote}"
        case Listing():
            return "\n".join(_listing(block, ""))
        case Table(rows):
            lines = [_row(rows[0], "||"), *(_row(row, "|") for row in rows[1:])]
            return "\n".join(lines)
        case Rule():
            return "----"


def _unquoted(blocks: Sequence[Block]) -> list[str]:
    made: list[str] = []
    for block in blocks:
        made += _unquoted(block.blocks) if isinstance(block, Quote) else [_block(block)]
    return made


def _listing(block: Listing, marks: str) -> list[str]:
    marks += "#" if block.ordered else "*"
    lines: list[str] = []
    for item in block.items:
        words: list[str] = []
        inner: list[str] = []
        for part in item:
            if isinstance(part, Listing):
                inner += _listing(part, marks)
            else:
                words.append(_one_line(part))
        lines.append(f"{marks} " + (LINE_BREAK.join(w for w in words if w) or "-"))
        lines += inner
    return lines


def _one_line(block: Block) -> str:
    match block:
        case Paragraph(children) | Heading(_, children):
            return _inline_text(children).replace("\n", "\\\\")
        case CodeBlock(_, text):
            return "\\\\".join(_inline(CodeSpan(line)) for line in text.split("\n") if line.strip())
        case Quote(blocks):
            return "\\\\".join(filter(None, map(_one_line, blocks)))
        case Table(rows):
            return "\\\\".join(" ".join(_inline_text(cell) for cell in row) for row in rows)
        case _:
            return ""


def _row(row: Sequence[Sequence[Inline]], mark: str) -> str:
    return mark + mark.join(_inline_text(cell).replace("\n", " ") or " " for cell in row) + mark


_AT_LINE_START = re.compile(r"^(?:([*#]+|-)(?= )|(-{4,})(?= *$)|(h[1-6]|bq)\.(?= )|(\|))")


def _lines(children: Sequence[Inline]) -> str:
    lines = _inline_text(children).split("\n")
    return "\n".join(_AT_LINE_START.sub(_escape_line_start, line) for line in lines)


def _escape_line_start(match: re.Match[str]) -> str:
    if match.group(3):
        return f"{match.group(3)}\\."
    return "\\" + match.group(0)


def _inline_text(inlines: Sequence[Inline]) -> str:
    made = ""
    for index, one in enumerate(inlines):
        following = next(iter("".join(plain_inlines(inlines[index + 1 : index + 2]))), " ")
        made += _inline(one, made[-1:] or " ", following)
    return made


_SPECIAL = re.compile(r"[{}\[\]|*_\-+^~?!\\&]")


def _inline(one: Inline, before: str = " ", after: str = " ") -> str:
    match one:
        case Text(text):
            return _escape(text, before, after)
        case CodeSpan(text):
            return "{{" + _SPECIAL.sub(_escape_in_code, text) + "}}"
        case Break():
            return "\n"
        case Styled(style, children):
            inner = _inline_text(children)
            mark = {"strong": "*", "em": "_", "strike": "-"}[style]
            if (
                is_wordlike(before)
                or is_wordlike(after)
                or "\n" in inner
                or inner[:1].isspace()
                or inner[-1:].isspace()
            ):
                return inner
            return f"{mark}{inner}{mark}"
        case Link(href, children):
            label = "".join(plain_inlines(children))
            if label == href or not is_safe_address(href):
                return f"[{href}]" if is_safe_address(href) else _escape(label, before, after)
            plain = _NOT_IN_LABEL.sub(" ", label.replace("&", "&amp;"))
            return f"[{plain}|{href}]"
        case Image(src, alt):
            name = attachment_name(src)
            if name is not None and re.search(r"\.\w{2,5}$", name) and not re.search(r"[!|\n]", name):
                return f"!{name}!"
            if name is None and is_safe_address(src):
                return f"!{src}!"
            return _escape(f"[{name or alt or unquote(src)}]", before, after)


def _escape_in_code(match: re.Match[str]) -> str:
    char = match.group(0)
    return {"&": "&amp;", "\\": "&#92;"}.get(char, "\\" + char)


def _escape(text: str, before: str, after: str) -> str:
    def one(match: re.Match[str]) -> str:
        char = match.group(0)
        if char == "\\":
            return "&#92;"
        if char == "&":
            return "&amp;" if re.match(r"&(?:#\d+|#x[\da-fA-F]+|\w+);?", text[match.start() :]) else char
        left = text[match.start() - 1] if match.start() else before
        right = text[match.end()] if match.end() < len(text) else after
        if char in "*_-+^~?":
            means_nothing = (is_wordlike(left) or left.isspace()) and (is_wordlike(right) or right.isspace())
            inside_word = is_wordlike(left) and is_wordlike(right)
            alone = left.isspace() and right.isspace()
            if means_nothing and (inside_word or alone):
                return char
        if char == "!" and (right.isspace() or not text[match.end() :].strip()):
            return char
        return "\\" + char

    return _SPECIAL.sub(one, text)
