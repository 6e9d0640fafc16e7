"""Wakes and runs keys. This one is embedded in the process; another can stand behind the same few methods."""

from hub.engine.embedded import EmbeddedEngine, Engine

__all__ = ["EmbeddedEngine", "Engine"]
