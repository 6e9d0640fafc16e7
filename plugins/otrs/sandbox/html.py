"""The text that the server makes of an HTML article: lists with hyphens, links as footnotes.

Source: recorded `article.html`.
"""

from __future__ import annotations

from html.parser import HTMLParser


def to_ascii(html: str) -> str:
    """What is read back in `Body` after an article of text/html was written."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    notes = "".join(f"[{number}] {href}\n" for number, href in enumerate(parser.links, 1))
    return "".join(parser.parts) + (f"\n\n{notes}" if notes else "")


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("p", "div", "ul", "ol", "br"):
            self.parts.append("\n")
        elif tag == "li":
            self.parts.append(" - ")
        elif tag == "a" and (href := dict(attrs).get("href")):
            self.links.append(href)
            self.parts.append(f"[{len(self.links)}]")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("p", "div", "ul", "ol", "li"):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
