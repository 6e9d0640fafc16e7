"""A local server that behaves as GitLab's REST API and webhooks do for issues; see `server.GitlabSandbox`."""

from plugins.gitlab.sandbox.cast import actor, hub_settings
from plugins.gitlab.sandbox.server import GitlabSandbox

SANDBOX = GitlabSandbox

__all__ = ["SANDBOX", "GitlabSandbox", "actor", "hub_settings"]
