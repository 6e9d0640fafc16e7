"""Checks that a request comes from the tracker: its signature or secret, and that it is not an old one again. Pure.

It knows neither Flask nor the settings, and it never tells the secret.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from hub.connector import BasicPassword, HmacSignature, SecretHeader, WebhookScheme

Fault = Literal["unsigned", "forged", "stale", "malformed"]
_DIGITS_OF_SECONDS = 10
_EPOCH = re.compile(r"[0-9]{10}(?:[0-9]{3})?")
"""Seconds have ten digits, and milliseconds thirteen, from 2001 to 2286."""
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})")


class BadSignatureError(Exception):
    """The request is not to be believed. `fault` is for counting, the message for the admin."""

    def __init__(self, fault: Fault, why: str) -> None:
        self.fault: Fault = fault
        super().__init__(why)


def verify(
    scheme: WebhookScheme, secret: str, headers: Mapping[str, str], body: bytes, now: datetime, window: float
) -> None:
    """Raises BadSignatureError, and nothing else, unless `body` was sent by somebody who knows `secret`.

    Header names are lower-case; values are as WSGI hands them over, a character a byte. `window` in seconds is how far
    a signed timestamp may be from `now` (UTC), either way. Faults: a header is missing (unsigned); it has not the form
    that the scheme gives it (malformed); it has, and does not fit (forged); it fits, and is too old or too new (stale).
    """
    match scheme:
        case SecretHeader(header=header):
            if not hmac.compare_digest(_raw(_header(headers, header)), secret.encode()):
                raise BadSignatureError("forged", f"The header {header} does not hold the secret of the settings.")
        case BasicPassword(header=header):
            if not hmac.compare_digest(_password(header, _header(headers, header)), secret.encode()):
                raise BadSignatureError("forged", f"The password in {header} is not the secret of the settings.")
        case HmacSignature():
            _verify_hmac(scheme, secret, headers, body, now, window)


def verify_shown(secret: str, own_header: str, headers: Mapping[str, str]) -> None:
    """Raises BadSignatureError unless the sender shows the secret: as it is in `own_header`, else in Authorization.

    There it is a bearer token (RFC 6750) or the password of HTTP Basic, whose user name says nothing (RFC 7617).
    """
    if headers.get(own_header.lower()):
        if not hmac.compare_digest(_raw(_header(headers, own_header)), secret.encode()):
            raise BadSignatureError("forged", f"The header {own_header} does not hold the secret of the settings.")
        return
    given = headers.get("authorization", "").strip()
    kind, _, token = given.partition(" ")
    if not given:
        why = f"The request shows no secret, neither in Authorization (Bearer or Basic) nor in {own_header}."
        raise BadSignatureError("unsigned", why)
    shown = _raw(token.strip()) if kind.lower() == "bearer" else _password("Authorization", given)
    if not hmac.compare_digest(shown, secret.encode()):
        raise BadSignatureError("forged", "The token or password in Authorization is not the secret of the settings.")


def parse_time(text: str) -> datetime | None:
    """A time from ISO 8601 text with a zone, or from epoch seconds or milliseconds; None for anything else.

    Strict, because timestamp and body are signed without anything between them: a looser form would still be a time
    after its last characters were moved into the body.
    """
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text) / (1000 if len(text) > _DIGITS_OF_SECONDS else 1), UTC)
    if not _ISO.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _verify_hmac(
    scheme: HmacSignature, secret: str, headers: Mapping[str, str], body: bytes, now: datetime, window: float
) -> None:
    given = _header(headers, scheme.header)
    timestamp = "" if scheme.timestamp_header is None else _header(headers, scheme.timestamp_header)
    mac = hmac.new(secret.encode(), _raw(timestamp), scheme.algorithm)
    mac.update(body)
    # Compared as text: decoding first would let several spellings of one signature pass.
    expected = scheme.prefix.encode() + _encoded(scheme, mac.digest())
    if not hmac.compare_digest(_raw(given), expected):
        if not _has_the_form(scheme, given, mac.digest_size):
            why = f"The header {scheme.header} holds no {scheme.algorithm} signature in {scheme.encoding}"
            raise BadSignatureError("malformed", why + (f" after {scheme.prefix!r}." if scheme.prefix else "."))
        raise BadSignatureError(
            "forged",
            f"The signature in {scheme.header} does not fit: either the secret in the hub's settings is not the "
            "tracker's, or the body was changed on its way.",
        )
    # The time is believed only now, because it is part of what is signed.
    if scheme.timestamp_header is not None:
        _check_time(scheme.timestamp_header, timestamp, now, window)


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name.lower())
    if not value:
        raise BadSignatureError("unsigned", f"The request has no header {name}.")
    return value


def _password(header: str, value: str) -> bytes:
    """The password of `Basic <base64 of user:password>`. Blanks around it mean nothing; OTRS leaves one at its end."""
    kind, _, given = value.strip().partition(" ")
    try:
        pair = base64.b64decode(_raw(given.strip()), validate=True) if kind.lower() == "basic" else b""
    except ValueError:
        pair = b""
    if b":" not in pair:
        raise BadSignatureError("malformed", f"The header {header} holds no user name and password of HTTP Basic.")
    return pair.partition(b":")[2]


def _raw(value: str) -> bytes:
    """The bytes of a header as they came in. What cannot have come in a header is made to fit nothing."""
    return value.encode("latin-1", "backslashreplace")


def _encoded(scheme: HmacSignature, digest: bytes) -> bytes:
    return binascii.hexlify(digest) if scheme.encoding == "hex" else base64.b64encode(digest)


def _has_the_form(scheme: HmacSignature, given: str, digest_size: int) -> bool:
    text = given.removeprefix(scheme.prefix)
    try:
        digest = binascii.unhexlify(text) if scheme.encoding == "hex" else base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return given.startswith(scheme.prefix) and len(digest) == digest_size


def _check_time(header: str, text: str, now: datetime, window: float) -> None:
    at = parse_time(text)
    if at is None:
        raise BadSignatureError(
            "malformed", f"The header {header} holds neither ISO 8601 text with a zone nor epoch seconds."
        )
    away = (now - at).total_seconds()
    if abs(away) > window:
        raise BadSignatureError(
            "stale",
            f"The request was signed {abs(away):.0f} s {'ago' if away > 0 else 'in the future'}, and the settings' "
            f"webhook.replay_window is {window:.0f} s. Unless it is an old one sent again, compare clocks: hub check",
        )
