"""Labels in a bug: keywords, which the administrator makes, and `[words]` in the whiteboard, which anybody does. Pure.

Everything else in the whiteboard is people's own and stays as it is. Neither keywords nor labels have regard to case,
so labels are in lower case to the hub.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

LIMIT = 60
_TAG = re.compile(r"\[([^\[\]]+)\]")


def held(label: str) -> str:
    """A label in the form that it has in a bug."""
    words = " ".join(label.lower().replace("[", "(").replace("]", ")").split())
    return words[:LIMIT].rstrip() or "label"


def shown(keywords: Iterable[str], whiteboard: str, *, in_whiteboard: bool) -> frozenset[str]:
    """The labels of a bug."""
    tags = _TAG.findall(whiteboard) if in_whiteboard else []
    return frozenset({keyword.lower() for keyword in keywords} | {held(tag) for tag in tags})


def changed_whiteboard(whiteboard: str, add: Collection[str], remove: Collection[str]) -> str:
    """The whiteboard with labels put at its end and others taken out."""

    def kept(found: re.Match[str]) -> str:
        return "" if held(found.group(1)) in remove else found.group(0)

    rest = _TAG.sub(kept, whiteboard) if remove else whiteboard
    present = {held(tag) for tag in _TAG.findall(rest)}
    new = "".join(f"[{label}]" for label in sorted(add) if label not in present)
    gap = " " if new and rest and not rest.endswith(("]", " ")) else ""
    return f"{rest}{gap}{new}"
