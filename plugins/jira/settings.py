"""What the hub must know of a Jira site."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from hub.settings.trackers import Section, TrackerSettings


class JiraCredentials(Section):
    """Cloud: `email` and `api_token`. Data Center: `personal_access_token`, or `username` and `password`."""

    email: str = ""
    api_token: SecretStr | None = None
    personal_access_token: SecretStr | None = None
    username: str = ""
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _is_one_of_the_three(self) -> Self:
        ways = [
            bool(self.email and self.api_token),
            self.personal_access_token is not None,
            bool(self.username and self.password),
        ]
        if sum(ways) != 1:
            raise ValueError(
                "give exactly one: email and api_token (Cloud), personal_access_token, or username and password"
            )
        return self


class JiraSettings(TrackerSettings):
    """A Jira site and the project that new issues go to."""

    credentials: JiraCredentials
    flavour: Literal["cloud", "datacenter", "auto"] = Field("auto", description="auto asks the site once.")
    project: str = Field(description="Key of the project for new issues.")
    issue_type: str = Field("Bug", description="Type of new issues.")
    plain_comments: Literal["public", "private"] = Field(
        "private",
        description="What a comment without restriction means in a project that is no service desk. With public, "
        "what engineers write there reaches customers.",
    )
    private_role: str = Field(
        "", description="Project role that private comments are restricted to, where plain comments are public."
    )
    transition_fields: dict[str, str] = Field(
        default_factory=dict, description="Values for fields that workflow screens ask for, e.g. resolution: Done."
    )
    create_fields: dict[str, Any] = Field(
        default_factory=dict, description="Raw extra fields for new issues, by Jira's own ids."
    )
    quiet: bool = Field(False, description="Edit without mails to watchers; needs an administrator's account.")
    search_lag: float = Field(
        60, ge=0, description="Seconds within which Jira's search may not know a new issue. Data Center: 5 is enough."
    )
