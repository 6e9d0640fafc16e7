"""Settings that every tracker shares. A plugin's own settings model derives from `TrackerSettings`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from hub.ticket import Category, Priority, Status


class Section(BaseModel):
    """A part of the settings: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Words = Annotated[list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
"""One word or a list of words; of several, the first is the one that is written."""


class WebhookSettings(Section):
    secret: SecretStr | None = Field(
        None, description="What the tracker signs its webhooks with. Without one every webhook is refused."
    )
    replay_window: float = Field(
        300, gt=0, description="Seconds. A signed timestamp further away than this is refused as stale."
    )


class PollSettings(Section):
    every: float = Field(
        300,
        ge=0,
        description="Seconds between two looks for changes that no webhook told of. 0 switches polling off.",
    )


class CustomField(Section):
    """One custom field of the tracker under a neutral name that all trackers share."""

    id: str = Field(description="The tracker's own id or name of the field.", coerce_numbers_to_str=True)
    type: Literal["text", "number", "select", "multiselect", "checkbox", "date"] = "text"
    values: dict[str, str] = Field(
        default_factory=dict,
        description="Neutral value -> the tracker's value, where they differ. For select and multiselect.",
    )


class TrackerSettings(Section):
    """What the hub must know of any tracker. Times are in seconds."""

    kind: str = Field(description="Which connector: zendesk, jira, …")
    url: str = Field(description="Base address of the tracker, e.g. https://acme.zendesk.com")
    webhook: WebhookSettings = WebhookSettings()
    poll: PollSettings = PollSettings()
    statuses: dict[Status, Words] = Field(
        default_factory=dict,
        description="Neutral status -> the tracker's own statuses that mean it; the first one is written.",
    )
    priorities: dict[Priority, Words] = Field(
        default_factory=dict, description="Neutral priority -> the tracker's own."
    )
    categories: dict[Category, Words] = Field(
        default_factory=dict, description="Neutral category -> the tracker's own type."
    )
    fields: dict[str, CustomField] = Field(
        default_factory=dict, description="Custom fields to keep in step, by a neutral name of your choice."
    )
    timeout: float = Field(30, gt=0, description="Seconds to wait for an answer of the tracker.")

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// (or http:// for a tracker on this machine)")
        return value.rstrip("/")

    @field_validator("statuses", "priorities", "categories")
    @classmethod
    def _names_no_unknown(cls, value: Mapping[Any, Any]) -> Mapping[Any, Any]:
        if "unknown" in value:
            raise ValueError("'unknown' cannot be mapped: it is what has no mapping")
        return value


def secrets_of(model: BaseModel) -> Iterator[str]:
    """Every secret in settings, in clear: what must not show in an error, a log or a page."""
    for _, value in model:
        if isinstance(value, SecretStr) and value.get_secret_value():
            yield value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from secrets_of(value)
