"""A local server that behaves as ServiceDesk Plus's API v3 and triggers do; see `server.ServiceDeskPlusSandbox`."""

from plugins.servicedesk_plus.sandbox.cast import actor, hub_settings
from plugins.servicedesk_plus.sandbox.server import ServiceDeskPlusSandbox

SANDBOX = ServiceDeskPlusSandbox

__all__ = ["SANDBOX", "ServiceDeskPlusSandbox", "actor", "hub_settings"]
