"""HTTP to ServiceDesk Plus: signs in, wraps what is sent, translates errors. Knows nothing of requests.

Everything that is sent goes as JSON in one form or query field `input_data`. A failure may come with status 200.
Sources: manageengine.com, sdpop-v3-api and sdpod-v3-api, "Getting started"; trackers' notes, sections 1 and 8.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx

from hub.connector import (
    AuthError,
    Connector,
    ConnectorError,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    RefusedError,
    TemporaryError,
    Upload,
)
from hub.rest import DEFAULT_PAUSE, LONGEST_REASON, RestClient, json_of, retry_after
from plugins.servicedesk_plus.settings import TAGS, ServiceDeskPlusSettings
from plugins.servicedesk_plus.tokens import Tokens

ACCEPT = "application/vnd.manageengine.sdp.v3+json"
PAGE = 100
"""Rows of a list, at most."""
FIELDS = {
    "subject": "title",
    "technician": "assignee",
    "group": "line",
    "request_type": "category",
    TAGS: "labels",
}
"""ServiceDesk Plus's names in messages -> neutral field names, where they differ."""
FORBIDDEN, NO_SUCH, NOT_SIGNED_IN = 4002, 4007, 4009
_THROTTLED = re.compile(r"throttl|too many|requests continuously|rate.?limit", re.I)


class ServiceDeskPlusClient(RestClient):
    """Signs in with a technician's key (on-premises) or with OAuth tokens that it renews (cloud)."""

    permission_remedy = "Give the hub's technician a role, or the token a scope, that allows this."

    def __init__(self, connector: Connector, settings: ServiceDeskPlusSettings) -> None:
        verify = ssl.create_default_context(cafile=settings.ca_file) if settings.ca_file else True
        super().__init__(connector, verify=verify)
        self.api = f"{settings.app}/api/v3"
        key = settings.credentials.technician_key
        self._key = key.get_secret_value() if key is not None and not settings.is_cloud else ""
        self._tokens = Tokens(connector.name, settings, self.http, super().scrub)
        self._names = {field.id: f"custom:{name}" for name, field in settings.fields.items()}
        if settings.labels_field:
            self._names[settings.labels_field] = "labels"

    # how it signs in

    def credentials(self) -> Mapping[str, str]:
        signed = {"authtoken": self._key} if self._key else {"Authorization": f"Zoho-oauthtoken {self._tokens.token()}"}
        return {**signed, "Accept": ACCEPT}

    def renew(self) -> bool:
        return not self._key and self._tokens.forget()

    def scrub(self, text: str) -> str:
        return self._tokens.scrubbed(super().scrub(text))

    # for the connector

    def show(self, path: str, **given: Any) -> Any:
        """A GET; `given` goes as `input_data`."""
        return self.get(path, input_data=_packed(given) if given else None)

    def write(self, method: str, path: str, given: Mapping[str, Any] | None = None) -> Any:
        """A write, never repeated."""
        return self.send(method, path, **({"data": {"input_data": _packed(given)}} if given is not None else {}))

    def upload(self, path: str, upload: Upload) -> str:
        """Sends one file and returns its id, for the `attachments` of what is written next."""
        files = {"input_file": (upload.name, upload.open(), upload.content_type)}
        body = self.send("POST", path, files=files)
        rows = body.get("attachments") or [body.get("attachment") or {}]
        if not rows[0].get("id"):
            raise PermanentError(self.name, f"POST {path}", "the answer names no attachment")
        return str(rows[0]["id"])

    @contextmanager
    def file(self, url: str) -> Iterator[Iterator[bytes]]:
        """A file's content; a token that has ended is replaced once."""
        with ExitStack() as stack:
            # Only the opening is guarded: what the reader of the file does is the reader's.
            try:
                chunks = stack.enter_context(self.stream(url))
            except AuthError:
                if not self.renew():
                    raise
                chunks = stack.enter_context(self.stream(url))
            yield chunks

    def rows(self, path: str, key: str, **list_info: Any) -> Iterator[dict[str, Any]]:
        """All rows of a list, page by page."""
        start = 1
        while True:
            body = self.show(path, list_info={"row_count": PAGE, "start_index": start, **list_info})
            found = body.get(key) or []
            yield from found
            # Old builds do not tell whether there is more.
            has_more = (body.get("list_info") or {}).get("has_more_rows", len(found) >= PAGE)
            if not has_more or not found:
                return
            start += len(found)

    # what went wrong

    def error(self, response: httpx.Response, doing: str) -> ConnectorError:
        body, status = json_of(response), response.status_code
        failure = self._failure(status, body, doing, retry_after(response.headers.get("retry-after")))
        return failure or super().error(response, doing)

    def inspect(self, body: Any, doing: str) -> None:
        failure = self._failure(200, body, doing, DEFAULT_PAUSE)
        if failure is not None:
            raise failure
        self._tokens.worked()

    def _failure(self, status: int, body: Any, doing: str, pause: float) -> ConnectorError | None:
        """What `response_status` says went wrong; None where it says nothing."""
        messages = list(_failed_messages(body))
        if not messages:
            return None
        codes = {code for code, _, _ in messages}
        text = "; ".join(dict.fromkeys(f"{m} ({code})" for code, _, m in messages))
        why = self.scrub(f"{status} {text}"[:LONGEST_REASON])
        if status == 429 or _THROTTLED.search(text):
            return RateLimitedError(self.name, doing, why, pause)
        if status >= 500:
            return TemporaryError(self.name, doing, why)
        if status == 401 or NOT_SIGNED_IN in codes:
            return self.auth_error(doing, why)
        if status == 403 or FORBIDDEN in codes:
            return AuthError(self.name, doing, why, self.permission_remedy)
        fields = self._refused(messages)
        # A read refuses no field: what is wrong with it is its address.
        is_address = status in (404, 410) or (NO_SUCH in codes and (not fields or doing.startswith("GET")))
        if is_address:
            return NotFoundError(self.name, doing, why, "It does not exist, or the hub's technician may not see it.")
        if fields and not doing.startswith("GET"):
            return RefusedError(self.name, doing, fields)
        return PermanentError(self.name, doing, why)

    def _refused(self, messages: Iterable[tuple[int, tuple[str, ...], str]]) -> dict[str, str]:
        """The reasons by neutral field name."""
        fields: dict[str, str] = {}
        for code, names, message in messages:
            for neutral in map(self._neutral, names):
                reason = self.scrub(f"{message} ({code})")
                fields[neutral] = "; ".join(filter(None, [fields.get(neutral), reason]))
        return fields

    def _neutral(self, name: str) -> str:
        """`request.udf_fields.udf_sline_1`, `status.name` … -> the neutral field name."""
        parts = [part for part in name.split(".") if part not in ("request", "udf_fields")] or [name]
        return self._names.get(parts[0]) or FIELDS.get(parts[0], parts[0])


def _packed(given: Mapping[str, Any]) -> str:
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


def _failed_messages(body: Any) -> Iterator[tuple[int, tuple[str, ...], str]]:
    """Code, names of fields and text of each failure. `response_status` is an object, in lists a list."""
    status = body.get("response_status") if isinstance(body, dict) else None
    for entry in status if isinstance(status, list) else [status]:
        if not isinstance(entry, dict) or not _is_failed(entry):
            continue
        messages = [m for m in _listed(entry.get("messages")) if isinstance(m, dict) and m.get("type") != "success"]
        if not messages:
            yield _number(entry.get("status_code")), (), str(entry.get("status") or "failed")
        for message in messages:
            names = [str(n) for n in [message.get("field"), *_listed(message.get("fields"))] if n]
            text = str(message.get("message") or message.get("type") or "failed")
            yield _number(message.get("status_code")), tuple(names), text


def _is_failed(entry: Mapping[str, Any]) -> bool:
    if entry.get("status"):
        return entry["status"] == "failed" or _number(entry.get("status_code")) >= 4000
    codes: Iterable[Any] = [entry, *(m for m in _listed(entry.get("messages")) if isinstance(m, dict))]
    return any(_number(one.get("status_code")) >= 4000 for one in codes)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _number(value: Any) -> int:
    return int(value) if str(value).isdigit() else 0
