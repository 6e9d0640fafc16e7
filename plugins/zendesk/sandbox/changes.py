"""What may happen to a ticket: create, update, comment, delete; Zendesk's rules, and the audit that remains."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugins.zendesk.sandbox import shapes, values
from plugins.zendesk.sandbox.comments import API_VIA, Context, add_comment, has_text, known_person
from plugins.zendesk.sandbox.errors import ApiError, bad_request, forbidden, invalid
from plugins.zendesk.sandbox.keys import RULED, SIMPLE
from plugins.zendesk.sandbox.state import Audit, Store, Ticket, User

_EMPTY: dict[str, Any] = dict.fromkeys((*SIMPLE, *RULED), None)


@dataclass
class Changes:
    """Applies changes to one account's tickets and tells `done` about each, once."""

    store: Store
    settings: Mapping[str, float]
    done: Callable[[Ticket, Audit, str], None]
    """Called with the ticket, its audit and the action: created, updated, merged, soft_deleted or restored."""

    def create(self, given: dict[str, Any], context: Context) -> tuple[Ticket, Audit]:
        """A new ticket. 422 without a first comment or with values that Zendesk refuses."""
        store, now = self.store, self.store.clock()
        requester = self._requester(given, context.actor)
        submitter = store.users.get(int(given.get("submitter_id") or 0), context.actor)
        first = given.get("comment") or {"body": given.get("description")}
        first = {"body": first} if isinstance(first, str) else dict(first)
        if not has_text(first):
            raise invalid("base", "Description: cannot be blank", "BlankValue")
        via = {**API_VIA, **given["via"]} if isinstance(given.get("via"), dict) else dict(context.via)
        ticket = Ticket(len(store.tickets) + 1, now, now, via, dict(_EMPTY))
        ticket.custom = values.default_custom_fields(store)
        ticket.values |= {
            "subject": "",
            "status": "new",
            "custom_status_id": values.default_custom_status(store, "new"),
            "requester_id": requester.id,
            "submitter_id": submitter.id,
            "organization_id": requester.organization_id,
            "group_id": next(iter(store.groups)),
            "brand_id": store.brand_id,
            "ticket_form_id": next(iter(store.forms)),
            "collaborator_ids": [],
            "follower_ids": [],
            "email_cc_ids": [],
        }
        self._follow_up(ticket, given)
        audit = self._audit(ticket, given, context)
        blank = _working_copy(ticket)
        self._put_values(ticket, {**given, "requester_id": requester.id})
        public = first.get("public")
        add_comment(
            self.store, ticket, audit, {"author_id": submitter.id, **first, "public": public is not False}, context
        )
        audit.events += self._differences(blank, ticket, creating=True)
        store.tickets[ticket.id] = ticket
        self._commit(ticket, audit, "created")
        return ticket, audit

    def update(self, ticket: Ticket, given: dict[str, Any], context: Context, *, bulk: bool = False) -> Audit:
        """Change `ticket` and return the audit; without any change the audit has no events and is not kept.

        422 on a closed ticket or refused values, 409 when `safe_update` meets a later `updated_at`.
        """
        self._check_open(ticket)
        self._check_stamp(ticket, given)
        audit = self._audit(ticket, given, context)
        work = _working_copy(ticket)
        self._put_values(work, given)
        if bulk:
            added, removed = values.tag_list(given.get("additional_tags")), values.tag_list(given.get("remove_tags"))
            if added or removed:
                values.put_tags(self.store, work, sorted((set(work.tags) | set(added)) - set(removed)))
        comment = given.get("comment")
        comment = {"body": comment} if isinstance(comment, str) else dict(comment or {})
        if has_text(comment) or comment.get("uploads"):
            add_comment(self.store, ticket, audit, comment, context)
            self._reopen_for_customer(work, context.actor)
        audit.events += self._differences(ticket, work, creating=False)
        if audit.events:
            ticket.values, ticket.custom, ticket.tags = work.values, work.custom, work.tags
            self._commit(ticket, audit, "updated")
        return audit

    def merge(self, target: Ticket, sources: list[Ticket], given: dict[str, Any], context: Context) -> None:
        """Close `sources` in favour of `target`, with a comment on each; comments are private unless asked."""
        for source in (target, *sources):
            self._check_open(source)
        for source in sources:
            text = given.get("source_comment") or f"This request was closed and merged into request #{target.id}."
            public = bool(given.get("source_comment_is_public", False))
            audit = self._audit(source, {}, context)
            add_comment(self.store, source, audit, {"body": text, "public": public}, context)
            work = _working_copy(source)
            work.values["status"] = "closed"
            values.put_tags(self.store, work, sorted({*work.tags, "closed_by_merge"}))
            audit.events += self._differences(source, work, creating=False)
            audit.metadata["merged_into"] = target.id
            source.values, source.tags, source.custom = work.values, work.tags, work.custom
            self._commit(source, audit, "merged")
        numbers = ", ".join(f"#{source.id}" for source in sources)
        text = given.get("target_comment") or f"Requests {numbers} were closed and merged into this request."
        public = bool(given.get("target_comment_is_public", False))
        self.update(target, {"comment": {"body": text, "public": public}}, context)

    def delete(self, ticket: Ticket, context: Context, *, restore: bool = False) -> None:
        """Delete softly, or bring back."""
        ticket.deleted = not restore
        audit = self._audit(ticket, {}, context)
        self._commit(ticket, audit, "restored" if restore else "soft_deleted")

    def rate(self, ticket: Ticket, given: dict[str, Any], context: Context) -> dict[str, Any]:
        """The requester's satisfaction with a ticket that is solved, or was. 403 for others, 422 before."""
        if context.actor.id != ticket.values["requester_id"]:
            raise forbidden()
        was_solved = any(
            e.get("field_name") == "status" and e["value"] == "solved" for a in ticket.audits for e in a.events
        )
        if not was_solved:
            raise invalid("base", "Ticket: was not solved yet")
        if given.get("score") not in ("good", "bad"):
            raise invalid("score", "Score: is not included in the list")
        before = (ticket.rating or {"score": "unoffered"})["score"]
        ticket.rating = {"id": self.store.new_id(), "score": given["score"], "comment": given.get("comment")}
        audit = self._audit(ticket, {}, context)
        event = {
            "type": "Change",
            "field_name": "satisfaction_score",
            "value": given["score"],
            "previous_value": before,
        }
        audit.events.append({"id": self.store.new_id(), **event})
        self._commit(ticket, audit, "updated")
        return ticket.rating

    def comment_changed(self, ticket: Ticket, context: Context, event: dict[str, Any]) -> None:
        """Note that a comment was made private or redacted."""
        audit = self._audit(ticket, {}, context)
        audit.events.append({"id": self.store.new_id(), **event})
        self._commit(ticket, audit, "updated")

    def _commit(self, ticket: Ticket, audit: Audit, action: str) -> None:
        now = self.store.clock()
        ticket.generated_at = now
        if audit.events or action != "updated":
            ticket.updated_at = now
            ticket.audits.append(audit)
        shown = shapes.ticket(self.store, ticket)
        words = " ".join([ticket.values["subject"] or "", *(comment.body for comment in ticket.comments)])
        ticket.indexed.append((now, {**shown, "words": words.lower()}))
        self.done(ticket, audit, action)

    def _audit(self, ticket: Ticket, given: dict[str, Any], context: Context) -> Audit:
        custom = given.get("metadata") or {}
        system = {
            "client": context.client,
            "ip_address": context.address,
            "location": "Example City, 01, Exampleland",
            "latitude": 47.0,
            "longitude": 8.0,
        }
        metadata = {"system": system, "custom": custom.get("custom", custom)}
        now, id = self.store.clock(), self.store.new_id()
        return Audit(id, ticket.id, context.actor.id, now, metadata, dict(context.via))

    def _requester(self, given: dict[str, Any], actor: User) -> User:
        wanted = given.get("requester")
        if isinstance(wanted, dict) and wanted.get("email"):
            known = self.store.user_by_email(wanted["email"])
            if known is None and not wanted.get("name"):
                raise invalid("requester", "Requester Name: is too short (minimum one character)")
            return known or self.store.add_user(wanted["name"], wanted["email"])
        if given.get("requester_id"):
            return known_person(self.store, given["requester_id"], "requester")
        return actor

    def _follow_up(self, ticket: Ticket, given: dict[str, Any]) -> None:
        source = self.store.tickets.get(int(given.get("via_followup_source_id") or 0))
        if source is not None and source.values["status"] == "closed":
            source.followup_ids.append(ticket.id)
            origin = {"ticket_id": source.id, "subject": source.values["subject"], "channel": "api"}
            ticket.via = {"channel": "api", "source": {"from": origin, "to": {}, "rel": "follow_up"}}

    @staticmethod
    def _check_open(ticket: Ticket) -> None:
        if ticket.values["status"] == "closed":
            raise invalid("status", "Status: closed prevents ticket update")

    @staticmethod
    def _check_stamp(ticket: Ticket, given: dict[str, Any]) -> None:
        if given.get("safe_update") not in (True, "true"):
            return
        stamp = given.get("updated_stamp")
        if not stamp:
            raise bad_request("BadRequest", "safe_update needs updated_stamp")
        if ticket.updated_at.replace(microsecond=0) > datetime.fromisoformat(str(stamp)):
            text = "Safe Update prevented the update due to outdated ticket data. "
            text += "Please fetch the latest ticket data and try again."
            raise ApiError(409, {"error": "UpdateConflict", "description": text})

    def _put_values(self, ticket: Ticket, given: dict[str, Any]) -> None:
        v, before = ticket.values, ticket.values["status"]
        for key in SIMPLE:
            if key in given:
                v[key] = given[key]
        _check_word("priority", v["priority"], values.PRIORITIES)
        _check_word("type", v["type"], values.TYPES)
        if given.get("requester_id"):
            v["requester_id"] = known_person(self.store, given["requester_id"], "requester").id
        self._put_group(v, given)
        self._put_assignee(v, given)
        if "tags" in given:
            values.put_tags(self.store, ticket, values.tag_list(given["tags"]))
        custom = given["custom_fields"] if "custom_fields" in given else given.get("fields")
        if custom:
            values.put_custom(self.store, ticket, values.custom_values(self.store, custom))
        self._put_status(ticket, given, before)

    def _put_group(self, v: dict[str, Any], given: dict[str, Any]) -> None:
        if given.get("group_id") and int(given["group_id"]) not in self.store.groups:
            raise invalid("group_id", "Group: is invalid")
        if "group_id" in given:
            v["group_id"] = int(given["group_id"]) if given["group_id"] else None

    def _put_assignee(self, v: dict[str, Any], given: dict[str, Any]) -> None:
        if given.get("assignee_email"):
            person = self.store.user_by_email(given["assignee_email"])
            given = {**given, "assignee_id": person.id if person else -1}
        if "assignee_id" not in given:
            return
        person = self.store.users.get(int(given["assignee_id"] or 0))
        if given["assignee_id"] and (person is None or not person.is_staff):
            raise invalid("base", "Assignee: is not an agent")
        v["assignee_id"] = person.id if person else None

    def _put_status(self, ticket: Ticket, given: dict[str, Any], before: str) -> None:
        v = ticket.values
        if given.get("custom_status_id"):
            v["custom_status_id"] = int(given["custom_status_id"])
            v["status"] = values.status_of(self.store, v["custom_status_id"])
        elif given.get("status"):
            _check_word("status", given["status"], values.STATUSES)
            if given["status"] != v["status"]:
                v["status"] = given["status"]
                v["custom_status_id"] = values.default_custom_status(self.store, v["status"])
        if before != "new" and v["status"] == "new":
            raise invalid("status", "Status: new cannot be restored")
        if v["status"] == "new" and v["assignee_id"]:
            v["status"], v["custom_status_id"] = "open", values.default_custom_status(self.store, "open")
        if v["status"] == "solved" and before != "solved":
            self._check_solvable(ticket)

    def _check_solvable(self, ticket: Ticket) -> None:
        if not ticket.values["assignee_id"]:
            raise invalid("base", "Assignee: is required when solving a ticket", "BlankValue")
        if self.settings.get("area_required_to_solve"):
            area = next(id for id, f in self.store.fields.items() if f["type"] == "tagger")
            if not ticket.custom[area]:
                title = self.store.fields[area]["title"]
                raise invalid("base", f"{title}: is required when solving a ticket", "BlankValue")

    def _reopen_for_customer(self, ticket: Ticket, actor: User) -> None:
        if not actor.is_staff and ticket.values["status"] in ("pending", "hold", "solved"):
            ticket.values["status"] = "open"
            ticket.values["custom_status_id"] = values.default_custom_status(self.store, "open")

    def _differences(self, before: Ticket, after: Ticket, *, creating: bool) -> list[dict[str, Any]]:
        pairs = [(key, before.values[key], after.values[key]) for key in after.values]
        pairs += [(str(id), before.custom.get(id), value) for id, value in after.custom.items()]
        pairs.append(("tags", before.tags, after.tags))
        shown_at_creation = ("subject", "status", "requester_id", "group_id", "brand_id", "ticket_form_id")
        events: list[dict[str, Any]] = []
        for key, old, new in pairs:
            event: dict[str, Any] = {"id": self.store.new_id(), "value": _audited(new), "field_name": key}
            if creating and (key in shown_at_creation or new != old):
                events.append({**event, "type": "Create"})
            elif not creating and new != old:
                events.append({**event, "type": "Change", "previous_value": _audited(old)})
        return events


def _working_copy(ticket: Ticket) -> Ticket:
    """`ticket` with values of its own, so that a refused change leaves no trace; comments and audits are shared."""
    work = copy.copy(ticket)
    work.values, work.custom = dict(ticket.values), dict(ticket.custom)
    return work


def _check_word(key: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise invalid(key, f"{key.capitalize()}: {value} is not included in the list")


def _audited(value: Any) -> Any:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value) if isinstance(value, int) else value
