"""HTTP to trackers that take an agent's key as the name of Basic authentication, name refused fields one by one, count
calls for the whole account, and take files in the form of the comment that they belong to."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from hub.connector import (
    AuthError,
    Connector,
    ConnectorError,
    NotFoundError,
    PermanentError,
    RefusedError,
    TemporaryError,
    Upload,
)
from hub.parts.refusals import reason_of
from hub.rest import Reason, RestClient, json_of

FILES = "attachments[]"
PAGE = 100
"""The most that a page of a list holds."""


class KeyedClient(RestClient):
    """`limit` and `remaining` are calls a minute for the whole account, by the headers of the last answer; None
    before. A 409 is a value that is taken, never a stale write."""

    names: ClassVar[Mapping[str, str]] = {}
    """The tracker's names in lists of errors -> neutral field names, where they differ."""
    remedies: ClassVar[Mapping[str, str]] = {}
    """Codes of a 403 that no other role or key would cure -> what to do."""

    def __init__(self, connector: Connector, key: SecretStr) -> None:
        super().__init__(connector)
        login = f"{key.get_secret_value()}:X"
        self._headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
        self._custom = {field.id: f"custom:{name}" for name, field in connector.base_settings.fields.items()}
        self.limit: int | None = None
        self.remaining: int | None = None

    def credentials(self) -> Mapping[str, str]:
        return self._headers

    def reason(self, response: httpx.Response) -> Reason:
        return reason_of(json_of(response), self._neutral, response.reason_phrase)

    def error(self, response: httpx.Response, doing: str) -> ConnectorError:
        status, reason = response.status_code, self.reason(response)
        why = self.scrub(f"{status} {reason.text}")
        remedy = self.remedies.get(str(json_of(response).get("code")))
        if status == 403 and remedy:
            return PermanentError(self.name, doing, why, remedy)
        if status == 409:
            if reason.fields:
                return RefusedError(self.name, doing, {k: self.scrub(v) for k, v in reason.fields.items()})
            return PermanentError(self.name, doing, why)
        return super().error(response, doing)

    def note(self, response: httpx.Response) -> None:
        super().note(response)
        total, remaining = (response.headers.get(f"x-ratelimit-{n}", "") for n in ("total", "remaining"))
        if total.isdigit() and remaining.isdigit():
            self.limit, self.remaining = int(total), int(remaining)

    def post(self, path: str, body: Mapping[str, Any], uploads: Sequence[Upload]) -> Any:
        """A POST: JSON, or a form where there are files; in forms booleans are words."""
        if not uploads:
            return self.send("POST", path, body)
        form = {name: str(value).lower() if isinstance(value, bool) else value for name, value in body.items()}
        files = [(FILES, (upload.name, upload.open(), upload.content_type)) for upload in uploads]
        return self.send("POST", path, data=form, files=files)

    def rows(self, path: str, key: str = "") -> list[dict[str, Any]]:
        """All pages of a list; `key` is what the rows stand under, where they do not come bare."""
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = self.get(path, per_page=PAGE, page=page)
            rows = answer[key] if key else answer
            found += rows
            if len(rows) < PAGE:
                return found
            page += 1

    @contextmanager
    def download(self, url: str) -> Iterator[Iterator[bytes]]:
        """A file behind a signed address, which ends: a refusal is temporary, another read gives a new address."""
        with ExitStack() as stack:
            # Only the opening is guarded: what the reader of the file does is the reader's.
            try:
                chunks = stack.enter_context(self.stream(url))
            except (AuthError, NotFoundError) as error:
                why = f"the signed address of the file has ended: {error.why}"
                raise TemporaryError(self.name, error.doing, why, "The ticket is read again for a new one.") from error
            yield chunks

    def _neutral(self, name: str) -> str:
        short = name.removeprefix("custom_fields.")
        return self._custom.get(short) or self.names.get(short, short)
