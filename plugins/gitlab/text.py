"""Texts as they are written to GitLab and read from it: harmless, with the hub's stamp and links to files.

GitLab keeps Markdown as it was written, and runs what it finds in it: `/close` at the beginning of a line changes the
issue in the name of whoever writes, `@all` notifies, `#12` leaves a note in issue 12. Pure; knows no tickets.
Sources: docs.gitlab.com, "GitLab quick actions", "GitLab Flavored Markdown"; gitlab_quick_actions/extractor.rb.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote, unquote

from hub.text import canonical, defuse, truncate
from hub.text.defuse import WORD_JOINER, defused_line
from hub.text.html import ATTACHMENT, attachment_address
from hub.ticket import Attachment, Markdown

REFERENCES = "#!&"
"""Issues, merge requests and epics are named by these; a reference is noted in what it names."""
TITLE_LIMIT = 255
TEXT_LIMIT = 900_000
"""Characters. GitLab takes 1,000,000 in a note and 1,048,576 in a description; the stamp and files need room."""
CUT = Markdown("*(shortened)*")
_STAMP = re.compile(r"\n*^<!-- ticket-hub (\S+) -->\s*\Z", re.M)
_RUN = re.compile(r"(^```.+?\n```$)|^/(?=[a-z_]+(?:\s|\Z))", re.M | re.S | re.I)
"""What GitLab's older extractor takes for code, and for a command. It knows no longer fences than three backticks."""
_FILE = r"(?P<host>(?:https?://[^/\s)]+)?(?:/-/project/\d+)?)/uploads/(?P<secret>[0-9a-f]{32})/(?P<file>[^\s)]+)"
_LINK = re.compile(rf"(?P<image>!?)\[(?P<label>(?:\\.|[^\]\\\n])*)\]\({_FILE}\)(?:\{{[^}}\n]*\}})?")
_OWN_FILES = re.compile(rf"\n*^(?:\[(?:\\.|[^\]\\\n])*\]\({re.sub(r'P<[a-z]+>', ':', _FILE)}\)\s*)+\Z", re.M)
"""The links that the hub itself puts below a text. Neutral texts hold no links without a host."""
_IMAGE_OF_FILE = re.compile(rf"\]\({re.escape(ATTACHMENT)}([^)\s]+)\)")
_MARKUP = re.compile(r"([\\`*_\[\]<>~|&!])")


def safe_title(title: str) -> str:
    """A title as GitLab shows it: one line, at most 255 characters, naming nobody and no other issue."""
    title = defused_line(" ".join(title.split()), REFERENCES)
    return title if len(title) <= TITLE_LIMIT else title[: TITLE_LIMIT - 1].rstrip() + "…"


def written(text: Markdown) -> Markdown:
    """The text as it is put into a description or a note, without its stamp."""
    harmless = defuse(truncate(text, TEXT_LIMIT, CUT), quick_actions=True, references=REFERENCES)
    return Markdown(_RUN.sub(lambda m: m.group(1) or f"{WORD_JOINER}/", harmless))


def shown(raw: str) -> Markdown:
    """Neutral text of what GitLab keeps: without the hub's stamp and its list of files."""
    if _STAMP.search(raw):
        raw = _OWN_FILES.sub("", _STAMP.sub("", raw))
    return canonical(_LINK.sub(_neutral_image, raw.replace("\r\n", "\n")))


def stamped(body: str, marker: str) -> str:
    """A body that ends with the hub's mark, in a comment of Markdown's that people see only when they edit."""
    return f"{body}\n\n<!-- ticket-hub {quote(marker, safe=':')} -->".lstrip("\n")


def stamp_of(raw: str) -> str | None:
    """The hub's mark at the end of a text."""
    found = _STAMP.search(raw)
    return unquote(found.group(1)) if found else None


def files_in(raw: str, is_ours: Callable[[str], bool]) -> tuple[Attachment, ...]:
    """The files that a text refers to, each once; `is_ours` says which hosts and projects are meant by a prefix.

    GitLab replaces odd characters in a file's name, so that the name is what the link says where that fits.
    """
    found: dict[str, Attachment] = {}
    for match in _LINK.finditer(raw):
        if not is_ours(match["host"]):
            continue
        file_id = f"{match['secret']}/{unquote(match['file'])}"
        kept = unquote(match["file"])
        label = _unescaped(match["label"])
        name = label if _extension(label) == _extension(kept) and label else kept
        content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        found.setdefault(file_id, Attachment(id=file_id, name=name, content_type=content_type))
    return tuple(found.values())


def with_files(body: str, files: Iterable[tuple[str, str]]) -> str:
    """The body with its pictures pointing to uploaded files, and links to the other files below it.

    `files` are names and addresses (`/uploads/…`).
    """
    addresses = dict(files)
    body, used = point_to(body, addresses)
    links = [f"[{_literal(name)}]({address})" for name, address in addresses.items() if name not in used]
    return f"{body}\n\n{' '.join(links)}" if links else body


def point_to(body: str, addresses: Mapping[str, str]) -> tuple[str, set[str]]:
    """The body with each picture of the ticket's files pointing to where GitLab serves it, and the names used."""
    used: set[str] = set()

    def address(match: re.Match[str]) -> str:
        name = unquote(match.group(1))
        if name not in addresses:
            return match.group(0)
        used.add(name)
        return f"]({addresses[name]})"

    return _IMAGE_OF_FILE.sub(address, body), used


def kept_below(raw: str) -> str:
    """The hub's list of files and its stamp at the end of a note that it wrote, which an edit must not lose."""
    stamp = _STAMP.search(raw)
    if stamp is None:
        return ""
    files = _OWN_FILES.search(raw[: stamp.start()])
    return raw[files.start() if files else stamp.start() :]


def _neutral_image(match: re.Match[str]) -> str:
    if not match["image"]:
        return match[0]
    label = _unescaped(match["label"])
    kept = unquote(match["file"])
    name = label if label and _extension(label) == _extension(kept) else kept
    return f"![{_literal(name)}]({attachment_address(name)})"


def _unescaped(label: str) -> str:
    return re.sub(r"\\([\W_])", r"\1", label)


def _extension(name: str) -> str:
    return name.rpartition(".")[2].casefold()


def _literal(name: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(name.split()))
