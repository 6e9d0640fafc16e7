"""The marks by which the hub recognises its own work at a tracker, whoever dies when. Pure."""

from __future__ import annotations

from hub.ticket import TicketRef


def ticket_mark(source: TicketRef, install_id: str, link_id: int) -> str:
    """What a created ticket carries: findable by search, safe as a label, readable by people."""
    return f"{source.tracker}-{source.id}-{install_id}-{link_id}"


def incident_mark(source: str, install_id: str, incident_id: int) -> str:
    """The same for the ticket of an incident that alerts opened."""
    return f"alert-{source}-{install_id}-{incident_id}"


def is_ticket_mark(label: str, install_id: str) -> bool:
    """Whether a label is such a mark of this installation."""
    return f"-{install_id}-" in label


def comment_mark(origin: TicketRef, origin_id: str, install_id: str, detail: str = "") -> str:
    """What the copy of a comment (or a note about it, told apart by `detail`) carries unseen."""
    return f"hub:{install_id}:{origin.tracker}:{origin.id}:{origin_id}" + (f":{detail}" if detail else "")


def is_own_mark(mark: str | None, install_id: str) -> bool:
    """Whether this installation wrote what carries the mark."""
    return mark is not None and mark.startswith(f"hub:{install_id}:")


def link_id_mark(install_id: str, source: TicketRef) -> str:
    """The global id of the link shown in a counterpart of `source`; the same for ever."""
    return f"hub:{install_id}:{source.tracker}:{source.id}"
