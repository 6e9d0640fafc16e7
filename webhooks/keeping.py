"""What is kept of a delivery beside its body: the key that tells it from others, and the headers worth having. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from hub.connector import HmacSignature, WebhookScheme

BY_ID = "id:"
BY_CONTENT = "sha256:"
_LONGEST_ID = 200
_LONGEST_VALUE = 1000
_ALWAYS = frozenset({"content-type", "user-agent"})
_TELLING = frozenset({"event", "webhook", "delivery"})
_CONFIDENTIAL = frozenset({"signature", "token", "secret", "key", "password", "auth", "authorization", "jwt", "cookie"})


def delivery_key(scheme: WebhookScheme | None, id_header: str | None, headers: Mapping[str, str], body: bytes) -> str:
    """The same for every attempt of one delivery; at most 210 characters, ASCII.

    With the tracker's own delivery id it begins with `BY_ID`. Without one it is `BY_CONTENT` and a hash of the body
    and of the signed timestamp, where there is one. Such a key names a content: two events with the same body and no
    timestamp share it.
    """
    given = headers.get(id_header.lower(), "") if id_header else ""
    if given and len(given) <= _LONGEST_ID and given.isascii() and given.isprintable():
        return BY_ID + given
    if given:
        return BY_ID + hashlib.sha256(given.encode("utf-8", "backslashreplace")).hexdigest()
    timestamp = ""
    if isinstance(scheme, HmacSignature) and scheme.timestamp_header:
        timestamp = headers.get(scheme.timestamp_header.lower(), "")
    digest = hashlib.sha256(timestamp.encode("utf-8", "backslashreplace") + b"\n")
    digest.update(body)
    return BY_CONTENT + digest.hexdigest()


def kept_headers(
    scheme: WebhookScheme | None, id_header: str | None, headers: Mapping[str, str], never: str = ""
) -> dict[str, str]:
    """The headers that say what a delivery is: its type, its sender, its id, its event, its attempt; `never` that one.

    A list of what is wanted rather than of what is not, because proxies add credentials under names of their own.
    """
    wanted = {*_ALWAYS, (id_header or "").lower()}
    never = never.lower()
    if scheme is not None:
        never = scheme.header.lower()
        if isinstance(scheme, HmacSignature) and scheme.timestamp_header:
            wanted.add(scheme.timestamp_header.lower())
    return {
        name: value[:_LONGEST_VALUE]
        for name, value in headers.items()
        if name != never and (name in wanted or _tells_something(name))
    }


def _tells_something(name: str) -> bool:
    words = name.split("-")
    return not _TELLING.isdisjoint(words) and _CONFIDENTIAL.isdisjoint(words)
