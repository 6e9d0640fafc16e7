"""Reaches a status through the workflow: one transition, or several.

Which transitions there are depends on the present status and on the account, so the way is found by walking: at each
place the site is asked what leads away from here. What is learned is kept per project and issue type.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.connector import RefusedError

MAX_HOPS = 6
_PROGRESS = {"new": 0, "indeterminate": 1, "done": 2}


@dataclass(frozen=True, slots=True)
class Hop:
    """One transition: its id, where it leads, and the fields its screen asks for."""

    id: str
    name: str
    to: str
    category: str
    fields: Mapping[str, Any]


class Workflow:
    """What is known of one workflow: from each status, the statuses that transitions led to."""

    def __init__(self) -> None:
        self._edges: dict[str, dict[str, str]] = {}

    def learn(self, status: str, hops: Sequence[Hop]) -> None:
        self._edges[status] = {hop.to: hop.category for hop in hops}

    def next_stop(self, status: str, wanted: Sequence[str], hops: Sequence[Hop], visited: set[str]) -> Hop | None:
        """The transition to take from here: straight to a wanted status, else along a known way, else forward.

        Wanted statuses are in order of preference. A status that was visited is not entered again.
        """
        for name in wanted:
            for hop in hops:
                if _same(hop.to, name):
                    return hop
        open_hops = [h for h in hops if h.to not in visited]
        known = self._known_way(status, wanted, visited)
        for hop in open_hops:
            if hop.to == known:
                return hop
        # Unknown ground first, and rather through a working status than through a finished one.
        fresh = [h for h in open_hops if h.to not in self._edges] or open_hops
        return min(fresh, key=lambda h: (h.category == "done", -_PROGRESS.get(h.category, 0)), default=None)

    def _known_way(self, status: str, wanted: Sequence[str], visited: set[str]) -> str | None:
        first_steps: dict[str, str] = {}
        queue = deque([status])
        seen = {status, *visited}
        while queue:
            here = queue.popleft()
            for there in self._edges.get(here, {}):
                if there in seen:
                    continue
                seen.add(there)
                first_steps[there] = first_steps.get(here, there)
                if any(_same(there, name) for name in wanted):
                    return first_steps[there]
                queue.append(there)
        return None


def walk(
    *,
    tracker: str,
    issue: str,
    status: str,
    wanted: Sequence[str],
    defaults: Mapping[str, str],
    workflow: Workflow,
    hops_from_here: Callable[[], Sequence[Hop]],
    take: Callable[[Hop, Mapping[str, Any]], None],
) -> str:
    """Brings an issue from `status` to one of `wanted`; returns the status it is in then.

    `hops_from_here` asks the site, `take` does one transition with its fields. Raises RefusedError({"status": why})
    when no way leads there, or a screen asks for something that is not known.
    """
    visited = {status}
    doing = f"move {issue} to {' or '.join(wanted)}"
    for _ in range(MAX_HOPS):
        if any(_same(status, name) for name in wanted):
            return status
        hops = hops_from_here()
        workflow.learn(status, hops)
        hop = workflow.next_stop(status, wanted, hops, visited)
        if hop is None:
            there = ", ".join(sorted({h.to for h in hops})) or "nothing (is the permission to transition missing?)"
            why = f"no transition leads from {status} to {' or '.join(wanted)}; from here lead transitions to: {there}"
            remedy = f"Map another status under trackers.{tracker}.statuses, or give the account the transition."
            raise RefusedError(tracker, doing, {"status": why}, remedy)
        take(hop, _fields(tracker, doing, hop, defaults))
        status = hop.to
        visited.add(status)
    why = f"it takes more than {MAX_HOPS} transitions; the issue stands at {status} now"
    raise RefusedError(tracker, doing, {"status": why}, "Map a nearer status, or shorten the workflow.")


def _fields(tracker: str, doing: str, hop: Hop, defaults: Mapping[str, str]) -> dict[str, Any]:
    given = {name.casefold(): value for name, value in defaults.items()}
    fields: dict[str, Any] = {}
    for field_id, described in hop.fields.items():
        name = str(described.get("name", field_id))
        value = given.get(field_id.casefold(), given.get(name.casefold()))
        allowed = described.get("allowedValues") or []
        if value is not None:
            fields[field_id] = _shaped(described, value)
        elif described.get("required") and not described.get("hasDefaultValue"):
            if len(allowed) != 1:
                why = f"the transition {hop.name!r} asks for {name}"
                remedy = f"Name a value: trackers.{tracker}.transition_fields: {{{field_id}: …}}"
                raise RefusedError(tracker, doing, {"status": why}, remedy)
            fields[field_id] = {"id": allowed[0]["id"]}
    return fields


def _shaped(described: Mapping[str, Any], value: str) -> Any:
    kind = (described.get("schema") or {}).get("type", "")
    custom = (described.get("schema") or {}).get("custom", "")
    if kind == "array":
        return [{"value" if custom else "name": value}]
    if kind == "option":
        return {"value": value}
    if kind in ("string", "date", "datetime", "number"):
        return float(value) if kind == "number" else value
    return {"name": value}


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
