"""How ServiceDesk Plus holds titles, texts and labels, and the mark under the hub's own comments. Pure.

Nothing in a note or mail can carry a mark unseen, so that it is its last line; reading takes it off again.
Source: sdpop-v3-api, "Request": subject is one line of at most 250 characters.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

from hub.text import canonical, defuse, from_html, to_html
from hub.ticket import Markdown

TITLE_LIMIT = 250
LABEL_LIMIT = 100
NOTHING = "<p>-</p>"
"""What is written for an empty text, which ServiceDesk Plus refuses in notes."""

_MARK = re.compile(r"<(p|div)\b[^>]*>\s*\[ref ([^\]\s<]+)\]\s*</\1>(\s*(?:</\w+>\s*)*)$")


def one_line(text: str) -> str:
    """A subject as it is kept: no line breaks, limited length."""
    return " ".join(text.split())[:TITLE_LIMIT].rstrip()


def label(text: str) -> str:
    """A label without commas, which stand between labels."""
    return " ".join(text.replace(",", " ").split())[:LABEL_LIMIT].rstrip()


def joined(labels: Iterable[str]) -> str:
    """Labels as an additional field holds them."""
    return ", ".join(sorted(labels))


def parted(value: object) -> frozenset[str]:
    """The labels in an additional field."""
    return frozenset(filter(None, (one.strip() for one in str(value or "").split(","))))


def text_to_html(text: Markdown) -> str:
    """A text as it is written, never empty."""
    return to_html(canonical(defuse(text))) or NOTHING


def held(text: Markdown) -> Markdown:
    """A text as it is read back after it was written."""
    return from_html(text_to_html(text))


def marked(body: str, marker: str) -> str:
    """The HTML with the hub's mark after it."""
    return f'{body}<p style="font-size:9px;color:#b5b5b5">[ref {html.escape(quote(marker, safe=":"))}]</p>'


def unmarked(body: str) -> tuple[str, str | None]:
    """The HTML without the hub's mark, and the mark where there is one."""
    found = _MARK.search(body)
    if found is None:
        return body, None
    return body[: found.start()] + found.group(3), unquote(html.unescape(found.group(2)))
