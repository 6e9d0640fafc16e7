"""Texts that are longer than trackers take are cut, and say so. Pure."""

from __future__ import annotations

from hub.text import truncate
from hub.ticket import Markdown

MAX_TEXT = 30_000
"""Characters of one text: Jira takes 32 767, the others more."""
CUT = "*(shortened; the whole text is in the ticket that this comes from)*"


def shortened(text: str, note: str = CUT) -> Markdown:
    """The text as far as every tracker takes it; a longer one ends with `note`."""
    return truncate(Markdown(text), MAX_TEXT, note)
