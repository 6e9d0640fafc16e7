"""The way from one status to another along an installation's workflow. Pure.

Source: `/field/bug/bug_status` tells for each status which may follow, and whether that asks for a comment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.bugzilla.facts import Status

DUPLICATE = "DUPLICATE"


@dataclass(frozen=True, slots=True)
class Hop:
    """One write on the way. `body` without its comment; `needs_comment` where the workflow asks for one."""

    body: Mapping[str, Any]
    needs_comment: bool = False


def way(workflow: Mapping[str, Status], start: str, goal: str) -> list[str] | None:
    """The statuses to go through, `goal` the last of them; None where no way leads there.

    The shortest way; of several, the one that goes through no closed status where there is one.
    """
    return _shortest(workflow, start, goal, avoids_closed=True) or _shortest(workflow, start, goal, avoids_closed=False)


def _shortest(workflow: Mapping[str, Status], start: str, goal: str, *, avoids_closed: bool) -> list[str] | None:
    ways: dict[str, list[str]] = {start: []}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for there in workflow[here].following if here in workflow else ():
            is_closed = there in workflow and not workflow[there].is_open
            if there in ways or (avoids_closed and is_closed and there != goal):
                continue
            ways[there] = [*ways[here], there]
            if there == goal:
                return ways[there]
            queue.append(there)
    return None


def hops(
    workflow: Mapping[str, Status],
    status: str,
    present: str,
    goal: str,
    resolution: str,
    *,
    is_named: bool,
    comments_on_resolution: bool,
) -> list[Hop]:
    """The writes that bring a bug from `status` with the resolution `present` to `goal`.

    `resolution` is that of a bug that is closed on the way; `is_named`: the settings name it together with the status,
    so that it also replaces another one. What an engineer chose is never written over else. Raises LookupError with
    words for an admin when no way leads there, or when it would take the number of another bug.
    """
    steps = [] if status == goal else way(workflow, status, goal)
    if steps is None:
        there = ", ".join(workflow[status].following) if status in workflow else "nothing"
        raise LookupError(f"the workflow leads from {status} to {there or 'nothing'}, and not to {goal}")
    found: list[Hop] = []
    for before, after in zip([status, *steps], steps, strict=False):
        needs_comment = workflow[before].following[after]
        if not workflow[after].is_open and workflow[before].is_open:
            found.append(Hop(_closing(after, resolution), needs_comment or comments_on_resolution))
            present = resolution
        else:
            found.append(Hop({"status": after}, needs_comment))
            present = "" if workflow[after].is_open else present
    if is_named and not workflow[goal].is_open and present != resolution:
        found.append(Hop(_closing(goal, resolution), comments_on_resolution))
    return found


def _closing(status: str, resolution: str) -> dict[str, Any]:
    if resolution == DUPLICATE:
        raise LookupError("a duplicate needs the number of the other bug, which only people know")
    return {"status": status, "resolution": resolution}
