"""Incidents out of alerts: what is known of one, and what its ticket is to be told. Pure values and functions.

A signal says of some alerts whether they go on. Folded into an incident it only changes what is known; what follows
from that is decided afterwards, from the difference to what the ticket was told last. So signals that come twice, in
thousands, or while a tracker is down end in the same few words as one that came in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from hub.rules.book import PRIORITIES
from hub.settings.alerts import AlertSource
from hub.ticket import Priority

MOST_ALERTS = 5000
"""Alerts of one incident that are told apart; of further ones only the number is known."""
MOST_DETAILS = 50
"""Alerts of one incident or signal whose names and texts are kept."""
STORM = "storm"
"""The group of the common incident that takes in what is too much for incidents of its own."""
STORM_NAME = "Many alerts at once"
STORM_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert. `id` is at most 64 characters; the texts are the sender's own, plain, and may be empty."""

    id: str
    is_firing: bool
    severity: str = ""
    name: str = ""
    summary: str = ""
    description: str = ""
    url: str = ""
    started: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What one delivery says of one group. `name` is what people call the group.

    With `is_whole` the alerts are all there are: whatever else was known of the group has ended.
    """

    group: str
    name: str
    alerts: tuple[Alert, ...]
    url: str = ""
    is_whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What is known of an incident, and what its ticket was told.

    `firing` maps the alerts that go on to their severities; `beyond` counts those that had no room there. `told` are
    those that went on when the ticket was last written to, `told_at`. `state` is what the ticket was told: nothing
    yet (new), that it goes on (open), or that it is over (resolved). `updates` counts the texts after the first one,
    `writes` everything that was ever ordered. `priority` is what the ticket was given last.
    """

    name: str
    url: str = ""
    firing: Mapping[str, str] = field(default_factory=dict)
    beyond: int = 0
    details: Mapping[str, Alert] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    told_at: datetime | None = None
    state: Literal["new", "open", "resolved"] = "new"
    ended: datetime | None = None
    updates: int = 0
    writes: int = 0
    priority: str = ""

    @property
    def is_firing(self) -> bool:
        return bool(self.firing)

    @property
    def count(self) -> int:
        """How many alerts go on."""
        return len(self.firing) + self.beyond

    @property
    def joined(self) -> list[str]:
        """The alerts that the ticket does not know of yet."""
        return [one for one in self.firing if one not in self.told]

    @property
    def gone(self) -> list[str]:
        """The alerts that the ticket takes for going on, and that have ended."""
        return sorted(self.told - self.firing.keys())

    @property
    def has_news(self) -> bool:
        """Whether alerts go on that the ticket does not know of, or takes for over."""
        return self.is_firing and (bool(self.joined) or self.state == "resolved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a ticket is to be told now. `text` is plain, empty for none; `look_at` is when to decide again (UTC)."""

    incident: Incident
    text: str = ""
    status: Literal["open", "solved"] | None = None
    priority: Priority | None = None
    because: str = ""
    look_at: datetime | None = None

    @property
    def is_write(self) -> bool:
        return bool(self.text or self.status or self.priority)


def fold(incident: Incident, signals: Iterable[Signal], *, merges: bool = False) -> Incident:
    """What is known after the signals, in their order. With `merges` no signal speaks for all of the incident."""
    firing, details, beyond, url = dict(incident.firing), dict(incident.details), incident.beyond, incident.url
    for signal in signals:
        alerts: Sequence[Alert] = signal.alerts
        if signal.is_whole and not merges:
            # Of too many the same ones are kept, whatever their order, so that none seems to come and go.
            alerts = sorted(alerts, key=lambda alert: alert.id not in firing)
            firing, beyond = {}, 0
        for alert in alerts:
            if not alert.is_firing:
                firing.pop(alert.id, None)
            elif alert.id in firing or len(firing) < MOST_ALERTS:
                firing[alert.id] = alert.severity
            else:
                beyond += 1
            is_known = alert.id in details
            if alert.name and (alert.is_firing if is_known else len(details) < MOST_DETAILS):
                details[alert.id] = alert
        url = signal.url or url
    if not firing:
        beyond = 0
    return replace(incident, firing=firing, details=details, beyond=beyond, url=url)


def priority_of(incident: Incident, source: AlertSource) -> Priority:
    """That of the worst alert that goes on."""
    named = (source.priorities.get(severity, source.priority) for severity in {*incident.firing.values()} or {""})
    return max(map(Priority, named), key=PRIORITIES.index)


def severity_of(incident: Incident, source: AlertSource) -> str:
    """The worst severity of the alerts that go on, in the sender's word."""
    ordered = sorted({*incident.firing.values()} - {""})
    rank = {
        severity: PRIORITIES.index(Priority(source.priorities.get(severity, source.priority))) for severity in ordered
    }
    return max(ordered, key=rank.__getitem__, default="")


def opened(incident: Incident, source: AlertSource, now: datetime, *, told: frozenset[str]) -> Incident:
    """The incident once its ticket is there and tells of the alerts `told`."""
    priority = str(priority_of(incident, source))
    return replace(incident, state="open", ended=None, priority=priority, told=told, told_at=now)


def decide(incident: Incident, source: AlertSource, now: datetime, *, is_done: bool) -> Decision:
    """What the incident's ticket is to be told. `is_done` says whether it stands as solved, where that was asked."""
    change = _change(incident)
    if change is None:
        return Decision(incident=incident)
    wait = timedelta(minutes=source.update_every)
    if incident.told_at is not None and now < incident.told_at + wait:
        return Decision(incident=incident, look_at=incident.told_at + wait)
    status: Literal["open", "solved"] | None = None
    if change == "over":
        status = "solved" if source.resolve == "solve" else None
    elif is_done or (change == "again" and source.resolve == "solve"):
        # What solved it may be ordered and not done yet, so a ticket that stands as open proves nothing.
        status = "open"
    priority = priority_of(incident, source)
    is_worse = incident.is_firing and (
        not incident.priority or PRIORITIES.index(priority) > PRIORITIES.index(Priority(incident.priority))
    )
    text, updates = "", incident.updates
    if updates < source.max_updates:
        updates += 1
        text = _text(incident, change)
        if updates == source.max_updates:
            text += "\n\nThis is the last update here; what follows is shown by status and priority only."
    after = replace(
        incident,
        state="resolved" if change == "over" else "open",
        ended=now if change == "over" else None,
        updates=updates,
        writes=incident.writes + 1,
        priority=str(priority) if is_worse else incident.priority,
    )
    because = {"over": "all alerts have ended", "again": "alerts came back", "more": "other alerts go on now"}[change]
    return Decision(
        incident=_told(after, now),
        text=text,
        status=status,
        priority=priority if is_worse else None,
        because=because,
    )


def _change(incident: Incident) -> Literal["over", "again", "more"] | None:
    if not incident.is_firing:
        return "over" if incident.state == "open" else None
    if incident.state == "resolved":
        return "again"
    return "more" if incident.joined or incident.gone else None


def _told(incident: Incident, now: datetime) -> Incident:
    details = {one: alert for one, alert in incident.details.items() if one in incident.firing}
    return replace(incident, told=frozenset(incident.firing), told_at=now, details=details)


def _text(incident: Incident, change: Literal["over", "again", "more"]) -> str:
    if change == "over":
        return "All alerts have ended."
    parts = ["The alerts are back."] if change == "again" else []
    for ids, said in ((incident.joined, "New"), (incident.gone, "Ended")):
        if ids and not (change == "again" and said == "Ended"):
            parts.append(f"{said}: {_names(incident, ids)}.")
    parts.append(f"{incident.count} alert(s) go on.")
    return "\n".join(parts) + (f"\n{incident.url}" if incident.url else "")


MOST_NAMES = 10


def _names(incident: Incident, ids: Sequence[str]) -> str:
    known = [incident.details[one] for one in ids if one in incident.details][:MOST_NAMES]
    named = [f"{alert.name} ({alert.summary})" if alert.summary else alert.name for alert in known]
    rest = len(ids) - len(named)
    if not named:
        return f"{rest} alert(s)"
    return ", ".join(named) + (f", and {rest} more" if rest else "")


# -- storing ------------------------------------------------------------------------------------------------------


def dump_signal(signal: Signal) -> dict[str, Any]:
    """A signal as JSON, with the texts of its first alerts only."""
    alerts = [
        asdict(alert)
        if number < MOST_DETAILS
        else {"id": alert.id, "is_firing": alert.is_firing, "severity": alert.severity}
        for number, alert in enumerate(signal.alerts)
    ]
    return {
        "group": signal.group,
        "name": signal.name,
        "url": signal.url,
        "is_whole": signal.is_whole,
        "alerts": alerts,
    }


def load_signal(data: Mapping[str, Any]) -> Signal:
    """What `dump_signal` wrote."""
    return Signal(**{**data, "alerts": tuple(Alert(**alert) for alert in data["alerts"])})


def dump_incident(incident: Incident) -> dict[str, Any]:
    """An incident as JSON."""
    return {
        "name": incident.name,
        "url": incident.url,
        "firing": dict(incident.firing),
        "beyond": incident.beyond,
        "details": {one: asdict(alert) for one, alert in incident.details.items()},
        "told": sorted(incident.told),
        "told_at": incident.told_at.isoformat() if incident.told_at else None,
        "state": incident.state,
        "ended": incident.ended.isoformat() if incident.ended else None,
        "updates": incident.updates,
        "writes": incident.writes,
        "priority": incident.priority,
    }


def load_incident(data: Mapping[str, Any]) -> Incident:
    """What `dump_incident` wrote."""
    times = {name: datetime.fromisoformat(data[name]) if data[name] else None for name in ("told_at", "ended")}
    details = {one: Alert(**alert) for one, alert in data["details"].items()}
    return Incident(**{**data, **times, "details": details, "told": frozenset(data["told"])})
