"""Comments and files of one bug: reading them, and writing them so that nothing is doubled after a crash.

A file is written before the comment that it belongs to, each with a mark of its own under it: what of it is there
already is then found by its mark, and the comment, written last, stands for the whole.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hub.connector import NewComment, Upload, WrittenComment
from hub.ticket import Visibility
from plugins.bugzilla import mapping, texts
from plugins.bugzilla.client import BugzillaClient
from plugins.bugzilla.facts import Facts
from plugins.bugzilla.settings import BugzillaSettings

_TYPE = re.compile(r"(?:application|audio|image|message|model|multipart|text|video)/[\w.+-]+")
ANY_TYPE = "application/octet-stream"


class Conversation:
    """For one installation; every method may call it and raises only ConnectorErrors."""

    def __init__(self, client: BugzillaClient, settings: BugzillaSettings, facts: Facts) -> None:
        self._client, self._settings, self._facts = client, settings, facts

    def read(self, bug: Mapping[str, Any]) -> tuple[mapping.Said, int]:
        """What was said in a bug, and how many comments the hub can see. Files are asked for where there are any."""
        raw, bug_id = self._comments(str(bug["id"])), str(bug["id"])
        files: dict[str, Mapping[str, Any]] = {}
        if any(one.get("attachment_id") for one in raw):
            answer = self._client.get(f"/bug/{bug_id}/attachment", exclude_fields="data")
            files = {str(f["id"]): f for f in answer["bugs"][bug_id]}
        names = self._facts.names({str(one["creator"]) for one in raw})
        restricted = mapping.is_restricted(self._settings, bug)
        found = mapping.said(self._settings, raw, files, self._facts.me().login, names, is_restricted=restricted)
        return found, len(raw)

    def _comments(self, bug_id: str) -> list[Mapping[str, Any]]:
        answer = self._client.get(f"/bug/{bug_id}/comment")
        return [one for comments in answer["bugs"].values() for one in comments["comments"]]

    def add(self, bug_id: str, comment: NewComment) -> WrittenComment:
        """Its files first, then the text. The visibility is stated each time."""
        is_private = not comment.visibility.is_public
        there = dict(self._marked(bug_id)) if comment.uploads else {}
        files = []
        for at, upload in enumerate(comment.uploads):
            mark = f"{comment.marker}:file{at}"
            known = there.get(mark)
            files.append(
                str(known["attachment_id"])
                if known
                else self._upload(bug_id, upload, is_private=is_private, comment=texts.marked("", mark))
            )
        text = texts.native_text(self._settings, comment.text)
        body: dict[str, Any] = {
            "comment": texts.marked(text or texts.NOTHING, comment.marker),
            "is_private": is_private,
        }
        if self._settings.has_markdown:
            body["is_markdown"] = True
        number = self._client.send("POST", f"/bug/{bug_id}/comment", body)["id"]
        return WrittenComment(str(number), comment.visibility, tuple(files))

    def find(self, bug_id: str, marker: str) -> WrittenComment | None:
        """The comment with this mark, with the files that were written before it."""
        marked = dict(self._marked(bug_id))
        found = marked.get(marker)
        if found is None:
            return None
        files = [(mark, one) for mark, one in marked.items() if mark.startswith(f"{marker}:file")]
        files.sort(key=lambda pair: int(pair[0].rpartition(":file")[2]))
        visibility = Visibility.PUBLIC if found["is_private"] is False else Visibility.PRIVATE
        return WrittenComment(str(found["id"]), visibility, tuple(str(one["attachment_id"]) for _, one in files))

    def attach(self, bug_id: str, upload: Upload) -> str:
        """A file that everybody who sees the bug may see; returns its number."""
        return self._upload(bug_id, upload, is_private=False, comment="")

    def _marked(self, bug_id: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        own = self._facts.me().login
        for one in self._comments(bug_id):
            mark = texts.unmarked(str(one["text"]))[1] if one["creator"] == own else None
            if mark is not None:
                yield mark, one

    def _upload(self, bug_id: str, upload: Upload, *, is_private: bool, comment: str) -> str:
        with upload.open() as content:
            data = base64.b64encode(content.read()).decode()
        name, kind = texts.file_name(upload.name), upload.content_type.partition(";")[0].strip()
        body = {
            "data": data, "file_name": name, "summary": name, "is_private": is_private, "comment": comment,
            "content_type": kind if _TYPE.fullmatch(kind) else ANY_TYPE,
        }  # fmt: skip
        answer = self._client.send("POST", f"/bug/{bug_id}/attachment", body)
        # Upstream tells the numbers, Mozilla the files by number.
        return str(next(iter(answer.get("ids") or answer["attachments"])))
