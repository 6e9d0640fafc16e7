"""What the hub must know of a Freshservice account."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from hub.parts.numbered import NumberedSettings
from hub.settings.trackers import Section
from plugins.freshservice.words import TABLES


class FreshserviceCredentials(Section):
    """The key of the hub's own agent."""

    api_key: SecretStr = Field(description="API key of the hub's agent: Profile settings > Your API Key.")


class FreshserviceSettings(NumberedSettings):
    """A Freshservice account."""

    tables = TABLES

    credentials: FreshserviceCredentials
    workspaces: list[Annotated[int, Field(ge=1)]] = Field(
        default_factory=list,
        description="Numbers of the workspaces to look in; new tickets go to the first. None: the primary one.",
    )
    changes: bool = Field(
        False, description="Whether changes (CHN-7) are kept in step as well, as tickets of category change_request."
    )
    priority_matrix: bool = Field(
        False,
        description="Whether the account makes priorities of urgency and impact: then these are written with them.",
    )
    public_as: Literal["reply", "note"] = Field(
        "reply",
        description="How public comments are written: 'reply' mails the requester, 'note' is a public note.",
    )
    create_fields: dict[str, Any] = Field(
        default_factory=dict,
        description="Freshservice's own fields, as its API names them, that every ticket made by the hub gets.",
    )
