"""A local server that behaves as Freshservice's API v2, portal and webhooks do; see `server.FreshserviceSandbox`."""

from plugins.freshservice.sandbox.cast import actor, hub_settings
from plugins.freshservice.sandbox.server import FreshserviceSandbox

SANDBOX = FreshserviceSandbox

__all__ = ["SANDBOX", "FreshserviceSandbox", "actor", "hub_settings"]
