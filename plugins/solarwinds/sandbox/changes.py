"""What changes an incident, who is told of it by mail, and which automations hear of it.

API writes stay silent: neither mails nor automations, unless the request says `add_callbacks`. Source: samanage-ruby's
test of mails; live findings (MCP-SWSD).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from plugins.solarwinds.sandbox.shapes import stored_html
from plugins.solarwinds.sandbox.state import File, Incident, Note, Store, User

Tell = Callable[[Incident, str], None]
REOPENED = ("Awaiting Input", "Resolved")
"""States that the default rule ends when the requester writes."""


class Changes:
    """Every write. `settings` are the sandbox's switches, `tell` runs the automations' process integrations."""

    def __init__(self, store: Store, settings: Callable[[], Mapping[str, float]], tell: Tell) -> None:
        self._store, self._settings, self._tell = store, settings, tell

    def create(self, actor: User, values: Mapping[str, Any], *, origin: str, is_loud: bool) -> Incident:
        store, now = self._store, self._store.now()
        incident = Incident(
            id=store.new_id(), number=store.new_number(), name=values["name"], description="",
            requester=values["requester"], created=now, updated=now, origin=origin,
        )  # fmt: skip
        self._write(incident, values)
        store.incidents[incident.id] = incident
        self._done(incident, "Incident created", "Create", actor, is_loud)
        if is_loud:
            store.mails.append((incident.requester.email, "created"))
        return incident

    def update(self, actor: User, incident: Incident, values: Mapping[str, Any], *, is_loud: bool) -> None:
        before = incident.state
        self._write(incident, values)
        message = f"State changed from {before} to {incident.state}" if incident.state != before else "Incident updated"
        self._done(incident, message, "Update", actor, is_loud)

    def comment(self, actor: User, incident: Incident, body: str, *, is_private: bool, is_loud: bool) -> Note:
        store, now = self._store, self._store.now()
        note = Note(store.new_id(), actor, stored_html(body), is_private, now, now)
        incident.comments.append(note)
        if actor is incident.requester and incident.state in REOPENED:
            incident.state = "Assigned"
        touches = bool(self._settings()["comments_touch"])
        self._done(incident, "Comment added", "Update", actor, is_loud, touches=touches)
        if is_loud and not is_private and actor is not incident.requester:
            store.mails.append((incident.requester.email, "comment"))
        return note

    def rate(self, actor: User, incident: Incident, *, is_satisfied: bool) -> None:
        incident.is_satisfied = is_satisfied
        self._done(incident, "Customer satisfaction survey answered", "Update", actor, True)

    def edit(self, actor: User, incident: Incident, note: Note, body: str) -> None:
        """The text alone: who may read it stays as it was."""
        note.body, note.updated = stored_html(body), self._store.now()
        self._done(incident, "Comment updated", "Update", actor, False)

    def drop(self, actor: User, incident: Incident, note: Note) -> None:
        incident.comments.remove(note)
        self._done(incident, "Comment removed", "Update", actor, False)

    def attach(self, actor: User, incident: Incident, note: Note | None, file: File) -> None:
        (incident.files if note is None else note.files).append(file)
        self._done(incident, "Attachment added", "Update", actor, False)

    def delete(self, actor: User, incident: Incident) -> None:
        del self._store.incidents[incident.id]
        self._store.audit(incident, "Incident deleted", "Delete", actor)

    def _write(self, incident: Incident, values: Mapping[str, Any]) -> None:
        plain = {k: v for k, v in values.items() if k not in ("requester", "custom", "description", "add", "remove")}
        for name, value in plain.items():
            setattr(incident, name, value)
        if "description" in values:
            incident.description = stored_html(values["description"])
        incident.custom |= values.get("custom", {})
        kept = [tag for tag in incident.tags if tag not in values.get("remove", ())]
        incident.tags = list(dict.fromkeys([*kept, *values.get("add", ())]))

    def _done(
        self, incident: Incident, message: str, action: str, actor: User, is_loud: bool, *, touches: bool = True
    ) -> None:
        store = self._store
        if touches:
            incident.updated = store.now()
        incident.searchable_from = store.now() + timedelta(seconds=self._settings()["search_lag"])
        # What the API writes is of nobody; people on the screen are named.
        store.audit(incident, message, action if is_loud else "external", actor if is_loud else None)
        if is_loud:
            self._tell(incident, message)
