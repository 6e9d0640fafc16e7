"""The settings of alerts: which monitoring may send them, where they open incidents, and what those say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from hub.settings.rules import CategoryName, Minutes, PriorityName
from hub.settings.trackers import Section, Words

TITLE = "{{ name }}{% if summary %}: {{ summary }}{% endif %}"
DESCRIPTION = """\
{{ source }} reports {{ count }} alert(s), the worst is {{ severity | default('of no severity') }}.

{% for alert in alerts %}
- {{ alert.name }}{% if alert.summary %}: {{ alert.summary }}{% endif %} (since {{ alert.started }})
{% endfor %}

{% if url %}{{ url }}{% endif %}
"""
PRIORITIES = {"critical": "urgent", "page": "urgent", "error": "high", "warning": "normal", "info": "low"}


class AlertFields(Section):
    """Where a sender of JSON puts things: dotted paths, e.g. incident.state. For `kind: json` only."""

    alerts: str = Field("alerts", description="The list of alerts; where there is none the body itself is one alert.")
    id: str = Field("id", description="What stays the same from an alert's beginning to its end.")
    group: str = Field("group", description="What belongs together in one incident; used unless group_by is given.")
    status: str = Field("status", description="Whether it goes on or has ended; see resolved_words.")
    title: str = "title"
    description: str = "description"
    severity: str = "severity"
    url: str = "url"
    started: str = Field("started", description="When it began, ISO 8601 with a zone.")
    labels: str = Field("labels", description="An object of names and values, for group_by and placeholders.")


class AlertSource(Section):
    """A monitoring that opens, updates and ends incidents. It sends to POST /alerts/<name>."""

    kind: Literal["alertmanager", "json"]
    secret: SecretStr = Field(
        description="What the sender must show: as bearer token, as password of HTTP Basic, or in secret_header."
    )
    secret_header: str = Field("X-Hub-Token", description="The header for senders that cannot sign in otherwise.")
    id_header: str = Field(
        "", description="A header that is the same when a delivery is sent again; Alertmanager has none."
    )
    tracker: str = Field(description="Name of the helpdesk in which incidents are opened.")
    group_by: list[str] | None = Field(
        None,
        description="Labels whose values make one incident; [] for one of the whole source. By default Alertmanager's "
        "own grouping, and for JSON the field group, else the title.",
    )
    severity_label: str = Field("severity", description="The label that says how bad it is.")
    priorities: dict[str, PriorityName] = Field(
        default_factory=lambda: dict(PRIORITIES), description="Severity -> neutral priority. The worst alert counts."
    )
    priority: PriorityName = Field("normal", description="The priority for severities that priorities does not name.")
    category: CategoryName | Literal[""] = Field("incident", description="Neutral category; empty to leave it out.")
    labels: list[str] = Field(default_factory=lambda: ["alert"], description="Labels of the incident's ticket.")
    requester: str = Field("", description="Mail address in whose name it is opened; the hub's own where left out.")
    assignee: str = Field(
        "", description="A name under people who gets each incident; Zendesk solves no ticket that nobody has."
    )
    title: str = Field(TITLE, description="May hold the placeholders of alerts.")
    description: str = Field(DESCRIPTION, description="May hold the placeholders of alerts.")
    visibility: Literal["private", "public"] = Field(
        "private", description="Who sees the description and the updates: private, or public for customers as well."
    )
    resolve: Literal["solve", "note"] = Field(
        "solve", description="When all alerts have ended: solve the ticket, or only note it."
    )
    quiet_for: Minutes = Field(
        60.0, description="When alerts come back within this time after their end, the same ticket is opened again."
    )
    update_every: Minutes = Field(
        5.0, description="Least time between two updates of a ticket; what comes meanwhile is told together."
    )
    max_updates: Annotated[int, Field(ge=1, le=1000)] = Field(
        20, description="Updates that one ticket gets at most; after the last only its status and priority change."
    )
    storm_after: Annotated[int, Field(ge=1)] = Field(
        25, description="New incidents of this source within an hour; further ones join one common incident."
    )
    resolved_words: Words = Field(
        default_factory=lambda: ["resolved", "ok", "closed", "recovered", "up", "false", "0"],
        description="For JSON: words of status that mean the end; without regard to case.",
    )
    fields: AlertFields = AlertFields()
