"""How ServiceDesk Plus holds titles, texts and labels. Pure.

Source: sdpop-v3-api, "Request": subject is one line of at most 250 characters.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.text import canonical, defuse, from_html, to_html
from hub.ticket import Markdown

TITLE_LIMIT = 250
LABEL_LIMIT = 100
NOTHING = "<p>-</p>"
"""What is written for an empty text, which ServiceDesk Plus refuses in notes."""


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
