"""What the hub must know of a Freshservice account."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from hub.parts.numbered import listed, words_of
from hub.settings.trackers import Section, TrackerSettings, Words
from plugins.freshservice.words import TABLES


class FreshserviceCredentials(Section):
    """The key of the hub's own agent."""

    api_key: SecretStr = Field(description="API key of the hub's agent: Profile settings > Your API Key.")


class FreshserviceSettings(TrackerSettings):
    """A Freshservice account. Statuses and priorities may be given as numbers or by Freshservice's English words."""

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
    lines: dict[int, Words] = Field(
        default_factory=dict, description="Support line -> names or numbers of the groups that are this line."
    )
    public_as: Literal["reply", "note"] = Field(
        "reply",
        description="How public comments are written: 'reply' mails the requester, 'note' is a public note.",
    )
    create_fields: dict[str, Any] = Field(
        default_factory=dict,
        description="Freshservice's own fields, as its API names them, that every ticket made by the hub gets.",
    )

    @field_validator("statuses", "priorities", mode="before")
    @classmethod
    def _known_by_number_or_word(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict):
            return value
        return {neutral: words_of(TABLES[str(info.field_name)], words) for neutral, words in value.items()}

    @field_validator("lines", mode="before")
    @classmethod
    def _groups_are_texts(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {line: [str(group) for group in listed(groups)] for line, groups in value.items()}
