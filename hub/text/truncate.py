"""Cuts a text that is too long for where it goes, between blocks or words."""

from __future__ import annotations

from hub.text.canonical import canonical, from_tree, parse
from hub.text.plain import from_plain, to_plain
from hub.ticket import Markdown


def truncate(text: Markdown, limit: int, note: str) -> Markdown:
    """The text when it has at most `limit` characters, else its beginning with `note` (Markdown) after it."""
    if len(text) <= limit:
        return text
    room = max(0, limit - len(note) - 2)
    kept: list[str] = []
    for block in parse(text):
        part = from_tree([block])
        if len(part) > room:
            if not kept:
                # One block alone is too long: its words, without form.
                words = to_plain(part)[: room // 2]
                cut = words.rfind(" ")
                kept.append(from_plain(words[:cut] if cut > 0 else words))
            break
        kept.append(part)
        room -= len(part) + 2
    return canonical("\n\n".join([*kept, note]))
