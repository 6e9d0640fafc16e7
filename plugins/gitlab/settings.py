"""What the hub must know of a GitLab project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from hub.settings.trackers import CustomField, Section, TrackerSettings


class GitlabCredentials(Section):
    """A project, group or personal access token with the scope `api`."""

    token: SecretStr


class GitlabSettings(TrackerSettings):
    """A GitLab instance and the project whose issues are kept in step.

    Words under `statuses` are `opened`, `closed` or names of labels, under `priorities` names of labels or `none` for
    an issue without one, under `categories` GitLab's issue types. A field's `id` is the scope of its labels:
    `severity` for `severity::2`.
    """

    credentials: GitlabCredentials
    project: str = Field(
        description="The project: its number (Settings > General), or its path, e.g. acme/website. The number stays "
        "right when the project is renamed.",
        coerce_numbers_to_str=True,
    )
    plain_comments: Literal["public", "private"] = Field(
        "private",
        description="What a comment that is no internal note means. With public, what engineers write there reaches "
        "customers. In an issue that people made confidential it is private all the same.",
    )
    confidential: bool = Field(
        False, description="Make new issues confidential: only members from Reporter upwards see them."
    )

    @field_validator("project")
    @classmethod
    def _is_a_path(cls, value: str) -> str:
        if "://" in value:
            raise ValueError("must be the project's number or path (acme/website), not its address")
        return value.strip("/ ")

    @field_validator("fields")
    @classmethod
    def _are_scopes(cls, value: Mapping[str, CustomField]) -> Mapping[str, CustomField]:
        for name, field in value.items():
            if field.type != "select":
                raise ValueError(f"{name}: GitLab keeps fields as scoped labels, so only type select is possible")
        return value
