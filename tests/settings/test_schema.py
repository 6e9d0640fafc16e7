"""The JSON Schema for editors says what the loader says."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from hub.registry import Registry
from hub.settings.schema import SCHEMA_FILE, as_text, json_schema


@pytest.fixture(scope="module")
def schema(registry: Registry) -> dict[str, Any]:
    made = json_schema(registry)
    jsonschema.Draft202012Validator.check_schema(made)
    return made


def is_valid(schema: dict[str, Any], text: str) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(yaml.safe_load(text)))


RIGHT = {
    "short forms": "links: [{tickets: a, issues: b, labels: none, fields: {title: both}, comments: {edits: note}}]",
    "a word for a list": "trackers: {a: {kind: desk, url: https://a, statuses: {open: open}}}",
    "a reference for a number": "server: {port: '${PORT:-8080}'}",
    "a reference for a word": "logs: {level: '${LEVEL}'}",
    "a secret by reference": "trackers: {a: {kind: desk, url: https://a, webhook: {secret: '${S}'}}}",
    "a secret in a file": "trackers: {a: {kind: desk, url: https://a, webhook: {secret: 'file:s'}}}",
    "a plugin's own setting": "trackers: {a: {kind: desk, url: https://a, account: x}}",
}
WRONG = {
    "an unknown section": "serfer: {}",
    "an unknown kind": "trackers: {a: {kind: dsk, url: https://a}}",
    "an unknown setting of a kind": "trackers: {a: {kind: desk, url: https://a, acount: x}}",
    "an unknown status": "trackers: {a: {kind: desk, url: https://a, statuses: {opne: a}}}",
    "the status that is none": "trackers: {a: {kind: desk, url: https://a, statuses: {unknown: a}}}",
    "an unknown field": "links: [{tickets: a, issues: b, fields: {titel: both}}]",
    "an unknown level": "logs: {level: loud}",
    "an unknown priority": "links: [{tickets: a, issues: b, when: {priority: [hihg]}}]",
    "a literal secret": "trackers: {a: {kind: desk, url: https://a, webhook: {secret: abc}}}",
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_schema_takes_what_is_right(schema: dict[str, Any], name: str) -> None:
    jsonschema.validate(yaml.safe_load(RIGHT[name]), schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", WRONG)
def test_the_schema_marks_what_is_wrong(schema: dict[str, Any], name: str) -> None:
    assert not is_valid(schema, WRONG[name])


def test_the_schema_file_is_up_to_date() -> None:
    made = as_text(json_schema(Registry.discover()))
    assert SCHEMA_FILE.read_text(encoding="utf-8") == made, "write it anew: python -m hub.settings.schema"
