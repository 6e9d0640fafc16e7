"""Jira, spoken over its REST version 2, which Cloud and Data Center share and which takes wiki markup.

Source: Atlassian's OpenAPI document of Jira Cloud and the REST documentation of Data Center; the points that surprise
are named where they matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from hub.connector import (
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
    Polled,
    RemoteLink,
    Role,
    Upload,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.settings.trackers import TrackerSettings
from hub.text import from_wiki
from hub.ticket import Attachment, Markdown, Person, Snapshot, Status, Value, Visibility
from plugins.jira import links, mapping, payloads, texts
from plugins.jira.checks import Checks
from plugins.jira.client import JiraClient
from plugins.jira.comments import Comments
from plugins.jira.searching import Searching
from plugins.jira.settings import JiraSettings
from plugins.jira.site import Site
from plugins.jira.writing import Writing


class JiraConnector(Connector):
    """One Jira site; new issues go to one project, issues of every project can be linked."""

    kind = "jira"
    role = Role.BUG_TRACKER
    settings_model = JiraSettings
    webhook_scheme = HmacSignature(header="X-Hub-Signature", prefix="sha256=")
    delivery_id_header = "x-atlassian-webhook-identifier"
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    default_categories = mapping.CATEGORIES

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, JiraSettings)
        self._settings = settings
        self._client = JiraClient(self, settings)
        self._site = Site(self._client, settings)
        self._searching = Searching(self._client, self._site)
        self._writing = Writing(self, self._client, settings, self._site)
        self._comments = Comments(self._client, settings, self._site)
        self._identity: Identity | None = None
        self.search_lag = timedelta(seconds=settings.search_lag)  # type: ignore[misc]  # a setting here

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset(
            {
                Capability.CREATE, Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS,
                Capability.EDIT_COMMENTS, Capability.DELETE_COMMENTS, Capability.ATTACHMENTS, Capability.WEBHOOKS,
                Capability.POLLING, Capability.REMOTE_LINKS, Capability.USERS, Capability.TRANSITIONS,
            }
        )  # fmt: skip

    def identify(self) -> Identity:
        if self._identity is None:
            me = mapping.person(self._client.get("/myself")) or Person()
            self._identity = Identity(me.id, me.name, self._client.clock_skew)
        return self._identity

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call; more only when an issue has more comments than Jira puts into it. It brings the history along."""
        field_ids = self._site.custom_ids()
        wanted = ",".join([mapping.READ_FIELDS, *field_ids.values()])
        expand = "changelog" if known.history_since else None
        raw = self._client.get(f"/issue/{ticket_id}", fields=wanted, expand=expand)
        fields = raw["fields"]
        project = fields.get("project") or {}
        project_type = str(project.get("projectTypeKey") or "")
        self._site.project_types[str(project.get("key"))] = project_type
        files = tuple(mapping.attachment(a) for a in fields.get("attachment") or ())
        listed = fields.get("comment") or {}
        raws = list(listed.get("comments") or ())
        total = int(listed.get("total", len(raws)))
        if len(raws) < total:
            raws = self._comments.all_of(str(raw["id"]))
        comments = mapping.comments(self._settings, raws, files, project_type)
        return Snapshot(
            ticket=mapping.ticket(self._settings, self, raw, field_ids),
            read_at=self._client.now(),
            comments=comments,
            comment_count=total,
            attachments=files,
            changes=payloads.history(raw, known.history_since, self) if known.history_since else None,
        )

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        return self._client.stream(attachment.url)

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            return texts.held_title(value)
        return super().hold(field_name, value)

    def hold_text(self, text: Markdown) -> Markdown:
        return from_wiki(texts.wiki(text))

    def hold_label(self, label: str) -> str:
        return "_".join(label.split())

    # writing

    def create(self, draft: Draft) -> Created:
        return self._created(self._writing.create(draft))

    def find_ticket(self, marker: str) -> Created | None:
        found = self._searching.find(f'labels = "{marker}"', "summary")
        return self._created(found[0]) if found else None

    def _created(self, raw: Mapping[str, Any]) -> Created:
        return Created(str(raw["id"]), str(raw["key"]), f"{self._settings.url}/browse/{raw['key']}")

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        self._writing.update(ticket_id, changes)
        return Written()

    def transition(self, ticket_id: str, status: Status) -> Written:
        return self._writing.transition(ticket_id, status)

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        return self._comments.add(ticket_id, comment)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        return self._comments.find(ticket_id, marker)

    def edit_comment(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        self._comments.edit(ticket_id, comment_id, text, visibility)

    def delete_comment(self, ticket_id: str, comment_id: str) -> None:
        self._comments.delete(ticket_id, comment_id)

    def attach(self, ticket_id: str, upload: Upload) -> Attachment:
        return self._comments.attach(ticket_id, upload)

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        links.write(self._client, ticket_id, link)
        return None

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        links.remove(self._client, ticket_id, global_id)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request, self)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        return self._searching.poll(cursor, now)

    def find_person(self, email: str) -> Person | None:
        params = {"query": email} if self._site.is_cloud() else {"username": email}
        for raw in self._client.get("/user/search", **params):
            if (raw.get("emailAddress") or "").casefold() == email.casefold():
                return mapping.person(raw)
        return None

    def check(self) -> list[Finding]:
        return Checks(self._client, self._settings, self.statuses, self._site).findings()

    def close(self) -> None:
        self._client.close()
