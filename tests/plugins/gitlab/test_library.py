"""The sandbox is driven by a client that others wrote: the `python-gitlab` package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gitlab
import httpx
import pytest
from gitlab.exceptions import GitlabAuthenticationError, GitlabCreateError, GitlabGetError, GitlabUpdateError

from plugins.gitlab.sandbox import GitlabSandbox


def sign_in(site: GitlabSandbox, login: str = "admin1") -> gitlab.Gitlab:
    return gitlab.Gitlab(site.url, private_token=site.people()[login]["token"], per_page=100)


@pytest.fixture
def client(site: GitlabSandbox) -> Iterator[gitlab.Gitlab]:
    made = sign_in(site)
    yield made
    made.session.close()


@pytest.fixture
def project(client: gitlab.Gitlab) -> Any:
    return client.projects.get("acme/website")


def test_it_knows_who_it_is_and_where(client: gitlab.Gitlab, project: Any) -> None:
    client.auth()
    assert client.user is not None
    assert client.user.username == "admin1"
    assert client.version()[0] == "18.2.1"
    assert project.id == 42
    assert client.projects.get(42).path_with_namespace == "acme/website"
    assert client.personal_access_tokens.get("self").scopes == ["api"]


def test_it_creates_reads_edits_and_deletes_an_issue(project: Any) -> None:
    made = project.issues.create({"title": "From a library", "description": "*text*", "labels": ["a", "b"]})
    assert (made.iid, made.state, made.labels, made.confidential) == (1, "opened", ["a", "b"], False)
    project.issues.update(made.iid, {"add_labels": "c,d", "remove_labels": "a", "state_event": "close"})
    again = project.issues.get(made.iid)
    assert (again.labels, again.state, again.attributes["closed_by"]["username"]) == (
        ["b", "c", "d"],
        "closed",
        "admin1",
    )
    again.state_event = "reopen"
    again.labels = ["only"]
    again.save()
    assert (again.state, again.labels) == ("opened", ["only"])
    again.delete()
    with pytest.raises(GitlabGetError) as gone:
        project.issues.get(made.iid)
    assert gone.value.response_code == 404


def test_it_writes_lists_and_edits_notes(site: GitlabSandbox, project: Any) -> None:
    issue = project.issues.create({"title": "x"})
    plain = issue.notes.create({"body": "plain"})
    internal = issue.notes.create({"body": "for us", "internal": True})
    assert (plain.internal, internal.internal, internal.confidential) == (False, True, True)
    plain.body = "edited"
    plain.save()
    assert [n.body for n in issue.notes.list(sort="asc", get_all=True)] == ["edited", "for us"]
    as_guest = sign_in(site, "guest1").projects.get(42).issues.get(issue.iid)
    assert [n.body for n in as_guest.notes.list(get_all=True)] == ["edited"]
    internal.delete()
    assert len(issue.notes.list(get_all=True)) == 1


def test_a_text_runs_its_commands_and_mentions(site: GitlabSandbox, project: Any) -> None:
    first = project.issues.create({"title": "first"})
    issue = project.issues.create({"title": "x", "description": "see #1, @engineer1\n/label ~bug"})
    assert (issue.labels, issue.description) == (["bug"], "see #1, @engineer1")
    assert site.store.notified == ["engineer1"]
    assert [n.body for n in first.notes.list(get_all=True)] == ["mentioned in issue #2"]
    issue.notes.create({"body": "done\n/close"})
    assert project.issues.get(issue.iid).state == "closed"


def test_it_uploads_and_downloads_a_file(client: gitlab.Gitlab, site: GitlabSandbox, project: Any) -> None:
    made = project.upload("raport ąę (1).pdf", filedata=b"content")
    assert made["alt"] == "raport_ąę__1_.pdf"
    assert made["markdown"] == f"[{made['alt']}]({made['url']})"
    answer = client.http_get(f"/projects/42{made['url']}", raw=True)
    assert answer.content == b"content"  # type: ignore[union-attr]  # a response, because it is raw
    outside = httpx.get(f"{site.url}/api/v4/projects/42{made['url']}")
    assert outside.status_code == 401


def test_it_lists_page_by_page_and_filters(site: GitlabSandbox, project: Any) -> None:
    made = [project.issues.create({"title": f"number {n}"}).iid for n in range(7)]
    assert [i.iid for i in project.issues.list(iterator=True, per_page=3, order_by="created_at", sort="asc")] == made
    project.issues.update(3, {"state_event": "close"})
    changed = project.issues.get(3).updated_at
    assert [i.iid for i in project.issues.list(updated_after=changed, scope="all", get_all=True)] == [3]
    assert [i.iid for i in project.issues.list(state="closed", get_all=True)] == [3]
    assert project.issues.list(author_id=11, get_all=True) == []
    assert len(project.issues.list(search="number", get_all=True)) == 7


def test_a_comment_of_markdowns_is_not_found_by_search(project: Any) -> None:
    project.issues.create({"title": "x", "description": "words\n\n<!-- hidden-mark -->"})
    assert len(project.issues.list(search="words", get_all=True)) == 1
    assert project.issues.list(search="hidden-mark", get_all=True) == []


def test_confidential_issues_do_not_exist_for_guests(site: GitlabSandbox, project: Any) -> None:
    issue = project.issues.create({"title": "secret", "confidential": True})
    guest = sign_in(site, "guest1").projects.get(42)
    assert guest.issues.list(get_all=True) == []
    with pytest.raises(GitlabGetError):
        guest.issues.get(issue.iid)
    with pytest.raises(GitlabGetError, match="404 Project Not Found"):
        sign_in(site, "outsider1").projects.get(42)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"title": "x" * 256}, "too long"),
        ({"title": "  "}, "can't be blank"),
        ({"title": "x", "issue_type": "story"}, "issue_type does not have a valid value"),
        ({"title": "x", "description": "y" * 1_048_577}, "too long"),
    ],
)
def test_what_gitlab_refuses_is_refused_in_its_words(project: Any, body: dict[str, Any], words: str) -> None:
    with pytest.raises(GitlabCreateError) as error:
        project.issues.create(body)
    assert error.value.response_code == 400
    assert words in str(error.value)


def test_an_update_of_nothing_or_to_a_state_that_does_not_exist_is_refused(project: Any) -> None:
    project.issues.create({"title": "x"})
    for body in ({"nothing": 1}, {"state_event": "explode"}):
        with pytest.raises(GitlabUpdateError) as error:
            project.issues.update(1, body)
        assert error.value.response_code == 400


def test_tokens_and_roles_are_told_apart(site: GitlabSandbox, project: Any) -> None:
    project.issues.create({"title": "x"})
    with pytest.raises(GitlabAuthenticationError):
        gitlab.Gitlab(site.url, private_token="wrong").auth()
    with pytest.raises(GitlabCreateError) as narrow:
        sign_in(site, "reader1").projects.get(42).issues.create({"title": "x"})
    assert narrow.value.response_code == 403
    with pytest.raises(GitlabUpdateError) as guest:
        sign_in(site, "guest1").projects.get(42).issues.update(1, {"title": "y"})
    assert guest.value.response_code == 403


def test_a_rate_limit_is_told_as_gitlab_tells_it(site: GitlabSandbox, project: Any) -> None:
    site.limits.set("issues_create", 1, 60)
    project.issues.create({"title": "x"})
    with pytest.raises(GitlabCreateError) as error:
        project.issues.create({"title": "x"}, obey_rate_limit=False)
    assert error.value.response_code == 429


def test_a_webhook_that_is_made_hears_only_what_it_asked_for(site: GitlabSandbox, project: Any) -> None:
    hook = project.hooks.create({"url": "http://127.0.0.1:9/", "token": "s", "note_events": True})
    assert (hook.note_events, hook.issues_events, hook.token_present) == (True, False, True)
    issue = project.issues.create({"title": "x"})
    issue.notes.create({"body": "internal", "internal": True})
    issue.notes.create({"body": "plain"})
    assert site.webhooks.wait_idle(10)
    assert [s.delivery.topic for s in site.webhooks.sent] == ["Note Hook"]
    assert site.webhooks.sent[0].delivery.target.secret == "s"
    assert len(project.hooks.list(get_all=True)) == 1


def test_labels_are_made_without_asking_and_listed(project: Any) -> None:
    project.issues.create({"title": "x", "labels": "Brand New"})
    names = [label.name for label in project.labels.list(get_all=True)]
    assert "Brand New" in names
    assert "priority::high" in names


def test_a_route_that_the_sandbox_does_not_have_says_so(site: GitlabSandbox, client: gitlab.Gitlab) -> None:
    answer = httpx.get(
        f"{site.url}/api/v4/projects/42/merge_requests", headers={"PRIVATE-TOKEN": client.private_token or ""}
    )
    assert answer.status_code == 501
