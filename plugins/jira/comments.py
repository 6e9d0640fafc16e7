"""Comments, and the files that they bring along. A comment's mark is a property, which people do not see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from hub.connector import NewComment, NotFoundError, PermanentError, Upload, WrittenComment
from hub.ticket import Attachment, Markdown, Visibility
from plugins.jira import mapping
from plugins.jira.client import JiraClient
from plugins.jira.settings import JiraSettings
from plugins.jira.site import SERVICE_DESK, Site
from plugins.jira.texts import wiki

PAGE = 100


class Comments:
    """The comments of one site."""

    def __init__(self, client: JiraClient, settings: JiraSettings, site: Site) -> None:
        self._client, self._settings, self._site = client, settings, site

    def all_of(self, issue_id: str, expand: str = "") -> list[dict[str, Any]]:
        """Every comment of an issue in Jira's form, the oldest first."""
        found: list[dict[str, Any]] = []
        while True:
            more = {"expand": expand} if expand else {}
            answer = self._client.get(
                f"/issue/{issue_id}/comment", startAt=len(found), maxResults=PAGE, orderBy="created", **more
            )
            found += answer["comments"]
            if not answer["comments"] or len(found) >= int(answer.get("total", 0)):
                return found

    def add(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        """One call, and one more for each file."""
        restriction = self._restriction(ticket_id, comment.visibility)
        files = [self.attach(ticket_id, upload) for upload in comment.uploads]
        body = wiki(comment.text)
        missing = [f.name for f in files if f.name not in mapping.referred(body)]
        if missing:
            body += "\n\n" + " ".join(f"[^{name}]" for name in missing)
        raw = self._client.send(
            "POST", f"/issue/{ticket_id}/comment", {"body": body, **_stamped(restriction, comment.marker)}
        )
        project_type = self._site.project_type(ticket_id)
        seen = mapping.visibility(self._settings, {**raw, **_told(restriction, raw)}, project_type)
        return WrittenComment(str(raw["id"]), seen, tuple(f.id for f in files))

    def find(self, ticket_id: str, marker: str) -> WrittenComment | None:
        project_type = self._site.project_type(ticket_id)
        for raw in self.all_of(ticket_id, expand="properties"):
            if mapping.marker_of(raw.get("properties") or ()) == marker:
                return WrittenComment(str(raw["id"]), mapping.visibility(self._settings, raw, project_type))
        return None

    def edit(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        body = {"body": wiki(text), **self._restriction(ticket_id, visibility)}
        self._client.send("PUT", f"/issue/{ticket_id}/comment/{comment_id}", body)

    def delete(self, ticket_id: str, comment_id: str) -> None:
        """Deleting what is gone is fine."""
        try:
            self._client.send("DELETE", f"/issue/{ticket_id}/comment/{comment_id}")
        except NotFoundError:
            return

    def attach(self, ticket_id: str, upload: Upload) -> Attachment:
        """A file of the issue; Jira's comments have none of their own and refer to these."""
        content: BinaryIO = upload.open()
        answer = self._client.send(
            "POST",
            f"/issue/{ticket_id}/attachments",
            files={"file": (upload.name, content, upload.content_type)},
            headers={"X-Atlassian-Token": "no-check", "Content-Type": None},
        )
        return mapping.attachment(answer[0])

    def _restriction(self, issue_id: str, visibility: Visibility) -> dict[str, Any]:
        """What makes a comment as public or private as it was asked for; there is no default."""
        if self._site.project_type(issue_id) == SERVICE_DESK:
            internal = not visibility.is_public
            return {"properties": [{"key": mapping.INTERNAL, "value": {"internal": internal}}]}
        if visibility.is_public or self._settings.plain_comments == "private":
            return {}
        if not self._settings.private_role:
            raise PermanentError(
                self._client.name,
                f"write a private comment in {issue_id}",
                "comments of this project are public, and no role is set that private ones are for.",
                f"Set trackers.{self._client.name}.private_role.",
            )
        return {"visibility": {"type": "role", "value": self._settings.private_role}}


def _stamped(restriction: Mapping[str, Any], marker: str) -> dict[str, Any]:
    properties = [{"key": mapping.ORIGIN, "value": {"marker": marker}}, *restriction.get("properties", ())]
    return {**restriction, "properties": properties}


def _told(restriction: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Data Center does not answer with `jsdPublic`: what was asked for is all that is known then."""
    for one in restriction.get("properties", ()):
        if one["key"] == mapping.INTERNAL and "jsdPublic" not in raw:
            return {"jsdPublic": not one["value"]["internal"]}
    return {}
