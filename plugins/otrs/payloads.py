"""The bodies that the web service's invoker sends -> hints.

Source: recorded `webhook.*`: `{"Event", "TicketID", "ArticleID"?, "OldTicketData"?, "MainTicketID"?}`. One action of a
person makes several; none says who did it or what the new value is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.connector import Hint, Ignored, WebhookRequest

WITH_COMMENTS = re.compile(r"Article|TicketCreate$|TicketMerge")
DELETED = "TicketDelete"
NEW_COMMENT = "ArticleCreate"
README = "import webservice.yml, see the README"


def parse(request: WebhookRequest) -> Sequence[Hint] | Ignored:
    """Which tickets a body speaks of. Raises ValueError for what the invoker did not send."""
    body = request.json()
    if not isinstance(body, dict):
        raise ValueError(f"the body is not a JSON object; {README}")
    event = str(body.get("Event") or "")
    if not event:
        raise ValueError(f"the body names no Event; {README}")
    ticket_id = str(body.get("TicketID") or "")
    if not ticket_id.isdigit():
        if event.startswith(("Ticket", "Article")):
            raise ValueError(f"{event} comes without a TicketID; {README}")
        return Ignored(f"{event} is about no ticket")
    article_id = str(body.get("ArticleID") or "") if event == NEW_COMMENT else ""
    main = str(body.get("MainTicketID") or "")
    is_merge = main.isdigit() and main != ticket_id
    hints = [
        Hint(
            ticket_id=ticket_id,
            event=event,
            comment_id=article_id or None,
            touches_comments=bool(WITH_COMMENTS.match(event)),
            is_deleted=event == DELETED,
            merged_into=main if is_merge else "",
        )
    ]
    if is_merge:
        hints.append(Hint(ticket_id=main, event=event))
    return hints
