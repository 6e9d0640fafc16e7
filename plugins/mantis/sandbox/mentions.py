"""Whom and what a text names, as MantisBT finds it: in the bare text, whatever formatting it will get.

Source: MantisBT's core/mention_api.php (`mention_get_candidates`) and core/string_api.php (`string_process_bug_link`,
`string_process_bugnote_link`). PHP's `\\w` knows ASCII only there.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"(?<!\w)(?<!@)@([\w\-.]*\w)(?=[^\w@]|$)", re.ASCII)
_ISSUE = re.compile(r"(?:^|[^\w&])#(\d+)\b", re.ASCII)
_NOTE = re.compile(r"(?:^|[^\w])~(\d+)\b", re.ASCII)


def names(text: str) -> list[str]:
    """The logins that are called by `@login`, whether there are such accounts or not."""
    return _NAME.findall(text)


def numbers(text: str) -> list[str]:
    """The numbers of issues (`#12`) and notes (`~34`) that become links."""
    return [*_ISSUE.findall(text), *_NOTE.findall(text)]
