"""What `hub check` tells of a Jira site: project, statuses, fields, permissions, visibility, each with a remedy."""

from __future__ import annotations

from typing import Any

from hub.connector import Finding, NotFoundError
from hub.mapping import ValueMap
from hub.parts.findings import instead, meant
from hub.ticket import Status
from plugins.jira.client import JiraClient
from plugins.jira.settings import JiraSettings
from plugins.jira.site import Site

PAGE = 100
FILLED = {"project", "issuetype", "summary", "description", "labels"}
"""What every new issue of the hub's has."""
GIVEN_BY_JIRA = {"reporter"}
"""Required, and filled with the account when it is left out."""


class Checks:
    """One look at the site. What it learns of the project's type is kept."""

    def __init__(self, client: JiraClient, settings: JiraSettings, statuses: ValueMap[Status], site: Site) -> None:
        self._client, self._settings, self._statuses, self._site = client, settings, statuses, site

    def findings(self) -> list[Finding]:
        return [*self._project(), *self._fields(), *self._permissions(), *self._comments()]

    def _project(self) -> list[Finding]:
        key = self._settings.project
        try:
            project = self._client.get(f"/project/{key}")
        except NotFoundError:
            keys = [p["key"] for p in self._client.get("/project")]
            what = f"there is no project {key} that the account may browse"
            return [Finding("error", what, instead(key, keys, 0.3))]
        self._site.project_types[key] = str(project.get("projectTypeKey") or "")
        types = [t["name"] for t in project.get("issueTypes", ())]
        findings = [Finding("ok", f"project {key} ({project['name']})")]
        if self._settings.issue_type not in types:
            findings.append(
                Finding("error", f"{key} has no issue type {self._settings.issue_type!r}", f"There are {types}.")
            )
        findings += self._statuses_of(key)
        findings += self._required(key)
        return findings

    def _statuses_of(self, key: str) -> list[Finding]:
        known: dict[str, str] = {}
        for kind in self._client.get(f"/project/{key}/statuses"):
            if kind["name"] == self._settings.issue_type:
                known = {s["name"].casefold(): s["name"] for s in kind["statuses"]}
        unmapped = sorted(name for folded, name in known.items() if folded not in self._statuses.meaning)
        findings = [
            Finding(
                "warning",
                f"status {name!r} is not mapped: while an issue stands there its status does not travel",
                f"Put it under trackers.{self._client.name}.statuses.",
            )
            for name in unmapped
        ]
        missing = [
            f"{status}: {word}" for status, word in self._statuses.written.items() if word.casefold() not in known
        ]
        if known and missing and self._settings.statuses:
            findings.append(
                Finding(
                    "warning",
                    f"the workflow has no such status: {', '.join(missing)}",
                    f"There are {sorted(known.values())}; correct trackers.{self._client.name}.statuses.",
                )
            )
        return findings

    def _fields(self) -> list[Finding]:
        if not self._settings.fields:
            return []
        known = {f["id"]: f["name"] for f in self._client.get("/field")}
        findings = []
        for name, field in self._settings.fields.items():
            if field.id not in known and field.id not in known.values():
                hint = meant(field.id, known.values(), 0.3) or "Give its id (customfield_…) or its name."
                findings.append(Finding("error", f"there is no field {field.id!r} (fields.{name})", hint))
        return findings or [Finding("ok", f"all {len(self._settings.fields)} custom fields exist")]

    def _permissions(self) -> list[Finding]:
        wanted = {
            "BROWSE_PROJECTS": "Browse projects",
            "CREATE_ISSUES": "Create issues",
            "EDIT_ISSUES": "Edit issues",
            "ADD_COMMENTS": "Add comments",
            "TRANSITION_ISSUES": "Transition issues",
            "CREATE_ATTACHMENTS": "Create attachments",
            "LINK_ISSUES": "Link issues",
        }
        answer = self._client.get("/mypermissions", projectKey=self._settings.project, permissions=",".join(wanted))
        missing = [
            title for key, title in wanted.items() if not answer["permissions"].get(key, {}).get("havePermission")
        ]
        if missing:
            text = ", ".join(missing)
            return [Finding("error", f"the account lacks: {text}", f"Grant these in {self._settings.project}.")]
        return [Finding("ok", "the account has all permissions it needs")]

    def _comments(self) -> list[Finding]:
        if self._settings.plain_comments == "public" and not self._settings.private_role:
            return [
                Finding(
                    "warning",
                    "plain comments are public, and there is no role for private ones: private notes cannot be written",
                    f"Set trackers.{self._client.name}.private_role, or keep private notes out "
                    "(comments: {private: none}).",
                )
            ]
        return []

    def _required(self, project: str) -> list[Finding]:
        """Fields that new issues need, and that nobody gives a value."""
        address = f"/issue/createmeta/{project}/issuetypes"
        type_id = next((t["id"] for t in self._listed(address) if t["name"] == self._settings.issue_type), None)
        if type_id is None:
            return []
        known = FILLED | GIVEN_BY_JIRA | set(self._settings.create_fields) | set(self._site.custom_ids().values())
        return [
            Finding(
                "error",
                f"new issues of {self._settings.issue_type} need {field['name']} ({field['fieldId']})",
                f"Name a value: trackers.{self._client.name}.create_fields: {{{field['fieldId']}: …}}, "
                "or make the field optional.",
            )
            for field in self._listed(f"{address}/{type_id}")
            if field.get("required") and not field.get("hasDefaultValue") and field["fieldId"] not in known
        ]

    def _listed(self, path: str) -> list[Any]:
        """All pages of a list; Cloud names it by what it holds, Data Center `values`."""
        found: list[Any] = []
        while True:
            answer = self._client.get(path, startAt=len(found), maxResults=PAGE)
            page = next((v for v in answer.values() if isinstance(v, list)), [])
            found += page
            if not page or len(found) >= int(answer.get("total", 0)):
                return found
