"""What `hub check` says of a TeamViewer account, in an admin's words. Makes no session."""

from __future__ import annotations

from datetime import timedelta

from hub.connector import AuthError, Finding, PermanentError
from plugins.teamviewer.client import TeamviewerClient
from plugins.teamviewer.support import RemoteSupport

NOBODY = "nobody@example.com"


def findings(name: str, client: TeamviewerClient, support: RemoteSupport) -> list[Finding]:
    """The group, and each permission that the hub's actions need."""
    try:
        group = support.group_id()
    except AuthError:
        remedy = f"Give the token groups (view), or write the group's id (g1234567) under trackers.{name}.group."
        return [Finding("error", "the token may not look up the group by its name", remedy)]
    except PermanentError as error:
        return [Finding("error", error.why, error.remedy)]
    return [*_sessions(client, group), *_users(support), *_reports(client, group)]


def _sessions(client: TeamviewerClient, group: str) -> list[Finding]:
    try:
        found = sum(1 for _ in client.sessions(groupid=group, state="open"))
    except AuthError as error:
        what = f"the token may not list sessions: none can be made ({error.why})"
        return [Finding("error", what, "Give it session management: create, view and edit all sessions.")]
    except PermanentError as error:
        remedy = "Is the group's id right, and is the group shared with the token's account?"
        return [Finding("error", f"the sessions of {group} cannot be listed ({error.why})", remedy)]
    return [Finding("ok", f"the group {group} has {found} open sessions")]


def _users(support: RemoteSupport) -> list[Finding]:
    try:
        support.supporter_id(NOBODY)
    except AuthError:
        what = "the token may not list users: sessions are assigned to nobody"
        return [Finding("warning", what, "Give it user management (view), or leave it: every supporter can join.")]
    return [Finding("ok", "supporters are found by their address")]


def _reports(client: TeamviewerClient, group: str) -> list[Finding]:
    begin = (client.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        next(client.reports(from_date=begin, groupid=group), None)
    except AuthError as error:
        what = f"the token may not read connection reports: tickets get no note about a connection ({error.why})"
        return [Finding("warning", what, "Give it connection reporting (view); the licence must include reports.")]
    return [Finding("ok", "connection reports can be read")]
