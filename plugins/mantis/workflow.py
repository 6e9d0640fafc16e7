"""The way from one status to another along a project's workflow. Pure.

MantisBT's API carries out any hop, also one that the workflow forbids (recorded: workflow.forbidden_hop), so whoever
uses it has to keep to the workflow. Source: `status_enum_workflow` of MantisBT's Administration Guide, "Workflow".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping

Graph = Mapping[int, Collection[int]]
"""From each status, by number, the statuses that may follow. Empty: every status may follow every other."""


def graph_of(value: object) -> dict[int, tuple[int, ...]]:
    """The setting as the API tells it: `{"10": "20:feedback,30:acknowledged"}`, or an empty list for none."""
    if not isinstance(value, Mapping):
        return {}
    return {
        int(status): tuple(int(part.split(":")[0]) for part in str(names).split(",") if part.split(":")[0].strip())
        for status, names in value.items()
    }


def way(graph: Graph, start: int, goal: int, avoid: Collection[int] = ()) -> list[int] | None:
    """The statuses to go through, `goal` the last of them; None where no way leads there.

    The shortest way; of several, the one that goes through none of `avoid` (finished statuses) where there is one.
    """
    if start == goal:
        return []
    if not graph:
        return [goal]
    return _shortest(graph, start, goal, set(avoid) - {goal}) or _shortest(graph, start, goal, set())


def _shortest(graph: Graph, start: int, goal: int, avoid: set[int]) -> list[int] | None:
    ways: dict[int, list[int]] = {start: []}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for there in graph.get(here, ()):
            if there in ways or there in avoid:
                continue
            ways[there] = [*ways[here], there]
            if there == goal:
                return ways[there]
            queue.append(there)
    return None
