"""Texts as Jira's version 2 takes them. Pure."""

from __future__ import annotations

from hub.text import defuse, to_wiki
from hub.ticket import Markdown

TITLE_LIMIT = 255


def wiki(text: Markdown) -> str:
    """Wiki markup that notifies nobody."""
    return to_wiki(defuse(text))


def held_title(title: str) -> str:
    """A summary is one line of at most `TITLE_LIMIT` characters."""
    line = " ".join(title.split())
    return line if len(line) <= TITLE_LIMIT else line[: TITLE_LIMIT - 1].rstrip() + "…"
