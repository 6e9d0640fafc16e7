"""Bugzilla, spoken over its REST API.

Source: recorded exchanges with 5.2 and 5.3.3, and the source of Mozilla's fork (mozilla-bteam/bmo); the points that
surprise are named where they matter.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from hub.connector import (
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
    Polled,
    RefusedError,
    RemoteLink,
    Role,
    SecretHeader,
    Unwritable,
    Upload,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.rest import CHUNK
from hub.settings.trackers import TrackerSettings
from hub.ticket import Attachment, Markdown, Person, Snapshot, Status, Value, Visibility
from plugins.bugzilla import labels, mapping, payloads, texts, words
from plugins.bugzilla.checks import findings
from plugins.bugzilla.client import AliasTakenError, BugzillaClient
from plugins.bugzilla.conversation import Conversation
from plugins.bugzilla.facts import Facts
from plugins.bugzilla.links import Links
from plugins.bugzilla.moves import Moves
from plugins.bugzilla.polling import PAGE, Looker, Rows
from plugins.bugzilla.settings import BugzillaSettings
from plugins.bugzilla.writing import Writing, mark_of

OFFERED = frozenset({
    Capability.CREATE, Capability.UPDATE, Capability.TRANSITIONS, Capability.COMMENTS, Capability.PRIVATE_COMMENTS,
    Capability.ATTACHMENTS, Capability.REMOTE_LINKS, Capability.WEBHOOKS, Capability.POLLING, Capability.USERS,
})  # fmt: skip
"""Comments can be neither edited nor deleted (recorded: comment_edit, comment_delete)."""


class BugzillaConnector(Connector):
    """One Bugzilla; new bugs go to one product, bugs of every product can be linked."""

    kind = "bugzilla"
    role = Role.BUG_TRACKER
    settings_model = BugzillaSettings
    settings_decide: ClassVar = {
        Capability.WEBHOOKS: "with `flavour: bmo`, Mozilla's fork",
        Capability.PRIVATE_COMMENTS: "unless `private_comments: false`",
    }
    webhook_scheme = SecretHeader(header="X-Hub-Secret")
    default_statuses = words.STATUSES
    default_priorities = words.PRIORITIES
    default_categories = words.CATEGORIES

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, BugzillaSettings)
        self._settings = settings
        self._client = BugzillaClient(self, settings)
        self._facts = Facts(self._client, settings)
        self._writing = Writing(self, settings, self._facts)
        self._moves = Moves(self, settings, self._facts)
        self._conversation = Conversation(self._client, settings, self._facts)
        self._links = Links(self._client, settings)
        self._looker = Looker()

    @property
    def capabilities(self) -> frozenset[Capability]:
        absent = set() if self._settings.is_mozilla else {Capability.WEBHOOKS}
        return OFFERED - absent - (set() if self._settings.private_comments else {Capability.PRIVATE_COMMENTS})

    def identify(self) -> Identity:
        """By login: it is the one name that comments, histories and webhooks have in common."""
        me = self._facts.me()
        return Identity(me.login, me.real_name or me.login, self._client.clock_skew, self._facts.version())

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """Two calls, three where there are files. Mozilla tells the number of comments, which may save the second."""
        raw = self._bug(ticket_id, mapping.wanted_fields(self._settings))
        read_at, count = self._client.now(), raw.get("comment_count")
        for role in ("creator", "assigned_to"):
            self._facts.learn_names({str(raw[role]): str((raw.get(f"{role}_detail") or {}).get("real_name") or "")})
        if not known.must_read_comments and count is not None and count == known.comment_count:
            ticket = mapping.ticket(self._settings, self, raw, None)
            return Snapshot(ticket=ticket, read_at=read_at, comments=None, comment_count=count)
        said, seen = self._conversation.read(raw)
        return Snapshot(
            ticket=mapping.ticket(self._settings, self, raw, said.description),
            read_at=read_at,
            comments=said.comments,
            comment_count=count if count is not None else seen,
            attachments=said.files,
        )

    def _bug(self, ticket_id: str, fields: str) -> Mapping[str, Any]:
        """A bug by number or alias. A deleted one cannot be told from one that never was."""
        given = ticket_id.lstrip("#")
        found = self._client.get(f"/bug/{quote(given, safe='')}", include_fields=fields)["bugs"]
        if not found:
            raise NotFoundError(self.name, f"GET /bug/{given}", "there is no such bug")
        return dict(found[0])

    @contextmanager
    def download(self, attachment: Attachment) -> Iterator[Iterator[bytes]]:
        """As base64 within JSON: the address for people answers 200 with a page to sign in to whoever may not."""
        path = f"/bug/attachment/{attachment.id}"
        found = self._client.get(path)["attachments"]
        if attachment.id not in found:
            raise NotFoundError(self.name, f"GET {path}", "there is no such file")
        content = base64.b64decode(found[attachment.id]["data"])
        yield (content[at : at + CHUNK] for at in range(0, len(content), CHUNK))

    def find_person(self, email: str) -> Person | None:
        """By login, which is the address nearly everywhere."""
        try:
            user = self._client.get("/user", names=email)["users"][0]
        except NotFoundError:
            return None
        return mapping.person(user["name"], user) if user.get("can_login") is not False else None

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            return texts.held_title(value) or texts.NOTHING
        if field_name == "category" and value is not None and not self._settings.is_mozilla:
            raise Unwritable(f"{self.name} has no types of bugs: only Mozilla's Bugzilla does")
        if field_name == "assignee" and value is None and not self._settings.nobody:
            raise Unwritable(f"every bug of {self.name} has an assignee; see trackers.{self.name}.nobody")
        field = self._settings.fields.get(field_name.removeprefix("custom:"))
        if not field_name.startswith("custom:") or field is None:
            return super().hold(field_name, value)
        return mapping.held_value(self._settings, field, value)

    def hold_text(self, text: Markdown) -> Markdown:
        return texts.neutral_text(self._settings, texts.native_text(self._settings, text))

    def hold_label(self, label: str) -> str:
        return labels.held(label)

    # writing

    def create(self, draft: Draft) -> Created:
        """One call. That an alias is taken is how Bugzilla says that this bug is there already."""
        body = self._writing.new_bug(draft)
        try:
            return self._created(self._client.send("POST", "/bug", body)["id"])
        except AliasTakenError:
            there = self.find_ticket(draft.marker)
            if there is None:
                raise
            return there
        except RefusedError as error:
            raise self._writing.in_neutral_words(error) from error

    def find_ticket(self, marker: str) -> Created | None:
        """Directly by the alias; by the mark's field else, whose search takes no regard to case on MariaDB."""
        mark, field = mark_of(self._settings, marker), self._settings.marker_field
        if field:
            found = self._client.get("/bug", include_fields=f"id,{field}", **{field: mark})["bugs"]
            return next((self._created(raw["id"]) for raw in found if raw.get(field) == mark), None)
        try:
            raw = self._bug(mark, "id,alias")
        except NotFoundError:
            return None
        return self._created(raw["id"])

    def _created(self, bug_id: object) -> Created:
        return Created(str(bug_id), f"#{bug_id}", mapping.address(self._settings, bug_id))

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        """One call; the whiteboard, which is written whole, is read just before. There is no lock (midair_*)."""
        body = self._writing.native(changes.values)
        if changes.add_labels or changes.remove_labels:
            body |= self._writing.labels(self._bug(ticket_id, "id,keywords,whiteboard"), changes)
        told = self._put(ticket_id, body) if body else {}
        return Written(replaced=mapping.replaced(self, told))

    def transition(self, ticket_id: str, status: Status) -> Written:
        """Hop by hop along the workflow, with the resolution and the comments that it asks for."""
        raw = self._bug(ticket_id, "id,status,resolution")
        try:
            bodies = self._moves.bodies(raw, status)
        except LookupError as error:
            remedy = f"Look at trackers.{self.name}.statuses and resolution, and at the workflow."
            raise RefusedError(self.name, f"move {ticket_id} to {status}", {"status": str(error)}, remedy) from error
        for body in bodies:
            self._put(ticket_id, body)
        stood = words.status_word(self.statuses, str(raw["status"]), str(raw["resolution"]))
        return Written(replaced={"status": self.statuses.to_neutral(stood)})

    def _put(self, ticket_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the bug's fields were and became, by its own names."""
        try:
            told = self._client.send("PUT", f"/bug/{ticket_id}", dict(body)).get("bugs") or [{}]
        except RefusedError as error:
            raise self._writing.in_neutral_words(error) from error
        changed: Mapping[str, Any] = told[0].get("changes") or {}
        return changed

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        return self._conversation.add(ticket_id, comment)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        return self._conversation.find(ticket_id, marker)

    def attach(self, ticket_id: str, upload: Upload) -> Attachment:
        number = self._conversation.attach(ticket_id, upload)
        name = texts.file_name(upload.name)
        url = f"{self._settings.url}/attachment.cgi?id={number}"
        return Attachment(number, name, url, upload.size, upload.content_type, mapping.person(self._facts.me().login))

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        """A field where one takes the address. Else a private comment, which stays: nothing deletes it."""
        if self._links.show(ticket_id, link) or not self._settings.private_comments:
            return None
        text = link.note or Markdown(f"[{link.key}]({link.url})")
        return self.add_comment(ticket_id, NewComment(text=text, visibility=Visibility.PRIVATE, marker=link.global_id))

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        self._links.take_back(ticket_id, global_id)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        if not self._settings.is_mozilla:
            raise NotOfferedError(self.name, Capability.WEBHOOKS)
        return payloads.parse(request, self._settings, self)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """Every bug that the account sees, by the database's clock and not by `now`."""
        return self._looker.look(cursor, self._facts.database_time(), self._list)

    def _list(self, since: datetime, offset: int) -> Rows:
        found = self._client.get(
            "/bug", last_change_time=since.strftime("%Y-%m-%dT%H:%M:%SZ"), order="changeddate,bug_id",
            include_fields="id,last_change_time", limit=PAGE, offset=offset,
        )  # fmt: skip
        return [(str(raw["id"]), str(raw["last_change_time"])) for raw in found["bugs"]]

    def check(self) -> list[Finding]:
        return findings(self, self._settings, self._client, self._facts)

    def close(self) -> None:
        self._client.close()
