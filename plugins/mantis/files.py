"""Files of issues and notes: base64 within JSON, both ways. Source: recorded exchanges file.*, files.*."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

from hub.connector import NotFoundError, PermanentError, Upload
from hub.rest import CHUNK
from hub.ticket import Attachment
from plugins.mantis import mapping, texts
from plugins.mantis.client import MantisClient
from plugins.mantis.facts import Facts
from plugins.mantis.issues import Issues
from plugins.mantis.settings import MantisSettings


class Files:
    """The files of one site."""

    def __init__(self, client: MantisClient, settings: MantisSettings, facts: Facts, issues: Issues) -> None:
        self._client, self._settings, self._facts, self._issues = client, settings, facts, issues

    def encoded(self, upload: Upload) -> dict[str, str]:
        """A file in the form that goes up."""
        with upload.open() as content:
            encoded = base64.b64encode(content.read()).decode()
        return {"name": texts.file_name(self._settings, upload.name), "content": encoded}

    def attach(self, ticket_id: str, upload: Upload) -> Attachment:
        """Two calls: the answer to the first is empty, and tells neither id nor the name that the file got."""
        path = f"/issues/{ticket_id}/files"
        self._client.send("POST", path, {"files": [self.encoded(upload)]})
        raw, _ = self._issues.get(ticket_id, select="id,attachments")
        own = [a for a in raw.get("attachments") or () if a["reporter"]["id"] == self._facts.me()["id"]]
        same = [a for a in own if a.get("size") == upload.size] or own
        if not same:
            raise PermanentError(self._client.name, f"POST {path}", "MantisBT took the file but does not show it.")
        return mapping.attachment(self._settings, max(same, key=lambda a: int(a["id"])), str(raw["id"]))

    @contextmanager
    def download(self, attachment: Attachment) -> Iterator[Iterator[bytes]]:
        """A file's bytes. An unknown one is an empty list to MantisBT."""
        base = f"{self._settings.url}{self._client.api}"
        path = attachment.url.removeprefix(base)
        if path == attachment.url:
            why = f"{attachment.name} is none of this site's files"
            raise NotFoundError(self._client.name, "download a file", why)
        files = self._client.get(path)["files"]
        if not files:
            raise NotFoundError(self._client.name, f"GET {path}", "there is no such file")
        content = base64.b64decode(files[0]["content"])
        yield (content[at : at + CHUNK] for at in range(0, len(content), CHUNK))
