"""Figures of support, computed from cases by pure functions: how fast, how late, where the time went, what waits."""

from hub.report.figures import figures_of
from hub.report.output import as_csv, as_json, as_tables
from hub.report.records import CaseRecord, ClockRecord, Figure, Period

__all__ = ["CaseRecord", "ClockRecord", "Figure", "Period", "as_csv", "as_json", "as_tables", "figures_of"]
