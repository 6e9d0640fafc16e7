"""A local server that behaves as the TeamViewer Web API does; see `server.TeamviewerSandbox`.

It has no tickets, and so no customers and agents of tickets: what happens in a session is told by `connect` and `end`.
"""

from plugins.teamviewer.sandbox.server import TeamviewerSandbox, hub_settings

SANDBOX = TeamviewerSandbox

__all__ = ["SANDBOX", "TeamviewerSandbox", "hub_settings"]
