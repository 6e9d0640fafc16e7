"""Doing operations on comments and files: each copy is remembered with its origin, so that it is never copied again.

It must not know which comments travel.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from hub.connector import Connector, ConnectorError, NewComment, PermanentError
from hub.journal.copies import Copy
from hub.sync.advance import with_version
from hub.sync.codec import dump_operation
from hub.sync.files import Fetched, TooLargeError, fetched
from hub.sync.operations import AddComment, AttachFile, DeleteComment, EditComment, FileCopy
from hub.sync.progress import Progress
from hub.ticket import Markdown, TicketRef, Visibility


def add_comment(progress: Progress, connector: Connector, operation: AddComment) -> dict[str, Any]:
    """Writes a comment with its files. Raises PermanentError where a private one has become public."""
    with ExitStack() as stack:
        files, text = _fetch_files(progress, stack, operation)
        written = connector.add_comment(
            operation.target.id,
            NewComment(
                text=text,
                visibility=operation.visibility,
                marker=operation.marker,
                author=operation.author,
                uploads=tuple(f.upload for _, f in files),
            ),
        )
    digests = {copy.attachment.id: f.digest for copy, f in files}
    comment_written(
        progress,
        target=operation.target,
        record=dump_operation(operation),
        comment_id=written.id,
        attachment_ids=dict(zip((copy.attachment.id for copy, _ in files), written.attachment_ids, strict=False)),
        digests=digests,
        version=written.version,
    )
    if written.visibility.is_public and not operation.visibility.is_public:
        raise PermanentError(
            operation.target.tracker,
            f"write a private comment in {operation.target}",
            f"it was written, but as a public one ({written.id}).",
            "Make it private by hand, and keep the hub's account from commenting there until this is clear.",
        )
    return {"comment": written.id, "visibility": written.visibility.value}


def edit_comment(progress: Progress, connector: Connector, operation: EditComment) -> dict[str, Any]:
    """Brings a copy to the text and visibility that its origin has now."""
    connector.edit_comment(operation.target.id, operation.comment_id, operation.text, operation.visibility)
    lose_version(progress, operation.target)
    known = progress.copy("comment", operation.origin, operation.origin_id, operation.target)
    progress.save_copy(replace(known, digest=operation.digest, visibility=operation.visibility))
    return {"comment": operation.comment_id}


def delete_comment(progress: Progress, connector: Connector, operation: DeleteComment) -> dict[str, Any]:
    """Takes a copy away whose origin is gone."""
    connector.delete_comment(operation.target.id, operation.comment_id)
    lose_version(progress, operation.target)
    known = progress.copy("comment", operation.origin, operation.origin_id, operation.target)
    progress.save_copy(replace(known, state="gone"))
    return {"comment": operation.comment_id}


def attach_file(progress: Progress, connector: Connector, operation: AttachFile) -> dict[str, Any]:
    """Copies a file to the ticket, unless one with the same content was copied there."""
    file = operation.file
    source = progress.context.connectors[file.origin.tracker]
    limit = progress.state.settings.attachments.max_bytes
    try:
        with fetched(source, file.attachment, limit) as content:
            twin = next(
                (
                    c
                    for c in progress.state.copies
                    if c.kind == "attachment" and c.target == operation.target and c.digest == content.digest
                ),
                None,
            )
            attached = twin.target_id if twin else connector.attach(operation.target.id, content.upload).id
            digest = content.digest
    except TooLargeError:
        progress.save_copy(_left_file(file.origin, file.attachment.id, operation.target))
        raise PermanentError(
            file.origin.tracker,
            f"copy the file {file.attachment.name}",
            f"it is larger than {limit} bytes.",
            "Raise attachments.max_bytes of the link, then retry.",
        ) from None
    file_written(progress, operation.target, file.origin, file.attachment.id, attached, digest)
    return {"attachment": attached}


def comment_written(
    progress: Progress,
    *,
    target: TicketRef,
    record: dict[str, Any],
    comment_id: str,
    attachment_ids: dict[str, str],
    digests: dict[str, str],
    version: str,
) -> None:
    """Takes a written comment into account; also when it is found after a crash.

    `record` is the operation as the journal keeps it; `attachment_ids` and `digests` by the origin's file id.
    """
    origin, visibility = TicketRef.parse(record["origin"]), Visibility(record["visibility"])
    kept_id = comment_id
    if record["is_note_about_copy"]:
        kept_id = progress.copy("comment", origin, record["origin_id"], target).target_id
        progress.save_copy(
            Copy(
                kind="note",
                origin=target,
                origin_id=f"note:{comment_id}",
                target=target,
                target_id=comment_id,
                visibility=visibility,
                digest="",
            )
        )
    progress.save_copy(
        Copy(
            kind=record["kind"],
            origin=origin,
            origin_id=record["origin_id"],
            target=target,
            target_id=kept_id,
            visibility=visibility,
            digest=record["digest"],
            state="gone" if record["ends_copy"] else "copied",
        )
    )
    for file in record["files"]:
        if file["id"] in attachment_ids:
            progress.save_copy(
                Copy(
                    kind="attachment",
                    origin=origin,
                    origin_id=file["id"],
                    target=target,
                    target_id=attachment_ids[file["id"]],
                    visibility=Visibility(file["visibility"]),
                    digest=digests.get(file["id"], ""),
                )
            )
    for file_id in record["left_files"]:
        progress.save_copy(_left_file(origin, file_id, target))
    count_comment(progress, target, version)


def file_written(
    progress: Progress, target: TicketRef, origin: TicketRef, file_id: str, attached: str, digest: str
) -> None:
    """Takes an attached file into account; also when it is found after a crash."""
    progress.save_copy(
        Copy(
            kind="attachment",
            origin=origin,
            origin_id=file_id,
            target=target,
            target_id=attached,
            visibility=Visibility.PUBLIC,
            digest=digest,
        )
    )
    lose_version(progress, target)


def count_comment(progress: Progress, target: TicketRef, version: str) -> None:
    """The hub's own comment is no reason to read all comments the next time."""
    member = progress.state.member(target)
    shadow, snapshot = member.shadow, member.snapshot
    if shadow.comment_count is not None:
        shadow = replace(shadow, comment_count=shadow.comment_count + 1)
    if snapshot is not None and snapshot.comment_count is not None:
        snapshot = replace(snapshot, comment_count=snapshot.comment_count + 1)
    progress.replace_member(with_version(replace(member, shadow=shadow, snapshot=snapshot), version))


def lose_version(progress: Progress, target: TicketRef) -> None:
    """The tracker did not tell which version the ticket has after a write."""
    progress.replace_member(with_version(progress.state.member(target), ""))


def _fetch_files(
    progress: Progress, stack: ExitStack, operation: AddComment
) -> tuple[list[tuple[FileCopy, Fetched]], Markdown]:
    """The files at hand, and the text with a line for each that could not be had."""
    files: list[tuple[FileCopy, Fetched]] = []
    text = operation.text
    limit = progress.state.settings.attachments.max_bytes
    for copy in operation.files:
        source = progress.context.connectors[copy.origin.tracker]
        try:
            files.append((copy, stack.enter_context(fetched(source, copy.attachment, limit))))
        except (PermanentError, TooLargeError) as error:
            why = error.why if isinstance(error, ConnectorError) else "it is too large"
            text = Markdown(f"{text}\n\n*The file {copy.attachment.name} did not travel: {why}*")
            progress.save_copy(_left_file(copy.origin, copy.attachment.id, operation.target))
    return files, text


def _left_file(origin: TicketRef, file_id: str, target: TicketRef) -> Copy:
    return Copy(
        kind="attachment",
        origin=origin,
        origin_id=file_id,
        target=target,
        target_id="",
        visibility=Visibility.PRIVATE,
        digest="",
        state="left",
    )
