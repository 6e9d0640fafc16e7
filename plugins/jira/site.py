"""What a Jira site tells of itself and its projects: asked once, and only where it is needed."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from plugins.jira.client import JiraClient
from plugins.jira.settings import JiraSettings

SERVICE_DESK = "service_desk"
"""The type of projects whose comments customers read."""


class Site:
    """Facts of one site, for the life of the connector. `project_types` holds the types of projects seen, by key."""

    def __init__(self, client: JiraClient, settings: JiraSettings) -> None:
        self._client, self._settings = client, settings
        self._lock = threading.Lock()
        self._is_cloud: bool | None = {"cloud": True, "datacenter": False}.get(settings.flavour)
        self._field_ids: dict[str, str] | None = None if settings.fields else {}
        self._project_statuses: dict[str, dict[str, str]] = {}
        self.project_types: dict[str, str] = {}

    def is_cloud(self) -> bool:
        if self._is_cloud is None:
            self._is_cloud = self._client.get("/serverInfo").get("deploymentType") == "Cloud"
        return self._is_cloud

    def custom_ids(self) -> Mapping[str, str]:
        """Jira's ids of the configured custom fields, by neutral name; those given by title are looked up."""
        with self._lock:
            if self._field_ids is None:
                self._field_ids = {
                    name: self._id_of(field.id) or field.id for name, field in self._settings.fields.items()
                }
            return self._field_ids

    def project_type(self, issue_id: str) -> str:
        """The type of an issue's project, asked once a project. New issues' project is known."""
        key = self._project_of(issue_id)
        if key not in self.project_types:
            self.project_types[key] = str(self._client.get(f"/project/{key}").get("projectTypeKey") or "")
        return self.project_types[key]

    def statuses_of(self, project: str) -> Mapping[str, str]:
        """The statuses of all workflows of a project: as they are compared -> as they are written."""
        if project not in self._project_statuses:
            kinds = self._client.get(f"/project/{project}/statuses")
            self._project_statuses[project] = {s["name"].casefold(): s["name"] for k in kinds for s in k["statuses"]}
        return self._project_statuses[project]

    def _id_of(self, given: str) -> str | None:
        if given.startswith("customfield_"):
            return given
        fields = self._client.get("/field")
        return next((f["id"] for f in fields if f["name"].casefold() == given.casefold()), None)

    def _project_of(self, issue_id: str) -> str:
        if len(self.project_types) == 1:
            return next(iter(self.project_types))
        if not self.project_types:
            return self._settings.project
        return str(self._client.get(f"/issue/{issue_id}", fields="project")["fields"]["project"]["key"])
