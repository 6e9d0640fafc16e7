"""What a TeamViewer company holds: tokens with permissions, groups, users, sessions, connections. In memory.

Sources: TeamViewer Web API documentation v1; the official TeamViewerPS module.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]
PERMISSIONS = ("sessions", "reports", "groups", "users", "account")
HOST = "https://get.teamviewer.com"


@dataclass
class Token:
    value: str
    userid: str
    permissions: set[str] = field(default_factory=lambda: set(PERMISSIONS))
    is_expired: bool = False


@dataclass
class Meeting:
    """A session ("service case")."""

    code: str
    groupid: str
    created: datetime
    valid_until: datetime
    description: str = ""
    waiting_message: str = ""
    end_customer: Json = field(default_factory=dict)
    assigned_userid: str = "u0"
    custom_api: str = ""
    state: str = "Open"
    closed: datetime | None = None
    support_session_type: str = "Default"

    @property
    def digits(self) -> str:
        return self.code.replace("-", "")


@dataclass
class Connection:
    id: str
    userid: str
    username: str
    devicename: str
    groupid: str
    session_code: str
    started: datetime
    ended: datetime | None = None
    notes: str = ""
    billing_state: str = "Bill"


class Store:
    """Everything of one company."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._numbers = itertools.count(12_345_678)
        self.groups: dict[str, str] = {"g1234567": "Helpdesk", "g7654321": "Somebody else"}
        self.users: dict[str, tuple[str, str]] = {
            "u1": ("Hub Service", "hub@helpdesk.example"),
            "u7654321": ("Support Tech", "agent1@helpdesk.example"),
        }
        self.tokens = {"hub": Token("sandbox-script-token-hub", "u1")}
        self.meetings: dict[str, Meeting] = {}
        self.connections: list[Connection] = []

    def now(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def token(self, value: str) -> Token | None:
        return next((t for t in self.tokens.values() if t.value == value), None)

    def open_meeting(self, values: Json) -> Meeting:
        digits = f"{next(self._numbers):08}"
        code = f"s{digits[:2]}-{digits[2:5]}-{digits[5:]}"
        now = self.now()
        made = Meeting(code, values.pop("groupid"), now, values.pop("valid_until", None) or now + timedelta(hours=24))
        for name, value in values.items():
            setattr(made, name, value)
        self.meetings[code] = made
        return made

    def connect(self, code: str, device: str) -> Connection:
        """A supporter joins a session."""
        meeting = self.meetings[code]
        made = Connection(
            str(uuid.uuid4()), "u7654321", self.users["u7654321"][0], device, meeting.groupid, code, self.now()
        )
        self.connections.append(made)
        return made


def stamp(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def short(meeting: Meeting) -> Json:
    """A row of a list that is not full."""
    return {"code": meeting.code, "state": meeting.state, "groupid": meeting.groupid}


def shown(meeting: Meeting) -> Json:
    """A whole session. Its links let in whoever has them."""
    return {
        **short(meeting), "waiting_message": meeting.waiting_message, "description": meeting.description,
        "end_customer": meeting.end_customer, "assigned_userid": meeting.assigned_userid,
        "assigned_at": stamp(meeting.created) if meeting.assigned_userid != "u0" else None,
        "end_customer_link": f"{HOST}/{meeting.digits}",
        "supporter_link": f"https://start.teamviewer.com/{meeting.digits}",
        "webclient_supporter_link": f"https://web.teamviewer.com/Connect?code={meeting.digits}",
        "custom_api": meeting.custom_api, "created_at": stamp(meeting.created),
        "valid_until": stamp(meeting.valid_until), "closed_at": stamp(meeting.closed), "online": False,
        "support_session_type": meeting.support_session_type,
    }  # fmt: skip


def record(connection: Connection, group_name: str) -> Json:
    """A connection report; without an end while it lasts."""
    row = {
        "id": connection.id, "userid": connection.userid, "username": connection.username, "deviceid": "d111",
        "devicename": connection.devicename, "groupid": connection.groupid, "groupname": group_name,
        "support_session_type": 1, "start_date": stamp(connection.started), "session_code": connection.session_code,
        "fee": 0, "billing_state": connection.billing_state, "currency": "EUR", "notes": connection.notes,
    }  # fmt: skip
    return row | ({"end_date": stamp(connection.ended)} if connection.ended else {})
