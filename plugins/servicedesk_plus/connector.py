"""ServiceDesk Plus, spoken over its API v3, on-premises and in the cloud.

Sources: manageengine.com, sdpop-v3-api and sdpod-v3-api; the points that surprise are named where they matter.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, ClassVar

from hub.connector import (
    AuthError,
    Capability,
    Changes,
    Connector,
    Created,
    Draft,
    Finding,
    Hint,
    Identity,
    Ignored,
    Known,
    NewComment,
    NotFoundError,
    NotOfferedError,
    PermanentError,
    Polled,
    RefusedError,
    RemoteLink,
    Role,
    SecretHeader,
    TemporaryError,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.parts.custom_values import held
from hub.settings.trackers import TrackerSettings
from hub.ticket import Attachment, Comment, Markdown, Person, Snapshot, Status, Value, Visibility
from plugins.servicedesk_plus import bodies, checks, fields, mapping, payloads, texts
from plugins.servicedesk_plus.client import ServiceDeskPlusClient
from plugins.servicedesk_plus.conversations import Conversations
from plugins.servicedesk_plus.directory import Directory
from plugins.servicedesk_plus.polling import Position
from plugins.servicedesk_plus.settings import TAGS, ServiceDeskPlusSettings

log = logging.getLogger("hub.servicedesk_plus")


class ServiceDeskPlusConnector(Connector):
    """One ServiceDesk Plus."""

    kind = "servicedesk-plus"
    role = Role.HELPDESK
    settings_model = ServiceDeskPlusSettings
    settings_decide: ClassVar = {
        Capability.CREATE: "with `reference_field`",
        Capability.EDIT_COMMENTS: "with `public_as: note`",
        Capability.DELETE_COMMENTS: "with `public_as: note`",
        Capability.LINES: "with `lines`",
    }
    webhook_scheme = SecretHeader(header="X-Hub-Secret")
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    default_categories = mapping.CATEGORIES
    max_attachment_bytes: ClassVar[int] = 20 * 1024 * 1024
    search_lag = timedelta(minutes=1)

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, ServiceDeskPlusSettings)
        self._settings = settings
        self.lines = settings.lines
        self._client = ServiceDeskPlusClient(self, settings)
        self._directory = Directory(self._client)
        self._conversations = Conversations(
            self._client, lambda: self.identify().account_id, is_cloud=settings.is_cloud
        )
        self._identity: Identity | None = None

    @property
    def capabilities(self) -> frozenset[Capability]:
        offered = {
            Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS, Capability.ATTACHMENTS,
            Capability.ATTACHMENTS_IN_COMMENTS, Capability.WEBHOOKS, Capability.POLLING, Capability.USERS,
            Capability.REMOTE_LINKS,
        }  # fmt: skip
        if self._settings.reference_field:
            # Without a place for its mark a request whose answer was lost could not be found again.
            offered.add(Capability.CREATE)
        if self._settings.public_as == "note":
            # What was mailed is out.
            offered |= {Capability.EDIT_COMMENTS, Capability.DELETE_COMMENTS}
        return frozenset(offered | ({Capability.LINES} if self.lines else set()))

    def identify(self) -> Identity:
        """The technician of the settings: nothing in the API tells whose key or token this is."""
        if self._identity is None:
            email = self._settings.account
            found = self._directory.technician(email)
            if found is None:
                remedy = f"Correct trackers.{self.name}.account, or let the hub's technician see technicians."
                raise AuthError(
                    self.name, "GET /technicians", f"there is no technician with the address {email}", remedy
                )
            self._identity = Identity(found.id, found.name, self._client.clock_skew)
        return self._identity

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call, one for notes where there are some, one for the list of mails and one for each new mail."""
        raw = self._request(ticket_id)
        ticket = mapping.ticket(self._settings, self, raw)
        is_deleted = raw.get("is_trashed") is True
        comments: tuple[Comment, ...] | None = None
        if not is_deleted and (known.must_read_comments or known.comment_count is None):
            comments = self._conversations.all(ticket.id, has_notes=raw.get("has_notes") is not False)
        return Snapshot(
            ticket=ticket,
            read_at=self._client.now(),
            comments=comments,
            comment_count=known.comment_count if comments is None else len(comments),
            attachments=mapping.attachments(raw, ticket.requester or Person(), self._address(ticket.id)),
            is_deleted=is_deleted,
        )

    def _request(self, ticket_id: str) -> dict[str, Any]:
        """A request by its id, or by what people call it (`#102`)."""
        if ticket_id.startswith("#"):
            criteria = [{"field": "display_id", "condition": "is", "value": ticket_id[1:]}]
            rows = self._client.rows("/requests", "requests", search_criteria=criteria, fields_required=["display_id"])
            found = [row for row in rows if mapping.key_of(row) == ticket_id]
            if not found:
                raise NotFoundError(self.name, f"find {ticket_id}", "there is no request with this number")
            ticket_id = str(found[0]["id"])
        raw: dict[str, Any] = self._client.show(f"/requests/{ticket_id}").get("request") or {}
        if not raw.get("id"):
            raise NotFoundError(self.name, f"GET /requests/{ticket_id}", "the answer holds no request")
        return raw

    def _address(self, request_id: str) -> str:
        return f"{self._client.url}{self._client.api}/requests/{request_id}"

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        return self._client.file(attachment.url)

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            return texts.one_line(value)
        if field_name.startswith("custom:"):
            field = self._settings.fields[field_name.removeprefix("custom:")]
            return held(self.name, field, value, fields.native_value, fields.field_value)
        return super().hold(field_name, value)

    def line_of(self, group: str) -> int | None:
        folded = group.casefold()
        return next((line for line, groups in self.lines.items() if folded in map(str.casefold, groups)), None)

    def hold_text(self, text: Markdown) -> Markdown:
        return texts.held(text)

    def hold_label(self, label: str) -> str:
        return texts.label(label)

    # writing

    def create(self, draft: Draft) -> Created:
        """One call. A requester whom ServiceDesk Plus refuses is set aside, and the hub asks instead."""
        self._needs(Capability.CREATE)
        own = self.identify().account_id
        body = bodies.of_draft(self._settings, self, draft, own, self._status(draft.values))
        refused: dict[str, str] = {}
        try:
            try:
                raw = self._client.write("POST", "/requests", {"request": body})
            except RefusedError as error:
                if set(error.fields) != {"requester"} or body["requester"] == {"id": own}:
                    raise
                refused = error.fields
                raw = self._client.write("POST", "/requests", {"request": {**body, "requester": {"id": own}}})
        except RefusedError as error:
            remedy = f"Fields that its template demands get a value under trackers.{self.name}.create_fields."
            raise RefusedError(self.name, error.doing, error.fields, remedy) from error
        made = raw.get("request") or {}
        if not made.get("id"):
            # It may have been made: the hub looks for its mark before it tries again.
            raise TemporaryError(self.name, "POST /requests", "the answer does not say what was made")
        return self._created(made, refused)

    def find_ticket(self, marker: str) -> Created | None:
        self._needs(Capability.CREATE)
        field = self._settings.reference_field
        criteria = [{"field": f"udf_fields.{field}", "condition": "is", "value": marker}]
        asked = {"search_criteria": criteria, "fields_required": ["id", "display_id", "udf_fields"]}
        for row in self._client.rows("/requests", "requests", **asked):
            if (row.get("udf_fields") or {}).get(field) == marker:
                return self._created(row, {})
        return None

    def _created(self, raw: Mapping[str, Any], refused: Mapping[str, str]) -> Created:
        return Created(str(raw["id"]), mapping.key_of(raw), mapping.url_of(self._settings, raw), refused)

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        """One PUT. Nothing locks a request: labels, written as a whole, are read again just before."""
        settings, values = self._settings, changes.values
        body = bodies.of_values(settings, self, values, self._status(values))
        status = values.get("status")
        needs_resolution = (
            bool(settings.default_resolution)
            and isinstance(status, Status)
            and status.is_done
            and "resolution" not in body
        )
        has_labels = bool(changes.add_labels or changes.remove_labels)
        if has_labels and not settings.labels_field:
            why = f"there is no place for labels; name one under trackers.{self.name}.labels_field"
            raise RefusedError(self.name, f"PUT /requests/{ticket_id}", {"labels": why})
        if has_labels or needs_resolution:
            present = self._request(ticket_id)
            if has_labels:
                labels = mapping.labels_of(settings, present) or frozenset()
                kept = (labels | changes.add_labels) - changes.remove_labels
                body = bodies.merged(body, bodies.of_labels(settings, kept))
            if needs_resolution and not (present.get("resolution") or {}).get("content"):
                body["resolution"] = {"content": texts.text_to_html(Markdown(settings.default_resolution))}
        try:
            self._client.write("PUT", f"/requests/{ticket_id}", {"request": body})
        except RefusedError as error:
            raise bodies.explained(error, changes) from error
        return Written()

    def _status(self, values: Mapping[str, Value]) -> dict[str, str]:
        """The reference to the status that is to be written; by name only where statuses may not be listed."""
        if "status" not in values:
            return {}
        word = self.native("status", values["status"])
        try:
            found = self._directory.status(word)
        except AuthError:
            return {"name": word}
        if found is None:
            there_are = ", ".join(str(s.get("name")) for s in self._directory.statuses())
            raise RefusedError(
                self.name,
                "GET /statuses",
                {"status": f"there is no status {word!r} here; there are {there_are}"},
                f"Name one of them under trackers.{self.name}.statuses.",
            )
        return {"id": str(found["id"])}

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        if comment.visibility.is_public and self._settings.public_as == "reply":
            raw = self._request(ticket_id)
            if mapping.person(raw.get("requester")).email:
                return self._conversations.reply(raw, comment)
        return self._conversations.add_note(ticket_id, comment)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        return self._conversations.find(ticket_id, marker)

    def edit_comment(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        self._needs(Capability.EDIT_COMMENTS)
        self._conversations.edit(ticket_id, comment_id, text, visibility)

    def delete_comment(self, ticket_id: str, comment_id: str) -> None:
        self._needs(Capability.DELETE_COMMENTS)
        self._conversations.delete(ticket_id, comment_id)

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        note = link.note or Markdown(f"[{link.key}]({link.url})")
        return self.add_comment(ticket_id, NewComment(text=note, visibility=Visibility.PRIVATE, marker=link.global_id))

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        """Deletes the note that showed the link."""
        note = self.find_comment(ticket_id, global_id)
        if note is not None:
            self._conversations.delete(ticket_id, note.id)

    def _needs(self, capability: Capability) -> None:
        if capability not in self.capabilities:
            raise NotOfferedError(self.name, capability)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """One page of what changed, or of the counts of open requests; see `polling`."""
        counts = self._settings.watch_counts
        if cursor is None:
            # The list is cut by the tracker's clock: where it is behind ours, so is the beginning.
            behind = timedelta(seconds=min(0.0, self.identify().clock_skew or 0.0))
            return Polled((), Position.at(now + behind, counts=counts).dump(), has_more=counts)
        position = Position.load(cursor)
        if position.turn == "counted":
            return self._poll_counts(position)
        asked = position.list_info(with_tags=self._settings.labels_field == TAGS)
        rows = self._client.show("/requests", list_info=asked).get("requests") or []
        following, has_more, told = position.after_changes(rows, self._client.now(), counts=counts)
        return Polled(tuple(self._hint(row) for row in told), following.dump(), has_more)

    def _poll_counts(self, position: Position) -> Polled:
        try:
            rows = self._client.show("/requests", list_info=position.list_info(with_tags=False)).get("requests") or []
        except AuthError:
            raise
        except PermanentError as error:
            # A build without these numbers; changes are still told. `hub check` says so to the admin.
            log.info("%s: the numbers of notes cannot be listed: %s", self.name, error.why)
            return Polled((), position.without_counts().dump())
        following, has_more, differ = position.after_counts(rows)
        return Polled(tuple(Hint(ticket_id=key, event="poll") for key in differ), following.dump(), has_more)

    def _hint(self, raw: Mapping[str, Any]) -> Hint:
        values: dict[str, Any] = {}
        labels = mapping.labels_of(self._settings, raw)
        if labels is not None:
            values["labels"] = labels
        if "priority" in raw:
            values["priority"] = self.priorities.to_neutral(mapping.name_of(raw["priority"]))
        at = fields.moment(raw.get("last_updated_time"))
        return Hint(ticket_id=str(raw["id"]), event="poll", at=at, values=values)

    def find_person(self, email: str) -> Person | None:
        return self._directory.by_address(email)

    def check(self) -> list[Finding]:
        self.identify()
        return checks.findings(self._settings, self, self._client, self._directory)

    def close(self) -> None:
        self._client.close()
