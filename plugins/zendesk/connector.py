"""Zendesk Support, spoken over its Ticketing API v2.

Source: developer.zendesk.com/api-reference/ticketing; the points that surprise are named where they matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar

from hub.connector import (
    Article,
    AuthError,
    Capability,
    Changes,
    Connector,
    Created,
    Draft,
    Finding,
    Hint,
    HmacSignature,
    Identity,
    Ignored,
    Known,
    NewComment,
    PermanentError,
    Polled,
    RefusedError,
    RemoteLink,
    Role,
    StoredMacro,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.parts.custom_values import field_value, held, native_value
from hub.parts.refusals import no_group
from hub.settings.trackers import TrackerSettings
from hub.text import canonical, defuse, from_html, to_html
from hub.ticket import Attachment, Comment, Markdown, Person, Snapshot, Value, Visibility
from plugins.zendesk import checks, guide, mapping, payloads
from plugins.zendesk.client import ZendeskClient
from plugins.zendesk.groups import Groups
from plugins.zendesk.macros import Macros
from plugins.zendesk.settings import ZendeskSettings

INCLUDE = "users,comment_count,groups,organizations"
WITHHELD = timedelta(seconds=61)
"""The cursor export takes no start time younger than a minute and keeps the newest minute back."""
TITLE_LIMIT = 255


class ZendeskConnector(Connector):
    """One Zendesk account."""

    kind = "zendesk"
    role = Role.HELPDESK
    settings_model = ZendeskSettings
    webhook_scheme = HmacSignature(
        header="X-Zendesk-Webhook-Signature",
        encoding="base64",
        timestamp_header="X-Zendesk-Webhook-Signature-Timestamp",
    )
    delivery_id_header = "x-zendesk-webhook-invocation-id"
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    default_categories = mapping.CATEGORIES
    max_attachment_bytes: ClassVar[int] = 50 * 1024 * 1024

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, ZendeskSettings)
        self._settings = settings
        self._client = ZendeskClient(self, settings)
        self._groups = Groups(self._client)
        self.lines = settings.lines
        self._macros = Macros(settings, self, self._client, self._groups)
        self._identity: Identity | None = None
        self._is_admin = False
        self.has_tag_fields = any(f.type in ("select", "multiselect", "checkbox") for f in settings.fields.values())

    @property
    def capabilities(self) -> frozenset[Capability]:
        offered = {
            Capability.CREATE, Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS,
            Capability.ATTACHMENTS, Capability.ATTACHMENTS_IN_COMMENTS, Capability.WEBHOOKS, Capability.POLLING,
            Capability.USERS, Capability.REMOTE_LINKS, Capability.KNOWLEDGE_BASE, Capability.RATINGS,
            Capability.MACROS, Capability.PUBLISH_MACROS,
        }  # fmt: skip
        return frozenset(offered | ({Capability.LINES} if self.lines else set()))

    def identify(self) -> Identity:
        if self._identity is None:
            me = self._client.get("/users/me")["user"]
            if not me.get("id"):
                # Zendesk answers 200 with an anonymous user when the credentials are not its own.
                raise AuthError(self.name, "GET /users/me", "the account is anonymous", "Check the credentials.")
            self._is_admin = me["role"] == "admin"
            self._identity = Identity(str(me["id"]), me["name"], self._client.clock_skew)
        return self._identity

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call, and a second one for the comments when their number says that they changed, or may have."""
        answer = self._client.get(f"/tickets/{ticket_id}", include=INCLUDE)
        raw = answer["ticket"]
        ticket = mapping.ticket(self._settings, self, raw, mapping.Sideloads(answer))
        count = raw.get("comment_count", answer.get("comment_count"))
        comments: tuple[Comment, ...] | None = None
        files: tuple[Attachment, ...] = ()
        if known.must_read_comments or count is None or count != known.comment_count:
            first, comments = self._comments(ticket_id)
            count = len(comments) + (first is not None)
            if first is not None:
                ticket = replace(ticket, description=first.text)
                files = first.attachments
        return Snapshot(
            ticket=ticket,
            read_at=self._client.now(),
            version=str(raw.get("updated_at") or ""),
            comments=comments,
            comment_count=count,
            attachments=files,
            is_deleted=raw.get("status") == "deleted",
        )

    def _comments(self, ticket_id: str) -> tuple[Comment | None, tuple[Comment, ...]]:
        """The first comment, which is the ticket's description, and the others in the order they were written."""
        found: list[Comment] = []
        params: dict[str, str | int] = {"include": "users", "include_inline_images": "true", "page[size]": 100}
        while True:
            answer = self._client.get(f"/tickets/{ticket_id}/comments", **params)
            people = mapping.Sideloads(answer)
            found += [mapping.comment(raw, people) for raw in answer["comments"]]
            meta = answer.get("meta") or {}
            if not meta.get("has_more"):
                break
            params["page[after]"] = meta["after_cursor"]
        found.sort(key=lambda c: (c.created, int(c.id)))
        return (found[0], tuple(found[1:])) if found else (None, ())

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        return self._client.stream(attachment.url)

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            return " ".join(value.split())[:TITLE_LIMIT].rstrip()
        if field_name.startswith("custom:"):
            field = self._settings.fields[field_name.removeprefix("custom:")]
            return held(self.name, field, value, native_value, field_value)
        return super().hold(field_name, value)

    def hold_text(self, text: Markdown) -> Markdown:
        return from_html(to_html(defuse(text)))

    def hold_label(self, label: str) -> str:
        return "_".join(label.lower().split())

    # writing

    def create(self, draft: Draft) -> Created:
        comment = {"html_body": _html(draft.description) or "<p>-</p>", "public": draft.visibility.is_public}
        body: dict[str, Any] = {
            "subject": draft.title or draft.marker,
            "comment": comment,
            "external_id": draft.marker,
            "tags": sorted(draft.labels),
            "metadata": {mapping.MARKER: draft.marker},
            **self._native(draft.values),
        }
        if draft.requester is not None and draft.requester.email:
            body["requester"] = {"name": draft.requester.label, "email": draft.requester.email}
        answer = self._client.send(
            "POST", "/tickets", {"ticket": body}, headers={"Idempotency-Key": draft.marker[:255]}
        )
        return self._created(answer["ticket"])

    def find_ticket(self, marker: str) -> Created | None:
        tickets = self._client.get("/tickets", external_id=marker)["tickets"]
        return self._created(tickets[0]) if tickets else None

    def _created(self, raw: dict[str, Any]) -> Created:
        return Created(str(raw["id"]), f"#{raw['id']}", f"{self._settings.url}/agent/tickets/{raw['id']}")

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        """One PUT. A set of tags can only be replaced whole, so it needs the lock that `basis` gives."""
        if "description" in changes.values:
            why = "Zendesk keeps a ticket's description as it was first written"
            raise RefusedError(self.name, f"PUT /tickets/{ticket_id}", {"description": why}, "Make it to_issue.")
        body = self._native(changes.values)
        if basis is not None and basis.version:
            body |= {"safe_update": True, "updated_stamp": basis.version}
        version = ""
        if changes.add_labels or changes.remove_labels:
            # Adding and removing have addresses of their own and leave every other tag alone.
            version = self._change_tags(ticket_id, changes)
            body.pop("safe_update", None)
            body.pop("updated_stamp", None)
        if not body.keys() - {"safe_update", "updated_stamp"}:
            return Written(version)
        try:
            answer = self._client.send("PUT", f"/tickets/{ticket_id}", {"ticket": body})
        except RefusedError as error:
            raise self._explain(error) from error
        return Written(str(answer["ticket"]["updated_at"]))

    def _change_tags(self, ticket_id: str, changes: Changes) -> str:
        for method, labels in (("PUT", changes.add_labels), ("DELETE", changes.remove_labels)):
            if labels:
                self._client.send(method, f"/tickets/{ticket_id}/tags", {"tags": sorted(labels)})
        return ""

    def _explain(self, error: RefusedError) -> RefusedError:
        text = "; ".join(error.fields.values())
        remedy = ""
        if "closed" in text.casefold():
            remedy = "A closed ticket cannot be changed any more: open a follow-up in Zendesk."
        elif "assignee" in text.casefold():
            remedy = "Zendesk solves only tickets with an assignee: assign it, then retry."
        return RefusedError(self.name, error.doing, error.fields, remedy)

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        """A picture in the text is shown from its file's own address, which the upload tells."""
        sent = [(u.name, self._upload(u.name, u.content_type, u.open())) for u in comment.uploads]
        html = _html(comment.text, {name: upload["attachment"]["content_url"] for name, upload in sent})
        tokens = [upload["token"] for _, upload in sent]
        body = {"html_body": html, "public": comment.visibility.is_public, "uploads": tokens}
        return self._write_comment(ticket_id, {"comment": body}, comment.marker)

    def _upload(self, name: str, content_type: str, content: Any) -> dict[str, Any]:
        answer = self._client.send(
            "POST", "/uploads", params={"filename": name}, content=content, headers={"Content-Type": content_type}
        )
        upload: dict[str, Any] = answer["upload"]
        return upload

    def _write_comment(self, ticket_id: str, body: dict[str, Any], marker: str) -> WrittenComment:
        body = {**body, "metadata": {mapping.MARKER: marker}}
        answer = self._client.send("PUT", f"/tickets/{ticket_id}", {"ticket": body})
        for event in answer["audit"]["events"]:
            if event["type"] == "Comment":
                visibility = Visibility.PUBLIC if event.get("public", True) else Visibility.PRIVATE
                files = tuple(str(a["id"]) for a in event.get("attachments") or ())
                return WrittenComment(str(event["id"]), visibility, files, str(answer["ticket"]["updated_at"]))
        raise PermanentError(self.name, f"PUT /tickets/{ticket_id}", "Zendesk took the comment but does not show it.")

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        for comment in self._comments(ticket_id)[1]:
            if comment.marker == marker:
                return WrittenComment(comment.id, comment.visibility, tuple(a.id for a in comment.attachments))
        return None

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        """External id and internal note in one call. An external id of somebody else's is overwritten only when
        the settings say so, and Zendesk's own Jira links are left alone."""
        note = link.note or Markdown(f"[{link.key}]({link.url})")
        body: dict[str, Any] = {"comment": {"html_body": _html(note), "public": False}}
        if self._settings.write_external_id:
            body["external_id"] = link.global_id
        return self._write_comment(ticket_id, body, link.global_id)

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        raw = self._client.get(f"/tickets/{ticket_id}")["ticket"]
        if raw.get("external_id") == global_id:
            self._client.send("PUT", f"/tickets/{ticket_id}", {"ticket": {"external_id": None}})

    def _native(self, values: Any) -> dict[str, Any]:
        body: dict[str, Any] = {}
        custom = []
        for name, value in values.items():
            if name.startswith("custom:"):
                field = self._settings.fields[name.removeprefix("custom:")]
                custom.append({"id": int(field.id), "value": native_value(field, value)})
            elif name == "title":
                body["subject"] = value
            elif name == "assignee":
                body["assignee_id"] = int(value) if value else None
            elif name == "line":
                body["group_id"] = self._group_id(self.group_of(value))
            elif name == "category":
                body["type"] = self.native(name, value)
            elif name in ("status", "priority"):
                body[name] = self.native(name, value)
        return body | ({"custom_fields": custom} if custom else {})

    def _group_id(self, name: str) -> int:
        found = self._groups.id_of(name)
        if found is None:
            raise no_group(self, "find a group", name)
        return found

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request, self)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """The incremental cursor export; admins only. The export itself repeats nothing and misses nothing."""
        after = json.loads(cursor) if cursor else {"start": self._start(now)}
        params: dict[str, str | int] = (
            {"cursor": after["after"]} if "after" in after else {"start_time": after["start"]}
        )
        answer = self._client.get("/incremental/tickets/cursor", **params, per_page=1000)
        hints = tuple(
            Hint(
                ticket_id=str(raw["id"]),
                event="poll",
                at=mapping.utc(raw.get("updated_at")),
                values=self._shown(raw),
                is_deleted=raw.get("status") == "deleted",
            )
            for raw in answer["tickets"]
        )
        following = {"after": answer["after_cursor"]} if answer.get("after_cursor") else after
        return Polled(hints, json.dumps(following), not answer.get("end_of_stream", True))

    def _start(self, now: datetime) -> int:
        """Zendesk measures by its own clock what is too recent."""
        skew = self.identify().clock_skew or 0.0
        return int((now - WITHHELD).timestamp() + min(skew, 0.0)) - 1

    def _shown(self, raw: dict[str, Any]) -> dict[str, Any]:
        ticket = mapping.ticket(self._settings, self, raw, mapping.Sideloads({}))
        return {"labels": ticket.labels, "priority": ticket.priority, "category": ticket.category}

    def find_person(self, email: str) -> Person | None:
        for user in self._client.get("/users/search", query=f'email:"{email}"')["users"]:
            if (user.get("email") or "").casefold() == email.casefold():
                return mapping.Sideloads({"users": [user]}).person(user["id"])
        return None

    def find_articles(self, words: str, limit: int) -> Sequence[Article]:
        return guide.articles(self._client, words, limit)

    def macros(self) -> Sequence[StoredMacro]:
        return self._macros.active()

    def publish_macro(self, macro: StoredMacro, key: str) -> str:
        return self._macros.publish(macro, key)

    def check(self) -> list[Finding]:
        self.identify()
        return checks.findings(self._settings, self.name, self._client, self._groups, is_admin=self._is_admin)

    def close(self) -> None:
        self._client.close()


def _html(text: Markdown, pictures: Mapping[str, str] = MappingProxyType({})) -> str:
    """`pictures` are the addresses of files by name."""
    return to_html(canonical(defuse(text)), image_url=pictures.get)
