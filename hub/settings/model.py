"""The settings of a deployment as validated values. Loading and its errors are in `hub.settings.load`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, SerializeAsAny, WithJsonSchema, field_validator

from hub.settings.alerts import AlertSource
from hub.settings.rules import (
    Agreement,
    CalendarSettings,
    Condition,
    Languages,
    Line,
    LineNumber,
    Macro,
    Minutes,
    Notifier,
    PriorityMatrix,
    Rule,
    RuleTest,
    Similar,
    one_of,
)
from hub.settings.trackers import Section, TrackerSettings, Words

Direction = Literal["both", "to_issue", "to_tickets", "none"]
Propagation = Literal["mirror", "note", "ignore"]


class FieldPolicy(Section):
    """How one field is kept in step."""

    direction: Direction = Field("both", description="Which way changes travel.")
    conflict: Literal["issue", "tickets", "newest"] = Field(
        "issue",
        description="Whose value counts when both sides changed. The losing value goes into the journal.",
    )
    many: Literal["first", "any", "highest", "least"] = Field(
        "any",
        description="Whose value counts when several tickets share the issue: the first linked ticket's alone, "
        "whichever changed, the highest of all, or the one furthest from done.",
    )
    initial: Literal["keep", "tickets", "issue"] = Field(
        "tickets",
        description="When an existing ticket and issue are linked and differ: leave both until somebody "
        "changes one, or take one side's value.",
    )


FIELD_DEFAULTS: dict[str, dict[str, str]] = {
    "title": {"direction": "both", "many": "first", "initial": "keep"},
    "description": {"direction": "to_issue", "many": "first", "initial": "keep"},
    "status": {"direction": "both", "many": "least", "initial": "issue"},
    "priority": {"direction": "both", "conflict": "tickets", "many": "highest", "initial": "tickets"},
    "category": {"direction": "none", "conflict": "tickets", "many": "first", "initial": "keep"},
    "assignee": {"direction": "none", "many": "first", "initial": "keep"},
}


def _is_field(value: str) -> str:
    return value if value.startswith("custom:") else one_of([*FIELD_DEFAULTS, "custom:<name>"])(value)


FieldName = Annotated[
    str,
    AfterValidator(_is_field),
    WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(FIELD_DEFAULTS)}|custom:.+)$"}),
]


def _as_policy(value: Any) -> Any:
    return {"direction": value} if isinstance(value, str) else value


CONTROL_LABELS = ("macro:*", "link:*", "issue:new")
"""Labels by which agents tell the hub what to do; they never travel."""


class Labels(Section):
    direction: Direction = "both"
    ignore: list[str] = Field(
        default_factory=list,
        description="Labels that stay where they are; * stands for anything, e.g. internal-*.",
    )

    def travels(self, label: str) -> bool:
        """Whether a label may be mirrored at all. Without regard to case."""
        patterns = (*self.ignore, *CONTROL_LABELS)
        return not any(fnmatchcase(label.casefold(), pattern.casefold()) for pattern in patterns)


class PerDirection(Section):
    to_issue: Propagation = "mirror"
    to_tickets: Propagation = "note"


def _both_ways(value: Any) -> Any:
    return {"to_issue": value, "to_tickets": value} if isinstance(value, str) else value


class Comments(Section):
    public: Direction = Field("both", description="Public comments and replies.")
    private: Direction = Field(
        "none", description="Private notes. They arrive as private notes, never as anything else."
    )
    edits: Annotated[PerDirection, BeforeValidator(_both_ways, json_schema_input_type=Propagation | PerDirection)] = (
        Field(
            default=PerDirection(),
            description="What an edited comment does to its copy: mirror the edit, add a note, or ignore it. "
            "Where the tracker cannot edit, mirror means note.",
        )
    )
    deletes: Annotated[PerDirection, BeforeValidator(_both_ways, json_schema_input_type=Propagation | PerDirection)] = (
        Field(
            default=PerDirection(to_issue="note", to_tickets="ignore"),
            description="What a deleted comment does to its copy.",
        )
    )
    history: Annotated[int, Field(ge=0)] | Literal["all"] = Field(
        "all",
        description="How many of the comments that were there before the link come over: all, or the last N.",
    )


class Attachments(Section):
    direction: Direction = "both"
    max_bytes: int = Field(
        20 * 1024 * 1024, gt=0, description="Larger files do not travel; a note says so and links to them."
    )


class LinkSettings(Section):
    """One pairing: helpdesks whose tickets are kept in step with issues of one bug tracker."""

    name: str = Field("", description="What messages call it; by default <tickets>-<issues>.")
    tickets: Words = Field(min_length=1, description="Names of trackers whose tickets are escalated.")
    issues: str = Field(description="Name of the tracker that holds the issues.")
    when: Condition | None = Field(
        None, description="Which tickets get an issue by themselves. Without it, links are made by hand."
    )
    fields: dict[
        FieldName, Annotated[FieldPolicy, BeforeValidator(_as_policy, json_schema_input_type=Direction | FieldPolicy)]
    ] = Field(
        default_factory=dict,
        description="Per field: a direction, or direction, conflict, many and initial. Custom fields are called "
        "custom:<name> and are kept in step both ways unless said otherwise.",
    )
    labels: Annotated[Labels, BeforeValidator(_as_policy, json_schema_input_type=Direction | Labels)] = Labels()
    comments: Comments = Comments()
    attachments: Attachments = Attachments()
    template: str = Field(
        "",
        description="What the description of a new issue says, with placeholders: ticket, customers, due, links. Where "
        "there is one, the issue's description is the engineers' own from then on.",
    )
    on_unlink: Literal["keep", "remove_links"] = "remove_links"

    @property
    def title(self) -> str:
        return self.name or f"{'+'.join(self.tickets)}-{self.issues}"

    @cached_property
    def _policies(self) -> dict[str, FieldPolicy]:
        """Those that were asked for so far: every run asks for all of them."""
        return {}

    def policy(self, field_name: str) -> FieldPolicy:
        """The policy of a field: what the settings say over what is usual for this field."""
        known = self._policies.get(field_name)
        if known is None:
            given = self.fields.get(field_name)
            usual = FIELD_DEFAULTS.get(field_name, {"initial": "tickets"})
            said = given.model_dump(exclude_unset=True) if given else {}
            known = self._policies[field_name] = FieldPolicy.model_validate(usual | said)
        return known


class Server(Section):
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535, description="0 takes a free port.")
    public_url: str = Field("", description="Where trackers reach the hub, for `hub check` and links.")
    max_body_bytes: int = Field(5 * 1024 * 1024, gt=0, description="Larger webhooks are refused with 413.")
    threads: int = Field(4, ge=1)
    api_token: SecretStr | None = Field(
        None, description="What requests to /api show as a bearer token. Without one the API is off."
    )

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// (or http:// on this machine)")
        return value.rstrip("/")


class Store(Section):
    url: str = Field(
        "sqlite:///hub.sqlite3",
        repr=False,  # it may hold a password
        description="Database address. A relative SQLite path is relative to the settings' folder.",
    )


class Logs(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = Field("auto", description="auto: text on a terminal, else JSON.")


class EngineSettings(Section):
    workers: int = Field(4, ge=1, description="How many tickets are worked on side by side.")
    retry_first: float = Field(2.0, gt=0, description="Seconds before the first retry; doubles each time.")
    retry_most: float = Field(300.0, gt=0, description="Seconds between two retries at most.")
    drain: float = Field(20.0, ge=0, description="Seconds that a shutdown waits for running work.")


class FailureAlarm(Section):
    """Who is told of what is new on the failures list: once for each, never for its retries."""

    notify: Words = Field(default_factory=list, description="Names under notifiers.")
    every: Minutes = Field(15.0, description="Least time between two messages; what comes meanwhile is told together.")


class Settings(Section):
    """A whole deployment."""

    server: Server = Server()
    store: Store = Store()
    logs: Logs = Logs()
    engine: EngineSettings = EngineSettings()
    plugins: list[str] = Field(
        default_factory=list, description="Plugins to enable beyond the connectors that `trackers` names."
    )
    plugin_folder: str = Field("", description="Folder with plugins of your own, relative to the settings.")
    trackers: dict[str, SerializeAsAny[TrackerSettings]] = Field(default_factory=dict)
    links: list[LinkSettings] = Field(default_factory=list)
    people: dict[str, dict[str, Annotated[str, Field(coerce_numbers_to_str=True)]]] = Field(
        default_factory=dict,
        description="Who is who: a name of your choice -> the person's account id in each tracker.",
    )
    lines: dict[LineNumber, Line] = Field(
        default_factory=dict,
        description="The support lines, counted from 1, the first one takes what nobody else does.",
    )
    calendars: dict[str, CalendarSettings] = Field(default_factory=dict, description="Business hours, by name.")
    agreements: dict[str, Agreement] = Field(default_factory=dict, description="SLA, OLA and UC, by name.")
    rules: list[Rule] = Field(default_factory=list, description="What is done when; in this order.")
    macros: dict[str, Macro] = Field(default_factory=dict, description="Ready answers and actions, by name.")
    notifiers: dict[str, Notifier] = Field(default_factory=dict, description="Where messages go, by name.")
    alerts: dict[str, AlertSource] = Field(
        default_factory=dict, description="Monitoring that opens incidents, by name; it sends to POST /alerts/<name>."
    )
    failures: FailureAlarm = FailureAlarm()
    languages: Languages = Languages()
    similar: Similar = Similar()
    priority_matrix: PriorityMatrix | None = Field(
        None, description="Priority from impact and urgency, for tools that have both."
    )
    rule_tests: list[RuleTest] = Field(
        default_factory=list, description="What the rules are expected to do; run by hub rules check."
    )

    @property
    def has_rules(self) -> bool:
        """Whether tickets are looked after beyond being kept in step."""
        return bool(self.lines or self.agreements or self.rules or self.macros)
