"""Logs: structured, one line an event, readable on a terminal, JSON elsewhere; never a secret.

Events carry ids and names, never the text of tickets: whoever reads logs need not be somebody who may read tickets.
Texts may be logged at debug level only; above it, what stands under a name of `TEXT_NAMES` is left out. What belongs
to all events of a piece of work is bound once, with `bound`.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

import structlog

HIDDEN = "[hidden]"
TEXT_NAMES = frozenset({"body", "comment", "content", "description", "payload", "subject", "text", "title"})
"""Names under which an event might carry what people wrote."""

_SHORTEST_SECRET = 4
"""Shorter texts would be found everywhere."""
_SHORTEST_FORM = 6
"""The same for pieces of base64."""
_SECRET_NAMES = r"authorization|proxy-authorization|x-api-key|api[_-]?(?:key|token)|(?:access|refresh|client|auth)?" \
    r"[_-]?(?:token|secret)|passw(?:or)?d|cookie|set-cookie"  # fmt: skip
_SECRET_NAME = re.compile(_SECRET_NAMES, re.IGNORECASE)
_PATTERNS = [
    re.compile(
        rf"((?<![a-z])(?:{_SECRET_NAMES})['\"]?\s*[:=]\s*['\"]?(?:(?:basic|bearer|token)\s+)?)[^\s'\"&,;}}]+", re.I
    ),
    re.compile(r"(\b(?:basic|bearer)\s+)[A-Za-z0-9+/._~=-]{8,}", re.I),
    re.compile(r"([?&](?:token|key|sig|signature)=)[^\s'\"&]+", re.I),
    re.compile(r"([a-z][a-z0-9+.-]*://[^\s/@:]*:)[^\s/@]+(?=@)", re.I),
]

_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
"""What JSON leaves as it is and some readers take for the end of a line."""

EventDict = MutableMapping[str, Any]


class Redactor:
    """Takes secrets out of texts: as they are, in base64, and as they stand in addresses and JSON."""

    def __init__(self, secrets: Sequence[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in _forms(secret)}
        ordered = sorted(forms, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The text with every known secret, and what looks like one, replaced."""
        if self._secrets is not None:
            text = self._secrets.sub(HIDDEN, text)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\g<1>{HIDDEN}", text)
        return text

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        # What begins with _ is between structlog and the logging module, and is never printed.
        return {key: value if key.startswith("_") else self._value(key, value) for key, value in event.items()}

    def _value(self, key: object, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(key, str) and _SECRET_NAME.fullmatch(key):
            return HIDDEN
        if isinstance(value, Mapping):
            return {self.text(str(inner)): self._value(inner, item) for inner, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(None, inner) for inner in value]
        return self.text(value.decode(errors="replace") if isinstance(value, bytes) else str(value))


def configure_logs(level: str, format: str, stream: TextIO = sys.stderr, secrets: Sequence[str] = ()) -> None:
    """Sends the hub's and its libraries' logs to `stream`.

    `level` is debug, info, warning or error; libraries speak from warning on. `format` is text, json, or auto: text
    on a terminal. None of `secrets` is ever written, if it has at least four characters.
    """
    as_text = format == "text" or (format == "auto" and stream.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _tell_exception,
        _leave_texts_out,
        Redactor(secrets),
    ]
    renderer: structlog.typing.Processor = _as_text if as_text else _as_json
    least = getattr(logging, level.upper())
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(least, logging.WARNING))


def bound(
    *, delivery: str | None = None, link: int | None = None, ticket: str | None = None
) -> AbstractContextManager[None]:
    """Adds ids to every event of this thread within a `with` block; `ticket` as `<tracker>:<id>`."""
    given = {"delivery": delivery, "link": link, "ticket": ticket}
    return structlog.contextvars.bound_contextvars(**{name: v for name, v in given.items() if v is not None})


def _forms(secret: str) -> Iterator[str]:
    """How a secret may be written: itself, in an address, in JSON, and in base64 wherever in the encoded text."""
    yield from (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], repr(secret)[1:-1])
    raw = secret.encode()
    yield repr(raw)[2:-1]
    for before in range(3):
        # Of the characters that the secret's neighbours have a share in nothing is known.
        encoded = base64.b64encode(b"\0" * before + raw).decode()
        piece = encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        if len(piece) >= _SHORTEST_FORM:
            yield from (piece, piece.replace("+", "-").replace("/", "_"), quote(piece, safe=""))


def _tell_exception(_logger: object, _method: str, event: EventDict) -> EventDict:
    """`exc_info` -> what went wrong and where in one line each, and at length in `traceback`."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given is True else None
    if isinstance(given, tuple):
        error = given[1]
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        event["error"] = f"{type(error).__name__}: {error}"
        event["where"] = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        event["traceback"] = "".join(traceback.format_exception(error))
    return event


def _leave_texts_out(_logger: object, _method: str, event: EventDict) -> EventDict:
    if event.get("level") != "debug":
        for name in TEXT_NAMES & event.keys():
            event[name] = f"[{len(str(event[name]))} characters]"
    return event


def _as_json(_logger: object, _method: str, event: EventDict) -> str:
    line = json.dumps(event, ensure_ascii=False, default=str)
    return _LINE_ENDS.sub(lambda end: f"\\u{ord(end[0]):04x}", line)


def _as_text(_logger: object, _method: str, event: EventDict) -> str:
    """`2026-01-31 09:30:00.123 info    synced link=7 ticket=support:12`; a traceback only at debug level."""
    when = str(event.pop("timestamp", ""))[:23].replace("T", " ")
    level = str(event.pop("level", ""))
    what = _on_one_line(str(event.pop("event", "")))
    if level != "debug":
        event.pop("traceback", None)
    rest = "".join(f" {key}={_written(value)}" for key, value in event.items() if not key.startswith("_"))
    return f"{when} {level:<8}{what}{rest}"


def _written(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _on_one_line(json.dumps(text, ensure_ascii=False) if not text or re.search(r'[\s"=]', text) else text)


def _on_one_line(text: str) -> str:
    """Control characters written out, so that nothing that came from outside can end a line or colour a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
