"""How MantisBT holds texts, and the mark that the hub puts under its own notes. Pure.

Nothing in a note can carry a mark unseen, so the mark is its last line; reading takes it off again. On MySQL and
MariaDB with the usual tables every character of four bytes becomes U+FFFD; the hub writes that by itself, so that
what it wrote is what it reads on every database.

MantisBT looks for `@name`, `#12` and `~34` in the bare text, before any Markdown: in code and in addresses as well,
and in titles. So they are broken up in what is written, whatever they stand in, and put together again in what is
read.
Source: recorded exchanges create.full, note.public, note.crlf, note.html; MantisBT's mention_api.php, string_api.php.
"""

from __future__ import annotations

import re

from hub.text import canonical, from_plain, to_plain, truncate
from hub.text.defuse import WORD_JOINER
from hub.ticket import Markdown
from plugins.mantis.settings import MantisSettings

TITLE_LIMIT = 128
LABEL_LIMIT = 100
FIELD_LIMIT = 255
TEXT_LIMIT = 65_000
"""Characters; MantisBT takes 65,535, and the mark must fit as well."""
CUT = "(shortened)"
NOTHING = "-"
"""What stands for an empty description, which MantisBT refuses."""
LOST = "\ufffd"
ADDRESS = "({})"
"""Around the address of a link. MantisBT makes links of addresses, and takes the end of `<…>` into them. Source:
string_api.php, string_insert_hrefs."""

_FOUR_BYTES = re.compile("[\U00010000-\U0010ffff]")
_MARK = re.compile(r"\[ref: ([^\]]+)\]")
_CALL = r"(?<![A-Za-z0-9_@])@(?=[\w.\-])"
_SIGNS = re.compile(rf"(https?://\S*)|{_CALL}|(?<![A-Za-z0-9_&])#(?=[0-9])|(?<![A-Za-z0-9_])~(?=[0-9])")
_SIGN_IN_ADDRESS = re.compile(_CALL)
_BROKEN_UP = re.compile(f"(?<=[@#~]){WORD_JOINER}")


def kept(settings: MantisSettings, text: str) -> str:
    """The text as the database keeps it."""
    return text if settings.keeps_emoji else _FOUR_BYTES.sub(LOST, text)


def harmless(text: str) -> str:
    """A text in which nothing names an account, an issue or a note. Idempotent.

    An invisible character stands behind the sign; in an address, which that would break, the sign is written `%40`.
    """
    return _SIGNS.sub(
        lambda m: _SIGN_IN_ADDRESS.sub("%40", m.group(1)) if m.group(1) else f"{m.group(0)}{WORD_JOINER}", text
    )


def readable(text: str) -> str:
    """A text as people mean it: without what made it harmless here, which must not travel on."""
    return _BROKEN_UP.sub("", text)


def native_text(settings: MantisSettings, text: Markdown) -> str:
    """A text as it is written."""
    if not settings.markdown:
        plain = kept(settings, harmless(to_plain(text, address=ADDRESS))).strip()
        if len(plain) <= TEXT_LIMIT:
            return plain
        end = f"\n\n{CUT}"
        return plain[: TEXT_LIMIT - len(end)].rstrip() + end
    for limit in (TEXT_LIMIT, TEXT_LIMIT // 3):
        # What makes it harmless makes it longer, in the worst case by two thirds.
        written = kept(settings, harmless(truncate(text, limit, f"*{CUT}*"))).strip()
        if len(written) <= TEXT_LIMIT:
            break
    return written


def neutral_text(settings: MantisSettings, text: str | None) -> Markdown:
    """A text as it was read."""
    lines = readable(text or "").replace("\r\n", "\n").strip()
    return canonical(lines) if settings.markdown else from_plain(lines)


def native_description(settings: MantisSettings, text: Markdown) -> str:
    return native_text(settings, text) or NOTHING


def neutral_description(settings: MantisSettings, text: str | None) -> Markdown:
    return Markdown("") if (text or "").strip() == NOTHING else neutral_text(settings, text)


def native_title(settings: MantisSettings, title: str) -> str:
    """One line of at most 128 characters: 2.29 refuses line breaks, 2.28 answers 500 to more characters."""
    line = " ".join(kept(settings, harmless(title)).split())
    return line if len(line) <= TITLE_LIMIT else line[: TITLE_LIMIT - 1].rstrip() + "…"


def neutral_title(title: str | None) -> str:
    """A title as it was read."""
    return " ".join(readable(title or "").split())


def held_title(settings: MantisSettings, title: str) -> str:
    """A title as it is read after it was written."""
    return neutral_title(native_title(settings, title))


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
