"""Remote links, which show a counterpart in an issue. Source: Atlassian's OpenAPI document, `remotelink`."""

from __future__ import annotations

from hub.connector import NotFoundError, RemoteLink
from plugins.jira.client import JiraClient


def write(client: JiraClient, ticket_id: str, link: RemoteLink) -> None:
    """The whole link at once: with a known `globalId` it replaces, and what is left out becomes null."""
    client.send(
        "POST",
        f"/issue/{ticket_id}/remotelink",
        {
            "globalId": link.global_id,
            "application": {"type": "ticket-hub", "name": link.tracker},
            "relationship": "is kept in step with",
            "object": {
                "url": link.url,
                "title": f"{link.tracker} {link.key}",
                "summary": link.title,
                "status": {"resolved": link.is_resolved},
            },
        },
    )


def remove(client: JiraClient, ticket_id: str, global_id: str) -> None:
    """Removing what is gone is fine."""
    try:
        client.send("DELETE", f"/issue/{ticket_id}/remotelink", params={"globalId": global_id})
    except NotFoundError:
        return
