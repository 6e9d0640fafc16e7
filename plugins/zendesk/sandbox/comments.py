"""How a comment comes onto a ticket: author, visibility, both forms of its text, its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.zendesk.sandbox import bodies
from plugins.zendesk.sandbox.errors import invalid
from plugins.zendesk.sandbox.state import Attachment, Audit, Comment, Store, Ticket, User

MAX_COMMENTS = 5000
API_VIA = {"channel": "api", "source": {"from": {}, "to": {}, "rel": None}}


@dataclass(frozen=True)
class Context:
    """Who acts, how, and what the audit says about it: `client` is the user agent, `address` an IP address."""

    actor: User
    client: str = ""
    address: str = "192.0.2.1"
    via: Mapping[str, Any] = field(default_factory=lambda: API_VIA)


def add_comment(store: Store, ticket: Ticket, audit: Audit, given: dict[str, Any], context: Context) -> None:
    """Add the comment `given` by a client. 422 beyond 5000, for an unknown author or a dead upload.

    `public` follows the ticket's first comment when it is not given. Customers always write publicly, as themselves.
    """
    if len(ticket.comments) >= MAX_COMMENTS:
        raise invalid("base", f"Comment: limit of {MAX_COMMENTS} comments reached", "TooManyComments")
    actor = context.actor
    author = known_person(store, given.get("author_id") or actor.id, "author") if actor.is_staff else actor
    public = given.get("public")
    if public is None:
        public = ticket.comments[0].public if ticket.comments else True
    html_body = given.get("html_body")
    body = bodies.text_of(html_body) if html_body else str(given.get("body") or "")
    comment = Comment(
        id=store.new_id(),
        audit_id=audit.id,
        author_id=author.id,
        body=body,
        html_body=bodies.clean_html(html_body) if html_body else bodies.html_of(body),
        public=public in (True, "true") or not actor.is_staff,
        created_at=audit.created_at,
        attachments=_take_uploads(store, given.get("uploads")),
        via=dict(context.via),
        metadata=audit.metadata,
    )
    ticket.comments.append(comment)
    audit.events.append({"id": comment.id, "type": "Comment"})


def has_text(comment: dict[str, Any]) -> bool:
    """Whether a client's comment says anything."""
    return bool(str(comment.get("body") or comment.get("html_body") or "").strip())


def known_person(store: Store, id: Any, key: str) -> User:
    """A person by id; 422 about the attribute `key` when there is none."""
    person = store.users.get(int(id))
    if person is None:
        raise invalid(key, f"{key.capitalize()} is invalid")
    return person


def _take_uploads(store: Store, tokens: Any) -> list[Attachment]:
    files: list[Attachment] = []
    tokens = [tokens] if isinstance(tokens, str) else list(tokens or [])
    for token in tokens:
        upload = store.uploads.get(token)
        if upload is None or upload.expires_at <= store.clock():
            raise invalid("base", "Uploads: token is invalid or has expired")
    for token in tokens:
        files += store.uploads.pop(token).attachments
    return files
