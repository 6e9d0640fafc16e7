"""docs/trackers.md says what the connectors can do, and its footnotes name what really decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
from pydantic import ValidationError

from hub.capabilities import FILE, OF_ACTIONS, TABLES, document, sandbox_package
from hub.connector import Capability, Connector
from hub.registry import BUILT_IN_PACKAGE, Registry
from hub.settings.trackers import TrackerSettings

COLUMNS = {"team": "assigned_team", "assignee": "assigned_person"}
OTHER_SETTINGS: Mapping[str, list[dict[str, Any]]] = {
    "agiloft": [
        {"comments": None},
        {"comments": {"kind": "append", "public": "notes"}, "columns": COLUMNS},
        {"comments": {"kind": "append", "private": "notes"}, "columns": COLUMNS},
    ],
    "bugzilla": [{"private_comments": False}],
    "freshdesk": [{"read_ratings": True}],
    "otrs": [{"sender_address": "hub@helpdesk.example"}],
    "servicedesk-plus": [{"public_as": "reply"}],
}
"""Settings that are another choice than their sandbox's. Leaving one of those out is tried for every kind."""


def kinds() -> list[str]:
    classes = Registry.discover().connector_classes()
    return [
        kind
        for kind, one in classes.items()
        if one.__module__.startswith(f"{BUILT_IN_PACKAGE}.") and sandbox_package(kind) is not None
    ]


def choices(connector_class: type[Connector]) -> Iterator[TrackerSettings]:
    """Settings of a kind: its sandbox's in every flavour, each with one left out where that may be, other choices."""
    kind, model = connector_class.kind, connector_class.settings_model
    package: Any = sandbox_package(kind)
    for flavour in package.SANDBOX.flavours or ("",):
        with package.SANDBOX(**({"flavour": flavour} if flavour else {})) as sandbox:
            given = package.hub_settings(sandbox)
        for other in ({}, *OTHER_SETTINGS.get(kind, ())):
            yield model.model_validate({**given, **other})
        for name in given:
            with suppress(ValidationError):
                yield model.model_validate({key: value for key, value in given.items() if key != name})


def offered(connector_class: type[Connector], settings: TrackerSettings) -> frozenset[Capability]:
    connector = connector_class("tracker", settings)
    connector.close()
    return connector.capabilities


def test_the_page_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == document(Registry.discover()), (
        "write it anew: python -m hub.capabilities"
    )


def test_every_capability_is_explained_once() -> None:
    shown = Counter([*OF_ACTIONS, *(capability for table in TABLES for capability in table.columns)])
    assert shown == Counter(Capability)


@pytest.mark.parametrize("kind", kinds())
def test_the_footnotes_name_what_settings_decide_and_nothing_else(kind: str) -> None:
    connector_class = Registry.discover().connector_class(kind)
    found = [offered(connector_class, settings) for settings in choices(connector_class)]
    varying = frozenset.union(*found) - frozenset.intersection(*found)
    assert varying == set(connector_class.settings_decide)
