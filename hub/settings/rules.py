"""The rule book as validated settings: conditions, lines, calendars, agreements, rules, macros, notifiers.

What a support lead writes, and nothing of what follows from it: `hub.rules` compiles and evaluates it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticKnownError

from hub.settings.trackers import Section, Words
from hub.ticket import Category, Channel, Priority, Status

_DURATION = re.compile(r"(?:(\d+)\s*h)?\s*(?:(\d+)\s*m)?")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def one_of(known: Iterable[str]) -> Callable[[str], str]:
    """A check that a value is one of these words, in the words of `hub.settings.explain`; `unknown` is never one."""
    words = [str(word) for word in known if word != "unknown"]

    def check(value: str) -> str:
        if value not in words:
            raise PydanticKnownError("enum", {"expected": ", ".join(map(repr, words))})
        return value

    return check


def _words(known: Iterable[str]) -> dict[str, Any]:
    return {"type": "string", "enum": [str(word) for word in known if word != "unknown"]}


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _minutes(value: Any) -> Any:
    """`1h 30m` as minutes."""
    if not isinstance(value, str):
        raise ValueError("must be a duration such as 30m, 4h or 1h 30m")
    match = _DURATION.fullmatch(value.strip())
    if match is None or not value.strip():
        told = "must be a duration such as 30m, 4h or 1h 30m"
        if re.search(r"\d\s*d", value):
            told = "must be in hours and minutes, e.g. 16h: calendars have days of different lengths"
        raise ValueError(told)
    return int(match[1] or 0) * 60 + int(match[2] or 0)


Listed = Annotated[list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
Minutes = Annotated[
    float,
    BeforeValidator(_minutes, json_schema_input_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+\s*h)?\s*(\d+\s*m)?$", "description": "e.g. 30m, 4h, 1h 30m"}),
]
PriorityName = Annotated[str, AfterValidator(one_of(Priority)), WithJsonSchema(_words(Priority))]
CategoryName = Annotated[str, AfterValidator(one_of(Category)), WithJsonSchema(_words(Category))]
StatusName = Annotated[str, AfterValidator(one_of(Status)), WithJsonSchema(_words(Status))]
ChannelName = Annotated[str, AfterValidator(one_of(Channel)), WithJsonSchema(_words(Channel))]
Priorities = Annotated[
    list[PriorityName], BeforeValidator(_listed, json_schema_input_type=PriorityName | list[PriorityName])
]
Categories = Annotated[
    list[CategoryName], BeforeValidator(_listed, json_schema_input_type=CategoryName | list[CategoryName])
]
Statuses = Annotated[list[StatusName], BeforeValidator(_listed, json_schema_input_type=StatusName | list[StatusName])]
Channels = Annotated[
    list[ChannelName], BeforeValidator(_listed, json_schema_input_type=ChannelName | list[ChannelName])
]
LineNumber = Annotated[int, Field(ge=1)]
LineNumbers = Annotated[
    list[LineNumber], BeforeValidator(_listed, json_schema_input_type=LineNumber | list[LineNumber])
]
Percent = Annotated[int, Field(ge=1, le=999)]
MeasureName = Literal["first_response", "next_response", "ownership", "resolution", "update"]

CHANGEABLE = ("status", "priority", "category", "line", "assignee", "organisation", "issue_status")
"""The fields whose changes the hub keeps for rules."""


class Span(Section):
    """A time between two bounds, both exclusive of what is exactly there."""

    over: Minutes | None = Field(None, description="Longer than this.")
    under: Minutes | None = Field(None, description="Shorter than this.")


class Count(Section):
    over: float | None = Field(None, description="More than this.")
    under: float | None = Field(None, description="Less than this.")


def _as_over(value: Any) -> Any:
    return {"over": value} if not isinstance(value, dict) else value


Duration = Annotated[Span, BeforeValidator(_as_over, json_schema_input_type=str | Span)]
Amount = Annotated[Count, BeforeValidator(_as_over, json_schema_input_type=float | Count)]


class Changed(Section):
    """A change since the hub last looked."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)
    from_: Words | None = Field(None, alias="from", description="The value before was one of these.")
    to: Words | None = Field(None, description="The value now is one of these.")


class ClockIs(Section):
    """How far a clock of an agreement is."""

    agreement: str = Field("", description="Name of the agreement; any, where it is left out.")
    target: MeasureName
    reached: Percent | None = Field(None, description="Percent of the target used up; 100 is the breach.")
    state: Literal["running", "paused", "met", "missed", "breached"] | None = None


Names = Annotated[Words, Field(description="One or several; * stands for anything; without regard to case.")]


class Condition(Section):
    """Something that a ticket is asked. All that is given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)
    all: list[Condition] | None = Field(None, min_length=1, description="Each of these holds.")
    any: list[Condition] | None = Field(None, min_length=1, description="At least one of these holds.")
    not_: Condition | None = Field(None, alias="not", description="This does not hold.")
    label: Names | None = Field(None, description="The ticket carries one of these labels; * stands for anything.")
    line: LineNumbers | None = Field(None, description="The ticket is with one of these support lines.")
    status: Statuses | None = Field(None, description="The ticket has one of these neutral statuses.")
    priority: Priorities | None = Field(None, description="The ticket has one of these neutral priorities.")
    category: Categories | None = Field(None, description="The ticket is of one of these neutral categories.")
    channel: Channels | None = Field(None, description="The request came in this way.")
    tracker: Words | None = Field(None, description="The ticket is in one of these trackers.")
    organisation: Names | None = Field(None, description="The customer's organisation.")
    requester: Names | None = Field(None, description="The requester's mail address, e.g. *@acme.example.")
    assignee: Names | None = Field(None, description="The assignee's name or mail address; nobody for no one.")
    title: Names | None = Field(None, description="The title, e.g. *outage*.")
    text: Names | None = Field(None, description="The description, e.g. *error 500*.")
    custom: dict[str, Names | Amount] | None = Field(
        None, description="Custom fields by their neutral name: words, or over and under for numbers."
    )
    linked: bool | None = Field(None, description="Whether there is an issue in a bug tracker.")
    issue_status: Statuses | None = Field(None, description="The neutral status of the linked issue.")
    issue_resolution: Names | None = Field(None, description="How the linked issue ended, in its tracker's words.")
    customers: Amount | None = Field(None, description="How many tickets share the issue.")
    age: Duration | None = Field(None, description="Time since the ticket was opened.")
    idle: Duration | None = Field(
        None, description="Time since the ticket was last changed. Notes, labels and fields of rules are no change."
    )
    with_line: Duration | None = Field(None, description="Time since the ticket came to its line.")
    last_reply: Literal["customer", "staff", "nobody"] | None = Field(
        None, description="Who wrote the last public comment."
    )
    replied: Literal["customer", "staff"] | None = Field(
        None, description="Somebody wrote a public comment since the hub last looked."
    )
    changed: dict[Annotated[str, AfterValidator(one_of(CHANGEABLE))], Changed] | None = Field(
        None, description="Fields that changed since the hub last looked, with what they changed from and to."
    )
    clock: ClockIs | None = Field(None, description="How far a clock of an agreement is.")
    rating: Literal["good", "bad"] | None = Field(None, description="The customer's satisfaction rating.")
    language: Names | None = Field(None, description="The requester's language, e.g. pl.")
    plugin: dict[str, Any] | None = Field(
        None, min_length=1, description="Conditions that plugins bring: a name, and what that condition is told."
    )
    _tests: Mapping[str, Callable[[Mapping[str, object], Any], Any]] = PrivateAttr(default_factory=dict)

    @property
    def tests(self) -> Mapping[str, Callable[[Mapping[str, object], Any], Any]]:
        """The functions of the plugins' conditions; put here when the settings are loaded."""
        return self._tests

    def use(self, tests: Mapping[str, Callable[[Mapping[str, object], Any], Any]]) -> None:
        """Takes the plugins' conditions into use, also in the parts."""
        self._tests = tests
        for part in [*(self.all or ()), *(self.any or ()), *([self.not_] if self.not_ else ())]:
            part.use(tests)


class Notice(Section):
    """A message to a notifier."""

    to: Words = Field(min_length=1, description="Names under notifiers.")
    text: str = Field(description="May hold placeholders, as a macro's text.")


class ActionCall(Section):
    """An action that a plugin offers."""

    action: str = Field(description="Name of the action, e.g. teamviewer.create_session.")
    with_: dict[str, str] = Field(default_factory=dict, alias="with", description="What it is told; placeholders.")
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)


SETTABLE = ("status", "priority", "category", "assignee")


def _is_settable(value: str) -> str:
    return value if value.startswith("custom:") else one_of([*SETTABLE, "custom:<name>"])(value)


class Actions(Section):
    """What is done, in the order in which it stands here: fields, labels, texts, line, issue, notices."""

    set: dict[Annotated[str, AfterValidator(_is_settable)], str | float | bool | None] = Field(
        default_factory=dict, description="Fields to set: status, priority, category, assignee, custom:<name>."
    )
    raise_priority: int = Field(0, ge=0, le=4, description="By how many steps; never above urgent.")
    add_labels: Listed = Field(default_factory=list)
    remove_labels: Listed = Field(default_factory=list)
    macro: str = Field("", description="Name of a macro to run first.")
    note: str = Field("", description="A private note. May hold placeholders.")
    reply: str = Field("", description="A public reply, which customers see. May hold placeholders.")
    line: LineNumber | Literal["next", "previous"] | None = Field(None, description="Hand the ticket to this line.")
    reason: str = Field("", description="Why, for the note that goes with the hand-over. May hold placeholders.")
    issue: bool = Field(False, description="Make sure that there is an issue in the bug tracker.")
    suggest_articles: int = Field(
        0, ge=0, le=10, description="Suggest up to this many help articles in a private note, where the tracker can."
    )
    notify: Annotated[list[Notice], BeforeValidator(_listed, json_schema_input_type=Notice | list[Notice])] = Field(
        default_factory=list
    )
    run: Annotated[list[ActionCall], BeforeValidator(_listed, json_schema_input_type=ActionCall | list[ActionCall])] = (
        Field(default_factory=list)
    )


class Rule(Section):
    """What is done about a ticket when its condition comes to hold."""

    name: str = Field(min_length=1, description="What explanations call it.")
    when: Condition
    then: Actions
    again_after: Minutes | None = Field(
        None, description="Done again after this time for as long as it still holds; once each time, where left out."
    )
    overrides: Words = Field(
        default_factory=list, description="Earlier rules whose settings of the same field this one may replace."
    )


class Line(Section):
    """A support line: who takes what, and to whom it goes next. Its groups in each tracker stand there, under lines."""

    name: str = Field(description="What people call it.")
    takes: Condition | None = Field(
        None, description="New tickets with no line that go here; of several lines the first that takes it."
    )
    people: list[str] = Field(default_factory=list, description="Names under people who work here.")
    calendar: str = Field("", description="When somebody is there; around the clock where left out.")
    issues: str = Field("", description="Name of the entry under links by which a ticket gets its issue here.")
    label: str = Field("", description="Label that shows the line in trackers whose lines have no groups.")
    assign: bool = Field(
        False, description="Hand each ticket to whoever of the people has the fewest; never one that has an assignee."
    )


def _hours(value: Any) -> Any:
    """`08:00-16:00, 18:00-02:00` as pairs of minutes after midnight; a shift over midnight ends after 24:00."""
    if not isinstance(value, str):
        raise ValueError("must be hours such as 08:00-16:00, or closed")
    if value.strip() == "closed":
        return []
    spans = []
    for part in value.split(","):
        match = _HOURS.fullmatch(part.strip())
        if match is None:
            raise ValueError("must be hours such as 08:00-16:00, or closed")
        start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if start >= 24 * 60 or end > 24 * 60 or int(match[2]) > 59 or int(match[4]) > 59:
            raise ValueError("must be hours between 00:00 and 24:00")
        if start == end:
            raise ValueError("must begin and end at different times; 00:00-24:00 is a whole day")
        spans.append((start, end if end > start else end + 24 * 60))
    return spans


Hours = Annotated[
    list[tuple[int, int]],
    BeforeValidator(_hours, json_schema_input_type=str),
    WithJsonSchema({"type": "string", "description": "e.g. 08:00-16:00, or 22:00-06:00 over midnight, or closed"}),
]


def _weekdays(value: str) -> str:
    first, _, last = value.partition("-")
    one_of(_DAYS)(first)
    if last:
        one_of(_DAYS)(last)
    return value


class CalendarSettings(Section):
    """When business time runs."""

    zone: str = Field("UTC", description="Time zone, e.g. Europe/Warsaw.")
    hours: dict[Annotated[str, AfterValidator(_weekdays)], Hours] = Field(
        min_length=1, description="Opening hours by day or range of days: mon-fri, sat. Days left out are closed."
    )
    holidays: str = Field("", description="Country, or country and region, e.g. PL or DE-BY.")
    closed: list[date] = Field(default_factory=list, description="Days of your own that are closed.")
    open: dict[date, Hours] = Field(default_factory=dict, description="Single days with hours of their own.")

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("must be a time zone such as Europe/Warsaw") from error
        return value

    def by_weekday(self) -> dict[int, tuple[tuple[int, int], ...]]:
        """The opening hours by weekday, Monday is 0."""
        found: dict[int, tuple[tuple[int, int], ...]] = {}
        for days, hours in self.hours.items():
            first, _, last = days.partition("-")
            start, end = _DAYS.index(first), _DAYS.index(last or first)
            for offset in range((end - start) % 7 + 1):
                day = (start + offset) % 7
                found[day] = (*found.get(day, ()), *hours)
        return found


def _as_any(value: Any) -> Any:
    return {"any": value} if isinstance(value, str) else value


PriorityOrAny = Annotated[
    str,
    AfterValidator(one_of([*Priority, "any"])),
    WithJsonSchema(_words([*Priority, "any"])),
]
ByPriority = Annotated[
    dict[PriorityOrAny, Minutes], BeforeValidator(_as_any, json_schema_input_type=str | dict[PriorityOrAny, str])
]


class Show(Section):
    """Fields in which people see a clock: custom fields by their neutral name, in helpdesk and bug tracker alike."""

    target: MeasureName = "resolution"
    due: str = Field("", description="Neutral name of a date field for the due time.")
    state: str = Field("", description="Neutral name of a text field for running, paused, met, breached…")


class Agreement(Section):
    """What was promised to the customer (SLA), between the lines (OLA) or by a supplier (UC)."""

    kind: Literal["SLA", "OLA", "UC"]
    when: Condition | None = Field(
        None, description="Which tickets it is for; of each kind the first that fits counts. All, where left out."
    )
    lines: LineNumbers = Field(
        default_factory=list, description="Only time with these lines counts. For agreements between lines."
    )
    calendar: str = Field("", description="Name under calendars; around the clock where left out.")
    statuses: Statuses = Field(
        default_factory=list, description="Only time in these statuses counts, e.g. on_hold for a supplier's."
    )
    paused_in: Statuses | None = Field(
        None,
        description="Statuses in which the clocks stand still. A resolution waits for the customer in pending and the "
        "other measures for nobody, where left out.",
    )
    reopened: Literal["continues", "anew", "never"] | None = Field(
        None,
        description="What the clocks do when a solved ticket is opened again, or comes back to the agreement's lines: "
        "by default those of a whole ticket continue and those of lines or statuses begin anew.",
    )
    targets: dict[MeasureName, ByPriority] = Field(
        min_length=1, description="Time for each measure: one for all, or by priority, with any for the others."
    )
    warnings: dict[Percent, Actions] = Field(
        default_factory=dict, description="What is done when this much of the time is used up."
    )
    on_breach: Actions | None = Field(None, description="What is done when the time is over.")
    show: Annotated[list[Show], BeforeValidator(_listed, json_schema_input_type=Show | list[Show])] = Field(
        default_factory=list
    )


class Macro(Section):
    """A ready answer with actions."""

    title: str = Field("", description="What people call it.")
    visibility: Literal["public", "private"] | None = Field(
        None, description="Whether the text is a reply that customers see, or a note. Must be said where there is text."
    )
    text: Annotated[
        dict[str, str],
        BeforeValidator(lambda v: {"": v} if isinstance(v, str) else v, json_schema_input_type=str | dict[str, str]),
    ] = Field(default_factory=dict, description="The text, or one by language: en, pl, … Placeholders in {{ }}.")
    then: Actions = Actions()


class Notifier(Section):
    url: SecretStr = Field(description="Address in apprise's form, e.g. ${ONCALL_URL}.")


class Similar(Section):
    """Whether open issues about the same thing are looked for before a new one is made."""

    mode: Literal["off", "dry", "offer", "link"] = Field(
        "offer",
        description="offer: a private note names them and the ticket waits for an answer; link: the ticket joins the "
        "most similar; dry: only the record says what would have been offered.",
    )
    threshold: float = Field(0.6, gt=0, le=1, description="How similar, from 0 (nothing in common) to 1 (the same).")


class Languages(Section):
    default: str = Field("en", description="Language of macros for requesters whose own is not known.")
    custom_field: str = Field("", description="Neutral name of a custom field that holds the requester's language.")
    organisations: dict[str, str] = Field(default_factory=dict, description="Organisation -> language.")


class PriorityMatrix(Section):
    """Priority from impact and urgency, for tools that have both."""

    impact: str = Field(description="Neutral name of the custom field with the impact.")
    urgency: str = Field(description="Neutral name of the custom field with the urgency.")
    table: dict[str, dict[str, PriorityName]] = Field(
        min_length=1, description="Impact -> urgency -> priority, in the fields' own words."
    )


class GivenRequester(Section):
    name: str = ""
    email: str | None = None
    language: str | None = None


class GivenTicket(Section):
    """The ticket of a rule test, in neutral words."""

    tracker: str = Field(description="Name of the helpdesk that it is in.")
    title: str = "A ticket"
    text: str = ""
    status: StatusName = "new"
    priority: PriorityName = "normal"
    category: CategoryName | None = None
    channel: ChannelName | None = None
    line: LineNumber | None = None
    labels: list[str] = Field(default_factory=list)
    organisation: str | None = None
    requester: GivenRequester = GivenRequester(name="A customer", email="customer@example.com")
    assignee: str | None = Field(None, description="A name under people.")
    custom: dict[str, str | float | bool] = Field(default_factory=dict)
    opened: datetime = Field(
        datetime(2026, 1, 5, 9, tzinfo=UTC), description="When, with its zone: 2026-01-05T09:00:00+01:00."
    )

    @field_validator("opened")
    @classmethod
    def _has_a_zone(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError("must have a zone, e.g. 2026-01-05T09:00:00+01:00")
        return value.astimezone(UTC)


class Step(Section):
    """Something that happens in a rule test."""

    at: Minutes = Field(description="Time after the opening, e.g. 1h 30m.")
    status: StatusName | None = None
    priority: PriorityName | None = None
    category: CategoryName | None = None
    line: LineNumber | None = None
    assignee: str | None = Field(None, description="A name under people; nobody for no one.")
    add_labels: Listed = Field(default_factory=list)
    remove_labels: Listed = Field(default_factory=list)
    custom: dict[str, str | float | bool] = Field(default_factory=dict)
    reply: Literal["customer", "staff"] | None = Field(None, description="Who writes a public comment.")
    note: str = Field("", description="Text of a private note of an agent.")
    issue_status: StatusName | None = Field(None, description="Status of the linked issue; the first makes the link.")
    rating: Literal["good", "bad"] | None = None


class ClockThen(Section):
    state: Literal["running", "paused", "met", "missed", "breached", "stopped"] | None = None
    due: datetime | None = Field(None, description="With its zone.")


class Then(Section):
    """What must be so after the last step of a rule test; what is not named is not looked at."""

    fired: list[str] = Field(default_factory=list, description="These fired, in this order, others may be between.")
    not_fired: list[str] = Field(default_factory=list)
    status: StatusName | None = None
    priority: PriorityName | None = None
    category: CategoryName | None = None
    line: LineNumber | None = None
    assignee: str | None = None
    custom: dict[str, str | float | bool] = Field(default_factory=dict)
    labels: list[str] = Field(default_factory=list, description="It carries these.")
    no_labels: list[str] = Field(default_factory=list, description="It carries none of these.")
    replies: list[str] | None = Field(None, description="The public replies, each by a pattern; [] for none.")
    notes: list[str] | None = Field(None, description="The private notes, each by a pattern; [] for none.")
    notified: list[str] | None = Field(None, description="Which notifiers were told, in order.")
    issue: bool | None = Field(None, description="Whether an issue was asked for.")
    clocks: dict[str, ClockThen] = Field(default_factory=dict, description="By <agreement>.<measure>.")


class RuleTest(Section):
    """What the rules are expected to do about a ticket, run by `hub rules check`."""

    name: str
    given: GivenTicket
    when: list[Step] = Field(default_factory=list, description="What happens, in order.")
    then: Then
