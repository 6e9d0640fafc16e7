"""From a neutral status to the writes that bring an issue there, with the resolution that belongs to it. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from plugins.mantis.facts import Config
from plugins.mantis.settings import MantisSettings
from plugins.mantis.workflow import way

OPEN = 10
"""Number of the resolution `open`, which no site can do without."""


def moves(
    config: Config, settings: MantisSettings, raw: Mapping[str, Any], wanted: str, pairs: Container[str]
) -> list[dict[str, Any]]:
    """The bodies to write one after the other, none where nothing is to do.

    `wanted` is `status` or `status/resolution`; `pairs` are those of the second sort that mean something of their
    own, in lower case, which the issue must not end as by chance. Raises LookupError with words for an admin when there
    is no such word, or no way there.
    """
    name, _, resolution = wanted.partition("/")
    start, goal = int(raw["status"]["id"]), _number(config, "status", name)
    finished = {number for number in config.words.get("status", {}).values() if number >= config.resolved}
    steps = way(config.workflow, start, goal, finished)
    if steps is None:
        there = ", ".join(config.word("status", n) for n in config.workflow.get(start, ())) or "nothing"
        raise LookupError(
            f"the project's workflow leads from {config.word('status', start)} to {there}, and not to {name}"
        )
    bodies: list[dict[str, Any]] = [{"status": {"id": step}} for step in steps]
    present = int((raw.get("resolution") or {}).get("id") or OPEN)
    ending = _resolution(config, settings, present, start, goal, resolution)
    if f"{name}/{config.word('resolution', ending)}".casefold() in pairs and not resolution:
        ending = OPEN if goal < config.resolved else _number(config, "resolution", settings.resolution)
    if ending != present:
        bodies = bodies or [{}]
        bodies[-1]["resolution"] = {"id": ending}
    return bodies


def _resolution(config: Config, settings: MantisSettings, present: int, start: int, goal: int, named: str) -> int:
    """The resolution that fits. What an engineer chose is never written over."""
    if named:
        return _number(config, "resolution", named)
    is_unresolved = present in (OPEN, config.number("resolution", settings.reopened))
    if goal >= config.resolved and is_unresolved:
        return _number(config, "resolution", settings.resolution)
    if goal < config.resolved <= start and not is_unresolved:
        return _number(config, "resolution", settings.reopened)
    return present


def _number(config: Config, kind: str, word: str) -> int:
    number = config.number(kind, word)
    if number is None:
        raise LookupError(f"the site has no {kind} {word!r}; there are {', '.join(config.words.get(kind, ()))}")
    return number
