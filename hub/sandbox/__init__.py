"""The kit that every tracker's sandbox is built with: a local server, faults on demand, signed webhooks.

It names no tracker: routes, answers, signatures and retry rules come from the subclass of `Sandbox` in a plugin's
`sandbox` package, where the package attribute `SANDBOX` names that class.
"""

from hub.sandbox.delivery import Delivery, Sent, Target, WebhookSender
from hub.sandbox.faults import Fault, Faults, Gate
from hub.sandbox.limits import Allowance, RateLimiter
from hub.sandbox.requestlog import RequestLog, RequestRecord
from hub.sandbox.server import Sandbox, acting_as, run

__all__ = [
    "Allowance",
    "Delivery",
    "Fault",
    "Faults",
    "Gate",
    "RateLimiter",
    "RequestLog",
    "RequestRecord",
    "Sandbox",
    "Sent",
    "Target",
    "WebhookSender",
    "acting_as",
    "run",
]
