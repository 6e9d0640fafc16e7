"""What the hub must know of a Freshdesk account."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SecretStr

from hub.parts.numbered import NumberedSettings
from hub.settings.trackers import Section
from plugins.freshdesk.words import TABLES


class FreshdeskCredentials(Section):
    """The key of the hub's own agent."""

    api_key: SecretStr = Field(description="API key of the hub's agent: Profile settings > Your API Key.")


class FreshdeskSettings(NumberedSettings):
    """A Freshdesk account."""

    tables = TABLES

    credentials: FreshdeskCredentials
    public_as: Literal["reply", "note"] = Field(
        "reply",
        description="How public comments are written: 'reply' mails the requester, 'note' is a public note.",
    )
    read_language: bool = Field(
        False,
        description="Whether to ask for each requester's language, for macros: one call more for each, once an hour.",
    )
    read_ratings: bool = Field(
        False,
        description="Whether to read the customer's satisfaction rating: one call more for each look at a done ticket.",
    )
    create_fields: dict[str, Any] = Field(
        default_factory=dict,
        description="Freshdesk's own fields, as its API names them, that every ticket made by the hub gets.",
    )
