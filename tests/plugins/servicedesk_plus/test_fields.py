"""Additional fields in the forms in which builds and editions show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.settings.trackers import CustomField
from plugins.servicedesk_plus.fields import field_value, milliseconds, moment, native_value

DAY = datetime(2026, 2, 3, tzinfo=UTC)


def a_field(kind: str, **more: Any) -> CustomField:
    return CustomField.model_validate({"id": "udf_x", "type": kind, **more})


@pytest.mark.parametrize(
    ("kind", "shown", "value"),
    [
        ("select", {"id": "3", "name": "Major"}, "high"),
        ("select", "Major", "high"),
        ("select", None, None),
        ("multiselect", [{"name": "Major"}, "Other"], ("Other", "high")),
        ("multiselect", [], None),
        ("number", "12", 12),
        ("number", 1.5, 1.5),
        ("number", "0", 0),
        ("checkbox", "true", True),
        ("checkbox", False, False),
        ("checkbox", None, False),
        ("text", "", None),
        ("text", "7", "7"),
    ],
)
def test_a_value_is_understood_in_every_form(kind: str, shown: Any, value: Any) -> None:
    assert field_value(a_field(kind, values={"high": "Major"}), shown) == value


@pytest.mark.parametrize("offset", range(-11, 13))
def test_midnight_of_any_zone_is_the_day_that_is_meant(offset: int) -> None:
    midnight = DAY - timedelta(hours=offset)
    assert field_value(a_field("date"), {"value": milliseconds(midnight)}) == DAY


def test_a_day_that_is_kept_as_it_was_written_is_that_day() -> None:
    written = native_value(a_field("date"), DAY)
    assert field_value(a_field("date"), written) == DAY
    for offset in range(-10, 14):
        shown = moment(written)
        assert shown is not None
        assert (shown + timedelta(hours=offset)).date() == DAY.date()


@pytest.mark.parametrize(("given", "at"), [(None, None), ({"value": ""}, None), ({"value": "-1"}, None), ("1000", 1)])
def test_a_time_is_milliseconds_or_nothing(given: Any, at: int | None) -> None:
    assert moment(given) == (None if at is None else datetime.fromtimestamp(at, UTC))
