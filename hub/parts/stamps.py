"""The hub's mark in trackers that keep nothing unseen: a small line after a comment, a tag of a ticket. Pure."""

from __future__ import annotations

import hashlib
import html
import re
from urllib.parse import quote, unquote

_STAMP = re.compile(r"<(p|div)\b[^>]*>\s*\[ref ([^\]\s<]+)\]\s*</\1>(\s*(?:</\w+>\s*)*)$")
_LONG_MARK = re.compile(r"hub-[0-9a-f]{24}")


def stamped(body: str, marker: str) -> str:
    """The HTML of a comment with the hub's stamp after it."""
    stamp = html.escape(quote(marker, safe=":"))
    return f'{body}<p style="font-size:9px;color:#b5b5b5">[ref {stamp}]</p>'


def unstamped(body: str) -> tuple[str, str | None]:
    """The HTML without the hub's stamp, and the marker where there is one. Believe it only in what the hub's own
    account wrote: people quote what they answer."""
    found = _STAMP.search(body)
    if found is None:
        return body, None
    return body[: found.start()] + found.group(3), unquote(html.unescape(found.group(2)))


def tag_of(label: str, limit: int) -> str:
    """A label in the form of a tag: without commas, which part tags, and of at most `limit` characters."""
    return " ".join(label.replace(",", " ").split())[:limit].rstrip()


def mark_tag(marker: str, limit: int) -> str:
    """The tag that the hub finds its tickets by: the marker, or its digest where it is too long for a tag."""
    if tag_of(marker, limit) == marker:
        return marker
    return f"hub-{hashlib.sha256(marker.encode()).hexdigest()[:24]}"


def is_long_mark(tag: str) -> bool:
    """Whether a tag is the digest of a marker, and so nobody's label."""
    return _LONG_MARK.fullmatch(tag) is not None
