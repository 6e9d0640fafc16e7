"""SolarWinds Service Desk, spoken over its API v2.1.

Sources: documentation.solarwinds.com, "API documentation: General Concepts"; answers of live accounts as published by
the project MCP-SWSD; the points that surprise are named where they matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
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
from hub.text import from_html
from hub.ticket import Attachment, Markdown, Person, Snapshot, Value, Visibility
from plugins.solarwinds import bodies, checks, customs, mapping, payloads
from plugins.solarwinds.client import LOUD, PAGE, SILENT, SolarwindsClient
from plugins.solarwinds.comments import Comments
from plugins.solarwinds.polling import AUDITS, Position
from plugins.solarwinds.settings import Loud, SolarwindsSettings

SHORTEST_ID = 7
"""Digits of an id: numbers, by which people call tickets, have fewer. Source: live findings."""


class SolarwindsConnector(Connector):
    """One Service Desk account."""

    kind = "solarwinds"
    role = Role.HELPDESK
    settings_model = SolarwindsSettings
    webhook_scheme = SecretHeader(header="X-Hub-Secret")
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    max_attachment_bytes: ClassVar[int] = 20 * 1024 * 1024
    search_lag = timedelta(minutes=5)
    settings_decide: ClassVar = {Capability.LINES: "with `lines`"}

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, SolarwindsSettings)
        self._settings = settings
        self.lines = settings.lines
        self._client = SolarwindsClient(self, settings)
        self._comments = Comments(self, self._client, settings)
        self._identity: Identity | None = None
        self._polls_audits = settings.poll_audits

    @property
    def capabilities(self) -> frozenset[Capability]:
        offered = {
            Capability.CREATE, Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS,
            Capability.EDIT_COMMENTS, Capability.DELETE_COMMENTS, Capability.ATTACHMENTS,
            Capability.ATTACHMENTS_IN_COMMENTS, Capability.WEBHOOKS, Capability.POLLING, Capability.USERS,
            Capability.REMOTE_LINKS, Capability.RATINGS,
        }  # fmt: skip
        return frozenset(offered | ({Capability.LINES} if self.lines else set()))

    def identify(self) -> Identity:
        """The token tells whose it is; where it does not, the account's profile does."""
        if self._identity is None:
            own = self._client.own_id
            me = self._client.get(f"/users/{own}.json" if own else "/profile.json")
            self._identity = Identity(str(me["id"]), me.get("name") or me["email"], self._client.clock_skew)
        return self._identity

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call: the long layout holds comments, files and tags. By id, or by the number that people use."""
        own = self.identify().account_id
        raw = self._incident(ticket_id)
        ticket = mapping.ticket(self._settings, self, raw)
        comments = mapping.comments(raw, own)
        return Snapshot(
            ticket=ticket,
            read_at=self._client.now(),
            comments=comments,
            comment_count=len(comments),
            attachments=mapping.attachments(raw, ticket.requester or Person()),
        )

    def _incident(self, ticket_id: str) -> dict[str, Any]:
        number = ticket_id.removeprefix("#")
        if ticket_id.startswith("#"):
            return self._incident(self._id_of(number))
        try:
            return self._client.incident(number)
        except NotFoundError:
            if not number.isdigit() or len(number) >= SHORTEST_ID:
                raise
            return self._incident(self._id_of(number))

    def _id_of(self, number: str) -> str:
        """The id of the ticket with this number. Only the free search knows numbers, and it finds texts as well."""
        for row in self._client.page("/incidents.json", query=number).rows:
            if str(row.get("number")) == number and len(str(row["id"])) >= SHORTEST_ID:
                return str(row["id"])
        why = f"there is no ticket #{number}, or the search does not know it yet"
        raise NotFoundError(self.name, f"find ticket #{number}", why, "Try again in some minutes, or give its id.")

    @contextmanager
    def download(self, attachment: Attachment) -> Iterator[Iterator[bytes]]:
        with ExitStack() as stack:
            # Only the opening is guarded: what the reader of the file does is the reader's.
            try:
                chunks = stack.enter_context(self._client.stream(attachment.url))
            except (AuthError, NotFoundError) as error:
                why = f"the signed address of the file has ended: {error.why}"
                raise TemporaryError(self.name, error.doing, why, "The ticket is read again for a new one.") from error
            yield chunks

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            return mapping.one_line(value)
        if field_name.startswith("custom:"):
            field = self._settings.fields[field_name.removeprefix("custom:")]
            return held(self.name, field, value, customs.native_value, customs.field_value)
        return super().hold(field_name, value)

    def hold_text(self, text: Markdown) -> Markdown:
        return from_html(mapping.text_to_html(text))

    def hold_label(self, label: str) -> str:
        return mapping.tag(label)

    # writing

    def create(self, draft: Draft) -> Created:
        """One call; see `bodies.of_draft`."""
        body = bodies.of_draft(self._settings, self, draft, self.identify().account_id)
        try:
            return self._created(self._client.send("POST", f"/incidents.json{self._volume('create')}", body))
        except RefusedError as error:
            if "requester" in error.fields:
                remedy = "Make the person a user of Service Desk (Setup > Users), then retry."
                raise PermanentError(self.name, error.doing, error.why, remedy) from error
            remedy = f"Fields that Service Desk requires get a value under trackers.{self.name}.create_fields."
            raise RefusedError(self.name, error.doing, error.fields, remedy) from error

    def find_ticket(self, marker: str) -> Created | None:
        """The newest tickets are read directly; what is older is left to the search, whose index lags.

        Of several with the mark the oldest counts: a mail that quotes a ticket may have become one.
        """
        newest = self._client.page("/incidents.json", sort_by="created_at", sort_order="DESC")
        for rows in (newest.rows, self._client.page("/incidents.json", query=f'"{marker}"').rows):
            found = [r for r in rows if mapping.unmarked(r.get("description") or "").marker == marker]
            if found:
                return self._created(min(found, key=lambda r: int(r["id"])))
        return None

    def _created(self, raw: Mapping[str, Any]) -> Created:
        return Created(str(raw["id"]), mapping.key_of(raw), mapping.url_of(self._settings, raw))

    def _volume(self, sort: Loud) -> str:
        return LOUD if sort in self._settings.notify else SILENT

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        """One PUT; after tags one look more, because only the long layout shows whether they were kept."""
        body = bodies.of_changes(self._settings, self, changes)
        answer = self._client.send("PUT", f"/incidents/{ticket_id}.json{self._volume('update')}", body)
        refused = bodies.not_kept(self._settings, self, changes.values, answer)
        if changes.add_labels or changes.remove_labels:
            why = bodies.tags_not_kept(changes, self._incident(ticket_id))
            refused |= {"labels": why} if why else {}
        if refused:
            remedy = f"Compare trackers.{self.name} with the account: hub check tells what is not there."
            raise RefusedError(self.name, f"PUT /incidents/{ticket_id}.json", refused, remedy)
        return Written()

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        return self._comments.add(ticket_id, comment)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        return self._comments.find(ticket_id, marker)

    def edit_comment(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        self._comments.edit(ticket_id, comment_id, text, visibility)

    def delete_comment(self, ticket_id: str, comment_id: str) -> None:
        self._comments.delete(ticket_id, comment_id)

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        note = link.note or Markdown(f"[{link.key}]({link.url})")
        return self.add_comment(ticket_id, NewComment(text=note, visibility=Visibility.PRIVATE, marker=link.global_id))

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        """Deletes the note that showed the link."""
        note = self.find_comment(ticket_id, global_id)
        if note is not None:
            self.delete_comment(ticket_id, note.id)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """One page of the list or of the audit log; see `polling`."""
        if cursor is None:
            # Times are compared with Service Desk's: where its clock is behind ours, so is the beginning.
            behind = timedelta(seconds=min(0.0, self.identify().clock_skew or 0.0))
            return Polled((), Position.at(now + behind).dump())
        position = Position.load(cursor)
        path = "/audits.json" if position.stream == AUDITS else "/incidents.json"
        try:
            page = self._client.page(path, position.page, PAGE, **position.query)
        except (AuthError, NotFoundError):
            if position.stream != AUDITS:
                raise
            # The user's role may not read the log, as `hub check` says; the list of tickets has to do.
            self._polls_audits = False
            return Polled((), position.end_of_look(with_audits=False).dump())
        following, hints, has_more = position.after(page, self._client.now(), with_audits=self._polls_audits)
        return Polled(hints, following.dump(), has_more)

    def find_person(self, email: str) -> Person | None:
        for row in self._client.page("/users.json", email=email).rows:
            if (row.get("email") or "").casefold() == email.casefold() and not row.get("disabled"):
                return mapping.person(row)
        return None

    def check(self) -> list[Finding]:
        self.identify()
        return checks.findings(self._settings, self, self._client, self.identify().account_id)

    def close(self) -> None:
        self._client.close()
