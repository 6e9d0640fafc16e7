"""Makes mirrored mentions and commands harmless: nobody is notified, and nothing is run, by a copy."""

from __future__ import annotations

import re

from hub.text.canonical import canonical
from hub.ticket import Markdown

WORD_JOINER = "\u2060"
"""Invisible, and enough for no tracker to take `@name` for a mention."""

_CODE = re.compile(r"(^(`{3,}).*?^\2`*$|\\[\\`]|(?<!`)(`+)(?!`).*?(?<!`)\3(?!`))", re.M | re.S)
"""Code, and what is no code because its backtick is escaped: in canonical text every other backtick belongs to code."""
_ADDRESS = r"(?<!\\)\]\((?:<[^>]*>|[^)\s]*)\)|\bhttps?://[^\s<]+"
"""Of a link, and a bare one. A bracket that is escaped makes no link."""
_BEFORE_MENTION = r"(?<![A-Za-z0-9_])"
"""What may not stand before a mention. Only that: to GitLab `.@name`, `-@name`, `@@name` and `é@name` are mentions, and
nobody's mail address ends so before its sign. Source: GitLab's User.reference_pattern, `(?<!\\w)`, in which Ruby's
`\\w` is ASCII."""
_MENTION = re.compile(rf"({_ADDRESS})|{_BEFORE_MENTION}@(?=[\w.\[\\])")
_COMMAND = re.compile(r"^((?:[>\s]|[-*] |\d+\. )*)/(?=[a-z_]+(?:\s|\\|$))", re.M | re.I)


def defuse(text: Markdown, *, quick_actions: bool = False, references: str = "") -> Markdown:
    """The text with `@name` broken up unseen; with `quick_actions` also `/command` at the beginning of a line.

    `references` are signs that name a ticket of the tracker when a number follows (`#` for `#12`): they are broken
    up too. Code, mail addresses and links stay as they are: no tracker that shows form looks for mentions there. One
    that keeps plain text and looks for them in all of it (MantisBT) breaks them up in its own text. Idempotent.
    """
    if "@" not in text and not (quick_actions and "/" in text) and not any(sign in text for sign in references):
        return text
    parts = []
    end = 0
    for code in _CODE.finditer(text):
        parts += [_break_up(text[end : code.start()], quick_actions, references), code.group(0)]
        end = code.end()
    parts.append(_break_up(text[end:], quick_actions, references))
    return canonical("".join(parts))


def defused_line(line: str, references: str = "") -> str:
    """The same for one line that has no form, as titles have none; addresses in it are broken up as well."""
    signs = rf"|[{re.escape(references)}](?=\d)" if references else ""
    return re.sub(rf"{_BEFORE_MENTION}@(?=[\w.]){signs}", rf"\g<0>{WORD_JOINER}", line)


def _break_up(text: str, quick_actions: bool, references: str) -> str:
    text = _MENTION.sub(lambda m: m.group(1) or f"@{WORD_JOINER}", text)
    if quick_actions:
        text = _COMMAND.sub(lambda m: f"{m.group(1)}{WORD_JOINER}/", text)
    if references:
        naming = rf"({_ADDRESS})|([{re.escape(references)}])(?=\d)"
        text = re.sub(naming, lambda m: m.group(1) or f"{m.group(2)}{WORD_JOINER}", text)
    return text
