"""How Bugzilla holds texts, and the mark that the hub puts under its own comments. Pure.

Comments can be neither edited nor deleted, and nothing in one can carry a mark unseen in the same call, so the mark is
its last line; reading takes it off again. Comments that come with a file begin with words of Bugzilla's own.
Sources: recorded exchanges create_crlf_tab, comments_ws, att_comments, wf_dup_other_comments.
"""

from __future__ import annotations

import re

from hub.text import canonical, defuse, from_plain, to_plain, truncate
from hub.ticket import Markdown
from plugins.bugzilla.settings import BugzillaSettings

TITLE_LIMIT = 255
FIELD_LIMIT = 255
TEXT_LIMIT = 60_000
"""Characters; Bugzilla takes 65,535, and the mark and what plain text needs more than Markdown must fit as well."""
ALIAS_LIMIT = 40
FILE_NAME_LIMIT = 255
NOTHING = "-"
"""What stands for an empty comment, which Bugzilla refuses, and for an empty title."""
OWN_MARK = "ticket-hub"
"""Marks a comment that only a workflow asked for: nobody's words."""

_MARK = re.compile(r"\[ref: ([^\]]+)\]")
_OF_A_DUPLICATE = re.compile(r"\*\*\* .* \*\*\*")


def native_text(settings: BugzillaSettings, text: Markdown) -> str:
    """A text as it is written."""
    short = truncate(text, TEXT_LIMIT, "*(shortened)*")
    return (str(defuse(short)) if settings.has_markdown else to_plain(short)).replace("\0", "").strip()


def neutral_text(settings: BugzillaSettings, text: str) -> Markdown:
    """A text as it was read."""
    lines = text.replace("\r\n", "\n").strip()
    return canonical(lines) if settings.has_markdown else from_plain(lines)


def held_title(title: str) -> str:
    """One line of at most 255 characters."""
    line = " ".join(title.replace("\0", "").split())
    return line if len(line) <= TITLE_LIMIT else line[: TITLE_LIMIT - 1].rstrip() + "…"


def marked(text: str, mark: str) -> str:
    """A comment's text with the mark under it."""
    return f"{text}\n\n[ref: {mark}]" if text else f"[ref: {mark}]"


def unmarked(text: str) -> tuple[str, str | None]:
    """A comment's text without the mark, and the mark where there is one."""
    before, _, last = text.rstrip().rpartition("\n")
    found = _MARK.fullmatch(last)
    return (before.rstrip(), found.group(1)) if found else (text, None)


def without_head(text: str, summary: str) -> str:
    """What a person said beside a file, without the line and the file's present `summary` that Bugzilla puts before it.

    The line is in the installation's language; every comment that comes with a file has it.
    """
    rest = text.partition("\n")[2]
    rest = rest[len(summary) :] if summary and rest.startswith(summary) else rest.partition("\n")[2]
    return rest.strip("\n")


def is_bugzillas_own(text: str) -> bool:
    """A comment of nothing but Bugzilla's own line about a duplicate."""
    return _OF_A_DUPLICATE.fullmatch(text.strip()) is not None


def file_name(name: str) -> str:
    """A file's name without folders, and its end where it is too long, as Bugzilla keeps it (att_long_name2)."""
    return name.replace("\\", "/").rsplit("/", 1)[-1].strip()[-FILE_NAME_LIMIT:] or "file"
