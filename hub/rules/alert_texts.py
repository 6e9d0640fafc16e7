"""What the ticket of an incident says: its title and its description, by the settings' texts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.rules.alerts import Alert, Incident, severity_of
from hub.rules.placeholders import Vocabulary, render
from hub.settings.alerts import AlertSource
from hub.text import to_plain
from hub.ticket import Markdown

OF_ALERTS = Vocabulary(
    {
        "source": (),
        "name": (),
        "summary": (),
        "severity": (),
        "count": (),
        "url": (),
        "labels": (),
        "alerts": (),
        "now": (),
    }
)
"""What the texts of an alert source may name.

`labels` are those that all alerts have in common; `alerts` is a list with name, summary, description, severity, url,
started and labels of each, up to LISTED of them.
"""
LISTED = 20
LONGEST_TITLE = 200


def title_of(incident: Incident, source_name: str, source: AlertSource, now: datetime) -> str:
    """One line of plain text."""
    said = to_plain(render(source.title, _values(incident, source_name, source, now), OF_ALERTS).text)
    line = " ".join(said.split()) or incident.name or source_name
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1]}…"


def description_of(incident: Incident, source_name: str, source: AlertSource, now: datetime) -> Markdown:
    return render(source.description, _values(incident, source_name, source, now), OF_ALERTS).text


def _values(incident: Incident, source_name: str, source: AlertSource, now: datetime) -> dict[str, Any]:
    known = [alert for one, alert in incident.details.items() if one in incident.firing]
    return {
        "source": source_name,
        "name": incident.name,
        "summary": _shared([alert.summary for alert in known]),
        "severity": severity_of(incident, source),
        "count": incident.count,
        "url": incident.url,
        "labels": _common(known),
        "alerts": [_parts(alert) for alert in known[:LISTED]],
        "now": now,
    }


def _parts(alert: Alert) -> dict[str, Any]:
    names = ("name", "summary", "description", "severity", "url", "started", "labels")
    return {name: getattr(alert, name) for name in names}


def _shared(texts: list[str]) -> str:
    return texts[0] if texts and len(set(texts)) == 1 else ""


def _common(alerts: list[Alert]) -> Mapping[str, str]:
    """The labels that all of them have with the same value."""
    if not alerts:
        return {}
    first, *others = alerts
    return {name: value for name, value in first.labels.items() if all(o.labels.get(name) == value for o in others)}
