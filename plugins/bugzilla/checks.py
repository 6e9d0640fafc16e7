"""What `hub check` says of a Bugzilla: what is missing for the hub's work, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hub.connector import Connector, Finding
from hub.mapping import ValueMap
from hub.parts.findings import instead
from plugins.bugzilla.client import BugzillaClient, NoRouteError
from plugins.bugzilla.facts import Facts
from plugins.bugzilla.settings import OF_EVERY_BUG, BugzillaSettings
from plugins.bugzilla.words import candidates, pick

GROUPS = {
    "editbugs": "the account cannot change bugs of others",
    "canconfirm": "bugs that the account creates begin unconfirmed",
}
TYPES: Mapping[str, set[int]] = {"number": {10}, "select": {2}, "multiselect": {3}, "date": {5, 9}, "checkbox": {2}}
"""Neutral types -> Bugzilla's types of fields that hold them; a text is held by every one."""
PLACES = (("component", "components"), ("version", "versions"))
LARGEST_SKEW = 120.0
"""Seconds by which the clocks may differ without a word."""


def findings(connector: Connector, settings: BugzillaSettings, client: BugzillaClient, facts: Facts) -> list[Finding]:
    """Everything that an admin should know."""
    where, me = f"trackers.{connector.name}", facts.me()
    found = [Finding("ok", f"Bugzilla {facts.version()}, signed in as {me.login}")]
    if not client.reads_header():
        what = "this Bugzilla takes the key only in addresses, where its web server's log keeps it"
        found.append(Finding("warning", what, "Keep those logs to yourself, or upgrade to 5.3."))
    found += _groups(me.groups, settings)
    found += _clock(facts)
    found += _product(settings, facts.product(afresh=True), where)
    found += _words(connector, settings, facts, where)
    found += _fields(settings, facts, where)
    size = facts.parameter("maxattachmentsize")
    if size.isdigit() and int(size) * 1024 < connector.max_attachment_bytes:
        found.append(Finding("warning", f"files are taken up to {size} KB", "Raise the parameter maxattachmentsize."))
    return [*found, *(_webhooks(client) if settings.is_mozilla else [])]


def _groups(groups: frozenset[str] | None, settings: BugzillaSettings) -> list[Finding]:
    if groups is None:
        return []
    found = [Finding("warning", f"{why}: it is not in the group {group}", f"Put it into the group {group}.")
             for group, why in GROUPS.items() if group not in groups]  # fmt: skip
    if settings.private_comments:
        others = sorted(groups - set(GROUPS))
        what = (
            f"private comments need the group of the parameter insidergroup; the account is in {others or 'no other'}"
        )
        remedy = "Is it among them? If not: add the account, or set private_comments: false."
        found.append(Finding("ok" if others else "warning", what, "" if others else remedy))
    return found


def _clock(facts: Facts) -> list[Finding]:
    skew = (facts.database_time() - datetime.now(UTC)).total_seconds()
    if abs(skew) <= LARGEST_SKEW:
        return []
    return [Finding("warning", f"the database's clock differs by {skew:.0f} s", "Let both machines keep time by NTP.")]


def _product(settings: BugzillaSettings, product: Mapping[str, Any] | None, where: str) -> list[Finding]:
    if product is None:
        what = f"there is no product {settings.product!r} that the account sees"
        return [Finding("error", what, f"Correct {where}.product, or let the account see it.")]
    if not product.get("is_active", True):
        return [Finding("error", f"the product {settings.product!r} takes no new bugs", f"Correct {where}.product.")]
    found = [Finding("ok", f"product {product['name']}")]
    for name, kept in PLACES:
        known = {str(v["name"]): v.get("is_active", True) for v in product.get(kept, ())}
        given = str(getattr(settings, name))
        if given not in known:
            found.append(_missing(f"{name} in the product", given, known, f"{where}.{name}"))
        elif not known[given]:
            found.append(Finding("error", f"the {name} {given!r} is not active", f"Correct {where}.{name}."))
    return found


def _words(connector: Connector, settings: BugzillaSettings, facts: Facts, where: str) -> list[Finding]:
    found: list[Finding] = []
    tables: tuple[tuple[str, ValueMap[Any], str], ...] = (
        ("status", connector.statuses, "statuses"),
        ("priority", connector.priorities, "priorities"),
    )
    for name, table, key in tables:
        known = facts.words(name, afresh=True)
        for value in table.written:
            if pick([w.partition("/")[0] for w in candidates(table, value)], known) is None:
                what = f"this Bugzilla has no {name} {table.written[value]!r} (for {value})"
                found.append(Finding("warning", what, f"There are {list(known)}; correct {where}.{key}."))
        meant = {word.partition("/")[0] for word in table.meaning}
        found += [
            Finding("warning", f"{name} {word!r} is not mapped: it does not travel", f"Put it under {where}.{key}.")
            for word in known
            if word.casefold() not in meant
        ]
    endings = [settings.resolution, *(w.partition("/")[2] for w in connector.statuses.meaning if "/" in w)]
    single = [("resolution", ending, "resolution") for ending in endings]
    single += [(name, getattr(settings, name), name) for name in ("op_sys", "platform")]
    single += [("type", settings.bug_type, "bug_type")] if settings.is_mozilla else []
    for name, word, key in single:
        known = facts.words(name)
        if pick([word], known) is None:
            found.append(_missing(name, word, known, f"{where}.{key}"))
    return found


def _fields(settings: BugzillaSettings, facts: Facts, where: str) -> list[Finding]:
    found: list[Finding] = []
    wanted = {f"{where}.fields.{name}": (field.id, field.type) for name, field in settings.fields.items()}
    for name in ("marker_field", "link_field"):
        if getattr(settings, name):
            wanted[f"{where}.{name}"] = (getattr(settings, name), "text")
    for key, (name, kind) in wanted.items():
        if name in OF_EVERY_BUG:
            continue
        field = facts.field(name, afresh=True)
        if field is None:
            found.append(Finding("error", f"there is no custom field {name!r}", f"Correct {key}."))
        elif kind in TYPES and field.get("type") not in TYPES[kind]:
            what = f"the custom field {name!r} is of Bugzilla's type {field.get('type')}, which is no {kind}"
            found.append(Finding("warning", what, f"Correct the type under {key}."))
    return found


def _webhooks(client: BugzillaClient) -> list[Finding]:
    """Of the hub's account; somebody else may have made the webhook."""
    try:
        hooks: Sequence[Mapping[str, Any]] = client.get("/webhooks/list")["webhooks"]
    except NoRouteError:
        return [Finding("warning", "this Bugzilla has no webhooks", "Poll often: poll.every.")]
    found = []
    for hook in hooks:
        if not hook.get("enabled"):
            remedy = "Switch it on again under Preferences > Webhooks."
            found.append(Finding("error", f"the webhook {hook.get('name')!r} is switched off", remedy))
        elif hook.get("errors"):
            what = f"{hook['errors']} deliveries of the webhook {hook.get('name')!r} are waiting"
            found.append(Finding("warning", what, "Is the hub reachable from there, with the right header?"))
    return found


def _missing(what: str, given: str, known: Iterable[str], key: str) -> Finding:
    return Finding("error", f"there is no {what} {given!r}", f"{instead(given, known)} Correct {key}.")
