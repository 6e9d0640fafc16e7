"""The two forms of a comment's text: what Zendesk makes of `body`, and of `html_body`."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import nh3

_BLOCKS = {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"}


def html_of(body: str) -> str:
    """Plain text as comment HTML: a paragraph for each block, a break for each line."""
    paragraphs = re.split(r"\n\s*\n", body.replace("\r\n", "\n"))
    inner = "".join(f'<p dir="auto">{html.escape(p, quote=False).replace(chr(10), "<br>")}</p>' for p in paragraphs)
    return f'<div class="zd-comment" dir="auto">{inner}</div>'


def clean_html(html_body: str) -> str:
    """HTML as Zendesk keeps it: without scripts and handlers, inside its own `div`."""
    return f'<div class="zd-comment" dir="auto">{nh3.clean(html_body)}</div>'


def text_of(html_body: str) -> str:
    """The words of an HTML comment, a line for each block."""
    reader = _Words()
    reader.feed(html_body)
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(reader.parts)).strip()


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")
        if tag in _BLOCKS - {"br"}:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)
