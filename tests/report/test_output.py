"""The same numbers as tables, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json

from hub.report import Figure, as_csv, as_json, as_tables

FIGURES = [
    Figure("first response", "tickets", "tickets", 3),
    Figure("first response", "median", "minutes", 135.0),
    Figure("first response", "p90", "minutes", None),
    Figure("breaches", "late", "runs", 1, (("agreement", "Złoty"), ("line", "2"))),
    Figure("breaches", "late", "share", 1 / 3, (("agreement", "Złoty"), ("line", "2"))),
    Figure("breaches", "late", "runs", 4, (("agreement", "=cmd()"), ("line", "none"))),
    Figure("backlog", "oldest", "days", 12.34),
]


def test_json_gives_back_every_figure() -> None:
    rows = json.loads(as_json(FIGURES))
    assert [Figure(r["table"], r["name"], r["unit"], r["value"], tuple(r["by"].items())) for r in rows] == FIGURES


def test_csv_has_a_line_for_every_figure_and_a_column_for_everything_it_is_told_by() -> None:
    header, *rows = csv.reader(io.StringIO(as_csv(FIGURES)))
    assert header == ["table", "name", "unit", "agreement", "line", "value"]
    assert rows[0] == ["first response", "tickets", "tickets", "", "", "3"]
    assert rows[2] == ["first response", "p90", "minutes", "", "", ""]
    assert rows[3] == ["breaches", "late", "runs", "Złoty", "2", "1"]
    assert float(rows[4][-1]) == 1 / 3 or abs(float(rows[4][-1]) - 1 / 3) < 1e-14


def test_a_spreadsheet_takes_no_name_for_a_formula() -> None:
    assert "'=cmd()" in as_csv(FIGURES)
    assert ",=cmd()" not in as_csv(FIGURES)


def test_tables_put_the_figures_of_a_group_side_by_side() -> None:
    tables = as_tables(FIGURES)
    assert list(tables) == ["first response", "breaches", "backlog"]
    assert tables["first response"] == (
        ("", "tickets", "median (minutes)", "p90 (minutes)"),
        [("all", "3", "2 h 15 min", "–")],
    )
    assert tables["breaches"] == (
        ("", "late (runs)", "late (share)"),
        [("agreement Złoty, line 2", "1", "33 %"), ("agreement =cmd(), line none", "4", "")],
    )
    assert tables["backlog"][1] == [("all", "12.3")]
