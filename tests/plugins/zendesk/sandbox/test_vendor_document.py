"""Routes and answers checked against the vendor's own OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from plugins.zendesk.sandbox import ZendeskSandbox

if TYPE_CHECKING:
    from tests.plugins.zendesk.sandbox.conftest import Api

# The webhooks API, the Help Center and the links of the Jira app have documents of their own.
DOCUMENTED_ELSEWHERE = re.compile(r"^/api/v2/(webhooks|help_center)|^/api/services/jira/links")
METHODS = ("get", "put", "post", "delete", "patch")


class Loader(yaml.CSafeLoader):
    """Takes the bare `=` in the document for the text that it is."""


Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: str(node.value))


@pytest.fixture
def document(sample_text: Callable[[str], str]) -> Any:
    return _loaded(sample_text("openapi-support-v2-ballerina.yaml"))


@cache
def _loaded(text: str) -> Any:
    return loosened(yaml.load(text, Loader=Loader))


def loosened(node: Any) -> Any:
    """The document with null allowed everywhere: it leaves `nullable` out in most places where null is real."""
    if isinstance(node, list):
        return [loosened(item) for item in node]
    if not isinstance(node, dict):
        return node
    loose = {key: loosened(value) for key, value in node.items()}
    if isinstance(loose.get("type"), str):
        loose["type"] = [loose["type"], "null"]
    if "oneOf" in loose:
        loose["anyOf"] = loose.pop("oneOf")
    if isinstance(loose.get("enum"), list):
        loose["enum"] = [*loose["enum"], None]
    return loose


def test_every_route_stands_in_the_document(sandbox: ZendeskSandbox, document: Any) -> None:
    known = {
        (m.upper(), re.sub(r"\{\w+\}", "{}", path)) for path, o in document["paths"].items() for m in METHODS if m in o
    }
    routes = {
        (method, re.sub(r"<[^>]+>", "{}", rule.rule))
        for rule in sandbox.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/") and not DOCUMENTED_ELSEWHERE.match(rule.rule)
    }
    assert routes - known == set()


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/tickets", "/tickets"),
        ("/tickets/{ticket_id}", "/tickets/1"),
        ("/tickets/show_many", "/tickets/show_many?ids=1"),
        ("/tickets/{ticket_id}/comments", "/tickets/1/comments"),
        ("/tickets/{ticket_id}/audits", "/tickets/1/audits"),
        ("/tickets/{ticket_id}/tags", "/tickets/1/tags"),
        ("/deleted_tickets", "/deleted_tickets"),
        ("/incremental/tickets/cursor", "/incremental/tickets/cursor?start_time=0"),
        ("/search", "/search?query=type:ticket"),
        ("/search/export", "/search/export?query=broke&filter[type]=ticket"),
        ("/users", "/users"),
        ("/users/me", "/users/me"),
        ("/users/search", "/users/search?query=agent"),
        ("/organizations", "/organizations"),
        ("/groups", "/groups"),
        ("/ticket_fields", "/ticket_fields"),
        ("/ticket_forms", "/ticket_forms"),
        ("/custom_statuses", "/custom_statuses"),
        ("/macros/active", "/macros/active"),
        ("/requests", "/requests"),
        ("/requests/{request_id}", "/requests/1"),
        ("/requests/{request_id}/comments", "/requests/1/comments"),
    ],
)
def test_what_is_read_fits_the_document(api: Api, document: Any, template: str, path: str) -> None:
    token = api.upload("a.txt", b"a")["token"]
    api.create(priority="low", tags=["a"])
    api.update(1, status="open", comment={"body": "note", "public": False, "uploads": [token]})
    check(document, "get", template, "200", api.get(path))


def test_what_is_written_fits_the_document(api: Api, document: Any) -> None:
    made = api.post("/tickets", {"ticket": {"subject": "s", "comment": {"body": "b"}}})
    check(document, "post", "/tickets", "201", made)
    check(document, "put", "/tickets/{ticket_id}", "200", api.update(1, priority="low"))
    check(document, "post", "/uploads", "201", {"upload": api.upload("a", b"a")})
    job = api.put("/tickets/update_many?ids=1", {"ticket": {"priority": "high"}})
    check(document, "put", "/tickets/update_many", "200", job)
    done = api.get(f"/job_statuses/{job['job_status']['id']}")
    check(document, "get", "/job_statuses/{job_status_id}", "200", done)


def test_a_wrong_type_is_seen(document: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        check(document, "get", "/tickets/{ticket_id}", "200", {"ticket": {"subject": 5}})


def check(document: Any, method: str, template: str, status: str, answer: Any) -> None:
    responses = document["paths"][f"/api/v2{template}"][method]["responses"]
    schema = responses[status]["content"]["application/json"]["schema"]
    jsonschema.validate(
        _without_custom_fields(answer),
        {**schema, "components": document["components"]},
        cls=jsonschema.Draft202012Validator,
    )


def _without_custom_fields(answer: Any) -> Any:
    """The document calls their values texts, recorded answers hold booleans and lists as well."""
    if isinstance(answer, dict):
        return {k: _without_custom_fields(v) for k, v in answer.items() if k not in ("custom_fields", "fields")}
    return [_without_custom_fields(item) for item in answer] if isinstance(answer, list) else answer
