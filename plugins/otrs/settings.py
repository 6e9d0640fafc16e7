"""What the hub must know of an OTRS, Znuny or OTOBO."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator

from hub.settings.trackers import Section, TrackerSettings, Words


class OtrsCredentials(Section):
    """The hub's own agent."""

    user: str = Field(description="Login of the hub's agent.")
    password: SecretStr
    use_session: bool = Field(
        True, description="Sign in once and send the session's id, instead of the password with every call."
    )


class OtrsSettings(TrackerSettings):
    """An OTRS, Znuny or OTOBO with the web service `webservice.yml` imported."""

    credentials: OtrsCredentials
    path: str = Field("/otrs", description="Where it stands on its server: /otrs, /znuny or /otobo.")
    service: str = Field("TicketHub", description="Name under which webservice.yml was imported.")
    queue: str = Field(description="Queue of the tickets that the hub opens; upper and lower case matter.")
    ticket_type: str = Field(
        "", description="Type of the tickets that the hub opens; needed where types are switched on."
    )
    customer: str = Field(
        description="Login or address of the customer user for tickets that the hub opens for nobody in particular."
    )
    lines: dict[int, Words] = Field(
        default_factory=dict,
        description="Support line -> queues that are this line, their sub-queues included unless named themselves.",
    )
    marker_field: str = Field("HubMarker", description="Dynamic field (text, of tickets) for the hub's stamp.")
    comment_marker_field: str = Field(
        "HubCommentMarker", description="Dynamic field (text, of articles) for the hub's stamp."
    )
    labels_field: str = Field("HubLabels", description="Dynamic field of tickets that holds labels; empty for none.")
    labels_type: Literal["text", "multiselect"] = Field(
        "text", description="text takes any label, with commas between; multiselect only those that it lists."
    )
    link_field: str = Field("", description="Dynamic field (text, of tickets) that shows the issue's address.")
    pending_states: Words = Field(
        ["pending reminder", "pending auto close+", "pending auto close-"],
        description="States that want a time until which they last.",
    )
    pending_days: float = Field(7, gt=0, description="Days that a pending state lasts when the hub sets it.")
    sender_address: str = Field(
        "",
        pattern=r"^$|^[^@\s<>]+@[^@\s<>]+$",
        description="Address to write comments from: they then show their author's name instead of the hub's.",
    )
    time_zone: str = Field(
        "", description="Zone of the server's times (OTRSTimeZone), e.g. Europe/Warsaw. Learnt from answers if empty."
    )

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, value: str) -> str:
        return "/" + value.strip("/") if value.strip("/") else ""

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if value:
            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError) as error:
                raise ValueError(f"{value!r} is no time zone; write it like Europe/Warsaw") from error
        return value
