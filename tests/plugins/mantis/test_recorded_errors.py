"""Every refusal that was recorded from a real server is the right error of the hub, with words for who must act."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from hub.connector import (
    AuthError,
    ConflictError,
    ConnectorError,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    RefusedError,
    TemporaryError,
)
from plugins.mantis.client import MantisClient, NoSuchIssueError, ReadOnlyError
from plugins.mantis.connector import MantisConnector
from plugins.mantis.settings import MantisSettings
from tests.plugins.mantis.exchanges import Recorded, recorded

EXPECTED: dict[type[ConnectorError], tuple[str, ...]] = {
    AuthError: (
        "auth.none", "auth.bad_token", "auth.bearer", "auth.query_token", "get.anonymous", "user.by_id",
        "create.private_project", "note.by_viewer",
    ),
    ReadOnlyError: (
        "patch.after_resolved_summary", "patch.after_resolved_note_reopen", "patch.as_reporter",
        "patch.as_updater_status", "patch.as_updater_summary", "workflow.allowed_hop",
    ),
    NotFoundError: (
        "user.by_id.unknown", "user.by_name.unknown", "project.private", "get.full.rep2", "note.delete_again",
        "list.project_unknown", "list.project_private", "list.filter_unknown", "list.filter_name",
    ),
    NoSuchIssueError: (
        "get.unknown", "get.zero", "patch.unknown", "note.unknown_issue", "file.unknown_issue", "delete.as_manager",
        "delete.as_admin", "get.deleted",
    ),
    ConflictError: ("patch.if_match_stale",),
    RateLimitedError: ("spam.reporter.11", "spam.reporter.12", "spam.reporter.13"),
    TemporaryError: (
        "create.view_state_bad", "create.summary_129", "create.file_no_name", "patch.summary_200", "tag.bad_name",
    ),
    PermanentError: (
        "route.unknown", "create.no_project", "create.unknown_project", "create.file_bad_base64", "create.empty_body",
        "create.bad_json", "create.latin2", "patch.empty_object", "note.blank", "note.no_text",
        "note.view_state_bad", "note.patch_not_routed", "file.empty", "file.svg", "file.none", "files.delete",
        "relation.bad_type", "relation.self", "2.29:create.file_no_name",
    ),
}  # fmt: skip
REFUSED = {
    "create.empty_summary": "title",
    "create.blank_summary": "title",
    "create.json_array": "title",
    "patch.summary_empty": "title",
    "create.no_description": "description",
    "create.bad_category": "category",
    "create.other_projects_category": "category",
    "patch.category_bad": "category",
    "create.handler_reporter_level": "assignee",
    "create.by_reporter": "assignee",
    "create.cf_unknown": "field:Nope",
    "create.cf_not_linked": "field:Unlinked",
    "create.cf_bad_enum": "field:Env",
    "create.tag_unknown_id": "labels",
    "2.29:create.summary_129": "title",
    "2.29:create.summary_newline": "title",
    "2.29:patch.summary_200": "title",
}
"""Refusals of one field, and which."""
KINDS = {**{name: kind for kind, names in EXPECTED.items() for name in names}, **dict.fromkeys(REFUSED, RefusedError)}

pytestmark = pytest.mark.skipif(not recorded(), reason="the recordings are not beside the repository")


def is_error(exchange: Recorded) -> bool:
    body = exchange.response["body"]
    return exchange.response["status"] >= 400 or (isinstance(body, dict) and "fault_string" in str(body.get("issues")))


def answer_of(exchange: Recorded) -> httpx.Response:
    """The answer as the client sees it."""
    body, was = exchange.response["body"], exchange.response
    request = httpx.Request(exchange.request["method"], f"http://site{exchange.request['path']}", content=b"as sent")
    return httpx.Response(
        was["status"],
        headers={k: v for k, v in was["headers"].items() if k.lower() != "content-length"},
        content=body.encode() if isinstance(body, str) else json.dumps(body).encode(),
        request=request,
        extensions={"reason_phrase": was["reason"].encode("latin-1", "replace")},
    )


@pytest.fixture
def client() -> Iterator[MantisClient]:
    """A client of a site that is never called."""
    credentials = {"api_token": "none"}
    settings = MantisSettings.model_validate(
        {"kind": "mantis", "url": "http://site", "credentials": credentials, "project": "1"}
    )
    connector = MantisConnector("dev", settings)
    yield MantisClient(connector, settings)
    connector.close()


def told(client: MantisClient, exchange: Recorded) -> ConnectorError:
    answer = answer_of(exchange)
    doing = f"{exchange.request['method']} /x"
    if answer.is_error:
        return client.error(answer, doing)
    with pytest.raises(ConnectorError) as raised:
        client.inspect(answer.json(), doing)
    return raised.value


def test_every_recorded_error_has_its_expectation() -> None:
    assert sorted(KINDS) == sorted(name for name, exchange in recorded().items() if is_error(exchange))


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_recorded_error_is_the_right_error_of_the_hub(client: MantisClient, name: str) -> None:
    error = told(client, recorded()[name])
    assert type(error) is KINDS[name]
    if name in REFUSED:
        assert isinstance(error, RefusedError)
        assert list(error.fields) == [REFUSED[name]]
    if isinstance(error, AuthError | NotFoundError) and recorded()[name].response["status"] >= 400:
        assert error.remedy


@pytest.mark.parametrize("name", EXPECTED[TemporaryError])
def test_what_mantis_answers_500_to_for_ever_is_given_up_at_the_second_try(client: MantisClient, name: str) -> None:
    exchange = recorded()[name]
    assert type(told(client, exchange)) is TemporaryError
    assert type(told(client, exchange)) is PermanentError
