"""What OTRS's refusals mean for the request that was refused. Pure."""

from __future__ import annotations

from hub.connector import Changes, PermanentError, RefusedError
from plugins.otrs.client import DYNAMIC_FIELD
from plugins.otrs.settings import OtrsSettings


def explained(settings: OtrsSettings, error: RefusedError, changes: Changes) -> Exception:
    """Puts the names of the request's own fields where the answer only says that it is about a dynamic field."""
    name = error.tracker
    if "line" in error.fields and "line" not in changes.values:
        remedy = f"Correct trackers.{name}.queue: the whole path, upper and lower case as in OTRS."
        return PermanentError(name, error.doing, error.why, remedy)
    if DYNAMIC_FIELD not in error.fields:
        return error
    why = error.fields[DYNAMIC_FIELD]
    about = [field for field in changes.values if field.startswith("custom:")]
    about += ["labels"] if changes.add_labels or changes.remove_labels else []
    if not about:
        own = (settings.marker_field, settings.comment_marker_field, settings.link_field)
        remedy = (
            f"Make the dynamic fields {', '.join(filter(None, own))}, see the README; `hub check` says which are "
            "missing."
        )
        return PermanentError(name, error.doing, why, remedy)
    others = {field: text for field, text in error.fields.items() if field != DYNAMIC_FIELD}
    return RefusedError(name, error.doing, {**others, **dict.fromkeys(about, why)})
