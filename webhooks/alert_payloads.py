"""What monitoring sends, as signals. Pure, quick, and bounded whatever comes in.

Alertmanager: the webhook body of version 4, https://prometheus.io/docs/alerting/latest/configuration/#webhook_config.
Each of its notifications lists all alerts of a group that go on, and those that ended since the last one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub.rules.alerts import Alert, Signal
from hub.settings.alerts import AlertFields, AlertSource

LONGEST = 300
LONGEST_DESCRIPTION = 2000
MOST_LABELS = 40
EVERYTHING = "everything"
"""What people call the group of a source whose alerts are all one incident."""


def signals_of(source: AlertSource, body: bytes) -> list[Signal]:
    """What a body says, one signal for each group that it speaks of.

    Raises ValueError with words for the admin when it is not of the form that `source.kind` has.
    """
    data = json.loads(body)
    if not isinstance(data, dict):
        raise ValueError("the body is no JSON object")
    return _of_alertmanager(source, data) if source.kind == "alertmanager" else _of_json(source, data)


def _of_alertmanager(source: AlertSource, data: Mapping[str, Any]) -> list[Signal]:
    listed, key = data.get("alerts"), data.get("groupKey")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise ValueError("there is no list of alerts; is this the webhook body of Alertmanager?")
    if not isinstance(key, str):
        raise ValueError("there is no groupKey; is this the webhook body of Alertmanager?")
    alerts = [_alert_of_alertmanager(source, one) for one in listed]
    url = _text(data.get("externalURL"))
    if source.group_by is not None:
        return _grouped(source.group_by, alerts, url)
    named = _labels(data.get("groupLabels"))
    name = named.get("alertname") if len(named) == 1 else ", ".join(f"{k}={v}" for k, v in sorted(named.items()))
    is_whole = data.get("truncatedAlerts") in (0, None)
    group, said = _digest(key), name or _shared_name(alerts) or key
    return [Signal(group=group, name=said[:LONGEST], alerts=tuple(alerts), url=url, is_whole=is_whole)]


def _alert_of_alertmanager(source: AlertSource, data: Mapping[str, Any]) -> Alert:
    labels, annotations = _labels(data.get("labels")), data.get("annotations")
    notes: Mapping[str, Any] = annotations if isinstance(annotations, dict) else {}
    status = data.get("status")
    if status not in ("firing", "resolved"):
        raise ValueError(f"an alert has the status {str(status)[:50]!r}; Alertmanager's are firing and resolved")
    return Alert(
        id=_id(data.get("fingerprint") or json.dumps(data.get("labels"), sort_keys=True)),
        is_firing=status == "firing",
        severity=labels.get(source.severity_label, ""),
        name=labels.get("alertname", "") or "alert",
        summary=_text(notes.get("summary")),
        description=_text(notes.get("description"), LONGEST_DESCRIPTION),
        url=_text(data.get("generatorURL")),
        started=_text(data.get("startsAt")),
        labels=labels,
    )


def _of_json(source: AlertSource, data: Mapping[str, Any]) -> list[Signal]:
    fields = source.fields
    listed = _at(data, fields.alerts)
    alerts: list[Alert] = []
    groups: dict[str, tuple[str, list[Alert]]] = {}
    for one in listed if isinstance(listed, list) else [data]:
        if not isinstance(one, dict):
            raise ValueError(f"{fields.alerts} holds something that is no JSON object")
        alert = _alert_of_json(source, fields, one)
        alerts.append(alert)
        name = _text(_at(one, fields.group)) or alert.name
        groups.setdefault(_digest(name), (name, []))[1].append(alert)
    if source.group_by is not None:
        return _grouped(source.group_by, alerts, alerts[0].url if alerts else "")
    return [
        Signal(group=group, name=name, alerts=tuple(together), url=together[0].url)
        for group, (name, together) in groups.items()
    ]


def _alert_of_json(source: AlertSource, fields: AlertFields, data: Mapping[str, Any]) -> Alert:
    labels, status = _labels(_at(data, fields.labels)), _text(_at(data, fields.status))
    if not status:
        raise ValueError(f"an alert has no {fields.status}; name the right place under fields.status")
    title = _text(_at(data, fields.title))
    identity = _text(_at(data, fields.id)) or title
    if not identity:
        raise ValueError(f"an alert has neither {fields.id} nor {fields.title}; name the right place under fields.id")
    return Alert(
        id=_id(identity),
        is_firing=status.casefold() not in {word.casefold() for word in source.resolved_words},
        severity=labels.get(source.severity_label, "") or _text(_at(data, fields.severity)),
        name=title or identity,
        summary=labels.get("summary", ""),
        description=_text(_at(data, fields.description), LONGEST_DESCRIPTION),
        url=_text(_at(data, fields.url)),
        started=_text(_at(data, fields.started)),
        labels=labels,
    )


def _grouped(names: Sequence[str], alerts: Iterable[Alert], url: str) -> list[Signal]:
    found: dict[str, tuple[str, list[Alert]]] = {}
    for alert in alerts:
        values = [(name, alert.labels.get(name, "")) for name in names]
        name = ", ".join(f"{key}={value}" for key, value in values if value) or EVERYTHING
        found.setdefault(_digest(json.dumps(values)), (name, []))[1].append(alert)
    return [
        Signal(group=group, name=name[:LONGEST], alerts=tuple(together), url=url)
        for group, (name, together) in found.items()
    ]


def _at(data: Mapping[str, Any], path: str) -> Any:
    """What stands at a dotted path, None where there is nothing."""
    found: Any = data
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _labels(data: Any) -> dict[str, str]:
    pairs = list(data.items())[:MOST_LABELS] if isinstance(data, dict) else []
    return {str(name)[:LONGEST]: _text(value) for name, value in pairs}


def _text(value: Any, longest: int = LONGEST) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:longest] if isinstance(value, str | int | float) else ""


def _shared_name(alerts: Sequence[Alert]) -> str:
    names = {alert.name for alert in alerts}
    return names.pop() if len(names) == 1 else ""


def _id(text: Any) -> str:
    """The sender's own id where it is short, else as much of its hash as tells it from others."""
    said = str(text)
    return said if len(said) <= 32 else hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]
