"""What a MantisBT site says of itself: projects, fields, the words of its enumerations, workflows.

Asked once and kept; asked again before anything is refused for what they say, because an admin may have changed it.
MantisBT checks none of the words by itself: an unknown one is stored as `@0@` (recorded: create.bad_priority,
patch.status_bad).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.connector import NotFoundError
from plugins.mantis.client import MantisClient
from plugins.mantis.workflow import Graph, graph_of

OPTIONS = (
    "status_enum_string",
    "priority_enum_string",
    "severity_enum_string",
    "reproducibility_enum_string",
    "resolution_enum_string",
    "status_enum_workflow",
    "bug_resolved_status_threshold",
    "max_file_size",
)
USUAL_RESOLVED = 80


@dataclass(frozen=True, slots=True)
class Config:
    """The options of one project. Words are in lower case, with their numbers."""

    words: Mapping[str, Mapping[str, int]]
    workflow: Graph
    resolved: int
    max_file_size: int | None

    def number(self, kind: str, word: str) -> int | None:
        """The number of a word of `status`, `priority`, `severity`, `reproducibility` or `resolution`."""
        return self.words.get(kind, {}).get(word.casefold())

    def word(self, kind: str, number: int) -> str:
        """The word for a number."""
        return next((word for word, known in self.words.get(kind, {}).items() if known == number), f"@{number}@")


class Facts:
    """The facts of one site, for all threads. Every method may call the site and raises only ConnectorErrors."""

    def __init__(self, client: MantisClient, project: str) -> None:
        self._client, self._given = client, project
        self._lock = threading.RLock()
        self._me: dict[str, Any] | None = None
        self.version = ""
        """MantisBT's version, known after the first `me`."""
        self._project_id: int | None = None
        self._project: dict[str, Any] | None = None
        self._configs: dict[int, Config] = {}

    def me(self) -> dict[str, Any]:
        """The hub's account."""
        with self._lock:
            if self._me is None:
                body, headers = self._client.exchange("GET", "/users/me")
                self._me, self.version = dict(body), str(headers.get("x-mantis-version", ""))
            return self._me

    def projects(self) -> list[dict[str, Any]]:
        """Every project that the account sees, asked afresh."""
        return list(self._client.get("/projects")["projects"])

    def project_id(self) -> int:
        """The number of the project for new issues. Raises NotFoundError with what there is."""
        with self._lock:
            if self._project_id is None:
                if self._given.isdigit():
                    self._project_id = int(self._given)
                else:
                    self._project_id = self._by_name()
            return self._project_id

    def project(self, *, afresh: bool = False) -> dict[str, Any]:
        """The project for new issues with its custom fields and categories."""
        with self._lock:
            if self._project is None or afresh:
                self._project = dict(self._client.get(f"/projects/{self.project_id()}")["projects"][0])
            return self._project

    def field(self, given: str) -> dict[str, Any] | None:
        """A custom field of the project by name or number; None where it has none such that the account sees."""
        for afresh in (False, True):
            for field in self.project(afresh=afresh)["custom_fields"]:
                if given in (field["name"], str(field["id"])):
                    return dict(field)
        return None

    def may_write(self, field_id: int) -> bool:
        """Whether the account may write a custom field: MantisBT drops such a value without a word."""
        for afresh in (False, True):
            project = self.project(afresh=afresh)
            field = next((f for f in project["custom_fields"] if int(f["id"]) == field_id), None)
            if field and int(project["access_level"]["id"]) >= int(field["access_level_rw"]["id"]):
                return True
        return False

    def config(self, project_id: int | None = None, *, afresh: bool = False) -> Config:
        """The options of a project, of the one for new issues where none is named."""
        number = project_id or self.project_id()
        with self._lock:
            if afresh or number not in self._configs:
                self._configs[number] = self._ask(number)
            return self._configs[number]

    def number(self, kind: str, word: str, project_id: int | None = None) -> int | None:
        """The number of a word, None where the project has none such; a missing one is asked for again."""
        known = self.config(project_id).number(kind, word)
        return known if known is not None else self.config(project_id, afresh=True).number(kind, word)

    def _by_name(self) -> int:
        listed = self.me().get("projects") or []
        for project in listed:
            if project["name"] == self._given:
                return int(project["id"])
        # What the account is told of itself may leave out subprojects.
        for project in self.projects():
            if project["name"] == self._given:
                return int(project["id"])
        why = f"there is no project {self._given!r} that the account sees"
        raise NotFoundError(
            self._client.name, "look for the project", why, f"Correct trackers.{self._client.name}.project."
        )

    def _ask(self, project_id: int) -> Config:
        answer = self._client.get("/config", **{"option[]": list(OPTIONS), "project_id": project_id})
        told = {config["option"]: config["value"] for config in answer["configs"]}
        words = {
            option.removesuffix("_enum_string"): {str(v["name"]).casefold(): int(v["id"]) for v in values}
            for option, values in told.items()
            if option.endswith("_enum_string")
        }
        size = told.get("max_file_size")
        return Config(
            words=words,
            workflow=graph_of(told.get("status_enum_workflow")),
            resolved=int(told.get("bug_resolved_status_threshold") or USUAL_RESOLVED),
            max_file_size=int(size) if size else None,
        )
