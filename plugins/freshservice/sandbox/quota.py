"""Calls a minute by plan, for the whole account, with sub-limits for what is asked most. Failed calls count as well.

Source: api.freshservice.com, "Rate limit": includes cost one credit more on a view and two on a list.
"""

from __future__ import annotations

import re

from flask import request

from hub.sandbox import Allowance
from hub.sandbox.limits import RateLimiter

PLANS: dict[int, tuple[int, int, int]] = {
    1: (100, 40, 50),
    2: (200, 70, 80),
    3: (400, 120, 140),
    4: (500, 140, 160),
}
"""Starter, Growth, Pro, Enterprise: all calls, each kind of list, viewing, creating and updating tickets each."""
LISTS = {"/tickets": "list_tickets", "/agents": "list_agents", "/requesters": "list_requesters"}
ACCOUNT = "account"


def set_plan(limits: RateLimiter, plan: int) -> None:
    """The limits of a plan; 0 sets none. Raises ValueError for a plan that there is not."""
    if plan not in (0, *PLANS):
        raise ValueError(f"there is no plan {plan}; there are 0 (no limits) to {max(PLANS)}")
    limits.clear()
    if not plan:
        return
    overall, lists, tickets = PLANS[plan]
    limits.set(ACCOUNT, overall)
    for name in LISTS.values():
        limits.set(name, lists)
    for name in ("view_ticket", "create_ticket", "update_ticket"):
        limits.set(name, tickets)


def credits_of(path: str) -> int:
    """What the present request costs; `path` is what follows `/api/v2`."""
    includes = [name for name in request.args.get("include", "").split(",") if name]
    return 1 + len(includes) * (1 if re.search(r"/\d+$", path) else 2)


def take(limits: RateLimiter, path: str) -> Allowance:
    """Counts the present request. Its answer is that of the account unless a sub-limit refuses."""
    taken = [limits.take(ACCOUNT) for _ in range(credits_of(path))]
    sub = _sub_limit(path)
    of_kind = limits.take(sub) if sub else taken[-1]
    return taken[-1] if of_kind.allowed else of_kind


def _sub_limit(path: str) -> str:
    if request.method == "GET":
        return "view_ticket" if re.fullmatch(r"/tickets/\d+", path) else LISTS.get(path, "")
    if path == "/tickets":
        return "create_ticket"
    return "update_ticket" if re.fullmatch(r"/tickets/\d+", path) and request.method == "PUT" else ""
