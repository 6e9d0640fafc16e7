"""A report for people (tables), for spreadsheets (CSV) and for programs (JSON). The numbers are the same in all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence

from hub.report.records import Figure

Row = tuple[str, ...]


def as_json(figures: Iterable[Figure]) -> str:
    """A list of objects with `table`, `name`, `unit`, `by` (an object) and `value` (a number or null)."""
    rows = [{"table": f.table, "name": f.name, "unit": f.unit, "by": dict(f.by), "value": f.value} for f in figures]
    return json.dumps(rows, indent=2, ensure_ascii=False)


def as_csv(figures: Iterable[Figure]) -> str:
    """One line a figure, with a header; a column for everything that figures are told by. RFC 4180: CRLF, UTF-8."""
    figures = list(figures)
    kinds = list(dict.fromkeys(kind for figure in figures for kind, _ in figure.by))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["table", "name", "unit", *kinds, "value"])
    for figure in figures:
        by = dict(figure.by)
        value = "" if figure.value is None else f"{figure.value:.15g}"
        writer.writerow([figure.table, figure.name, figure.unit, *(_cell(by.get(kind, "")) for kind in kinds), value])
    return out.getvalue()


def as_tables(figures: Iterable[Figure]) -> dict[str, tuple[Row, list[Row]]]:
    """By table: the header, and a row for each group with its figures side by side, written for people."""
    tables: dict[str, list[Figure]] = {}
    for figure in figures:
        tables.setdefault(figure.table, []).append(figure)
    return {table: _table(of) for table, of in tables.items()}


def _table(figures: Sequence[Figure]) -> tuple[Row, list[Row]]:
    columns = list(dict.fromkeys((figure.name, figure.unit) for figure in figures))
    groups: dict[tuple[tuple[str, str], ...], dict[tuple[str, str], float | None]] = {}
    for figure in figures:
        groups.setdefault(figure.by, {})[figure.name, figure.unit] = figure.value
    header = ("", *(name if name == unit else f"{name} ({unit})" for name, unit in columns))
    rows = [
        (
            ", ".join(f"{kind} {value}" for kind, value in by) or "all",
            *(_text(values[column], column[1]) if column in values else "" for column in columns),
        )
        for by, values in groups.items()
    ]
    return header, rows


def _text(value: float | None, unit: str) -> str:
    """Shares in percent, minutes as hours and minutes: 0.25 is 25 %, 135 is 2 h 15 min."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{value:.0%}".replace("%", " %")
    if unit == "minutes":
        hours, minutes = divmod(round(value), 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min"
    return f"{value:.1f}" if unit == "days" else f"{value:g}"


def _cell(text: str) -> str:
    """Nothing that a spreadsheet would take for a formula: names come from outside."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
