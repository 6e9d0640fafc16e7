"""Notes, which are GitLab's comments, and the files in them.

Source: docs.gitlab.com, "Notes API", "Project uploads API".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from hub.connector import NewComment, NotFoundError, PermanentError, RemoteLink, Upload, WrittenComment
from hub.text import from_plain
from hub.ticket import Markdown, Person, Visibility
from plugins.gitlab import mapping, text
from plugins.gitlab.client import GitlabClient
from plugins.gitlab.issues import Issues
from plugins.gitlab.settings import GitlabSettings


class Notes:
    """The notes of one project's issues. `own_id` tells the hub's account."""

    def __init__(
        self, client: GitlabClient, settings: GitlabSettings, issues: Issues, own_id: Callable[[], str]
    ) -> None:
        self._client, self._settings, self._issues, self._own_id = client, settings, issues, own_id

    def all_of(self, ticket_id: str) -> list[dict[str, Any]]:
        """Every note of an issue in GitLab's form, the oldest first."""
        pages = self._client.pages(self._path(ticket_id), sort="asc", order_by="created_at")
        return [note for page in pages for note in page]

    def add(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        """One call, and one before it for each file."""
        sent = [(upload.name, *self._upload(upload)) for upload in comment.uploads]
        body = text.with_files(text.written(comment.text), [(name, url) for name, url, _ in sent])
        return self._write(ticket_id, body, comment.visibility, comment.marker, tuple(id for _, _, id in sent))

    def find(self, ticket_id: str, marker: str) -> WrittenComment | None:
        found = self._own(ticket_id, marker)
        if found is None:
            return None
        files = mapping.attachments(self._settings, found["body"], {}, Person())
        internal = _internal(found)
        seen = Visibility.UNKNOWN if internal is None else Visibility.PRIVATE if internal else Visibility.PUBLIC
        return WrittenComment(str(found["id"]), seen, tuple(file.id for file in files))

    def edit(self, ticket_id: str, comment_id: str, text_: Markdown, visibility: Visibility) -> None:
        """GitLab never changes whether a note is internal, and takes no word about it: so it is looked at first, and
        private text is not put into a note that everybody reads. The stamp and the files stay."""
        path = f"{self._path(ticket_id)}/{comment_id}"
        raw = self._client.get(path)
        if not visibility.is_public and not _internal(raw):
            why = "the note is public, and GitLab cannot make it internal"
            raise PermanentError(self._client.name, f"PUT {path}", why)
        before = str(raw.get("body") or "")
        files = mapping.attachments(self._settings, before, {}, Person())
        addresses = {file.name: f"/uploads/{quote(file.id)}" for file in files}
        body, _ = text.point_to(text.written(text_), addresses)
        self._client.send("PUT", path, {"body": f"{body}{text.kept_below(before)}"})

    def delete(self, ticket_id: str, comment_id: str) -> None:
        """Deleting what is gone is fine."""
        try:
            self._client.send("DELETE", f"{self._path(ticket_id)}/{comment_id}")
        except NotFoundError:
            return

    def show_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment:
        """An internal note, because GitLab links issues with issues only. One that stands there is brought up to
        date, so that the same link never shows twice."""
        label = from_plain(f"{link.tracker} {link.key}")
        state = " (solved)" if link.is_resolved else ""
        note = link.note or Markdown(f"Kept in step with [{label}]({link.url}){state}: {from_plain(link.title)}")
        body = text.written(note)
        standing = self._own(ticket_id, link.global_id)
        if standing is None:
            return self._write(ticket_id, body, Visibility.PRIVATE, link.global_id)
        wanted = text.stamped(body, link.global_id)
        if standing["body"] != wanted:
            self._client.send("PUT", f"{self._path(ticket_id)}/{standing['id']}", {"body": wanted})
        return WrittenComment(str(standing["id"]), Visibility.PRIVATE)

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        try:
            standing = self._own(ticket_id, global_id)
        except NotFoundError:
            return
        if standing is not None:
            self.delete(ticket_id, str(standing["id"]))

    def _path(self, ticket_id: str) -> str:
        return f"{self._issues.path(ticket_id)}/notes"

    def _write(
        self, ticket_id: str, body: str, visibility: Visibility, marker: str, files: tuple[str, ...] = ()
    ) -> WrittenComment:
        path, name = self._path(ticket_id), self._client.name
        is_private = not visibility.is_public
        raw = self._client.send("POST", path, {"body": text.stamped(body, marker), "internal": is_private})
        if "id" not in raw:
            raise PermanentError(name, f"POST {path}", "GitLab ran the text as a command instead of keeping it")
        if is_private and not _internal(raw):
            # A server that does not know internal notes, or an account that may not write them: it stood there openly.
            self._client.send("DELETE", f"{path}/{raw['id']}")
            remedy = "Give the hub's account the role Reporter; internal notes need GitLab 15.3 or newer."
            raise PermanentError(name, f"POST {path}", "GitLab made an internal note public; it was deleted", remedy)
        # Asked for as public it is so for people at GitLab; `plain_comments` is about what others write.
        return WrittenComment(str(raw["id"]), visibility, files)

    def _upload(self, upload: Upload) -> tuple[str, str]:
        """Where GitLab serves the file (`/uploads/…`), and its id."""
        with upload.open() as content:
            raw = self._client.upload("~/uploads", upload.name, upload.content_type, content)
        address = str(raw["url"])
        (file,) = text.files_in(f"[x]({address})", lambda _: True)
        return address, file.id

    def _own(self, ticket_id: str, marker: str) -> dict[str, Any] | None:
        for page in self._client.pages(self._path(ticket_id), sort="desc", order_by="created_at"):
            for raw in page:
                is_own = str((raw.get("author") or {}).get("id")) == self._own_id()
                if is_own and text.stamp_of(raw.get("body") or "") == marker:
                    return raw
        return None


def _internal(raw: Mapping[str, Any]) -> bool | None:
    """Servers before 15.3 call it `confidential`; None from those that say neither."""
    told: bool | None = raw.get("internal", raw.get("confidential"))
    return told
