"""The words of an installation: those of a fresh 5.2 or 5.3, and those of bugzilla.mozilla.org."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Vocabulary:
    """`workflow` leads from each status to those that may follow; None is where new bugs begin."""

    workflow: Mapping[str | None, tuple[str, ...]]
    open_statuses: tuple[str, ...]
    resolutions: tuple[str, ...]
    priorities: tuple[str, ...]
    severities: tuple[str, ...]
    platforms: tuple[str, ...]
    systems: tuple[str, ...]
    keywords: Mapping[str, str]
    types: tuple[str, ...]
    new: str
    """The status of a bug by somebody who may confirm."""
    unconfirmed: str
    no_priority: str
    usual_severity: str

    def fields(self) -> Iterator[tuple[int, str, str, int, tuple[str, ...] | None]]:
        """Number, name, label, type and values of each field with values."""
        yield 9, "bug_status", "Status", 2, tuple(s for s in self.workflow if s)
        yield 12, "resolution", "Resolution", 2, self.resolutions
        yield 13, "bug_severity", "Severity", 2, self.severities
        yield 14, "priority", "Priority", 2, self.priorities
        yield 6, "rep_platform", "Platform", 2, self.platforms
        yield 8, "op_sys", "OS/Version", 2, self.systems
        yield 11, "keywords", "Keywords", 8, tuple(self.keywords)
        if self.types:
            yield 70, "bug_type", "Type", 2, self.types


UPSTREAM = Vocabulary(
    workflow={
        None: ("UNCONFIRMED", "CONFIRMED", "IN_PROGRESS"),
        "UNCONFIRMED": ("CONFIRMED", "IN_PROGRESS", "RESOLVED"),
        "CONFIRMED": ("IN_PROGRESS", "RESOLVED"),
        "IN_PROGRESS": ("CONFIRMED", "RESOLVED"),
        "RESOLVED": ("UNCONFIRMED", "CONFIRMED", "VERIFIED"),
        "VERIFIED": ("UNCONFIRMED", "CONFIRMED"),
    },
    open_statuses=("UNCONFIRMED", "CONFIRMED", "IN_PROGRESS"),
    resolutions=("", "FIXED", "INVALID", "WONTFIX", "DUPLICATE", "WORKSFORME"),
    priorities=("Highest", "High", "Normal", "Low", "Lowest", "---"),
    severities=("blocker", "critical", "major", "normal", "minor", "trivial", "enhancement"),
    platforms=("All", "PC", "Macintosh", "Other"),
    systems=("All", "Windows", "Mac OS", "Linux", "Other"),
    keywords={"customer": "kw customer", "regression": "kw regression", "security": "kw security"},
    types=(),
    new="CONFIRMED",
    unconfirmed="UNCONFIRMED",
    no_priority="---",
    usual_severity="enhancement",
)
BMO = Vocabulary(
    workflow={
        None: ("UNCONFIRMED", "NEW", "ASSIGNED"),
        "UNCONFIRMED": ("NEW", "ASSIGNED", "RESOLVED"),
        "NEW": ("UNCONFIRMED", "ASSIGNED", "RESOLVED"),
        "ASSIGNED": ("UNCONFIRMED", "NEW", "RESOLVED"),
        "REOPENED": ("UNCONFIRMED", "NEW", "ASSIGNED", "RESOLVED"),
        "RESOLVED": ("UNCONFIRMED", "REOPENED", "VERIFIED"),
        "VERIFIED": ("UNCONFIRMED", "REOPENED", "RESOLVED"),
    },
    open_statuses=("UNCONFIRMED", "NEW", "ASSIGNED", "REOPENED"),
    resolutions=("", "FIXED", "INVALID", "WONTFIX", "INACTIVE", "DUPLICATE", "WORKSFORME", "INCOMPLETE"),
    priorities=("--", "P1", "P2", "P3", "P4", "P5"),
    severities=("--", "S1", "S2", "S3", "S4", "N/A"),
    platforms=("Unspecified", "All", "Desktop", "x86_64"),
    systems=("Unspecified", "All", "Windows", "macOS", "Linux"),
    keywords={"regression": "It worked before", "crash": "It crashes", "sec-high": "A severe security problem"},
    types=("defect", "enhancement", "task"),
    new="NEW",
    unconfirmed="UNCONFIRMED",
    no_priority="--",
    usual_severity="--",
)
