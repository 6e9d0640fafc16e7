"""What the hub must know of a MantisBT site."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from hub.settings.trackers import Section, TrackerSettings


class MantisCredentials(Section):
    """An API token of the hub's own account; it never ends by itself."""

    api_token: SecretStr = Field(description="My Account > API Tokens, made by the hub's account.")


class MantisSettings(TrackerSettings):
    """A MantisBT site and the project that new issues go to."""

    credentials: MantisCredentials
    project: str = Field(description="Name or number of the project for new issues.", coerce_numbers_to_str=True)
    category: str = Field("General", description="Category of new issues, where the ticket's own does not decide it.")
    view_state: Literal["public", "private"] = Field("public", description="Who may see new issues.")
    resolution: str = Field("fixed", description="Resolution of issues that the hub resolves or closes.")
    reopened: str = Field("reopened", description="Resolution of issues that the hub opens again.")
    marker_field: str = Field(
        "",
        description="A text custom field for the mark by which a new issue is found again after a crash. Without one "
        "the mark is the issue's additional information.",
    )
    markdown: bool = Field(False, description="The site shows texts as Markdown (plugin MantisCoreFormatting).")
    keeps_emoji: bool = Field(
        False,
        description="The database keeps four-byte characters. MySQL and MariaDB with MantisBT's usual tables do not.",
    )
