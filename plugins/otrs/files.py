"""Files of articles: base64 within JSON, both ways. Source: recorded exchanges `attachment.*`."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from hub.connector import NotFoundError, PermanentError, Upload
from hub.rest import CHUNK
from hub.ticket import Attachment
from plugins.otrs import mapping
from plugins.otrs.settings import OtrsSettings
from plugins.otrs.tickets import ALL, Tickets

LATEST = 10
"""Articles read again after a comment with files, for the new files' ids."""


class Files:
    """The files of one OTRS."""

    def __init__(self, tracker: str, settings: OtrsSettings, tickets: Tickets) -> None:
        self._tracker, self._settings, self._tickets = tracker, settings, tickets

    def encoded(self, upload: Upload) -> dict[str, str]:
        """A file in the form that goes up. Raises PermanentError for an empty one."""
        name = mapping.sendable_name(upload.name)
        with upload.open() as stream:
            content = base64.b64encode(stream.read()).decode()
        if not content:
            remedy = "Leave the file where it is; it has no content."
            raise PermanentError(self._tracker, "POST /change", f"OTRS takes no empty files ({name})", remedy)
        return {"Filename": name, "ContentType": mapping.sendable_type(upload.content_type), "Content": content}

    def new_ids(self, ticket_id: str, article_id: str, names: Sequence[str]) -> tuple[str, ...]:
        """The ids of an article's files in the order of the names they were sent under. Files are sorted by name, and
        the second of a name gets another. Source: recorded `attachment.unicode_name_and_duplicates`."""
        raw = self._tickets.one(ticket_id, **ALL, ArticleOrder="DESC", ArticleLimit=LATEST)
        left = [
            file
            for article in mapping.all_articles_of(raw)
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

    @contextmanager
    def download(self, attachment: Attachment) -> Iterator[Iterator[bytes]]:
        """Contents come only with articles, and whole. So the article's place is looked up first, and then no more
        articles are asked for than there are from it to the last one."""
        ticket_id, article_id, file_id = (*attachment.id.split("/"), "", "")[:3]
        ids = [str(a["ArticleID"]) for a in mapping.all_articles_of(self._tickets.one(ticket_id, AllArticles=1))]
        missing = NotFoundError(self._tracker, "download a file", "the file is not there", "It was deleted.")
        if article_id not in ids:
            raise missing
        limit = len(ids) - ids.index(article_id)
        latest = self._tickets.one(ticket_id, AllArticles=1, Attachments=1, ArticleOrder="DESC", ArticleLimit=limit)
        articles = [a for a in mapping.all_articles_of(latest) if str(a["ArticleID"]) == article_id]
        for file in (f for article in articles for f in article.get("Attachment") or ()):
            if str(file["FileID"]) == file_id and file["Filename"] == attachment.name:
                content = base64.b64decode(file["Content"])
                yield (content[at : at + CHUNK] for at in range(0, len(content), CHUNK))
                return
        raise missing
