"""A local server that behaves as Jira's REST API and webhooks do, Cloud or Data Center; see `server.JiraSandbox`."""

from plugins.jira.sandbox.cast import actor, hub_settings
from plugins.jira.sandbox.server import JiraSandbox

SANDBOX = JiraSandbox

__all__ = ["SANDBOX", "JiraSandbox", "actor", "hub_settings"]
