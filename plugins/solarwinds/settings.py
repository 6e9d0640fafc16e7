"""What the hub must know of a SolarWinds Service Desk account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from hub.settings.trackers import CustomField, Section, TrackerSettings, Words

SITES: Mapping[str, str] = {
    "https://api.samanage.com": "US",
    "https://apieu.samanage.com": "EU",
    "https://apiau.samanage.com": "Asia-Pacific",
}
"""The API's addresses. The sites share no data, and a token is good at one of them only."""

Loud = Literal["create", "public_comment", "update"]
"""A sort of write that may run the account's automations and send its mails."""


class SolarwindsCredentials(Section):
    """The token of the hub's own user."""

    token: SecretStr = Field(description="JSON web token of the hub's user: Setup > Users, Actions > Generate token.")


class SolarwindsSettings(TrackerSettings):
    """A Service Desk account. `url` is the API's address: US, EU or Asia-Pacific, see `SITES`.

    Words under `statuses` and `priorities` are the account's own names of them, under `categories` names of its
    categories. A field's `id` is the custom field's name.
    """

    credentials: SolarwindsCredentials
    notify: list[Loud] = Field(
        default_factory=list,
        description="Which of the hub's writes run automations and send mails: create, public_comment, update. "
        "None by default: Service Desk keeps silent about what the API writes. Private notes always stay silent.",
    )
    lines: dict[int, Words] = Field(
        default_factory=dict, description="Support line -> names of the groups that are this line."
    )
    create_fields: dict[str, Any] = Field(
        default_factory=dict,
        description="Service Desk's own fields, as its API names them, that every ticket made by the hub gets, "
        "e.g. {site: {name: Boston}}.",
    )
    solve_fields: dict[str, Any] = Field(
        default_factory=dict,
        description="Service Desk's own fields that go along when the hub solves or closes a ticket, for accounts "
        "that ask for them, e.g. {resolution_code: Solved}.",
    )
    poll_audits: bool = Field(
        True,
        description="Read the audit log with every look as well: it tells of comments that do not change a ticket's "
        "own time, and of deleted tickets. One call more a look.",
    )

    @field_validator("url")
    @classmethod
    def _is_an_api(cls, value: str) -> str:
        host = urlsplit(value).hostname or ""
        if host.endswith(".samanage.com") and value not in SITES:
            sites = ", ".join(f"{url} ({site})" for url, site in SITES.items())
            raise ValueError(f"must be the API's address, not the one that people use: {sites}")
        return value

    @field_validator("fields")
    @classmethod
    def _are_single(cls, value: Mapping[str, CustomField]) -> Mapping[str, CustomField]:
        for name, field in value.items():
            if field.type == "multiselect":
                raise ValueError(f"{name}: the API does not write fields with several choices; use another type")
        return value

    @field_validator("lines", mode="before")
    @classmethod
    def _groups_are_texts(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        listed = {line: groups if isinstance(groups, list) else [groups] for line, groups in value.items()}
        return {line: [str(group) for group in groups] for line, groups in listed.items()}
