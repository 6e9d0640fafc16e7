"""The ticket hub: keeps tickets in step between helpdesks and bug trackers.

The core names no tracker and imports no plugin; see `docs/architecture.md` for the way of a change through it.
"""

__version__ = "0.1.0"
