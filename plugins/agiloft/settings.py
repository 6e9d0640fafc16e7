"""What the hub must know of an Agiloft knowledge base: nearly everything, because each has tables of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator

from hub.settings.trackers import Section, TrackerSettings, Words


class AgiloftCredentials(Section):
    """The hub's own login. Its group must be allowed for REST (Setup > System > Manage Web Services)."""

    login: str = Field(description="Login of the hub's own user; people must not use it.")
    password: SecretStr


class Columns(Section):
    """Which column of the table holds what; empty where there is none. Names as EWTable tells them."""

    id: str = "id"
    title: str = "summary"
    description: str = "description"
    status: str = Field("wfstate", description="Choice or workflow column.")
    priority: str = "priority"
    category: str = Field("", description="Choice column that tells incidents from requests.")
    team: str = Field("", description="Column that names the team which has the ticket, for `lines`.")
    labels: str = Field("", description="Column that holds labels: a text or a multi-choice, see labels_type.")
    assignee: str = Field("", description="Column that names who works on it.")
    requester: str = Field("", description="Column that names who asks.")
    requester_email: str = Field("", description="Column with the address of who asks.")
    organisation: str = ""
    created: str = "date_created"
    updated: str = Field("date_updated", description="Time of the last change; the hub polls by it.")
    updated_by: str = Field("", description="Column that names who changed it last.")
    marker: str = Field(
        "external_ref", description="Text column for the hub's mark, by which a ticket that it made is found again."
    )
    link: str = Field("", description="Text or URL column that shows the issue's address.")
    attachments: str = Field("", description="File column of the tickets that customers may see.")
    private_attachments: str = Field(
        "",
        description="File column of the tickets that only staff may see. Files for nobody in particular go there, so "
        "that without one, and without a file column of comments, no files travel here.",
    )

    @field_validator("id", "title", "description", "status", "updated", "marker")
    @classmethod
    def _cannot_be_missing(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("the hub cannot do without this column; name one")
        return value


class TableComments(Section):
    """Comments are records of a table of their own, each linked to its ticket."""

    kind: Literal["table"]
    table: str = Field(description="Logical name of the table, e.g. case_comment.")
    id: str = "id"
    ticket: str = Field(description="Column that holds the id of the ticket.")
    text: str
    author: str = Field(description="Column that names who wrote it.")
    created: str = "date_created"
    updated: str = Field("", description="Time of its last change; without one, edits are seen only with the ticket.")
    marker: str = Field("external_ref", description="Text column for the hub's mark.")
    visibility: str = Field("", description="Choice column that says who may read it.")
    public: Words = Field(["Public"], description="Words of that column for what customers may read.")
    private: Words = Field(["Internal"], description="Words of that column for what only staff may read.")
    all_are: Literal["public", "private"] = Field(
        "private", description="What every comment is where there is no such column."
    )
    attachments: str = Field("", description="File column of the comments; files then travel with them.")


class AppendedComments(Section):
    """Comments are entries of append-only text columns, one for each sort."""

    kind: Literal["append"]
    public: str = Field("", description="Append-only column that customers may read; empty for none.")
    private: str = Field("", description="Append-only column that only staff may read; empty for none.")
    header: str = Field(
        "{when} {who}:",
        description="The line that Agiloft puts above each entry, with {when} and {who} in their places.",
    )

    newest_first: bool = Field(True, description="Whether the newest entry stands on top.")

    @field_validator("header")
    @classmethod
    def _has_both_places(cls, value: str) -> str:
        if value.count("{when}") != 1 or value.count("{who}") != 1:
            raise ValueError("it needs {when} once and {who} once, e.g. '{when} {who}:'")
        return value

    @model_validator(mode="after")
    def _has_a_column(self) -> Self:
        if not (self.public or self.private):
            raise ValueError("name an append-only column under public, private or both")
        return self


class People(Section):
    """Where people stand, to find somebody by their address."""

    table: str = Field("contacts", description="Logical name of the table of people.")
    name: str = Field("full_name", description="Column with the name that a ticket's assignee column shows.")
    email: str = "email"


class AgiloftSettings(TrackerSettings):
    """One table of an Agiloft knowledge base. Names of knowledge bases and tables are case sensitive."""

    credentials: AgiloftCredentials
    kb: str = Field(min_length=1, description="Name of the knowledge base.")
    language: str = Field("en", description="Language of the choices' words.")
    table: str = Field("case", description="Logical name of the table with the tickets.")
    columns: Columns = Columns()
    comments: Annotated[TableComments | AppendedComments, Field(discriminator="kind")] | None = Field(
        None, description="Where comments stand: in a table of their own or in append-only columns. None: nowhere."
    )
    people: People | None = Field(None, description="Without it nobody is found by address.")
    linked_columns: list[str] = Field(
        default_factory=list,
        description="Columns that are links to other tables; they are written by what they show.",
    )
    labels_type: Literal["text", "multichoice"] = Field(
        "text", description="text takes any label, with commas between; multichoice only those that it lists."
    )
    lines: dict[int, Words] = Field(
        default_factory=dict, description="Support line -> words of the team column that are this line."
    )
    create_values: dict[str, Any] = Field(
        default_factory=dict, description="Columns and values that every ticket made by the hub gets."
    )
    text_format: Literal["plain", "html"] = Field(
        "plain", description="What the description's and the comments' columns hold."
    )
    title_limit: int = Field(255, ge=20, description="Characters that the title's column takes.")
    date_format: str = Field(
        "%Y-%m-%d %H:%M:%S", description="How times are written and shown, in the signs of strftime; with seconds."
    )
    time_zone: str = Field("UTC", description="Zone in which the hub's login sees times, e.g. Europe/Warsaw.")
    shown_as: str = Field("", description="How Agiloft shows the hub's user as an author, where that is not its login.")
    record_url: str = Field(
        "{url}/gui2/login.jsp?KB={kb}&State=Edit:{table}&record={id}",
        description="Address of a ticket for people; {url}, {kb}, {table} and {id} are filled in.",
    )
    calls_per_second: float = Field(
        1,
        gt=0,
        description="What the server does in the long run: each call is held up by WSDelay, a second by default.",
    )
    burst: int = Field(30, ge=5, description="Calls that may be made at once after a quiet time.")

    @property
    def account(self) -> str:
        """The hub's own user as Agiloft shows it."""
        return self.shown_as or self.credentials.login

    def used_columns(self) -> Iterator[tuple[str, str]]:
        """Every column of the ticket table that is named: where in the settings, and the name."""
        yield from ((f"columns.{name}", column) for name, column in self.columns if column)
        yield from ((f"fields.{name}", field.id) for name, field in self.fields.items())
        yield from (("create_values", column) for column in self.create_values)
        if isinstance(self.comments, AppendedComments):
            yield from (
                (f"comments.{name}", column)
                for name, column in (("public", self.comments.public), ("private", self.comments.private))
                if column
            )

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no time zone; write it like Europe/Warsaw") from error
        return value

    @field_validator("date_format")
    @classmethod
    def _keeps_a_time(cls, value: str) -> str:
        sample = datetime(2026, 11, 30, 22, 7, 41, tzinfo=UTC).replace(tzinfo=None)
        try:
            kept = datetime.strptime(sample.strftime(value), value)  # noqa: DTZ007 - local times, see times.py
        except ValueError as error:
            raise ValueError(f"{value!r} is no format of times: {error}") from error
        if kept != sample:
            raise ValueError(f"{value!r} loses a part of a time; it needs year, month, day, hours, minutes, seconds")
        return value

    @field_validator("record_url")
    @classmethod
    def _can_be_filled_in(cls, value: str) -> str:
        try:
            value.format(url="", kb="", table="", id="")
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError("only {url}, {kb}, {table} and {id} are filled in") from error
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if isinstance(self.comments, AppendedComments) and self.text_format == "html":
            raise ValueError("entries of append-only columns can be told apart only with text_format: plain")
        if self.lines and not self.columns.team:
            raise ValueError("lines need a column that names the team; name it under columns.team")
        return self
