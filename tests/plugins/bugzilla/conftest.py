"""A Bugzilla sandbox of each flavour, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.connector import Draft, Known, NewComment
from hub.testing.site import ShiftedClock
from hub.text import canonical
from hub.ticket import Snapshot, Visibility
from plugins.bugzilla.connector import BugzillaConnector
from plugins.bugzilla.sandbox import BugzillaSandbox, actor, hub_settings
from plugins.bugzilla.sandbox.cast import BugzillaActor
from plugins.bugzilla.settings import BugzillaSettings

FLAVOURS = ("5.2", "5.3", "bmo")


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture(params=FLAVOURS)
def site(request: pytest.FixtureRequest, clock: ShiftedClock) -> Iterator[BugzillaSandbox]:
    """A running sandbox; each test has one of its own, in every flavour."""
    with BugzillaSandbox(flavour=request.param, clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def upstream(clock: ShiftedClock) -> Iterator[BugzillaSandbox]:
    """A running 5.2."""
    with BugzillaSandbox(flavour="5.2", clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def mozilla(clock: ShiftedClock) -> Iterator[BugzillaSandbox]:
    """A running sandbox of Mozilla's fork."""
    with BugzillaSandbox(flavour="bmo", clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def connector(site: BugzillaSandbox) -> Iterator[BugzillaConnector]:
    """The connector as the demo's settings make it."""
    made = connect(site)
    yield made
    made.close()


@pytest.fixture
def engineer(site: BugzillaSandbox) -> Iterator[BugzillaActor]:
    person = actor(site, "engineer")
    yield person
    person.close()


@pytest.fixture
def engineer_upstream(upstream: BugzillaSandbox) -> Iterator[BugzillaActor]:
    person = actor(upstream, "engineer")
    yield person
    person.close()


def connect(site: BugzillaSandbox, **more: Any) -> BugzillaConnector:
    """A connector for a sandbox, with more settings if need be."""
    return BugzillaConnector("dev", BugzillaSettings.model_validate({**hub_settings(site), **more}))


def created(connector: BugzillaConnector, marker: str = "support-1-0a1b2c3d-1", **more: Any) -> str:
    """The number of a new bug."""
    given: dict[str, Any] = {"marker": marker, "title": "It is broken", "description": canonical("Since yesterday.")}
    return connector.create(Draft(**{**given, **more})).id


def seen(connector: BugzillaConnector, bug: str) -> Snapshot:
    return connector.read(bug, Known())


def a_comment(text: str = "Hello.", visibility: Visibility = Visibility.PUBLIC, **more: Any) -> NewComment:
    given: dict[str, Any] = {"marker": "hub:0a1b2c3d:support:1:7"}
    return NewComment(text=canonical(text), visibility=visibility, **{**given, **more})


def calls(site: BugzillaSandbox) -> list[str]:
    """What was asked of a sandbox: method and path."""
    return [f"{record.method} {record.path.removeprefix('/rest')}" for record in site.requests.all()]
