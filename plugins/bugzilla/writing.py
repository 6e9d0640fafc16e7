"""What is written to a bug, in Bugzilla's words, after a look at what it does not have.

A PUT passes over fields that it does not know without a word (recorded: upd_unknown_cf), and one bad value refuses the
whole call, of several only the first (recorded: create_missing_platform). So everything is looked at here, and every
field that cannot be written is named at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from hub.connector import Changes, Connector, Draft, RefusedError, Unwritable
from hub.ticket import Value
from plugins.bugzilla import labels, mapping, texts
from plugins.bugzilla.facts import DATE_AND_TIME, Facts
from plugins.bugzilla.settings import OF_EVERY_BUG, BugzillaSettings
from plugins.bugzilla.words import candidates, pick

OF_THE_PRODUCT = {"component": "components", "version": "versions", "target_milestone": "milestones"}
SINGLE, SEVERAL = 2, 3
"""Types of fields with values to choose from."""


class Writing:
    """The bodies for one installation. Methods may call it; they raise RefusedError for single fields."""

    def __init__(self, connector: Connector, settings: BugzillaSettings, facts: Facts) -> None:
        self._connector, self._name = connector, connector.name
        self._settings, self._facts = settings, facts

    def new_bug(self, draft: Draft) -> dict[str, Any]:
        """The body of a create. What the draft does not say comes from the settings."""
        settings = self._settings
        body: dict[str, Any] = {
            "product": settings.product, "component": settings.component, "version": settings.version,
            "op_sys": settings.op_sys, "platform": settings.platform,
            "summary": texts.held_title(draft.title) or draft.marker,
            "description": texts.native_text(settings, draft.description),
            **({"type": settings.bug_type} if settings.is_mozilla else {}),
            **({"groups": list(settings.groups)} if settings.groups else {}),
            **({} if draft.visibility.is_public else {"comment_is_private": True}),
            **self.native(draft.values),
        }  # fmt: skip
        if draft.labels:
            keywords, tags = self._places({labels.held(label) for label in draft.labels})
            body |= {"keywords": sorted(keywords), "whiteboard": labels.changed_whiteboard("", tags, ())}
        field = settings.marker_field or "alias"
        return body | {field: mark_of(settings, draft.marker)}

    def native(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """Neutral values by field name as a part of a body."""
        body: dict[str, Any] = {}
        refused: dict[str, str] = {}
        for name, value in values.items():
            try:
                body |= self._one(name, value)
            except (Unwritable, LookupError) as error:
                refused[name] = str(error)
        if refused:
            remedy = f"Look at the mapping under trackers.{self._name}, and at the fields of this Bugzilla."
            raise RefusedError(self._name, "look before writing", refused, remedy)
        return body

    def _one(self, name: str, value: Value) -> dict[str, Any]:
        if name == "title":
            return {"summary": texts.held_title(str(value or "")) or texts.NOTHING}
        if name == "description":
            raise LookupError("Bugzilla keeps a description as it was written; make it to_tickets or none")
        if name == "priority":
            return {"priority": self._chosen("priority", candidates(self._connector.priorities, value))}
        if name == "category":
            return {"type": self._chosen("type", candidates(self._connector.categories, value))}
        if name == "assignee":
            return {"assigned_to": self._assignee(value)}
        return self._custom(name, value) if name.startswith("custom:") else {}

    def _chosen(self, name: str, wanted: Collection[str]) -> str:
        found = self._facts.word(name, wanted)
        if found is None:
            known = ", ".join(self._facts.words(name)) or "none"
            raise LookupError(f"this Bugzilla has no {name} {' or '.join(wanted) or 'for that'}; there are {known}")
        return found

    def _assignee(self, value: Value) -> str:
        if value or self._settings.nobody:
            return str(value or self._settings.nobody)
        raise LookupError("every bug has an assignee")

    def _custom(self, name: str, value: Value) -> dict[str, Any]:
        field = self._settings.fields[name.removeprefix("custom:")]
        native = mapping.native_value(field, value)
        if field.id in OF_EVERY_BUG:
            return {field.id: self._of_every_bug(field.id, native)}
        known = self._facts.field(field.id) or self._facts.field(field.id, afresh=True)
        if known is None:
            raise LookupError(f"this Bugzilla has no field {field.id!r}")
        kind = known.get("type")
        if kind in (SINGLE, SEVERAL):
            chosen = native if isinstance(native, list) else [native] if native else []
            native = [self._chosen(field.id, [one]) for one in chosen]
            return {field.id: native if kind == SEVERAL else (native or ["---"])[0]}
        if kind == DATE_AND_TIME and native:
            return {field.id: f"{native} 00:00:00"}
        return {field.id: native}

    def _of_every_bug(self, name: str, native: Any) -> Any:
        if name in OF_THE_PRODUCT:
            known = [str(v["name"]) for v in (self._facts.product() or {}).get(OF_THE_PRODUCT[name], ())]
            found = pick([str(native)], known)
            if found is None:
                raise LookupError(f"the product has no {name} {native!r}; there are {', '.join(known)}")
            return found
        return self._chosen(name, [str(native)]) if name in ("severity", "op_sys", "platform") else native

    # labels

    def labels(self, raw: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
        """The parts of a body that change labels. `raw` is the bug as it stands: the whiteboard is written whole."""
        add, remove = ({labels.held(one) for one in some} for some in (changes.add_labels, changes.remove_labels))
        keywords, tags = self._places(add)
        gone = [str(k) for k in raw.get("keywords") or () if str(k).lower() in remove]
        body: dict[str, Any] = {}
        if keywords or gone:
            body["keywords"] = {"add": sorted(keywords), "remove": sorted(gone)}
        before = str(raw.get("whiteboard") or "")
        after = labels.changed_whiteboard(before, tags, remove) if self._settings.whiteboard_labels else before
        return body | ({"whiteboard": after} if after != before else {})

    def _places(self, wanted: Collection[str]) -> tuple[set[str], set[str]]:
        """The keywords among these labels, and the rest, which goes to the whiteboard."""
        found = {label: self._facts.keyword(label) for label in wanted}
        tags = {label for label, keyword in found.items() if keyword is None}
        if tags and not self._settings.whiteboard_labels:
            why = f"this Bugzilla has no keyword {', '.join(sorted(tags))}"
            remedy = f"Make the keyword, or set trackers.{self._name}.whiteboard_labels: true."
            raise RefusedError(self._name, "look before writing", {"labels": why}, remedy)
        return {keyword for keyword in found.values() if keyword}, tags

    def in_neutral_words(self, error: RefusedError) -> RefusedError:
        """A refusal that speaks of fields by Bugzilla's names, by the hub's own."""
        ours = {f"field:{field.id}": f"custom:{name}" for name, field in self._settings.fields.items()}
        fields = {ours.get(name, name.removeprefix("field:")): why for name, why in error.fields.items()}
        remedy = error.remedy or f"Look at the mapping under trackers.{self._name}."
        return RefusedError(self._name, error.doing, fields, remedy)


def mark_of(settings: BugzillaSettings, marker: str) -> str:
    """The mark that a new bug carries: the marker itself where it is an alias, else a short form of it."""
    if settings.marker_field:
        return marker
    is_alias = len(marker) <= texts.ALIAS_LIMIT and not marker.isdigit() and not set(marker) & set(", \t")
    return marker if is_alias else f"hub-{hashlib.sha256(marker.encode()).hexdigest()[:32]}"
