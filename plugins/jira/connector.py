"""Jira, spoken over its REST version 2, which Cloud and Data Center share and which takes wiki markup.

Source: Atlassian's OpenAPI document of Jira Cloud and the REST documentation of Data Center; the points that surprise
are named where they matter.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

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
    NotFoundError,
    PermanentError,
    Polled,
    RefusedError,
    RemoteLink,
    Role,
    Upload,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.settings.trackers import TrackerSettings
from hub.text import defuse, from_wiki, to_wiki
from hub.ticket import Attachment, Markdown, Person, Snapshot, Status, Value, Visibility
from plugins.jira import mapping, payloads
from plugins.jira.checks import Checks
from plugins.jira.client import JiraClient
from plugins.jira.settings import JiraSettings
from plugins.jira.workflow import Hop, Workflow, walk

TITLE_LIMIT = 255
POLL_OVERLAP = timedelta(minutes=3)
"""JQL compares whole minutes and the index lags; what was told already is left out by id and time."""
PAGE = 100
NEUTRAL = {"summary": "title", "issuetype": "category"}
"""Jira's field ids in errors -> neutral names, where they differ."""


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
        self._lock = threading.Lock()
        self._identity: Identity | None = None
        self._is_cloud: bool | None = {"cloud": True, "datacenter": False}.get(settings.flavour)
        self._field_ids: dict[str, str] | None = None if settings.fields else {}
        self._project_types: dict[str, str] = {}
        self._project_statuses: dict[str, dict[str, str]] = {}
        self._workflows: dict[tuple[str, str], Workflow] = {}
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
        """One call; more only when an issue has more comments than Jira puts into it."""
        field_ids = self._custom_ids()
        wanted = ",".join([mapping.READ_FIELDS, *field_ids.values()])
        raw = self._client.get(f"/issue/{ticket_id}", fields=wanted)
        fields = raw["fields"]
        project = fields.get("project") or {}
        project_type = str(project.get("projectTypeKey") or "")
        self._project_types[str(project.get("key"))] = project_type
        files = tuple(mapping.attachment(a) for a in fields.get("attachment") or ())
        listed = fields.get("comment") or {}
        raws = list(listed.get("comments") or ())
        total = int(listed.get("total", len(raws)))
        if len(raws) < total:
            raws = self._all_comments(str(raw["id"]))
        comments = mapping.comments(self._settings, raws, files, project_type)
        return Snapshot(
            ticket=mapping.ticket(self._settings, self, raw, field_ids),
            read_at=self._client.now(),
            comments=comments,
            comment_count=total,
            attachments=files,
        )

    def _all_comments(self, issue_id: str, expand: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            more = {"expand": expand} if expand else {}
            answer = self._client.get(
                f"/issue/{issue_id}/comment", startAt=len(found), maxResults=PAGE, orderBy="created", **more
            )
            found += answer["comments"]
            if not answer["comments"] or len(found) >= int(answer.get("total", 0)):
                return found

    def _custom_ids(self) -> Mapping[str, str]:
        """Ids of the configured custom fields; names are looked up once."""
        with self._lock:
            if self._field_ids is None:
                self._field_ids = {
                    name: self._id_of(field.id) or field.id for name, field in self._settings.fields.items()
                }
            return self._field_ids

    def _id_of(self, given: str) -> str | None:
        if given.startswith("customfield_"):
            return given
        fields = self._client.get("/field")
        return next((f["id"] for f in fields if f["name"].casefold() == given.casefold()), None)

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        return self._client.stream(attachment.url)

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            title = " ".join(value.split())
            return title if len(title) <= TITLE_LIMIT else title[: TITLE_LIMIT - 1].rstrip() + "…"
        return super().hold(field_name, value)

    def hold_text(self, text: Markdown) -> Markdown:
        return from_wiki(_wiki(text))

    def hold_label(self, label: str) -> str:
        return "_".join(label.split())

    # writing

    def create(self, draft: Draft) -> Created:
        """One call. The mark is a label, because Jira's search finds labels, and a property that people do not see."""
        fields: dict[str, Any] = {
            "project": {"key": self._settings.project},
            "issuetype": {"name": self._settings.issue_type},
            "summary": draft.title or draft.marker,
            "description": _wiki(draft.description),
            "labels": sorted({self.hold_label(label) for label in draft.labels} | {draft.marker}),
            **self._settings.create_fields,
            **self._native(draft.values),
        }
        body = {"fields": fields, "properties": [{"key": mapping.ORIGIN, "value": {"marker": draft.marker}}]}
        try:
            answer = self._client.send("POST", "/issue", body)
        except RefusedError as error:
            raise self._in_neutral_words(error) from error
        return self._created(answer)

    def find_ticket(self, marker: str) -> Created | None:
        found = self._search(f'labels = "{marker}"', "summary")
        return self._created(found[0]) if found else None

    def _created(self, raw: Mapping[str, Any]) -> Created:
        return Created(str(raw["id"]), str(raw["key"]), f"{self._settings.url}/browse/{raw['key']}")

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        """One PUT; labels by their verbs, so that a label that somebody adds meanwhile stays."""
        labels = [{"add": label} for label in sorted(changes.add_labels)]
        labels += [{"remove": label} for label in sorted(changes.remove_labels)]
        body: dict[str, Any] = {"fields": self._native(changes.values)}
        if labels:
            body["update"] = {"labels": labels}
        params = {"notifyUsers": "false"} if self._settings.quiet else {}
        try:
            self._client.send("PUT", f"/issue/{ticket_id}", body, params=params)
        except RefusedError as error:
            raise self._in_neutral_words(error) from error
        return Written()

    def transition(self, ticket_id: str, status: Status) -> Written:
        raw = self._client.get(f"/issue/{ticket_id}", fields="status,project,issuetype")
        fields = raw["fields"]
        key = (str(fields["project"]["key"]), str(fields["issuetype"]["name"]))
        walk(
            tracker=self.name,
            issue=str(raw["key"]),
            status=str(fields["status"]["name"]),
            wanted=self._words_for(status, key[0]),
            defaults=self._settings.transition_fields,
            workflow=self._workflows.setdefault(key, Workflow()),
            hops_from_here=lambda: self._hops(ticket_id),
            take=lambda hop, values: self._take(ticket_id, hop, values),
        )
        return Written()

    def _words_for(self, status: Status, project: str) -> list[str]:
        """The statuses to go to, the best first: of all words for it those that this project's workflows have.

        Of finished ones only the best: others that mean the same (`Won't Do` beside `Done`) say something else to
        people. Of the others each will do, e.g. `Reopened` for `To Do`, where one step leads there. Raises
        RefusedError when the project has none of them: to look for the way would only move the issue about.
        """
        first = self.native("status", status)
        if project not in self._project_statuses:
            kinds = self._client.get(f"/project/{project}/statuses")
            self._project_statuses[project] = {s["name"].casefold(): s["name"] for k in kinds for s in k["statuses"]}
        same = [word for word, meaning in self.statuses.meaning.items() if meaning is self.statuses.to_neutral(first)]
        words = [first, *(word for word in same if word != first.casefold())]
        there = [word for word in words if word.casefold() in self._project_statuses[project]]
        if not there:
            known = ", ".join(self._project_statuses[project].values())
            why = f"{project} has no status {' or '.join(words)}; it has {known}"
            remedy = f"Map one of them: trackers.{self.name}.statuses: {{{status}: …}}"
            raise RefusedError(self.name, f"move to {first}", {"status": why}, remedy)
        return there[:1] if status.is_done else there

    def _hops(self, issue_id: str) -> list[Hop]:
        answer = self._client.get(f"/issue/{issue_id}/transitions", expand="transitions.fields")
        return [
            Hop(
                str(t["id"]),
                t["name"],
                t["to"]["name"],
                (t["to"].get("statusCategory") or {}).get("key", ""),
                t.get("fields") or {},
            )
            for t in answer["transitions"]
        ]

    def _take(self, issue_id: str, hop: Hop, values: Mapping[str, Any]) -> None:
        body: dict[str, Any] = {"transition": {"id": hop.id}} | ({"fields": dict(values)} if values else {})
        try:
            self._client.send("POST", f"/issue/{issue_id}/transitions", body)
        except RefusedError as error:
            why = f"the transition {hop.name!r} was refused: {error.why}"
            remedy = f"Look at trackers.{self.name}.transition_fields."
            raise RefusedError(self.name, error.doing, {"status": why}, remedy) from error

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        restriction = self._restriction(ticket_id, comment.visibility)
        files = [self.attach(ticket_id, upload) for upload in comment.uploads]
        body = _wiki(comment.text)
        missing = [f.name for f in files if f.name not in mapping.referred(body)]
        if missing:
            body += "\n\n" + " ".join(f"[^{name}]" for name in missing)
        raw = self._client.send(
            "POST", f"/issue/{ticket_id}/comment", {"body": body, **self._stamped(restriction, comment.marker)}
        )
        seen = mapping.visibility(self._settings, {**raw, **_told(restriction, raw)}, self._project_type(ticket_id))
        return WrittenComment(str(raw["id"]), seen, tuple(f.id for f in files))

    def _stamped(self, restriction: Mapping[str, Any], marker: str) -> dict[str, Any]:
        properties = [{"key": mapping.ORIGIN, "value": {"marker": marker}}, *restriction.get("properties", ())]
        return {**restriction, "properties": properties}

    def _restriction(self, issue_id: str, visibility: Visibility) -> dict[str, Any]:
        """What makes a comment as public or private as it was asked for; there is no default."""
        if self._project_type(issue_id) == "service_desk":
            internal = not visibility.is_public
            return {"properties": [{"key": mapping.INTERNAL, "value": {"internal": internal}}]}
        if visibility.is_public or self._settings.plain_comments == "private":
            return {}
        if not self._settings.private_role:
            raise PermanentError(
                self.name,
                f"write a private comment in {issue_id}",
                "comments of this project are public, and no role is set that private ones are for.",
                f"Set trackers.{self.name}.private_role.",
            )
        return {"visibility": {"type": "role", "value": self._settings.private_role}}

    def _project_type(self, issue_id: str) -> str:
        """The type of an issue's project, asked once a project. New issues' project is known."""
        key = self._issue_project(issue_id)
        if key not in self._project_types:
            self._project_types[key] = str(self._client.get(f"/project/{key}").get("projectTypeKey") or "")
        return self._project_types[key]

    def _issue_project(self, issue_id: str) -> str:
        if len(self._project_types) == 1:
            return next(iter(self._project_types))
        if not self._project_types:
            return self._settings.project
        return str(self._client.get(f"/issue/{issue_id}", fields="project")["fields"]["project"]["key"])

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        project_type = self._project_type(ticket_id)
        for raw in self._all_comments(ticket_id, expand="properties"):
            if mapping.marker_of(raw.get("properties") or ()) == marker:
                return WrittenComment(str(raw["id"]), mapping.visibility(self._settings, raw, project_type))
        return None

    def edit_comment(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        body = {"body": _wiki(text), **self._restriction(ticket_id, visibility)}
        self._client.send("PUT", f"/issue/{ticket_id}/comment/{comment_id}", body)

    def delete_comment(self, ticket_id: str, comment_id: str) -> None:
        try:
            self._client.send("DELETE", f"/issue/{ticket_id}/comment/{comment_id}")
        except NotFoundError:
            return

    def attach(self, ticket_id: str, upload: Upload) -> Attachment:
        content: BinaryIO = upload.open()
        answer = self._client.send(
            "POST",
            f"/issue/{ticket_id}/attachments",
            files={"file": (upload.name, content, upload.content_type)},
            headers={"X-Atlassian-Token": "no-check", "Content-Type": None},
        )
        return mapping.attachment(answer[0])

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        """The whole link at once: with a known `globalId` it replaces, and what is left out becomes null."""
        self._client.send(
            "POST",
            f"/issue/{ticket_id}/remotelink",
            {
                "globalId": link.global_id,
                "application": {"type": "ticket-hub", "name": link.tracker},
                "relationship": "is kept in step with",
                "object": {
                    "url": link.url,
                    "title": f"{link.tracker} {link.key}",
                    "summary": link.title,
                    "status": {"resolved": link.is_resolved},
                },
            },
        )
        return None

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        try:
            self._client.send("DELETE", f"/issue/{ticket_id}/remotelink", params={"globalId": global_id})
        except NotFoundError:
            return

    def _native(self, values: Mapping[str, Value]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        ids = self._custom_ids()
        for name, value in values.items():
            if name.startswith("custom:"):
                custom = name.removeprefix("custom:")
                fields[ids[custom]] = mapping.native_value(self._settings.fields[custom], value)
            elif name == "title":
                fields["summary"] = value
            elif name == "description":
                fields["description"] = _wiki(Markdown(str(value or "")))
            elif name == "priority":
                fields["priority"] = {"name": self.native(name, value)}
            elif name == "category":
                fields["issuetype"] = {"name": self.native(name, value)}
            elif name == "assignee":
                fields["assignee"] = {"accountId" if self._cloud() else "name": value} if value else None
        return fields

    def _in_neutral_words(self, error: RefusedError) -> RefusedError:
        names = {field_id: f"custom:{name}" for name, field_id in self._custom_ids().items()} | NEUTRAL
        fields = {names.get(name, name): why for name, why in error.fields.items()}
        remedy = (
            f"Look at the screen of {self._settings.issue_type} in {self._settings.project}, and at the mapping; what "
            f"new issues need beyond it stands under trackers.{self.name}.create_fields."
        )
        return RefusedError(self.name, error.doing, fields, remedy)

    def _cloud(self) -> bool:
        if self._is_cloud is None:
            self._is_cloud = self._client.get("/serverInfo").get("deploymentType") == "Cloud"
        return self._is_cloud

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request, self)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """Everything updated since the last look, less what was told then. Times are epoch milliseconds, which JQL
        takes without regard to the account's time zone."""
        state: dict[str, Any] = json.loads(cursor) if cursor else {"since": now.timestamp(), "told": {}}
        since = datetime.fromtimestamp(state["since"], UTC) - POLL_OVERLAP
        jql = f"updated >= {int(since.timestamp() * 1000)} ORDER BY updated ASC, key ASC"
        told: dict[str, str] = state["told"]
        hints = []
        seen: dict[str, str] = {}
        for raw in self._search(jql, "updated"):
            updated = str(raw["fields"]["updated"])
            seen[str(raw["id"])] = updated
            if cursor and told.get(str(raw["id"])) != updated:
                hints.append(Hint(ticket_id=str(raw["id"]), event="poll", at=mapping.utc(updated)))
        # Only now, after the whole pass: issues move between pages while they are read.
        return Polled(tuple(hints), json.dumps({"since": now.timestamp(), "told": seen}))

    def _search(self, jql: str, fields: str) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        token: str | None = None
        while True:
            body: dict[str, Any] = {"jql": jql, "fields": fields.split(","), "maxResults": PAGE}
            if self._cloud():
                answer = self._client.send(
                    "POST", "/rest/api/2/search/jql", body | ({"nextPageToken": token} if token else {})
                )
            else:
                answer = self._client.send("POST", "/search", body | {"startAt": len(found)})
            before = len(found)
            found |= {str(i["id"]): i for i in answer["issues"]}
            token = answer.get("nextPageToken")
            at_end = not token if self._cloud() else len(found) >= int(answer["total"])
            if at_end or len(found) == before:
                return list(found.values())

    def find_person(self, email: str) -> Person | None:
        params = {"query": email} if self._cloud() else {"username": email}
        for raw in self._client.get("/user/search", **params):
            if (raw.get("emailAddress") or "").casefold() == email.casefold():
                return mapping.person(raw)
        return None

    def check(self) -> list[Finding]:
        return Checks(self._client, self._settings, self.statuses, self._project_types, self._custom_ids()).findings()

    def close(self) -> None:
        self._client.close()


def _wiki(text: Markdown) -> str:
    return to_wiki(defuse(text))


def _told(restriction: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Data Center does not answer with `jsdPublic`: what was asked for is all that is known then."""
    for one in restriction.get("properties", ()):
        if one["key"] == mapping.INTERNAL and "jsdPublic" not in raw:
            return {"jsdPublic": not one["value"]["internal"]}
    return {}
