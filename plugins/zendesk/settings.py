"""What the hub must know of a Zendesk account."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, model_validator

from hub.settings.trackers import Section, TrackerSettings, Words


class ZendeskCredentials(Section):
    """Either `oauth_client_id` and `oauth_client_secret`, or `email` and `api_token`, or an `access_token`."""

    oauth_client_id: str = Field("", description="Identifier of an OAuth client with the client_credentials grant.")
    oauth_client_secret: SecretStr | None = None
    scope: str = Field("read write", description="OAuth scopes to ask for.")
    email: str = Field("", description="Address of the hub's agent, for the API token.")
    api_token: SecretStr | None = Field(None, description="API token; Zendesk ends them on 30 April 2027.")
    access_token: SecretStr | None = Field(None, description="A ready OAuth access token; it is never renewed.")

    @model_validator(mode="after")
    def _is_one_of_the_three(self) -> Self:
        ways = [
            bool(self.oauth_client_id and self.oauth_client_secret),
            bool(self.email and self.api_token),
            self.access_token is not None,
        ]
        if sum(ways) != 1:
            raise ValueError(
                "give exactly one: oauth_client_id and oauth_client_secret, or email and api_token, or access_token"
            )
        return self


class ZendeskSettings(TrackerSettings):
    """A Zendesk account."""

    credentials: ZendeskCredentials
    lines: dict[int, Words] = Field(
        default_factory=dict, description="Support line -> names of the groups that are this line."
    )
    write_external_id: bool = Field(
        True, description="Put the issue's id into the ticket's external_id where that is empty."
    )
