"""What the hub must know of a Bugzilla."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator

from hub.settings.trackers import CustomField, Section, TrackerSettings

OF_EVERY_BUG = (
    "severity", "component", "version", "target_milestone", "whiteboard", "url", "op_sys", "platform", "deadline",
)  # fmt: skip
"""Fields that every bug has; named under `fields` they are synchronised like custom ones."""


class BugzillaCredentials(Section):
    """An API key of the hub's own account; it never ends by itself."""

    api_key: SecretStr = Field(description="Preferences > API Keys, made by the hub's account.")
    login: str = Field(
        "", description="The account's login. Bugzilla 5.0 and 5.2 do not tell whose a key is, so they need it."
    )


class BugzillaSettings(TrackerSettings):
    """A Bugzilla and where new bugs go.

    Words under `statuses` are statuses (`CONFIRMED`) or a status with its resolution (`RESOLVED/WONTFIX`). Of several
    words for one status or priority the first that the installation has is written. `categories` are Mozilla's types
    of bugs; upstream has none.
    """

    credentials: BugzillaCredentials
    flavour: Literal["upstream", "bmo"] = Field(
        "upstream", description="upstream: 5.0, 5.2 and 5.3 of bugzilla.org. bmo: Mozilla's fork."
    )
    product: str = Field(description="Product of new bugs.")
    component: str = Field(description="Component of new bugs.")
    version: str = Field("unspecified", description="Version of new bugs.")
    op_sys: str = Field("All", description="Operating system of new bugs; fresh installations ask for one.")
    platform: str = Field("All", description="Hardware of new bugs; fresh installations ask for one.")
    bug_type: str = Field("defect", description="Type of new bugs, at Mozilla, where the ticket's category says none.")
    groups: list[str] = Field(
        default_factory=list,
        description="Groups that new bugs are restricted to. What is said in a bug that others of its groups restrict "
        "is private to the hub.",
    )
    plain_comments: Literal["public", "private"] = Field(
        "private",
        description="What a comment that is not marked as private means. With public, what engineers write there "
        "reaches customers.",
    )
    private_comments: bool = Field(
        True,
        description="The hub's account is in the group of `insidergroup`. Without such a group nobody can write "
        "private comments: say false then, and none are sent here.",
    )
    markdown: bool | None = Field(None, description="Texts are Markdown; left out: they are at Mozilla only.")
    resolution: str = Field("FIXED", description="Resolution of bugs that the hub resolves.")
    transition_comment: str = Field(
        "The status was changed by the ticket hub.", description="Written where the workflow asks for a comment."
    )
    whiteboard_labels: bool = Field(
        True,
        description="Labels that are no keywords of the installation stand in the whiteboard, as [label]. With false "
        "only keywords are labels.",
    )
    nobody: str = Field(
        "", description="Login of the account that stands for nobody, e.g. nobody@mozilla.org. A bug always has an "
        "assignee: without such an account none can be taken off."
    )  # fmt: skip
    marker_field: str = Field(
        "",
        description="A free text custom field for the mark by which a new bug is found again after a crash. Without "
        "one the mark is the bug's alias.",
    )
    link_field: str = Field(
        "url",
        description="Where the counterpart's address stands when See Also does not take it: `url` or a custom field. "
        "It is written only while it is empty. Without one the link is a private comment.",
    )
    time_zone: str = Field("UTC", description="The server's time zone, in which custom date fields are written.")

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {value!r}; write e.g. Europe/Warsaw") from error
        return value

    @field_validator("fields")
    @classmethod
    def _are_fields(cls, value: Mapping[str, CustomField]) -> Mapping[str, CustomField]:
        for name, field in value.items():
            if field.id not in OF_EVERY_BUG and not field.id.startswith("cf_"):
                raise ValueError(f"{name}: {field.id!r} is none of {', '.join(OF_EVERY_BUG)} and begins not with cf_")
        return value

    @model_validator(mode="after")
    def _uses_nothing_twice(self) -> Self:
        held = {field.id for field in self.fields.values()}
        if self.whiteboard_labels and "whiteboard" in held:
            raise ValueError("the whiteboard holds labels: set whiteboard_labels: false to synchronise it as a field")
        for name in ("marker_field", "link_field"):
            if getattr(self, name) in held:
                raise ValueError(f"{getattr(self, name)} cannot be {name} and a field to synchronise at once")
        return self

    @property
    def is_mozilla(self) -> bool:
        return self.flavour == "bmo"

    @property
    def has_markdown(self) -> bool:
        return self.is_mozilla if self.markdown is None else self.markdown
