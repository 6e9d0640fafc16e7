"""A local server that behaves as Bugzilla's REST API does: 5.2, 5.3 or Mozilla's; see `server.BugzillaSandbox`."""

from plugins.bugzilla.sandbox.cast import actor, hub_settings
from plugins.bugzilla.sandbox.server import BugzillaSandbox

SANDBOX = BugzillaSandbox

__all__ = ["SANDBOX", "BugzillaSandbox", "actor", "hub_settings"]
