"""Webhooks whose body an admin wrote, with placeholders that the tracker fills in. Pure.

Nothing but the ticket's number can be relied on: values are translated labels, may be an hour old, and are put in as
they are, so that a quote in a subject breaks the JSON. Such a body is only ever a reason to look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hub.connector import Ignored, WebhookRequest

NOT_FILLED = "the placeholders were not filled in: this is a test of the webhook"


def body_of(request: WebhookRequest, keys: Sequence[str], root: str) -> dict[str, Any]:
    """What the admin's template holds, without the object `root` that some put around it.

    Of a body that values have broken, the first of `keys` is left alone. Raises ValueError for what is no template's.
    """
    try:
        body = request.json()
    except ValueError as error:
        for key in keys:
            found = re.search(rb'"%b"\s*:\s*"?([#\w-]+)' % re.escape(key.encode()), request.body)
            if found is not None:
                return {key: found.group(1).decode()}
        raise ValueError("the body is no JSON: choose the encoding JSON and paste the README's template") from error
    if not isinstance(body, dict):
        raise ValueError("the body is no JSON object: paste the README's template into the webhook")
    inner = body.get(root)
    return inner if isinstance(inner, dict) else body


def number_in(
    body: Mapping[str, Any], keys: Sequence[str], number: re.Pattern[str], unfilled: str = "{{"
) -> re.Match[str] | Ignored:
    """Where `number` is found first under the keys; placeholders that nobody filled in, which have `unfilled` in them,
    are a test of the webhook.

    Raises ValueError where there is none.
    """
    for key in keys:
        given = str(body.get(key) or "").strip()
        if unfilled in given:
            return Ignored(NOT_FILLED)
        found = number.search(given)
        if found:
            return found
    raise ValueError(f"no ticket id under any of {', '.join(keys)}: paste the README's template")
