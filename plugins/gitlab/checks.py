"""What `hub check` says of a GitLab project, in an admin's words. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from hub.connector import AuthError, Finding, NotFoundError
from hub.parts.findings import meant
from plugins.gitlab.client import GitlabClient
from plugins.gitlab.labels import CLOSED, NO_LABEL, NO_LABELS, OPENED
from plugins.gitlab.mapping import Maps
from plugins.gitlab.settings import GitlabSettings

REPORTER = 20
"""Access level from which confidential issues and internal notes are seen and written. Source: "Members API"."""
SOON = 30
"""Days before its end from which a token's end is a warning."""


def check(client: GitlabClient, settings: GitlabSettings, maps: Maps) -> list[Finding]:
    """The token, the project and its labels."""
    findings = _check_token(client)
    try:
        project = client.get("~")
    except NotFoundError:
        return [*findings, _no_project(client, settings.project)]
    findings.append(Finding("ok", f"project {project['path_with_namespace']} (number {project['id']})"))
    return [*findings, *_check_project(project, settings), *_check_labels(client, settings, maps)]


def _check_token(client: GitlabClient) -> list[Finding]:
    try:
        token = client.get("/personal_access_tokens/self")
    except (AuthError, NotFoundError):
        # A token with few scopes may not even look at itself; the first call that needs more says what is missing.
        return [Finding("warning", "the token does not tell its scopes", "Make sure that it has the scope api.")]
    if "api" not in token.get("scopes", ()):
        scopes = ", ".join(token.get("scopes", ())) or "none"
        return [Finding("error", f"the token lacks the scope api (it has: {scopes})", "Make one with the scope api.")]
    ends = token.get("expires_at")
    days = (date.fromisoformat(ends) - datetime.now(UTC).date()).days if ends else SOON + 1
    if days <= SOON:
        return [Finding("warning", f"the token ends on {ends}", "Rotate it and give the hub the new one before that.")]
    return [Finding("ok", f"the token has the scope api and ends {f'on {ends}' if ends else 'never'}")]


def _no_project(client: GitlabClient, wanted: str) -> Finding:
    paths = [str(p["path_with_namespace"]) for p in client.get("/projects", membership="true", simple="true")]
    hint = meant(wanted, paths, 0.3)
    there = ", ".join(paths) or "none: add it as a member with the role Reporter"
    return Finding(
        "error", f"there is no project {wanted} that the account may see", f"{hint} It is in: {there}.".strip()
    )


def _check_project(project: Mapping[str, Any], settings: GitlabSettings) -> list[Finding]:
    findings = []
    accesses = (project.get("permissions") or {}).values()
    level = max((int(access["access_level"]) for access in accesses if access), default=0)
    if level < REPORTER:
        findings.append(
            Finding(
                "error",
                "the account is no Reporter of the project: internal notes, labels and confidential issues are closed "
                "to it",
                "Give it the role Reporter or higher under Manage > Members.",
            )
        )
    if project.get("issues_access_level") == "disabled" or project.get("issues_enabled") is False:
        findings.append(Finding("error", "the project has issues switched off", "Settings > General > Visibility."))
    if project.get("archived"):
        findings.append(Finding("error", "the project is archived: nothing can be written", "Unarchive it."))
    if project.get("visibility") == "public" and not settings.confidential:
        findings.append(
            Finding(
                "warning",
                "the project is public: everybody can read what customers write, where it becomes an issue",
                "Set confidential: true, or make the project internal or private.",
            )
        )
    return findings


def _check_labels(client: GitlabClient, settings: GitlabSettings, maps: Maps) -> list[Finding]:
    known = [str(label["name"]) for page in client.pages("~/labels") for label in page]
    findings = []
    for setting, table in (("statuses", maps.statuses), ("priorities", maps.priorities)):
        for neutral, word in table.written.items():
            if word in NO_LABELS or word in known:
                continue
            hint = meant(word, known, 0.7)
            findings.append(
                Finding(
                    "warning",
                    f"the project has no label {word!r} (for {neutral}); GitLab would make it without asking",
                    f"{hint} Make the label, or put your own under {setting}.".strip(),
                )
            )
    families = (
        (maps.families.status, "status", "statuses", maps.statuses),
        (maps.families.priority, "priority", "priorities", maps.priorities),
    )
    for family, what, setting, table in families:
        findings += [
            Finding(
                "warning",
                f"label {label!r} is not mapped: while an issue carries it, its {what} does not travel",
                f"Put it under {setting}.",
            )
            for label in family.among(known)
            if label.casefold() not in table.meaning
        ]
    bare = (
        (OPENED, "statuses", maps.statuses),
        (CLOSED, "statuses", maps.statuses),
        (NO_LABEL, "priorities", maps.priorities),
    )
    findings += [
        Finding(
            "warning",
            f"nothing is said about {word!r}, which is what an issue without such a label shows: it does not travel",
            f"Put {word} under {setting}, behind the label that is written.",
        )
        for word, setting, table in bare
        if word not in table.meaning
    ]
    for name, family in maps.families.fields.items():
        if not family.among(known):
            scope = settings.fields[name].id
            findings.append(
                Finding("warning", f"no label of the project has the scope {scope!r} (fields.{name})", "Check its id.")
            )
    return findings or [Finding("ok", "all labels of the mapping exist")]
