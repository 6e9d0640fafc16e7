"""What the connector asks of the cloud and what the sandbox answers fit the swagger that ManageEngine publishes.

Its connector sends JSON where the API takes a form with the same JSON in `input_data`, and calls `udf_fields` a text;
all else is compared as it stands, for the operations that it covers.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs

import httpx
import jsonschema
import pytest

from hub.connector import Changes, Known
from hub.ticket import Category, Priority, Status
from plugins.servicedesk_plus.sandbox import ServiceDeskPlusSandbox, actor
from tests.plugins.servicedesk_plus.builders import a_draft
from tests.plugins.servicedesk_plus.conftest import connect
from tests.shared import payload

TEMPLATE = "/app/{serviceDeskInstance}/api/v3/requests"
WRITTEN_BEYOND = {"tags", "resolution", "udf_fields"}
"""Fields that its forms leave out, and that the definition of a request names."""


@pytest.fixture(scope="module")
def document() -> Any:
    return payload("servicedesk-plus/swagger-sdp-cloud-powerplatform.json")


@pytest.fixture
def used(cloud: ServiceDeskPlusSandbox) -> ServiceDeskPlusSandbox:
    """A sandbox on which the connector has done what it does."""
    connector = connect(cloud)
    agent = cloud.people()["agent1"]["id"]
    values = {"priority": Priority.HIGH, "category": Category.INCIDENT, "assignee": agent, "custom:severity": "high"}
    ticket_id = connector.create(a_draft(values=values, labels=frozenset({"vip"}))).id
    changes = Changes(
        values={"title": "Another", "status": Status.SOLVED, "custom:answer": "x"}, add_labels=frozenset("a")
    )
    connector.update(ticket_id, changes, None)
    connector.read(ticket_id, Known())
    cursor = connector.poll(None, cloud.clock()).cursor
    connector.poll(connector.poll(cursor, cloud.clock()).cursor, cloud.clock())
    connector.close()
    return cloud


def test_every_request_that_is_written_fits_the_vendors_form(document: Any, used: ServiceDeskPlusSandbox) -> None:
    definition = set(document["definitions"]["request"]["properties"])
    checked = 0
    for record in used.requests:
        template = TEMPLATE + ("/{id}" if re.search(r"/requests/\d+$", record.path) else "")
        is_covered = re.search(r"/api/v3/requests(/\d+)?$", record.path) and record.method in ("POST", "PUT")
        if not is_covered:
            continue
        sent = json.loads(parse_qs(record.body)["input_data"][0])
        body = next(p for p in document["paths"][template][record.method.lower()]["parameters"] if p["in"] == "body")
        form = body["schema"]["properties"]["input_data"]["properties"]["request"]
        request = sent["request"]
        covered = {k: v for k, v in request.items() if k not in WRITTEN_BEYOND and v is not None}
        jsonschema.validate(covered, form)
        assert set(covered) <= set(form["properties"])
        assert set(request) <= definition
        checked += 1
    assert checked == 2


def test_every_call_of_requests_is_one_that_the_vendor_publishes(document: Any, used: ServiceDeskPlusSandbox) -> None:
    seen = set()
    for record in used.requests:
        found = re.fullmatch(r"/app/itdesk/api/v3/requests(/\d+)?", record.path)
        if found:
            template = TEMPLATE + ("/{id}" if found.group(1) else "")
            operation = document["paths"][template][record.method.lower()]
            queries = {p["name"] for p in operation["parameters"] if p["in"] == "query"}
            assert set(parse_qs(record.query)) <= queries
            seen.add(operation["operationId"])
    assert seen == {"CreateRequest", "UpdateRequest", "GetRequestDetail", "GetRequestList"}


def test_what_the_sandbox_answers_fits_the_vendors_definition(document: Any, used: ServiceDeskPlusSandbox) -> None:
    agent = actor(used, "agent")
    client: httpx.Client = agent._http
    (number,) = used.store.requests
    one = client.get(f"/requests/{number}").json()["request"]
    listed = client.get("/requests").json()
    schema = document["paths"][TEMPLATE]["get"]["responses"]["200"]["schema"]
    portals = httpx.get(f"{used.url}/api/v3/portals", headers=client.headers).json()
    portal = document["paths"]["/api/v3/portals"]["get"]["responses"]["200"]["schema"]
    definitions = document["definitions"]
    for answer, fitting in (
        (one, definitions["request"]),
        (listed["requests"], schema["properties"]["requests"]),
        (portals, portal),
    ):
        jsonschema.validate(answer, _with_nulls({**fitting, "definitions": definitions}))
    agent.close()


def _with_nulls(node: Any) -> Any:
    """Real answers hold null wherever a value may be missing; the document does not say so."""
    if isinstance(node, dict):
        made = {key: _with_nulls(value) for key, value in node.items()}
        if isinstance(made.get("type"), str) and made["type"] in ("string", "object", "array", "integer", "boolean"):
            made["type"] = [made["type"], "null"]
        return made
    return [_with_nulls(one) for one in node] if isinstance(node, list) else node
