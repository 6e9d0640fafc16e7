"""The sandbox is driven by a client that others wrote: the `jira` package, against both flavours."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jira import JIRA
from jira.exceptions import JIRAError

from plugins.jira.sandbox import JiraSandbox


@pytest.fixture
def client(site: JiraSandbox) -> Iterator[JIRA]:
    login = site.credentials()
    how: dict[str, Any] = (
        {"basic_auth": (login["email"], login["api_token"])}
        if "api_token" in login
        else {"token_auth": login["personal_access_token"]}
    )
    made = JIRA(server=site.url, max_retries=0, **how)
    yield made
    made._session.close()


def an_issue(client: JIRA, **fields: Any) -> Any:
    return client.create_issue(project="OPS", issuetype={"name": "Bug"}, **{"summary": "From a library", **fields})


def test_it_knows_who_it_is_and_what_it_talks_to(client: JIRA, site: JiraSandbox) -> None:
    assert client.server_info()["deploymentType"] == ("Cloud" if site.is_cloud else "Server")
    assert client.myself()["displayName"] == "Hub Service"
    assert {p.key for p in client.projects()} == {"OPS", "WEB", "DESK"}
    assert [p.name for p in client.priorities()] == ["Highest", "High", "Medium", "Low", "Lowest"]


def test_it_creates_reads_edits_and_deletes_an_issue(client: JIRA) -> None:
    issue = an_issue(client, description="*wiki*", labels=["a"], priority={"name": "High"})
    assert (issue.fields.summary, issue.fields.description, issue.fields.labels) == ("From a library", "*wiki*", ["a"])
    issue.update(fields={"summary": "Edited"}, update={"labels": [{"add": "b"}, {"remove": "a"}]})
    again = client.issue(issue.id)
    assert (again.fields.summary, again.fields.labels) == ("Edited", ["b"])
    issue.delete()
    with pytest.raises(JIRAError) as gone:
        client.issue(issue.id)
    assert gone.value.status_code == 404


def test_it_comments_publicly_restricted_and_edits(client: JIRA) -> None:
    issue = an_issue(client)
    plain = client.add_comment(issue, "plain")
    restricted = client.add_comment(issue, "for us", visibility={"type": "role", "value": "Developers"})
    assert not hasattr(plain, "visibility")
    assert restricted.visibility.value == "Developers"
    plain.update(body="edited")
    assert [c.body for c in client.comments(issue)] == ["edited", "for us"]
    plain.delete()
    assert [c.body for c in client.comments(issue)] == ["for us"]


def test_it_walks_the_workflow_and_is_asked_for_the_resolution(client: JIRA) -> None:
    issue = an_issue(client)
    assert {t["name"] for t in client.transitions(issue)} == {"Start Progress", "Block", "Reject"}
    client.transition_issue(issue, "Start Progress")
    client.transition_issue(issue, "Ask for Review")
    with pytest.raises(JIRAError) as refused:
        client.transition_issue(issue, "Finish")
    assert refused.value.status_code == 400
    client.transition_issue(issue, "Finish", fields={"resolution": {"name": "Done"}})
    done: Any = client.issue(issue.id)
    assert (done.fields.status.name, done.fields.resolution.name) == ("Done", "Done")


def test_it_attaches_and_downloads_a_file(client: JIRA, site: JiraSandbox) -> None:
    issue = an_issue(client)
    client.add_attachment(issue, io.BytesIO(b"content"), filename="żółw.txt")
    shown: Any = client.issue(issue.id)
    (attachment,) = shown.fields.attachment
    assert (attachment.filename, attachment.get()) == ("żółw.txt", b"content")
    assert site.leaked_authorizations == []


def test_a_remote_link_with_a_global_id_is_replaced_and_not_doubled(client: JIRA) -> None:
    issue = an_issue(client)
    for title in ("one", "two"):
        client.add_simple_link(issue, {"url": "http://x.example/1", "title": title})
    assert len(client.remote_links(issue)) == 2


def test_it_searches_page_by_page(client: JIRA, site: JiraSandbox) -> None:
    keys = {an_issue(client, summary=f"number {n}").key for n in range(7)}
    if site.is_cloud:
        found, token = [], None
        while True:
            page: Any = client.enhanced_search_issues(
                "project = OPS ORDER BY key ASC", maxResults=3, nextPageToken=token, json_result=True, fields="summary"
            )
            found += [i["key"] for i in page["issues"]]
            token = page.get("nextPageToken")
            if not token:
                break
    else:
        found = [i.key for i in client.search_issues("project = OPS ORDER BY key ASC", maxResults=0, fields="summary")]
    assert set(found) == keys
    assert len(found) == 7


def test_the_old_search_is_gone_on_cloud(site: JiraSandbox, client: JIRA) -> None:
    if not site.is_cloud:
        assert client._get_json("search", params={"jql": "project = OPS"})["total"] == 0
        return
    with pytest.raises(JIRAError) as gone:
        client._get_json("search", params={"jql": "project = OPS"})
    assert gone.value.status_code == 410


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"summary": "x" * 256}, "summary"),
        ({"summary": "two\nlines"}, "summary"),
        ({"priority": {"name": "Whatever"}}, "priority"),
        ({"labels": ["two words"]}, "labels"),
        ({"customfield_10050": {"value": "Enormous"}}, "customfield_10050"),
        ({"customfield_99999": "x"}, "customfield_99999"),
    ],
)
def test_what_jira_refuses_is_refused_by_the_name_of_the_field(
    client: JIRA, fields: dict[str, Any], refused: str
) -> None:
    with pytest.raises(JIRAError) as error:
        an_issue(client, **fields)
    assert error.value.status_code == 400
    assert error.value.response is not None
    assert refused in error.value.response.json()["errors"]


def test_a_wrong_credential_and_a_missing_permission_are_told_apart(site: JiraSandbox) -> None:
    reader = site.people()["reader"]
    auth = (reader["email"], reader["api_token"]) if site.is_cloud else None
    headers = {} if auth else {"Authorization": f"Bearer {reader['personal_access_token']}"}
    body = {"fields": {"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "no"}}
    assert httpx.post(f"{site.url}/rest/api/2/issue", json=body, auth=("a", "b")).status_code == 401
    assert httpx.post(f"{site.url}/rest/api/2/issue", json=body, auth=auth, headers=headers).status_code == 403


def test_a_route_that_the_sandbox_does_not_have_says_so(site: JiraSandbox) -> None:
    answer = httpx.get(f"{site.url}/rest/agile/1.0/board")
    assert answer.status_code in (401, 501)
