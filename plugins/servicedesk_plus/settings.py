"""What the hub must know of a ServiceDesk Plus."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from hub.settings.trackers import Section, TrackerSettings, Words

TAGS = "tags"
"""`labels_field` for ServiceDesk Plus's own tags."""
RESOLUTION = "resolution"
"""A custom field with this id is the request's resolution."""


class ServiceDeskPlusCredentials(Section):
    """On-premises a `technician_key`; in the cloud `client_id`, `client_secret` and `refresh_token`."""

    technician_key: SecretStr | None = Field(None, description="API key of the hub's technician (on-premises).")
    client_id: str = Field("", description="Client of the Zoho API console (cloud).")
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = Field(None, description="From the client's first code; it does not end (cloud).")


class ServiceDeskPlusSettings(TrackerSettings):
    """A ServiceDesk Plus or ServiceDesk Plus MSP with API v3."""

    flavour: Literal["on_premises", "cloud"] = Field(description="Where it runs: on a server of yours, or at Zoho.")
    credentials: ServiceDeskPlusCredentials
    account: str = Field(
        pattern=r"^[^@\s<>]+@[^@\s<>]+$",
        description="Mail address of the technician whose key or token this is: the API does not tell.",
    )
    portal: str = Field("", description="Name of the portal in the address /app/<portal>; empty where there is none.")
    accounts_url: str = Field(
        "https://accounts.zoho.com",
        description="Accounts server of your data centre: accounts.zoho.eu, .in, .com.au, .com.cn, .jp … (cloud)",
    )
    ca_file: str = Field(
        "", description="File with the certificates to trust (PEM), for a server whose certificate is its own."
    )
    public_as: Literal["note", "reply"] = Field(
        "note", description="How public comments are written: a note that the requester sees, or a mail to them."
    )
    reference_field: str = Field(
        "",
        description="Additional field (single line, of requests) for the hub's mark; without it the hub makes none.",
    )
    labels_field: str = Field(
        TAGS, description="tags, or an additional field (text, of requests) that holds labels with commas between."
    )
    lines: dict[int, Words] = Field(
        default_factory=dict, description="Support line -> names of the groups that are this line."
    )
    create_fields: dict[str, Any] = Field(
        default_factory=dict,
        description="ServiceDesk Plus's own fields, as its API names them, that every request made by the hub gets.",
    )
    closing_fields: dict[str, Any] = Field(
        default_factory=dict,
        description="ServiceDesk Plus's own fields to send along when the hub resolves or closes a request.",
    )
    default_resolution: str = Field(
        "", description="Resolution of a request that the hub resolves or closes and that has none."
    )
    watch_counts: bool = Field(
        True,
        description="Compare the numbers of notes and mails of open requests with each poll, for builds in which "
        "a note does not count as a change. One call for each hundred open requests.",
    )

    @field_validator("accounts_url")
    @classmethod
    def _is_an_accounts_server(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with https://, e.g. https://accounts.zoho.eu")
        return value.rstrip("/")

    @field_validator("ca_file")
    @classmethod
    def _holds_certificates(cls, value: str) -> str:
        if value:
            try:
                ssl.create_default_context(cafile=str(Path(value)))
            except (OSError, ssl.SSLError) as error:
                raise ValueError(f"{value} cannot be read as certificates in PEM form: {error}") from error
        return value

    @model_validator(mode="after")
    def _credentials_fit_the_flavour(self) -> Self:
        given = self.credentials
        oauth = bool(given.client_id and given.client_secret and given.refresh_token)
        if self.flavour == "on_premises" and given.technician_key is None:
            raise ValueError("flavour on_premises needs credentials.technician_key")
        if self.flavour == "cloud" and not oauth:
            raise ValueError("flavour cloud needs credentials.client_id, client_secret and refresh_token")
        return self

    @property
    def is_cloud(self) -> bool:
        return self.flavour == "cloud"

    @property
    def app(self) -> str:
        """What stands between the address and everything in it."""
        return f"/app/{self.portal}" if self.portal else ""
