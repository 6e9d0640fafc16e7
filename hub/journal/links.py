"""Links and their members: which tickets are kept in step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.journal.schema import links, members
from hub.journal.statements import Prepared, insert_into
from hub.ticket import TicketRef

MemberRole = Literal["ticket", "issue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A stored link. `origin` is `created` when the hub made the issue, else `joined`."""

    id: int
    policy: str
    origin: str
    created: datetime
    turns: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """A stored member; `shadow` as `hub.sync.codec` writes it, empty before the first read."""

    link_id: int
    ref: TicketRef
    key: str
    url: str
    role: MemberRole
    joined: datetime
    shadow: Mapping[str, Any]


class AlreadyLinkedError(Exception):
    """A ticket can be in one link only. `ref` is in link `link_id`."""

    def __init__(self, ref: TicketRef, link_id: int) -> None:
        self.ref, self.link_id = ref, link_id
        super().__init__(f"{ref} is in link {link_id} already; take it out first: hub unlink {ref}")


def create_link(connection: Connection, policy: str, origin: str, now: datetime) -> int:
    return _CREATE_LINK.insert(connection, policy=policy, origin=origin, created=now, turns={})


def add_member(
    connection: Connection,
    link_id: int,
    ref: TicketRef,
    *,
    key: str,
    url: str,
    role: MemberRole,
    now: datetime,
    shadow: Mapping[str, Any] | None = None,
) -> None:
    """Puts a ticket into a link. Raises AlreadyLinkedError when it is in one."""
    added = _ADD_MEMBER.run(
        connection,
        link_id=link_id,
        tracker=ref.tracker,
        ticket_id=ref.id,
        key=key,
        url=url,
        role=role,
        joined=now,
        shadow=dict(shadow or {}),
    )
    if not added:
        other = link_of(connection, ref)
        assert other is not None
        raise AlreadyLinkedError(ref, other)


def remove_member(connection: Connection, ref: TicketRef) -> None:
    connection.execute(members.delete().where(members.c.tracker == ref.tracker, members.c.ticket_id == ref.id))


def link_of(connection: Connection, ref: TicketRef) -> int | None:
    """The id of the link that a ticket is in, None when it is in none."""
    found: int | None = _LINK_OF.scalar(connection, tracker=ref.tracker, ticket_id=ref.id)
    return found


def find_by_key(connection: Connection, tracker: str, key: str) -> TicketRef | None:
    """The member that people call `key` (`OPS-12`), or whose id it is."""
    row = connection.execute(
        sa.select(members.c.ticket_id).where(
            members.c.tracker == tracker, sa.or_(members.c.key == key, members.c.ticket_id == key)
        )
    ).scalar()
    return None if row is None else TicketRef(tracker, row)


def load_link(connection: Connection, link_id: int) -> tuple[LinkRow, list[MemberRow]] | None:
    """A link with its members: the tickets in the order they joined, then the issue."""
    row = _LINK.first(connection, link_id=link_id)
    if row is None:
        return None
    found = [
        MemberRow(
            link_id=m.link_id,
            ref=TicketRef(m.tracker, m.ticket_id),
            key=m.key,
            url=m.url,
            role=m.role,
            joined=m.joined,
            shadow=m.shadow,
        )
        for m in _MEMBERS.rows(connection, the_link=link_id)
    ]
    found.sort(key=lambda m: m.role == "issue")
    return LinkRow(id=row.id, policy=row.policy, origin=row.origin, created=row.created, turns=row.turns), found


def all_links(connection: Connection) -> Sequence[int]:
    """The ids of the links that have members."""
    return connection.execute(sa.select(members.c.link_id).distinct().order_by(members.c.link_id)).scalars().all()


def save_shadow(
    connection: Connection,
    ref: TicketRef,
    shadow: Mapping[str, Any],
    *,
    key: str,
    url: str,
) -> None:
    """Stores a member's shadow, its key and its address: a moved issue has new ones."""
    _SAVE_SHADOW.run(
        connection, the_tracker=ref.tracker, the_ticket=ref.id, new_shadow=dict(shadow), new_key=key, new_url=url
    )


_CREATE_LINK = Prepared(links.insert().returning(links.c.id))
_ADD_MEMBER = Prepared(lambda dialect_name: insert_into(members, dialect_name).on_conflict_do_nothing())
_LINK_OF = Prepared(
    sa.select(members.c.link_id).where(
        members.c.tracker == sa.bindparam("tracker"), members.c.ticket_id == sa.bindparam("ticket_id")
    )
)
_LINK = Prepared(sa.select(links).where(links.c.id == sa.bindparam("link_id")))
_MEMBERS = Prepared(sa.select(members).where(members.c.link_id == sa.bindparam("the_link")).order_by(members.c.id))
_SAVE_SHADOW = Prepared(
    members.update()
    .where(members.c.tracker == sa.bindparam("the_tracker"), members.c.ticket_id == sa.bindparam("the_ticket"))
    .values(shadow=sa.bindparam("new_shadow"), key=sa.bindparam("new_key"), url=sa.bindparam("new_url"))
)
_SAVE_TURNS = Prepared(
    links.update().where(links.c.id == sa.bindparam("the_id")).values(turns=sa.bindparam("new_turns"))
)


def save_turns(connection: Connection, link_id: int, turns: Mapping[str, Any]) -> None:
    _SAVE_TURNS.run(connection, the_id=link_id, new_turns=dict(turns))


def shadow_of(connection: Connection, ref: TicketRef) -> Mapping[str, Any] | None:
    """The stored shadow of a member, None for a ticket in no link."""
    found: Mapping[str, Any] | None = connection.execute(
        sa.select(members.c.shadow).where(members.c.tracker == ref.tracker, members.c.ticket_id == ref.id)
    ).scalar()
    return found
