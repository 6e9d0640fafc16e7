"""Brings files across: from one tracker into a temporary file, from there into another. Streams, never whole."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from hub.connector import Connector, Upload
from hub.ticket import Attachment

IN_MEMORY = 1024 * 1024
"""Bytes of a file that are kept in memory; the rest goes to disk."""


class TooLargeError(Exception):
    """The file is larger than it may be; its size was not known before."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file at hand. `digest` is its SHA-256 in hex."""

    upload: Upload
    digest: str


@contextmanager
def fetched(connector: Connector, attachment: Attachment, max_bytes: int) -> Iterator[Fetched]:
    """The file's content for the time of the block.

    Raises ConnectorError, or TooLargeError when more than `max_bytes` arrive.
    """
    with ExitStack() as stack:
        # The ExitStack closes it; a `with` here would close it before the caller has used it.
        spool = cast(IO[bytes], stack.enter_context(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)))
        digest = hashlib.sha256()
        size = 0
        chunks = stack.enter_context(connector.download(attachment))
        for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise TooLargeError(attachment.name)
            digest.update(chunk)
            spool.write(chunk)

        def from_the_beginning() -> BinaryIO:
            spool.seek(0)
            return cast(BinaryIO, spool)

        upload = Upload(name=attachment.name, content_type=attachment.content_type, size=size, open=from_the_beginning)
        yield Fetched(upload, digest.hexdigest())
