"""What GitLab reads out of texts: quick actions, mentions, references. As its extractor of versions before 16 does.

Source: docs.gitlab.com, "GitLab quick actions"; gitlab/quick_actions/extractor.rb of the public repository.
"""

from __future__ import annotations

import re

NAMES = ("close", "reopen", "label", "unlabel", "confidential", "title", "assign", "unassign", "done")
_EXTRACT = re.compile(
    r"(?P<code>^```.+?\n```$)|(?P<html>^<[^>]+?>\n.+?\n<\/[^>]+?>$)|(?P<quote>^>>>.+?\n>>>$)"
    rf"|(?:^/(?P<command>{'|'.join(NAMES)})(?: (?P<argument>[^\n]*))?(?:\s*\n|\Z))",
    re.M | re.S | re.I,
)
_CODE = re.compile(r"\\[\\`<]|^(`{3,}).*?^\1`*$|(?<!`)(`+)(?!`).*?(?<!`)\2(?!`)|<!--.*?-->", re.M | re.S)
_LINKS = re.compile(r"!?\[[^\]\n]*\]\([^)\s]*\)|https?://\S+")


def extract(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The text without its commands, and the commands with their arguments, in order."""
    found: list[tuple[str, str]] = []

    def take(match: re.Match[str]) -> str:
        if not match["command"]:
            return match[0]
        found.append((match["command"].lower(), (match["argument"] or "").strip()))
        return ""

    left = _EXTRACT.sub(take, text)
    return (left.strip() if found else text), found


def mentions(text: str) -> list[str]:
    """User names that a text mentions outside of code and links; `all` is the whole project.

    Source: User.reference_pattern, `(?<!\\w)@`, where Ruby's `\\w` is ASCII; PathRegex, how a name begins.
    """
    return re.findall(r"(?<!\w)@([\w.][\w.\-]*)", _plain(text), re.ASCII)


def references(text: str) -> list[int]:
    """Numbers of issues that a text refers to outside of code and links."""
    return [int(number) for number in re.findall(r"(?<![\w&/])#(\d+)\b", _plain(text))]


def labels_in(argument: str) -> list[str]:
    """Labels of `/label ~bug ~"two words"`."""
    return [quoted or plain for quoted, plain in re.findall(r"~(?:\"([^\"]+)\"|([^\s~]+))", argument)]


def _plain(text: str) -> str:
    return _LINKS.sub(" ", _CODE.sub(" ", text))
