"""The command line: `hub`. Each command is a few lines over what the rest of the hub offers."""

from hub.cli.app import main

__all__ = ["main"]
