"""What the hub must know of a TeamViewer account."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr, field_validator

from hub.settings.trackers import Section, TrackerSettings

TICKET_SETTINGS = ("statuses", "priorities", "categories", "fields")


class TeamviewerCredentials(Section):
    """A script token; it does not end by itself."""

    token: SecretStr = Field(
        description="Script token with session management (create, view, edit) and, for reports, connection reporting "
        "(view): Management Console, Edit profile > Apps, or Company administration > Apps."
    )


class TeamviewerSettings(TrackerSettings):
    """A TeamViewer account, for sessions of remote support."""

    url: str = Field("https://webapi.teamviewer.com", description="Base address of the Web API.")
    credentials: TeamviewerCredentials
    group: str = Field(
        description="The group that the hub's sessions belong to: its id (g1234567) or its name. Best one that only "
        "the hub uses.",
        min_length=1,
    )
    waiting_message: str = Field(
        "Please wait: somebody will connect to you in a moment.",
        description="What the customer reads until a supporter comes.",
        max_length=254,
    )
    valid_hours: float = Field(24, gt=0, description="Hours for which a session's code is good.")
    calls_per_minute: int = Field(
        60, ge=1, description="How many calls a minute the hub makes at most. TeamViewer tells its own limit nowhere."
    )

    @field_validator(*TICKET_SETTINGS)
    @classmethod
    def _has_no_tickets(cls, value: Any) -> Any:
        if value:
            raise ValueError("TeamViewer has no tickets whose values could be mapped; remove this")
        return value
