"""The JSON Schema of a whole configuration, for editors: `python -m hub.settings.schema` writes config/schema.json.

It accepts what `hub.settings.load` accepts: short forms, and references to the environment in place of any value.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from hub.registry import Registry
from hub.settings.model import Settings

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "config" / "schema.json"

_REFERENCE = {"type": "string", "pattern": r"\$\{[A-Za-z_]"}
_SECRET_PATTERN = r"\$\{[A-Za-z_]|^file:"


def json_schema(registry: Registry) -> dict[str, Any]:
    """The schema of all settings, with those of every tracker kind that `registry` can load."""
    classes = registry.connector_classes()
    models = {kind: connector.settings_model for kind, connector in classes.items()}
    references, common = models_json_schema(
        [(Settings, "validation"), *((model, "validation") for model in dict.fromkeys(models.values()))],
        title="ticket hub settings",
    )
    definitions = {name: _for_editors(part) for name, part in common["$defs"].items()}
    top = definitions.pop(_name(references[Settings, "validation"]))
    top["properties"]["trackers"]["additionalProperties"] = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": list(models)}},
        "allOf": [
            {"if": {"properties": {"kind": {"const": kind}}}, "then": references[model, "validation"]}
            for kind, model in models.items()
        ],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": common["title"],
        **top,
        "$defs": definitions,
    }


def as_text(schema: dict[str, Any]) -> str:
    """The schema as it stands in the file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes the schema of the built-in and installed kinds."""
    SCHEMA_FILE.write_text(as_text(json_schema(Registry.discover())), encoding="utf-8")
    sys.stdout.write(f"wrote {SCHEMA_FILE.name}\n")


def _name(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _for_editors(part: Any) -> Any:
    """A part of pydantic's schema, less its made-up titles, with references allowed where values stand."""
    if isinstance(part, list):
        return [_for_editors(item) for item in part]
    if not isinstance(part, dict):
        return part
    made = {
        key: {name: _value(inner) for name, inner in value.items()} if key == "properties" else _for_editors(value)
        for key, value in part.items()
        if not (key == "title" and isinstance(value, str))
    }
    if "unknown" in made.get("enum", []):
        made["enum"] = [word for word in made["enum"] if word != "unknown"]
    if "patternProperties" in made:
        made.setdefault("additionalProperties", False)
    if made.get("format") == "password":
        made["pattern"] = _SECRET_PATTERN
    return made


def _value(part: dict[str, Any]) -> Any:
    made = _for_editors(part)
    if made.get("type") in ("integer", "number", "boolean") or "enum" in made:
        about = {key: made.pop(key) for key in ("description", "default") if key in made}
        return {**about, "anyOf": [made, _REFERENCE]}
    return made


if __name__ == "__main__":
    main()
