"""A local server that behaves as Freshdesk's API v2, portal and webhooks do; see `server.FreshdeskSandbox`."""

from plugins.freshdesk.sandbox.cast import actor, hub_settings
from plugins.freshdesk.sandbox.server import FreshdeskSandbox

SANDBOX = FreshdeskSandbox

__all__ = ["SANDBOX", "FreshdeskSandbox", "actor", "hub_settings"]
