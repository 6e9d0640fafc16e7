"""What is written into a ticket about a session. Pure; every text states who may read it.

The customer's link may be public. The supporter's link lets whoever has it into the session, so that it stands in
private notes alone. Names and notes come from other people's machines and are taken literally.
"""

from __future__ import annotations

from datetime import timedelta

from hub.connector import ActionText
from hub.text import canonical, from_plain
from hub.ticket import Markdown, Visibility
from plugins.teamviewer.model import Report, Session


def invitation(session: Session) -> ActionText:
    """The public comment for the requester: the code and their own link."""
    lines = [
        "We would like to look at it together with you.",
        f"Please open this address and start the program that it offers: <{session.end_customer_link}>",
        f"Your session code is **{_literal(session.code)}**.",
    ]
    if session.valid_until is not None:
        lines.append(f"It is good until {session.valid_until:%Y-%m-%d %H:%M} UTC.")
    return ActionText(canonical("\n\n".join(lines)), Visibility.PUBLIC)


def supporter_note(session: Session) -> ActionText:
    """The private note for staff: the supporter's link."""
    lines = [
        f"TeamViewer session **{_literal(session.code)}** is open. Join as supporter: <{session.supporter_link}>",
        "*For staff only: whoever has this link can join.*",
    ]
    return ActionText(canonical("\n\n".join(lines)), Visibility.PRIVATE)


def report_note(report: Report) -> ActionText:
    """The private note about one connection that has ended."""
    rows = [
        f"**Remote support** {report.started:%Y-%m-%d %H:%M} to {_end(report)} UTC, {_length(report)}",
        f"- supporter: {_literal(report.supporter or 'not told')}",
        f"- device: {_literal(report.device or 'not told')}",
    ]
    if report.session_code:
        rows.append(f"- session: {_literal(report.session_code)}")
    text = rows[0] + "\n\n" + "\n".join(rows[1:])
    if report.notes.strip():
        quoted = "\n".join(f"> {line}" for line in from_plain(report.notes.strip()).splitlines())
        text += f"\n\n{quoted}"
    return ActionText(canonical(text), Visibility.PRIVATE)


def _end(report: Report) -> str:
    is_same_day = report.started.date() == report.ended.date()
    return f"{report.ended:%H:%M}" if is_same_day else f"{report.ended:%Y-%m-%d %H:%M}"


def _length(report: Report) -> str:
    minutes = max(1, round((report.ended - report.started) / timedelta(minutes=1)))
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def _literal(text: str) -> Markdown:
    """A text of somebody else's in one line, without any meaning as Markdown."""
    return Markdown(from_plain(" ".join(text.split())).replace("\n", " "))
