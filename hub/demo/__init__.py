"""The demo: sandboxes, a hub, and a ticket's life through them, with real processes and sockets."""

from hub.demo.play import play

__all__ = ["play"]
