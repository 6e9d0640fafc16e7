"""OTRS, Znuny and OTOBO, spoken over the Generic Interface with the hub's own web service, `webservice.yml`.

Sources: recorded exchanges with OTOBO; OTRS admin manual, "GenericInterface: Operations". The points that surprise are
named where they matter.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from hub.connector import (
    BasicPassword,
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
    PermanentError,
    Polled,
    RefusedError,
    RemoteLink,
    Role,
    Unwritable,
    Upload,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.settings.trackers import TrackerSettings
from hub.ticket import Attachment, ExternalLink, Markdown, Priority, Snapshot, Status, Value, Visibility
from plugins.otrs import checks, mapping, payloads
from plugins.otrs.client import DYNAMIC_FIELD, OtrsClient
from plugins.otrs.settings import OtrsSettings
from plugins.otrs.times import ServerClock

CHUNK = 64 * 1024
CANDIDATES = 10
"""Tickets looked at for a marker; a search by an unknown field finds every ticket there is."""
LATEST = 10
"""Articles read again after a comment with files, for the new files' ids."""
PAGE = 500
ALL = {"AllArticles": 1, "DynamicFields": 1, "Attachments": 1, "GetAttachmentContents": 0}
TICKET_NUMBER = re.compile(r"#?\d{10,}")
"""What people call a ticket. It begins with the date, so no ticket's id is as long."""


class OtrsConnector(Connector):
    """One OTRS, Znuny or OTOBO."""

    kind = "otrs"
    role = Role.HELPDESK
    settings_model = OtrsSettings
    settings_decide: ClassVar = {
        Capability.LINES: "with `lines`",
        Capability.COMMENT_AUTHORS: "with `sender_address`",
    }
    webhook_scheme = BasicPassword()
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    default_categories = mapping.CATEGORIES
    max_attachment_bytes: ClassVar[int] = 50 * 1024 * 1024

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, OtrsSettings)
        self._settings = settings
        self.lines = settings.lines
        self._client = OtrsClient(self, settings)
        self._zone = ZoneInfo(settings.time_zone) if settings.time_zone else None
        self._identity: Identity | None = None

    @property
    def capabilities(self) -> frozenset[Capability]:
        offered = {
            Capability.CREATE, Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS,
            Capability.ATTACHMENTS, Capability.ATTACHMENTS_IN_COMMENTS, Capability.WEBHOOKS, Capability.POLLING,
            Capability.REMOTE_LINKS,
        }  # fmt: skip
        offered |= {Capability.COMMENT_AUTHORS} if self._settings.sender_address else set()
        return frozenset(offered | ({Capability.LINES} if self.lines else set()))

    def identify(self) -> Identity:
        if self._identity is None:
            me = self._client.whoami()
            name = str(me.get("UserFullname") or me.get("UserLogin") or "")
            self._identity = Identity(str(me["UserID"]), name, self._client.clock_skew)
        return self._identity

    def check(self) -> list[Finding]:
        return checks.check(self, self._settings, self._client)

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call; a second one where a ticket was merged away, for the one that it was merged into."""
        now = datetime.now(UTC)
        if TICKET_NUMBER.fullmatch(ticket_id):
            ticket_id = self._id_of(ticket_id.lstrip("#"))
        raw = self._one(ticket_id, **ALL)
        articles = mapping.articles_of(raw)
        clock = ServerClock(self._zone, articles)
        ticket = mapping.ticket(self._settings, self, raw, clock)
        if raw.get("StateType") == "merged":
            ticket = replace(ticket, links=(*ticket.links, *self._main_ticket(ticket_id)))
        comments = [mapping.comment(self._settings, article, clock) for article in articles]
        return Snapshot(
            ticket=ticket,
            read_at=now,
            comments=tuple(comments[1:]),
            comment_count=len(comments),
            attachments=comments[0].attachments if comments else (),
        )

    @contextmanager
    def download(self, attachment: Attachment) -> Iterator[Iterator[bytes]]:
        """Contents come only with articles, and whole. So the article's place is looked up first, and then no more
        articles are asked for than there are from it to the last one."""
        ticket_id, article_id, file_id = (*attachment.id.split("/"), "", "")[:3]
        ids = [str(a["ArticleID"]) for a in _articles(self._one(ticket_id, AllArticles=1))]
        missing = NotFoundError(self.name, "download a file", "the file is not there", "It was deleted.")
        if article_id not in ids:
            raise missing
        limit = len(ids) - ids.index(article_id)
        latest = self._one(ticket_id, AllArticles=1, Attachments=1, ArticleOrder="DESC", ArticleLimit=limit)
        files = [f for a in _articles(latest) if str(a["ArticleID"]) == article_id for f in a.get("Attachment") or ()]
        for file in files:
            if str(file["FileID"]) == file_id and file["Filename"] == attachment.name:
                content = base64.b64decode(file["Content"])
                yield (content[at : at + CHUNK] for at in range(0, len(content), CHUNK))
                return
        raise missing

    def _one(self, ticket_id: str, **params: Any) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._client.ask("/read", TicketID=ticket_id, **params)["Ticket"][0]
        return found

    def _id_of(self, number: str) -> str:
        for ticket_id in self._find(TicketNumber=number):
            return ticket_id
        raise NotFoundError(self.name, f"find ticket {number}", "there is no such ticket number")

    def _find(self, **wanted: Any) -> list[str]:
        """Ids of tickets. Nothing found is `{}`, and so is a word that the server does not know."""
        return [str(ticket_id) for ticket_id in self._client.ask("/find", **wanted).get("TicketID") or ()]

    def _main_ticket(self, ticket_id: str) -> tuple[ExternalLink, ...]:
        histories = self._client.ask("/history", TicketID=ticket_id)["TicketHistory"]
        main = mapping.main_ticket(entry for history in histories for entry in history.get("History") or ())
        return (ExternalLink(mapping.ticket_url(self._settings, main[0]), f"merged into {main[1]}"),) if main else ()

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            if mapping.title_of(value) in ("", "0"):
                raise Unwritable(f"{self.name} takes no empty title")
            return mapping.title_of(value)
        if field_name.startswith("custom:") and value is not None:
            field = self._settings.fields[field_name.removeprefix("custom:")]
            return mapping.field_value(field, mapping.native_value(field, value))
        return super().hold(field_name, value)

    def line_of(self, group: str) -> int | None:
        return mapping.line_of(group, self.lines)

    def hold_text(self, text: Markdown) -> Markdown:
        return mapping.text_of(mapping.body_of(text))

    def hold_label(self, label: str) -> str:
        return mapping.label_of(label, self._settings.labels_type)

    # writing

    def create(self, draft: Draft) -> Created:
        settings = self._settings
        values = {"status": Status.NEW, "priority": Priority.NORMAL, **draft.values}
        ticket, fields = self._native({k: v for k, v in values.items() if v is not None})
        requester = draft.requester.email if draft.requester is not None else None
        title = mapping.title_of(draft.title)
        ticket = {"Queue": settings.queue, **ticket}
        ticket |= {
            "Title": draft.marker if title in ("", "0") else title,
            "CustomerUser": requester or settings.customer,
        }
        if settings.ticket_type:
            ticket.setdefault("Type", settings.ticket_type)
        if draft.labels and settings.labels_field:
            fields.append({"Name": settings.labels_field, "Value": self._labels(draft.labels)})
        fields.append({"Name": settings.marker_field, "Value": draft.marker})
        article = self._article(draft.description, draft.visibility, subject=str(ticket["Title"]))
        try:
            answer = self._client.ask("/open", Ticket=ticket, Article=article, DynamicField=fields)
        except RefusedError as error:
            raise self._explain(error, Changes(values=draft.values, add_labels=draft.labels)) from error
        return self._created(answer)

    def find_ticket(self, marker: str) -> Created | None:
        """The tickets that are found are read and compared: an unknown field would find every ticket."""
        field = self._settings.marker_field
        found = self._find(DynamicField={"Name": field, "Equals": marker}, Limit=CANDIDATES)
        if not found:
            return None
        for raw in self._client.ask("/read", TicketID=found, DynamicFields=1)["Ticket"]:
            if mapping.dynamic_fields(raw).get(field) == marker:
                return self._created(raw)
        return None

    def _created(self, raw: Mapping[str, Any]) -> Created:
        url = mapping.ticket_url(self._settings, raw["TicketID"])
        return Created(str(raw["TicketID"]), str(raw["TicketNumber"]), url)

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        """One call, checked as a whole before anything is written. Labels share one field and are replaced whole, so
        they are read just before; there is no lock."""
        if "description" in changes.values:
            why = "OTRS keeps a ticket's first article as it was written"
            raise RefusedError(self.name, "POST /change", {"description": why}, "Make it to_issue.")
        ticket, fields = self._native(changes.values)
        if changes.add_labels or changes.remove_labels:
            fields.append(self._changed_labels(ticket_id, changes))
        body = {"Ticket": ticket} if ticket else {}
        if not body and not fields:
            return Written()
        try:
            self._client.ask("/change", TicketID=ticket_id, **body, **({"DynamicField": fields} if fields else {}))
        except RefusedError as error:
            raise self._explain(error, changes) from error
        return Written()

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        article = self._article(comment.text, comment.visibility)
        if comment.author is not None and self._settings.sender_address:
            name = " ".join(re.sub(r"[^\w.\- ]", " ", comment.author.label).split())
            article["From"] = f"{name or 'Somebody'} via hub <{self._settings.sender_address}>"
        return self._write_article(ticket_id, article, comment.marker, comment.uploads)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        for article in _articles(self._one(ticket_id, **ALL)):
            comment = mapping.comment(self._settings, article, ServerClock(self._zone))
            if comment.marker == marker:
                return WrittenComment(comment.id, comment.visibility, tuple(a.id for a in comment.attachments))
        return None

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        """An internal note and the address in `link_field`, in one call. The note's heading is the address, by which
        `remove_link` knows whose address stands in the field."""
        note = link.note or Markdown(f"[{link.key}]({link.url})")
        article = self._article(note, Visibility.PRIVATE, subject=link.url)
        more = [{"Name": self._settings.link_field, "Value": link.url}] if self._settings.link_field else []
        return self._write_article(ticket_id, article, link.global_id, fields=more)

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        field = self._settings.link_field
        if not field:
            return
        raw = self._one(ticket_id, AllArticles=1, DynamicFields=1)
        shown = mapping.dynamic_fields(raw).get(field)
        marker = self._settings.comment_marker_field
        notes = [a for a in _articles(raw) if mapping.dynamic_fields(a).get(marker) == global_id]
        if shown and any(note.get("Subject") == shown for note in notes):
            self._client.ask("/change", TicketID=ticket_id, DynamicField=[{"Name": field, "Value": ""}])

    def _article(self, text: Markdown, visibility: Visibility, *, subject: str = "") -> dict[str, Any]:
        """Left out, IsVisibleForCustomer means visible; so it is always there, as a number."""
        body = mapping.body_of(text)
        return {
            "Subject": subject or mapping.subject_of(body),
            "Body": body,
            "ContentType": "text/plain; charset=utf-8",
            "CommunicationChannel": "Internal",
            "SenderType": "agent",
            "IsVisibleForCustomer": 1 if visibility.is_public else 0,
        }

    def _write_article(
        self,
        ticket_id: str,
        article: dict[str, Any],
        marker: str,
        uploads: Sequence[Upload] = (),
        fields: Sequence[dict[str, Any]] = (),
    ) -> WrittenComment:
        body: dict[str, Any] = {
            "Article": article,
            "DynamicField": [{"Name": self._settings.comment_marker_field, "Value": marker}, *fields],
        }
        names = [mapping.sendable_name(upload.name) for upload in uploads]
        if uploads:
            body["Attachment"] = [self._file(upload, name) for upload, name in zip(uploads, names, strict=True)]
        try:
            article_id = str(self._client.ask("/change", TicketID=ticket_id, **body)["ArticleID"])
        except RefusedError as error:
            raise self._explain(error, Changes()) from error
        visibility = mapping.visibility_of(article["IsVisibleForCustomer"])
        return WrittenComment(article_id, visibility, self._new_files(ticket_id, article_id, names) if names else ())

    def _file(self, upload: Upload, name: str) -> dict[str, str]:
        with upload.open() as stream:
            content = base64.b64encode(stream.read()).decode()
        if not content:
            remedy = "Leave the file where it is; it has no content."
            raise PermanentError(self.name, "POST /change", f"OTRS takes no empty files ({name})", remedy)
        return {"Filename": name, "ContentType": mapping.sendable_type(upload.content_type), "Content": content}

    def _new_files(self, ticket_id: str, article_id: str, names: Sequence[str]) -> tuple[str, ...]:
        """The files' ids in the order of the uploads. Files are sorted by name, and the second of a name gets
        another. Source: recorded `attachment.unicode_name_and_duplicates`."""
        raw = self._one(ticket_id, **ALL, ArticleOrder="DESC", ArticleLimit=LATEST)
        left = [
            file
            for article in _articles(raw)
            if str(article["ArticleID"]) == article_id
            for file in mapping.attachments(self._settings, article, datetime.now(UTC))
        ]
        ids = []
        for name in names:
            stem, dot, ending = name.rpartition(".")
            other = re.compile(rf"{re.escape(stem)}-\d+{re.escape(dot + ending)}" if dot else rf"{re.escape(name)}-\d+")
            fitting = [f for f in left if f.name == name] or [f for f in left if other.fullmatch(f.name)] or left[:1]
            left = [f for f in left if f not in fitting[:1]]
            ids += [f.id for f in fitting[:1]]
        return tuple(ids)

    def _native(self, values: Mapping[str, Value]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """A ticket's own fields, and its dynamic ones."""
        ticket: dict[str, Any] = {}
        fields: list[dict[str, Any]] = []
        for name, value in values.items():
            if name.startswith("custom:"):
                field = self._settings.fields[name.removeprefix("custom:")]
                fields.append({"Name": field.id, "Value": mapping.native_value(field, value)})
            elif name == "title":
                ticket["Title"] = mapping.title_of(str(value))
            elif name == "assignee":
                ticket["OwnerID"] = int(str(value or mapping.NOBODY))
            elif name == "status":
                ticket |= self._state(self.native(name, value))
            elif name == "priority":
                ticket["Priority"] = self.native(name, value)
            elif name == "category":
                ticket["Type"] = self.native(name, value)
            elif name == "line":
                ticket["Queue"] = self.group_of(value)
        return ticket, fields

    def _state(self, state: str) -> dict[str, Any]:
        if not mapping.is_in(self._settings.pending_states, state):
            return {"State": state}
        minutes = max(1, round(timedelta(days=self._settings.pending_days) / timedelta(minutes=1)))
        return {"State": state, "PendingTime": {"Diff": minutes}}

    def _labels(self, labels: frozenset[str]) -> str | list[str]:
        return mapping.labels_value({self.hold_label(x) for x in labels}, self._settings.labels_type)

    def _changed_labels(self, ticket_id: str, changes: Changes) -> dict[str, Any]:
        field = self._settings.labels_field
        if not field:
            why = f"there is no place for labels; name one under trackers.{self.name}.labels_field"
            raise RefusedError(self.name, "POST /change", {"labels": why})
        now = mapping.labels_of(mapping.dynamic_fields(self._one(ticket_id, DynamicFields=1)).get(field))
        return {"Name": field, "Value": self._labels((now | changes.add_labels) - changes.remove_labels)}

    def _explain(self, error: RefusedError, changes: Changes) -> Exception:
        """Puts the names of the request's own fields where the answer only says that it is about a dynamic field."""
        if "line" in error.fields and "line" not in changes.values:
            remedy = f"Correct trackers.{self.name}.queue: the whole path, upper and lower case as in OTRS."
            return PermanentError(self.name, error.doing, error.why, remedy)
        if DYNAMIC_FIELD not in error.fields:
            return error
        why = error.fields[DYNAMIC_FIELD]
        about = [name for name in changes.values if name.startswith("custom:")]
        about += ["labels"] if changes.add_labels or changes.remove_labels else []
        if not about:
            settings = self._settings
            names = ", ".join(
                x for x in (settings.marker_field, settings.comment_marker_field, settings.link_field) if x
            )
            remedy = f"Make the dynamic fields {names}, see the README; `hub check` says which are missing."
            return PermanentError(self.name, error.doing, why, remedy)
        others = {name: text for name, text in error.fields.items() if name != DYNAMIC_FIELD}
        return RefusedError(self.name, error.doing, {**others, **dict.fromkeys(about, why)})

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """Whatever changed since the last look, and in the minute before it.

        The window is given as a number of minutes back from the server's own now: that needs neither its zone nor its
        clock, and no local time that summer time makes ambiguous. A full page is asked for again with more room.
        """
        if cursor is None:
            return Polled((), json.dumps({"since": now.isoformat(), "limit": PAGE}))
        last = json.loads(cursor)
        back = now - datetime.fromisoformat(last["since"])
        minutes = max(1, math.ceil(back / timedelta(minutes=1)) + 1)
        found = self._find(
            TicketLastChangeTimeNewerMinutes=minutes, SortBy="Changed", OrderBy="Up", Limit=last["limit"]
        )
        hints = tuple(Hint(ticket_id=ticket_id, event="poll") for ticket_id in found)
        if len(found) >= last["limit"]:
            return Polled(hints, json.dumps({**last, "limit": last["limit"] * 4}), has_more=True)
        return Polled(hints, json.dumps({"since": now.isoformat(), "limit": PAGE}))

    def close(self) -> None:
        self._client.close()


def _articles(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every article that an answer shows, oldest first, deleted ones among them: they count in its limits."""
    shown = raw.get("Article") or ()
    return sorted(shown if isinstance(shown, list) else [shown], key=lambda article: int(article["ArticleID"]))
