"""Changes to a bug's lists: keywords, copies, aliases, groups, links, dependencies.

Sources: recorded exchanges upd_keywords_*, upd_cc_*, upd_alias_taken, bug_groups_add_bad, see_also_*, depends_*.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.bugzilla.sandbox import checks
from plugins.bugzilla.sandbox.creation import existing
from plugins.bugzilla.sandbox.errors import BugzillaError, no_keyword
from plugins.bugzilla.sandbox.pending import Pending
from plugins.bugzilla.sandbox.state import Change


def look_at_lists(update: Pending, body: Mapping[str, Any]) -> None:
    bug, store = update.bug, update.store
    if "keywords" in body:
        removed, added = checks.list_change(body["keywords"], sorted(bug.keywords), 2492)
        for name in added:
            if store.keyword(name) is None:
                raise no_keyword(name)
        _set(update, "keywords", bug.keywords, removed, added)
    if "cc" in body:
        removed, added = checks.list_change(body["cc"], sorted(bug.cc), 2556)
        for login in added:
            checks.person(store, login)
        _set(update, "cc", bug.cc, removed, added)
    if "alias" in body:
        given = body["alias"] if isinstance(body["alias"], Mapping) else {"set": body["alias"]}
        removed, added = checks.list_change(given, list(bug.alias), 2600)
        for alias in added:
            checks.aliases(store, alias, bug)
        after = [a for a in bug.alias if a not in removed] + added
        if removed or added:
            update.note("alias", ", ".join(removed), ", ".join(added), lambda: setattr(bug, "alias", after))
    if "groups" in body:
        removed, added = checks.list_change(body["groups"], sorted(bug.groups), 2640)
        for group in added:
            raise BugzillaError(
                120,
                f"You tried to restrict bug {bug.id} to the '{group}' group, but either this group does not exist, "
                f"or you are not allowed to restrict bugs to this group in the '{bug.product.name}' product.",
            )
        _set(update, "groups", bug.groups, removed, added)
    _see_also(update, body)
    for name, opposite in (("depends_on", "blocks"), ("blocks", "depends_on")):
        if name in body:
            _dependencies(update, name, opposite, body[name])


def _set(update: Pending, name: str, held: set[str], removed: list[str], added: list[str]) -> None:
    if removed or added:

        def step() -> None:
            held.difference_update(removed)
            held.update(added)

        update.note(name, ", ".join(sorted(removed)), ", ".join(sorted(added)), step)


def _see_also(update: Pending, body: Mapping[str, Any]) -> None:
    """Only `add` and `remove` mean anything; a link to a bug here is written there too."""
    given, bug = body.get("see_also"), update.bug
    if not isinstance(given, Mapping):
        return
    urls = [checks.see_also(update.store, update.base, str(url)) for url in given.get("add") or ()]
    added = [url for url in dict.fromkeys(urls) if url not in bug.see_also]
    removed = [str(url) for url in given.get("remove") or () if url in bug.see_also]
    if not added and not removed:
        return

    def step() -> None:
        bug.see_also[:] = [u for u in bug.see_also if u not in removed] + added
        own, now = f"{update.base}/show_bug.cgi?id=", update.store.now()
        for other in (existing(update.store, url.removeprefix(own)) for url in added if url.startswith(own)):
            if f"{own}{bug.id}" not in other.see_also:
                other.see_also.append(f"{own}{bug.id}")
                other.changed = now
                other.history.append(Change(now, update.user, "see_also", "", f"{own}{bug.id}"))

    update.note("see_also", ", ".join(removed), ", ".join(added), step)


def _dependencies(update: Pending, name: str, opposite: str, given: Any) -> None:
    bug, store = update.bug, update.store
    held: set[int] = getattr(bug, name)
    removed, added = checks.list_change(given, [str(n) for n in sorted(held)], 2700)
    others = [existing(store, number) for number in added]
    if loop := [str(o.id) for o in others if o.id in getattr(bug, opposite)]:
        raise BugzillaError(
            116,
            'The following bug(s) would appear on both the "depends on" and "blocks" parts of the dependency tree '
            f"if these changes are committed: {', '.join(loop)}. This would create a circular dependency, which is "
            "not allowed.",
        )
    if not removed and not added:
        return

    def step() -> None:
        now = store.now()
        held.difference_update(map(int, removed))
        held.update(o.id for o in others)
        for other in others:
            getattr(other, opposite).add(bug.id)
            other.changed = now
            other.history.append(Change(now, update.user, opposite, "", str(bug.id)))

    update.note(name, ", ".join(removed), ", ".join(added), step)
