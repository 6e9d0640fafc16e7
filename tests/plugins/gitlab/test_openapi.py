"""Every request of the connector that the OpenAPI document describes fits it, and so does what the sandbox answers.

The document is of 2024, written by others than the vendor, and describes projects, issues and labels; notes, uploads
and users it does not.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import yaml
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathNotFound
from openapi_core.testing import MockRequest, MockResponse

from hub.connector import Changes, Draft, Known, NewComment, RemoteLink
from hub.ticket import Category, Markdown, Priority, Status, Visibility
from plugins.gitlab.connector import GitlabConnector
from plugins.gitlab.sandbox import GitlabSandbox
from tests.shared import SHARED

DOCUMENT = SHARED / "payloads/gitlab/openapi/gitlab-issues-labels-openapi.yaml"
UNDESCRIBED = ("/notes", "/uploads", "/user", "/users", "/personal_access_tokens/self")


@pytest.fixture(scope="module")
def document() -> OpenAPI:
    if not DOCUMENT.is_file():
        pytest.skip("the public OpenAPI document is not beside the repository")
    raw = yaml.safe_load(DOCUMENT.read_text())
    # Real answers hold null where a value may be missing; what is sent stays as strict as the document.
    for name, schema in raw["components"]["schemas"].items():
        if name not in ("NewIssue", "EditIssue"):
            for part in (schema, *(schema.get("properties") or {}).values()):
                if "$ref" not in part:
                    part["nullable"] = True
    return OpenAPI.from_dict(raw)


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> list[tuple[requests.PreparedRequest, requests.Response]]:
    """All that goes over the wire, as `requests` sends and receives it."""
    seen: list[tuple[requests.PreparedRequest, requests.Response]] = []
    send = requests.Session.send

    def watched(session: requests.Session, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        response = send(session, request, **more)
        seen.append((request, response))
        return response

    monkeypatch.setattr(requests.Session, "send", watched)
    return seen


def a_working_day(connector: GitlabConnector) -> None:
    """Each call that the connector makes, at least once."""
    connector.check()
    draft = Draft(
        marker="m", title="A bug", description=Markdown("text"), labels=frozenset({"a"}),
        values={"priority": Priority.HIGH, "category": Category.INCIDENT, "assignee": "13"},
    )  # fmt: skip
    issue = connector.create(draft).id
    assert connector.find_ticket("m") is not None
    values = {"title": "B", "status": Status.SOLVED, "description": "d", "assignee": None, "category": Category.BUG}
    changes = Changes(values=values, add_labels=frozenset({"b"}), remove_labels=frozenset({"a"}))
    connector.update(issue, changes, connector.read(issue, Known()))
    written = connector.add_comment(issue, NewComment(text=Markdown("c"), visibility=Visibility.PUBLIC, marker="hub:c"))
    connector.edit_comment(issue, written.id, Markdown("d"), Visibility.PUBLIC)
    connector.write_link(issue, RemoteLink("hub:l", "http://x.example", "#7", "t", "support"))
    connector.remove_link(issue, "hub:l")
    now = connector.read(issue, Known()).read_at
    connector.poll(connector.poll(None, now).cursor, now)
    connector.find_person("engineer1@engineering.example")


def test_what_the_connector_sends_and_the_sandbox_answers_fits_the_document(
    document: OpenAPI,
    connector: GitlabConnector,
    site: GitlabSandbox,
    exchanges: list[tuple[requests.PreparedRequest, requests.Response]],
) -> None:
    a_working_day(connector)
    described = set()
    for sent, received in exchanges:
        path = urlsplit(sent.url or "").path.removeprefix("/api")
        if any(part in path for part in UNDESCRIBED):
            continue
        request = _request(sent)
        try:
            document.validate_request(request)
            if not path.endswith("website"):
                # Its project has a text for a number, which no real answer has.
                document.validate_response(request, _response(received))
        except PathNotFound:
            raise AssertionError(f"the document does not know {sent.method} {path}") from None
        except OpenAPIError as error:
            raise AssertionError(f"{sent.method} {path}: {error}: {error.__cause__}") from error
        described.add((sent.method, path.replace("acme%2Fwebsite", "42")))
    assert described == {
        ("GET", "/v4/projects/42"),
        ("GET", "/v4/projects/42/labels"),
        ("GET", "/v4/projects/42/issues"),
        ("POST", "/v4/projects/42/issues"),
        ("GET", "/v4/projects/42/issues/1"),
        ("PUT", "/v4/projects/42/issues/1"),
    }


def test_a_request_that_does_not_fit_would_be_noticed(document: OpenAPI) -> None:
    wrong = MockRequest(
        "https://gitlab.com",
        "post",
        "/api/v4/projects/42/issues",
        data=b'{"title": 5}',
        content_type="application/json",
    )
    with pytest.raises(OpenAPIError):
        document.validate_request(wrong)


def _request(sent: requests.PreparedRequest) -> MockRequest:
    address = urlsplit(sent.url or "")
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body
    return MockRequest(
        "https://gitlab.com",
        (sent.method or "").lower(),
        address.path,
        headers={"Authorization": sent.headers["Authorization"]},
        args=dict(parse_qsl(address.query)),
        data=body if isinstance(body, bytes) and sent.method != "GET" else b"",
        content_type="application/json",
    )


def _response(received: requests.Response) -> MockResponse:
    return MockResponse(received.content, received.status_code, dict(received.headers), "application/json")
