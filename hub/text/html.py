"""HTML as helpdesks send it, in any state, and safe HTML for them.

Lost on the way in: colours, fonts, sizes, alignment, everything that scripts or styles do. Kept: paragraphs,
headings, lists, code, quotes, links, tables, images, strong, emphasis, strike-through.
"""

from __future__ import annotations

import functools
import html as entities
import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from urllib.parse import quote, unquote

from hub.text.canonical import KEPT_TEXTS, LONGEST, OFTEN_READ, from_tree, parse
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
    is_safe_address,
    plain_inlines,
)
from hub.ticket import Markdown

ATTACHMENT = "attachment:"
"""Scheme of an image that is a file of the ticket: `attachment:<quoted name>`."""
MAX_OPEN = 200
"""Elements open at one time; deeper ones are read as if they stood at this depth."""

_STYLES = {
    "b": "strong",
    "strong": "strong",
    "i": "em",
    "em": "em",
    "cite": "em",
    "s": "strike",
    "del": "strike",
    "strike": "strike",
}
_SKIPPED = {"script", "style", "head", "title", "template", "noscript", "svg", "math", "iframe", "object"}
_BLOCKS = {
    "p",
    "div",
    "section",
    "article",
    "header",
    "footer",
    "main",
    "aside",
    "address",
    "center",
    "form",
    "fieldset",
    "dl",
    "dt",
    "dd",
    "figure",
    "figcaption",
}
_IMAGE = re.compile("<img", re.I)
_VOID = {"br", "hr", "img", "input", "meta", "link", "wbr", "col", "area", "base", "embed", "source", "track"}
_CLOSES_ITSELF = {"li": {"li"}, "tr": {"tr", "td", "th"}, "td": {"td", "th"}, "th": {"td", "th"}, "p": {"p"}}
_STOPS = {"ul", "ol", "table", "blockquote", "div", "td", "th"}


def from_html(html: str, *, images: Mapping[str, str] | None = None) -> Markdown:
    """Neutral text of any HTML, as far as `LONGEST` characters go; `images` maps the address of an image to the name
    of the file that it is."""
    if len(html) <= OFTEN_READ and not (images and _IMAGE.search(html)):
        return _read_before(html)
    return _read(html[:LONGEST], images or {})


def _read(html: str, images: Mapping[str, str]) -> Markdown:
    if "<" not in html and "&" not in html:
        return from_tree([Paragraph((Text(html),))])
    reader = _Reader(images)
    reader.feed(html)
    reader.close()
    return from_tree(reader.finish())


@functools.lru_cache(maxsize=KEPT_TEXTS)
def _read_before(html: str) -> Markdown:
    return _read(html, {})


def to_html(text: Markdown, *, image_url: Callable[[str], str | None] | None = None) -> str:
    """Safe HTML. `image_url` gives the address of a file of the ticket by its name, None where it has none."""
    writer = _Writer(image_url or (lambda name: None))
    return "".join(writer.block(block) for block in parse(text))


def attachment_address(name: str) -> str:
    """The address of a file of the ticket inside a neutral text."""
    return ATTACHMENT + quote(name, safe="")


def attachment_name(address: str) -> str | None:
    """The name of the file that an address means, None when it means none."""
    return unquote(address.removeprefix(ATTACHMENT)) if address.startswith(ATTACHMENT) else None


class _Element:
    """An open element: what has been read in it so far."""

    __slots__ = ("attributes", "blocks", "inlines", "items", "rows", "tag")

    def __init__(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.tag, self.attributes = tag, attributes
        self.blocks: list[Block] = []
        self.inlines: list[Inline] = []
        self.items: list[tuple[Block, ...]] = []
        self.rows: list[list[tuple[Inline, ...]]] = []

    def end_paragraph(self) -> None:
        if self.inlines:
            self.blocks.append(Paragraph(tuple(self.inlines)))
            self.inlines = []


class _Reader(HTMLParser):
    """Builds the tree from tags as they come; what is never closed is closed by what closes around it."""

    def __init__(self, images: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self._images = images
        self._open = [_Element("", {})]
        self._skipping = 0
        self._in_code = 0

    def finish(self) -> Document:
        while len(self._open) > 1:
            self._close()
        self._open[0].end_paragraph()
        return tuple(self._open[0].blocks)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skipping += 1
        if self._skipping:
            return
        attributes = {name: value or "" for name, value in attrs}
        if tag == "br":
            self._say(Break() if not self._in_code else Text("\n"))
        elif tag == "hr":
            self._block(Rule())
        elif tag == "img":
            self._image(attributes)
        elif tag not in _VOID and len(self._open) < MAX_OPEN:
            self._close_open_siblings(tag)
            self._open.append(_Element(tag, attributes))
            self._in_code += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skipping = max(0, self._skipping - 1)
            return
        if self._skipping or tag in _VOID:
            return
        if any(element.tag == tag for element in self._open[1:]):
            while self._open[-1].tag != tag:
                self._close()
            self._close()

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self._say(Text(data))

    def _close_open_siblings(self, tag: str) -> None:
        closes = _CLOSES_ITSELF.get(tag, set())
        for depth in range(len(self._open) - 1, 0, -1):
            name = self._open[depth].tag
            if name in closes:
                while len(self._open) > depth:
                    self._close()
                return
            if name in _STOPS:
                return

    def _image(self, attributes: Mapping[str, str]) -> None:
        source, alt = attributes.get("src", ""), attributes.get("alt", "")
        name = self._images.get(source)
        if name is not None:
            self._say(Image(attachment_address(name), name))
        elif source.startswith(("http://", "https://", ATTACHMENT)) and not re.search(r"[\s<>()]", source):
            self._say(Image(source, alt))
        elif alt:
            self._say(Text(alt))

    def _say(self, inline: Inline) -> None:
        self._open[-1].inlines.append(inline)

    def _block(self, block: Block) -> None:
        parent = self._open[-1]
        parent.end_paragraph()
        parent.blocks.append(block)

    def _close(self) -> None:
        element = self._open.pop()
        tag, parent = element.tag, self._open[-1]
        if tag == "pre":
            self._in_code -= 1
            element.end_paragraph()
            text = "".join(_literal_text(element.blocks))
            language = element.attributes.get("class", "").removeprefix("language-")
            self._block(CodeBlock(language if re.fullmatch(r"[\w+#.-]*", language) else "", text))
        elif self._in_code:
            element.end_paragraph()
            parent.inlines.append(Text("".join(_literal_text(element.blocks))))
        elif tag in _STYLES or tag == "a" or tag in ("code", "kbd", "tt", "samp"):
            self._close_inline(element, parent)
        elif re.fullmatch("h[1-6]", tag):
            element.end_paragraph()
            inlines = [i for b in element.blocks for i in (*_inlines_of(b), Text(" "))]
            self._block(Heading(int(tag[1]), tuple(inlines)))
        elif tag in ("ul", "ol"):
            element.end_paragraph()
            items = [*element.items, *((b,) for b in element.blocks)]
            self._block(Listing(tag == "ol", tuple(items)))
        elif tag == "li":
            element.end_paragraph()
            parent.items.append(tuple(element.blocks))
            if parent.tag not in ("ul", "ol"):
                self._block(Listing(False, (parent.items.pop(),)))
        elif tag == "blockquote":
            element.end_paragraph()
            self._block(Quote(tuple(element.blocks)))
        elif tag in ("td", "th"):
            element.end_paragraph()
            cell = tuple(i for b in element.blocks for i in (*_inlines_of(b), Text(" ")))
            if parent.tag == "tr":
                parent.rows.append([cell])
            else:
                self._block(Paragraph(cell))
        elif tag == "tr":
            parent.rows.append([cell for cells in element.rows for cell in cells])
        elif tag in ("tbody", "thead", "tfoot"):
            parent.rows.extend(element.rows)
            parent.blocks.extend(element.blocks)
        elif tag == "table":
            element.end_paragraph()
            self._block(Table(tuple(tuple(row) for row in element.rows)))
            parent.blocks.extend(element.blocks)
        elif tag in _BLOCKS:
            element.end_paragraph()
            parent.end_paragraph()
            parent.blocks.extend(element.blocks)
            parent.rows.extend(element.rows)
        else:
            self._hand_up(element, parent)

    def _close_inline(self, element: _Element, parent: _Element) -> None:
        if element.blocks:
            # A style around blocks: HTML allows it in practice, no other format does. The blocks count.
            self._hand_up(element, parent)
            return
        children = tuple(element.inlines)
        if element.tag == "a":
            parent.inlines.append(Link(element.attributes.get("href", ""), children))
        elif element.tag in _STYLES:
            parent.inlines.append(Styled(_STYLES[element.tag], children))
        else:
            parent.inlines.append(CodeSpan("".join(plain_inlines(children))))

    def _hand_up(self, element: _Element, parent: _Element) -> None:
        if element.blocks:
            element.end_paragraph()
            parent.end_paragraph()
            parent.blocks.extend(element.blocks)
        else:
            parent.inlines.extend(element.inlines)
        parent.rows.extend(element.rows)
        parent.items.extend(element.items)


def _inlines_of(block: Block) -> tuple[Inline, ...]:
    match block:
        case Paragraph(children) | Heading(_, children):
            return children
        case CodeBlock(_, text):
            return (CodeSpan(text),)
        case Quote(blocks):
            return tuple(i for b in blocks for i in _inlines_of(b))
        case Listing(_, items):
            return tuple(i for item in items for b in item for i in (*_inlines_of(b), Text(" ")))
        case Table(rows):
            return tuple(i for row in rows for cell in row for i in (*cell, Text(" ")))
        case Rule():
            return ()


def _literal_text(blocks: list[Block]) -> list[str]:
    made: list[str] = []
    for block in blocks:
        if isinstance(block, CodeBlock):
            made.append(block.text + "\n")
        else:
            made.append("".join(plain_inlines(_inlines_of(block))))
    return made


class _Writer:
    def __init__(self, image_url: Callable[[str], str | None]) -> None:
        self._image_url = image_url

    def block(self, block: Block) -> str:
        match block:
            case Paragraph(children):
                return f"<p>{self.inlines(children)}</p>"
            case Heading(level, children):
                return f"<h{level}>{self.inlines(children)}</h{level}>"
            case CodeBlock(language, text):
                kind = f' class="language-{language}"' if language else ""
                return f"<pre{kind}>{entities.escape(text)}</pre>"
            case Quote(blocks):
                return f"<blockquote>{''.join(map(self.block, blocks))}</blockquote>"
            case Listing(ordered, items):
                tag = "ol" if ordered else "ul"
                return f"<{tag}>{''.join(f'<li>{self._item(item)}</li>' for item in items)}</{tag}>"
            case Table(rows):
                lines = [self._row(row, "th" if n == 0 else "td") for n, row in enumerate(rows)]
                return f"<table>{''.join(lines)}</table>"
            case Rule():
                return "<hr>"

    def _item(self, blocks: tuple[Block, ...]) -> str:
        first = blocks[0]
        if isinstance(first, Paragraph):
            return self.inlines(first.children) + "".join(map(self.block, blocks[1:]))
        return "".join(map(self.block, blocks))

    def _row(self, row: tuple[tuple[Inline, ...], ...], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{self.inlines(cell)}</{tag}>' for cell in row)}</tr>"

    def inlines(self, inlines: tuple[Inline, ...]) -> str:
        return "".join(map(self._inline, inlines))

    def _inline(self, one: Inline) -> str:
        match one:
            case Text(text):
                return entities.escape(text)
            case CodeSpan(text):
                return f"<code>{entities.escape(text)}</code>"
            case Break():
                return "<br>"
            case Styled(style, children):
                tag = {"strong": "strong", "em": "em", "strike": "del"}[style]
                return f"<{tag}>{self.inlines(children)}</{tag}>"
            case Link(href, children):
                if not is_safe_address(href):
                    return self.inlines(children)
                return f'<a href="{entities.escape(href)}">{self.inlines(children)}</a>'
            case Image(src, alt):
                name = attachment_name(src)
                address = self._image_url(name) if name is not None else src if is_safe_address(src) else None
                if address is None:
                    return entities.escape(f"[{name or alt or src}]")
                return f'<img src="{entities.escape(address)}" alt="{entities.escape(alt)}">'
