"""The workflow: which status may follow, and what resolutions, comments and other bugs it asks for.

Sources: recorded exchanges wf_*, upd_resolve_*, upd_dup_*, open_blockers, comment_required_resolution_ok,
workflow_comment_required.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.bugzilla.sandbox.creation import existing
from plugins.bugzilla.sandbox.errors import BugzillaError, no_such
from plugins.bugzilla.sandbox.pending import Pending

DUPLICATE = "DUPLICATE"
RESOLVED = "RESOLVED"


def look_at_status(update: Pending, body: Mapping[str, Any]) -> None:
    bug, words = update.bug, update.store.words
    before, resolution = bug.values["status"], bug.values["resolution"]
    if body.get("dupe_of"):
        _duplicate(update, int(body["dupe_of"]))
        return
    wanted = str(body.get("status") or before)
    if wanted not in words.workflow:
        raise no_such("status", wanted)
    if wanted != before and wanted not in words.workflow[before]:
        raise BugzillaError(123, f"You are not allowed to change the bug status from {before} to {wanted}.")
    if update.store.is_open(wanted):
        if wanted == before and body.get("resolution"):
            raise BugzillaError(122, "You cannot set a resolution for open bugs.")
        ending = ""
    else:
        ending = str(body.get("resolution", resolution) or "")
        if not ending:
            raise BugzillaError(121, f"A valid resolution is required to mark bugs as {wanted}.")
        if ending not in words.resolutions:
            raise no_such("Resolution", ending)
        if ending == DUPLICATE and bug.dupe_of is None:
            raise BugzillaError(119, "You must specify a bug id to mark this bug as a duplicate of.")
    _comment_is_there(body, "Status", before, wanted, wanted in update.store.comment_needed)
    is_demanded = update.store.params["commentonchange_resolution"] == "1"
    _comment_is_there(body, "Resolution", resolution or "---", ending, is_demanded and bool(ending))
    _has_no_blockers(update, ending)
    _end_at(update, wanted, ending)
    if bug.dupe_of is not None and ending != DUPLICATE:
        update.note("dupe_of", bug.dupe_of, "", lambda: setattr(bug, "dupe_of", None))


def _end_at(update: Pending, status: str, resolution: str) -> None:
    bug = update.bug
    update.value("status", status)
    update.value("resolution", resolution)
    is_confirmed = status != update.store.words.unconfirmed and (bug.is_confirmed or update.store.is_open(status))
    if is_confirmed != bug.is_confirmed:
        before, after = int(bug.is_confirmed), int(is_confirmed)
        update.note("is_confirmed", before, after, lambda: setattr(bug, "is_confirmed", is_confirmed))


def _comment_is_there(body: Mapping[str, Any], label: str, before: str, after: str, is_demanded: bool) -> None:
    comment = body.get("comment")
    if (
        before != after
        and is_demanded
        and not (isinstance(comment, Mapping) and (comment.get("body") or comment.get("comment")))
    ):
        change = f"changing the {label} of a bug from {before} to {after}"
        raise BugzillaError(32000, f"You have to specify a comment when {change}.")


def _has_no_blockers(update: Pending, ending: str) -> None:
    waiting = [n for n in update.bug.depends_on if update.store.is_open(update.store.bugs[n].values["status"])]
    if ending == "FIXED" and waiting and update.store.params["noresolveonopenblockers"] == "1":
        plural = "dependency" if len(waiting) == 1 else "dependencies"
        raise BugzillaError(
            32000,
            f"Bug {update.bug.id} has {len(waiting)} unresolved {plural}. They must either be resolved or removed "
            'from the "Depends on" field before you can resolve this bug as FIXED.',
        )


def _duplicate(update: Pending, number: int) -> None:
    bug = update.bug
    if number == bug.id:
        raise BugzillaError(118, f"You cannot mark bug {bug.id} as a duplicate of itself.")
    other = existing(update.store, number)
    _end_at(update, RESOLVED, DUPLICATE)
    update.note("dupe_of", bug.dupe_of, number, lambda: setattr(bug, "dupe_of", number))
    own = f"*** This bug has been marked as a duplicate of bug {number} ***"
    theirs = f"*** Bug {bug.id} has been marked as a duplicate of this bug. ***"

    def step() -> None:
        update.creation.say(update.user, bug, own)
        update.creation.say(update.user, other, theirs)

    update.steps.append(step)
