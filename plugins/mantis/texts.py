"""How MantisBT holds texts, and the mark that the hub puts under its own notes. Pure.

Nothing in a note can carry a mark unseen, so the mark is its last line; reading takes it off again. On MySQL and
MariaDB with the usual tables every character of four bytes becomes U+FFFD; the hub writes that by itself, so that
what it wrote is what it reads on every database.
Source: recorded exchanges create.full, note.public, note.crlf, note.html.
"""

from __future__ import annotations

import re

from hub.text import canonical, defuse, from_plain, to_plain, truncate
from hub.ticket import Markdown
from plugins.mantis.settings import MantisSettings

TITLE_LIMIT = 128
LABEL_LIMIT = 100
FIELD_LIMIT = 255
TEXT_LIMIT = 60_000
"""Characters; MantisBT takes 65,535, and the mark and what plain text needs more than Markdown must fit as well."""
NOTHING = "-"
"""What stands for an empty description, which MantisBT refuses."""
LOST = "\ufffd"

_FOUR_BYTES = re.compile("[\U00010000-\U0010ffff]")
_MARK = re.compile(r"\[ref: ([^\]]+)\]")


def kept(settings: MantisSettings, text: str) -> str:
    """The text as the database keeps it."""
    return text if settings.keeps_emoji else _FOUR_BYTES.sub(LOST, text)


def native_text(settings: MantisSettings, text: Markdown) -> str:
    """A text as it is written."""
    short = truncate(defuse(text), TEXT_LIMIT, "*(shortened)*")
    return kept(settings, str(short) if settings.markdown else to_plain(short)).strip()


def neutral_text(settings: MantisSettings, text: str | None) -> Markdown:
    """A text as it was read."""
    lines = (text or "").replace("\r\n", "\n").strip()
    return canonical(lines) if settings.markdown else from_plain(lines)


def native_description(settings: MantisSettings, text: Markdown) -> str:
    return native_text(settings, text) or NOTHING


def neutral_description(settings: MantisSettings, text: str | None) -> Markdown:
    return Markdown("") if (text or "").strip() == NOTHING else neutral_text(settings, text)


def held_title(settings: MantisSettings, title: str) -> str:
    """One line of at most 128 characters: 2.29 refuses line breaks, 2.28 answers 500 to more characters."""
    line = " ".join(kept(settings, title).split())
    return line if len(line) <= TITLE_LIMIT else line[: TITLE_LIMIT - 1].rstrip() + "…"


def held_label(settings: MantisSettings, label: str) -> str:
    """A tag: no comma, no sign in front. Lower case, because `Red` and `red` are one tag to MantisBT."""
    words = " ".join(kept(settings, label).replace(",", " ").lower().split())
    return words.lstrip("+- ")[:LABEL_LIMIT].rstrip() or "tag"


def marked(text: str, mark: str) -> str:
    """A note's text with the mark under it."""
    return f"{text}\n\n[ref: {mark}]" if text else f"[ref: {mark}]"


def unmarked(text: str | None) -> tuple[str, str | None]:
    """A note's text without the mark, and the mark where there is one."""
    before, _, last = (text or "").rstrip().rpartition("\n")
    found = _MARK.fullmatch(last)
    return (before.rstrip(), found.group(1)) if found else (text or "", None)


def file_name(settings: MantisSettings, name: str) -> str:
    """A file's name without folders, which MantisBT would keep."""
    return kept(settings, name.replace("\\", "/").rsplit("/", 1)[-1]).strip() or "file"
