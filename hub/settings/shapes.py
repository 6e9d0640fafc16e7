"""What the models say about a place in the settings: which keys exist there, and whether it holds a secret.

It reads annotations only; values never pass through here.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from hub.settings.problems import Path

Model = type[BaseModel]


def fields_at(model: Model, path: Path) -> dict[str, FieldInfo]:
    """The settings that may stand below `path`, by their key; empty where the keys are free or there are none."""
    found: dict[str, FieldInfo] = {}
    for arm in _at(model, path):
        if _is_model(arm):
            found |= {field.alias or name: field for name, field in arm.model_fields.items()}
    return found


def is_secret(model: Model, path: Path) -> bool:
    """Whether a secret stands at `path` or above it."""
    return any(
        isinstance(arm, type) and issubclass(arm, SecretStr | SecretBytes)
        for length in range(1, len(path) + 1)
        for arm in _at(model, path[:length])
    )


def alternatives_at(model: Model, path: Path) -> list[Model]:
    """The models that the section at `path` may follow, in their order."""
    return [arm for arm in _at(model, path) if _is_model(arm)]


def _at(model: Model, path: Path) -> list[Any]:
    found: list[Any] = [model]
    for part in path:
        found = [arm for above in found for below in _below(above, part) for arm in _arms(below)]
    return found


def _below(arm: Any, part: str | int) -> list[Any]:
    if _is_model(arm):
        return [f.annotation for name, f in arm.model_fields.items() if part == (f.alias or name)]
    origin, arguments = get_origin(arm), get_args(arm)
    if not isinstance(origin, type) or not arguments:
        return []
    return [arguments[1] if issubclass(origin, Mapping) and len(arguments) > 1 else arguments[0]]


def _arms(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _arms(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _arms(part)
    else:
        yield annotation


def _is_model(arm: Any) -> bool:
    return isinstance(arm, type) and issubclass(arm, BaseModel)
