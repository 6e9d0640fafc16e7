"""`list_info`: which rows of a list are shown, in which order. Source: sdpod-v3-api, "Input data"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugins.servicedesk_plus.sandbox.errors import WRONG_VALUE, problem, wrong

MOST_ROWS = 100
USUAL_ROWS = 10
Json = dict[str, Any]


def page_of(rows: Sequence[Json], info: Mapping[str, Any]) -> tuple[list[Json], Json]:
    """The rows of this page, and the `list_info` of the answer. Raises 400 for what cannot be understood."""
    count = min(_number(info, "row_count", USUAL_ROWS), MOST_ROWS)
    start = max(_number(info, "start_index", 1), 1)
    found = [row for row in rows if matches(row, _listed(info.get("search_criteria")))]
    if info.get("sort_field"):
        is_reverse = str(info.get("sort_order") or "asc") == "desc"
        found.sort(key=lambda row: _sortable(_key(_at(row, str(info["sort_field"])))), reverse=is_reverse)
    shown = found[start - 1 : start - 1 + count]
    told: Json = {
        **{k: info[k] for k in ("sort_field", "sort_order", "search_criteria") if k in info},
        "has_more_rows": start - 1 + count < len(found),
        "start_index": start,
        "row_count": len(shown),
    }
    return shown, told | ({"total_count": len(found)} if info.get("get_total_count") else {})


def matches(row: Json, criteria: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a row fits the criteria, joined by the `logical_operator` of each but the first."""
    result = True
    for number, one in enumerate(criteria):
        fits = _fits(row, one)
        children = _listed(one.get("children"))
        for child in children:
            fits = _joined(fits, _fits(row, child), child)
        result = fits if number == 0 else _joined(result, fits, one)
    return result


def _joined(left: bool, right: bool, criterion: Mapping[str, Any]) -> bool:
    is_or = str(criterion.get("logical_operator") or "AND").upper() == "OR"
    return (left or right) if is_or else (left and right)


def _fits(row: Json, criterion: Mapping[str, Any]) -> bool:
    field, condition = str(criterion.get("field") or ""), str(criterion.get("condition") or "")
    seen = _key(_at(row, field))
    values = [_key(v) for v in _listed(criterion.get("values", criterion.get("value")))]
    if not values and condition in ("is", "eq"):
        return seen in ("", None)
    match condition:
        case "is" | "eq":
            return seen in values
        case "is not" | "neq":
            return seen not in values
        case "greater than" | "gt":
            return _number_of(seen) > _number_of(values[0])
        case "lesser than" | "lt":
            return _number_of(seen) < _number_of(values[0])
        case "between":
            return _number_of(values[0]) <= _number_of(seen) <= _number_of(values[1])
        case "contains":
            return str(values[0]).casefold() in str(seen).casefold()
        case "starts with":
            return str(seen).casefold().startswith(str(values[0]).casefold())
        case _:
            raise wrong(problem(WRONG_VALUE, f"Unknown condition {condition!r}", "search_criteria"))


def _at(row: Json, path: str) -> Any:
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _key(value: Any) -> Any:
    """What is compared: of times the milliseconds, of references the name, digits as numbers; texts in any case."""
    if isinstance(value, dict):
        value = value.get("value", value.get("name"))
    if value is None:
        return ""
    return int(value) if str(value).isdigit() else str(value).casefold()


def _sortable(key: Any) -> tuple[bool, int, str]:
    """Texts before numbers."""
    return (True, key, "") if isinstance(key, int) else (False, 0, key)


def _number_of(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _number(info: Mapping[str, Any], name: str, usual: int) -> int:
    given = str(info.get(name, usual))
    if not given.isdigit():
        raise wrong(problem(WRONG_VALUE, "Value given is not a number", name))
    return int(given)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
