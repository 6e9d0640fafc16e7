"""The same knowledge base as its owner may have set it up: comments are entries of append-only columns."""

from __future__ import annotations

from plugins.agiloft.sandbox.cast import actor, hub_settings
from plugins.agiloft.sandbox.server import AgiloftSandbox


class SANDBOX(AgiloftSandbox):
    """People and the hub write notes into the columns of the ticket."""

    has_comment_table = False


__all__ = ["SANDBOX", "actor", "hub_settings"]
