"""A pass and the macros that people ask for: with a label, a line of a note, or from outside. Pure.

It must not know what a macro does.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.rules.case import Firing, is_staff
from hub.rules.doing import do_macro, private_text
from hub.rules.work import Work

MACRO_LABEL = "macro:"
"""A label that begins so runs a macro and is taken off again."""
MACRO_COMMAND = "/macro "
"""A line of a private note of support that begins so does the same."""


def run_macros(work: Work) -> None:
    """Those that an agent asked for with a label or a note, and those that were asked for from outside."""
    for label in sorted(work.seen.ticket.labels):
        if label.casefold().startswith(MACRO_LABEL) and label not in work.situation.leaving:
            count = work.fired.get(label, Firing()).count + 1
            _run_macro(work, label[len(MACRO_LABEL) :], f"{label}.{count}", f"an agent set the label {label}")
            work.set_label(label, label, "the macro was run", is_on=False)
            work.fired[label] = Firing(False, count, work.now)
    for comment in work.seen.comments or ():
        step = f"note {comment.id}"
        if comment.visibility.is_public or comment.id in work.seen.own_comments or step in work.steps:
            continue
        if not is_staff(comment, work.seen.ticket.requester):
            continue
        for name in _commands(comment.text):
            work.steps.add(step)
            _run_macro(work, name, f"{step} {name}", f"an agent asked for it in a note ({comment.id})")
    for name, mark in work.situation.asked:
        _run_macro(work, name, mark, "a person asked for it")


def _run_macro(work: Work, name: str, source: str, because: str) -> None:
    by_name = {key.casefold(): key for key in work.book.macros}
    key = by_name.get(name.casefold())
    if key is None:
        known = ", ".join(work.book.macros) or "none"
        work.want(source, "note", "text", private_text(f"There is no macro {name!r}; there are: {known}."), because)
        return
    do_macro(work, key, work.book.macros[key], source, because)


def _commands(text: str) -> Iterator[str]:
    """The macros that the lines of a note ask for."""
    for line in text.splitlines():
        if line.strip().casefold().startswith(MACRO_COMMAND):
            yield line.strip()[len(MACRO_COMMAND) :].strip()
