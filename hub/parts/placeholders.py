"""Placeholders of helpdesks' macros <-> those of the hub's texts. Pure.

Texts are converted between HTML and Markdown with words of one piece in the placeholders' places, so that no escape
gets into them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hub.connector import Unwritable
from hub.ticket import Markdown

_THEIRS = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_ANY = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\{\{|\{%|\{#", re.DOTALL)
_TOKEN = re.compile(r"HubPlaceholder(\d+)X")


@dataclass(frozen=True, slots=True)
class Placeholders:
    """A helpdesk's placeholders. `same` maps its names to the hub's; of several for one, the first is written.

    `near` maps those that have nothing equal, but something close, e.g. a first name.
    """

    same: Mapping[str, str]
    near: Mapping[str, str] = field(default_factory=dict)

    def to_hub(self, text: str, convert: Callable[[str], Markdown]) -> tuple[Markdown, tuple[str, ...]]:
        """A helpdesk's text in the hub's form, and what is not the same in it, in words for people.

        What has no placeholder of the hub's stands there in round brackets, as plain text.
        """
        kept: list[str] = []
        notes: dict[str, None] = {}

        def keep(found: re.Match[str]) -> str:
            name = _THEIRS.fullmatch(found.group(0))
            ours = self.same.get(name.group(1)) if name else None
            if name and ours is None and (ours := self.near.get(name.group(1))) is not None:
                notes[f"{{{{{name.group(1)}}}}} became {{{{ {ours} }}}}, which is not quite the same"] = None
            if ours is None:
                said = name.group(1) if name else " ".join(re.sub(r"[{}%#]", " ", found.group(0)).split())
                notes[f"the placeholder {found.group(0)!r} has no equivalent and stands as plain text"] = None
                kept.append(f"({said})")
            else:
                kept.append(f"{{{{ {ours} }}}}")
            return f"HubPlaceholder{len(kept) - 1}X"

        converted = convert(_ANY.sub(keep, text))
        return Markdown(_TOKEN.sub(lambda m: kept[int(m.group(1))], converted)), tuple(notes)

    def from_hub(self, text: str, convert: Callable[[Markdown], str]) -> str:
        """The hub's text in the helpdesk's form. Raises Unwritable for a placeholder that it does not have."""
        theirs: dict[str, str] = {}
        for name, ours in self.same.items():
            theirs.setdefault(ours, name)
        kept: list[str] = []

        def keep(found: re.Match[str]) -> str:
            name = _THEIRS.fullmatch(found.group(0))
            if name is None or name.group(1) not in theirs:
                raise Unwritable(f"it has no placeholder for {found.group(0)}")
            kept.append(f"{{{{{theirs[name.group(1)]}}}}}")
            return f"HubPlaceholder{len(kept) - 1}X"

        converted = convert(Markdown(_ANY.sub(keep, text)))
        return _TOKEN.sub(lambda m: kept[int(m.group(1))], converted)


def name_of_macro(title: str) -> str:
    """What the hub calls a macro of this title: lower case, words joined by hyphens, as labels and notes can say it."""
    return "-".join(re.findall(r"\w+", title.casefold())) or "macro"
