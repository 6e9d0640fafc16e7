"""The journal and the store: what came in, what was decided and why, what was done, and what is linked to what."""

from hub.journal.store import Journal, JournalError

__all__ = ["Journal", "JournalError"]
