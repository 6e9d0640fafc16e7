"""A local server that behaves as Zendesk Support's API and webhooks do; see `server.ZendeskSandbox`."""

from plugins.zendesk.sandbox.cast import actor, hub_settings
from plugins.zendesk.sandbox.server import ZendeskSandbox

SANDBOX = ZendeskSandbox

__all__ = ["SANDBOX", "ZendeskSandbox", "actor", "hub_settings"]
