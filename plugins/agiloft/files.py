"""The files of a record's file column.

Agiloft knows a file only by its place in the column, which moves when another is removed. The hub knows it by its name,
and by its number among those of one name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote

from hub.connector import NotFoundError, Upload
from hub.ticket import Attachment, Visibility
from plugins.agiloft.client import AgiloftClient, Json
from plugins.agiloft.settings import AgiloftSettings


class Files:
    """Reads and writes them."""

    def __init__(self, settings: AgiloftSettings, client: AgiloftClient) -> None:
        self._settings, self._client = settings, client

    def of(self, table: str, record_id: str, column: str, raw: Mapping[str, Any]) -> tuple[Attachment, ...]:
        """The files of a column; no call where the record shows that it is empty."""
        if not column or (column in raw and raw[column] in (None, "", 0, "0", [])):
            return ()
        return tuple(self._attachment(file_id, file) for file_id, file in self._known(table, record_id, column))

    def of_ticket(self, ticket_id: str, raw: Mapping[str, Any]) -> tuple[Attachment, ...]:
        """Those of the ticket itself, whoever may see them."""
        table, columns = self._settings.table, self._settings.columns
        named = dict.fromkeys(column for column in (columns.attachments, columns.private_attachments) if column)
        return tuple(file for column in named for file in self.of(table, ticket_id, column, raw))

    def add(self, table: str, record_id: str, column: str, upload: Upload) -> Attachment:
        """Three calls: a look whether an earlier try got through, the write, and a look at where the file went."""
        name = sendable_name(upload.name)
        for file_id, file in self._named(table, record_id, column, name):
            if file.get("size") == upload.size and self._is_the_same(table, record_id, column, file, upload):
                return self._attachment(file_id, file)
        # The stream stays open: it may be the one that the next `open` winds back.
        self._client.attach(table, record_id, column, name, upload.open(), upload.content_type)
        known = self._named(table, record_id, column, name)
        if not known:
            why = f"{name} was sent and is not there"
            raise NotFoundError(self._client.name, f"attach a file to {record_id}", why, "A rule may have removed it.")
        return self._attachment(*known[-1])

    def add_for(self, ticket_id: str, upload: Upload, visibility: Visibility) -> Attachment:
        """To the ticket itself, where only those may see it who may see what it belongs to."""
        columns = self._settings.columns
        is_for_all = visibility.is_public and bool(columns.attachments)
        column = columns.attachments if is_for_all else columns.private_attachments
        return self.add(self._settings.table, ticket_id, column, upload)

    @contextmanager
    def content(self, attachment: Attachment) -> Iterator[Iterator[bytes]]:
        """Looked up first, because its place may be another one now."""
        table, record_id, column = [*attachment.id.split("/"), "", "", ""][:3]
        for file_id, file in self._known(unquote(table), record_id, column) if column else ():
            if file_id == attachment.id:
                with self._client.file(unquote(table), record_id, column, int(file["filePosition"])) as chunks:
                    yield chunks
                return
        raise NotFoundError(self._client.name, "download a file", "the file is not there", "It was removed.")

    def _named(self, table: str, record_id: str, column: str, name: str) -> list[tuple[str, Json]]:
        return [(i, file) for i, file in self._known(table, record_id, column) if file["fileName"] == name]

    def _is_the_same(self, table: str, record_id: str, column: str, file: Json, upload: Upload) -> bool:
        stream = upload.open()
        with self._client.file(table, record_id, column, int(file["filePosition"])) as chunks:
            return all(stream.read(len(chunk)) == chunk for chunk in chunks)

    def _known(self, table: str, record_id: str, column: str) -> list[tuple[str, Json]]:
        numbers: Counter[str] = Counter()
        known = []
        for file in sorted(self._client.files(table, record_id, column), key=lambda f: int(f.get("filePosition") or 0)):
            name = str(file.get("fileName") or "")
            numbers[name] += 1
            file_id = f"{quote(table, safe='')}/{record_id}/{column}/{quote(name, safe='')}/{numbers[name]}"
            known.append((file_id, {**file, "fileName": name}))
        return known

    def _attachment(self, file_id: str, file: Json) -> Attachment:
        size = file.get("size")
        return Attachment(id=file_id, name=file["fileName"], size=int(size) if isinstance(size, int) else None)


def sendable_name(name: str) -> str:
    """A name without folders."""
    return name.replace("\\", "/").rsplit("/", 1)[-1].strip() or "file"
