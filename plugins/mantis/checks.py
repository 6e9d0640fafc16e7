"""What `hub check` says of a MantisBT site: what is missing for the hub's work, and what to do about it."""

from __future__ import annotations

import re

from hub.connector import Connector, Finding, NotFoundError
from hub.parts.findings import instead
from plugins.mantis import mapping
from plugins.mantis.facts import Config, Facts
from plugins.mantis.settings import MantisSettings

MANAGER = 70
OLDEST = (2, 26)
"""The first version that tells an account by its number, which the hub asks for before it assigns somebody."""
FIELD_TYPES = {
    "number": {"numeric", "float"},
    "select": {"enum", "list", "radio"},
    "multiselect": {"multilist", "checkbox"},
    "checkbox": {"checkbox"},
    "date": {"date"},
}
"""Neutral types -> MantisBT's custom field types that hold them; a text is held by every type."""

CHOICES = {"enum", "list", "multilist", "radio", "checkbox"}
"""MantisBT's types of custom fields that take nothing but what they list."""


def findings(connector: Connector, settings: MantisSettings, facts: Facts) -> list[Finding]:
    """Everything that an admin should know, worst first within each part."""
    connector.identify()
    where = f"trackers.{connector.name}"
    try:
        project = facts.project(afresh=True)
    except NotFoundError:
        names = [p["name"] for p in facts.projects()]
        hint = f"{instead(settings.project, names)} Correct {where}.project, or let the account in."
        return [Finding("error", f"there is no project {settings.project!r} that the account sees", hint)]
    found = [Finding("ok", f"project {project['name']}, MantisBT {facts.version}")]
    found += _version(facts.version)
    found += _level(int(project["access_level"]["id"]))
    categories = [c["name"] for c in project.get("categories", ())]
    if settings.category not in categories:
        hint = f"{instead(settings.category, categories)} Correct {where}.category."
        found.append(Finding("error", f"the project has no category {settings.category!r}", hint))
    for neutral, word in connector.categories.written.items():
        if word not in categories:
            hint = f"{instead(word, categories)} Correct {where}.categories."
            found.append(Finding("warning", f"the project has no category {word!r} (for {neutral})", hint))
    found += _fields(settings, facts, where)
    config = facts.config(afresh=True)
    found += _choices(settings, facts, config, where)
    return [*found, *_words(connector, settings, config, where)]


def _version(version: str) -> list[Finding]:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) >= OLDEST:
        return []
    return [Finding("warning", f"MantisBT {version} cannot be asked for accounts", "Update it to assign issues.")]


def _level(level: int) -> list[Finding]:
    if level >= MANAGER:
        return [Finding("ok", "the account is a manager in the project: it may change resolved issues")]
    remedy = "Give it the access level manager there, or lower update_readonly_bug_threshold to developer."
    if level >= mapping.STAFF_LEVEL:
        return [Finding("warning", "the account is no manager: it can neither change nor open resolved issues", remedy)]
    return [Finding("error", "the account is less than a developer in the project, and limited to 10 changes an hour",
                    remedy)]  # fmt: skip


def _fields(settings: MantisSettings, facts: Facts, where: str) -> list[Finding]:
    found: list[Finding] = []
    known = [f["name"] for f in facts.project()["custom_fields"]]
    wanted = {f"{where}.fields.{name}": (field.id, field.type) for name, field in settings.fields.items()}
    if settings.marker_field:
        wanted[f"{where}.marker_field"] = (settings.marker_field, "text")
    for key, (given, kind) in wanted.items():
        if given in mapping.BUILT_IN:
            continue
        field = next((f for f in facts.project()["custom_fields"] if given in (f["name"], str(f["id"]))), None)
        if field is None:
            hint = f"{instead(given, known)} Link the field to the project. See {key}."
            found.append(Finding("error", f"the project has no custom field {given!r}", hint))
        elif not facts.may_write(int(field["id"])):
            level = field["access_level_rw"]["name"]
            remedy = f"Lower the field's write access from {level}, or raise the account's."
            found.append(Finding("error", f"the account may not write the custom field {given!r}", remedy))
        elif kind in FIELD_TYPES and field["type"] not in FIELD_TYPES[kind]:
            remedy = f"Correct the type under {key}."
            found.append(Finding("warning", f"the custom field {given!r} is of type {field['type']}", remedy))
    return found


def _choices(settings: MantisSettings, facts: Facts, config: Config, where: str) -> list[Finding]:
    """Words under `values` that MantisBT would refuse, or store as nothing where the field is a built-in one."""
    found: list[Finding] = []
    for name, field in settings.fields.items():
        key = f"{where}.fields.{name}.values"
        if field.id in mapping.BUILT_IN:
            known = list(config.words.get(field.id, {}))
            bad = [word for word in field.values.values() if config.number(field.id, word) is None]
        else:
            native = next((f for f in facts.project()["custom_fields"] if field.id in (f["name"], str(f["id"]))), None)
            listed = str(native["possible_values"]) if native and native["type"] in CHOICES else ""
            # `=versions` and the like stand for a list that MantisBT makes itself.
            known = [] if listed.startswith("=") else [word for word in listed.split("|") if word]
            bad = [word for word in field.values.values() if known and word not in known]
        for word in bad:
            hint = f"{instead(word, known)} Correct {key}."
            found.append(Finding("error", f"the field {field.id!r} has no value {word!r}", hint))
    return found


def _words(connector: Connector, settings: MantisSettings, config: Config, where: str) -> list[Finding]:
    found: list[Finding] = []
    for kind, table, key in (
        ("status", connector.statuses, "statuses"),
        ("priority", connector.priorities, "priorities"),
    ):
        known = config.words.get(kind, {})
        meant = {word.partition("/")[0] for word in table.meaning}
        for neutral, word in table.written.items():
            if config.number(kind, word.partition("/")[0]) is None:
                hint = f"{instead(word, known)} Correct {where}.{key}."
                found.append(Finding("warning", f"the site has no {kind} {word!r} (for {neutral})", hint))
        found += [
            Finding("warning", f"{kind} {word!r} is not mapped: it does not travel", f"Put it under {where}.{key}.")
            for word in known
            if word not in meant
        ]
    endings = {settings.resolution, settings.reopened}
    endings |= {word.partition("/")[2] for word in connector.statuses.meaning if "/" in word}
    for word in sorted(endings):
        if config.number("resolution", word) is None:
            known = config.words.get("resolution", {})
            hint = f"{instead(word, known)} Correct {where}.resolution, reopened or statuses."
            found.append(Finding("error", f"the site has no resolution {word!r}", hint))
    if config.max_file_size is not None and config.max_file_size < connector.max_attachment_bytes:
        size = f"{config.max_file_size / 1024 / 1024:.1f} MB"
        found.append(Finding("warning", f"the site takes files of at most {size}", "Raise max_file_size."))
    return found
