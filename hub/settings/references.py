"""Puts values from the environment and from files into the settings, and refuses secrets that stand in YAML.

`${NAME}` and `${NAME:-default}` in any text come from the environment; the default also counts for an empty variable.
`$${` is a plain `${`. `file:<path>` for a secret, or for anything under `credentials`, is the content of that file
without blanks around it; a relative path begins at the settings' folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from urllib.parse import unquote, urlsplit

from hub.settings.problems import Path, Problem, dotted
from hub.settings.tree import Node

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?P<default>[^}]*))?\}|\$\{")
_ADDRESS_WITH_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/@:]*:(?P<password>[^/@]+)@", re.IGNORECASE)

SHORTEST_REDACTED = 4
"""Shorter values from the environment (a port, a number) stay in messages, unless they are secrets."""


@dataclass
class References:
    """Resolves the references of one tree. `is_secret` says of a path whether a secret stands there."""

    env: Mapping[str, str]
    folder: FilePath
    is_secret: Callable[[Path], bool]
    problems: list[Problem] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    """The secrets that were found, those that must not stand in YAML included."""
    inserted: dict[str, str] = field(default_factory=dict)
    """What came from the environment -> the reference that brought it; for messages that must not show it."""

    def resolve(self, node: Node, path: Path = ()) -> Node:
        """The tree with every reference replaced."""
        if isinstance(node.value, dict):
            return replace(node, value={key: self.resolve(child, (*path, key)) for key, child in node.value.items()})
        if isinstance(node.value, list):
            return replace(node, value=[self.resolve(child, (*path, i)) for i, child in enumerate(node.value)])
        if node.value is None:
            return node
        resolved = self._text(node, path) if isinstance(node.value, str) else node
        return self._secret(resolved, path) if self.is_secret(path) else self._address(resolved, path)

    def redact(self, text: str) -> str:
        """A text by somebody else (a plugin's validator), without secrets and without what references brought."""
        for secret in sorted({*self.secrets, *self.inserted}, key=len, reverse=True):
            if secret in self.secrets or len(secret) >= SHORTEST_REDACTED:
                text = text.replace(secret, self.inserted.get(secret, "…"))
        return text

    def _text(self, node: Node, path: Path) -> Node:
        text, is_known = str(node.value), True
        has_variable = has_default = False

        def insert(match: re.Match[str]) -> str:
            nonlocal is_known, has_variable, has_default
            name, default = match["name"], match["default"]
            if match[0] == "$${":
                return "${"
            if name is None:
                is_known = False
                remedy = "Write ${NAME} or ${NAME:-default}, with letters, digits and _; or $${ for a plain ${."
                self._note(node, path, "the reference to a variable is not complete", remedy)
                return ""
            value = self.env.get(name)
            if value or (value is not None and default is None):
                has_variable = True
                if value:
                    self.inserted[value] = f"${{{name}}}"
                return value
            if default is None:
                is_known = False
                remedy = f"Set it for the hub, or write ${{{name}:-default}}."
                if self.is_secret(path):
                    remedy = "Set it for the hub."
                self._note(node, path, f"the environment variable {name} is not set", remedy)
            has_default = has_default or bool(default)
            return default or ""

        text = _REFERENCE.sub(insert, text)
        if is_known and text.startswith("file:") and _may_be_file(path, self.is_secret(path)):
            return self._file(node, text.removeprefix("file:"), path)
        if not is_known:
            text = node.written
        return replace(node, value=text, is_literal=not has_variable or has_default, is_known=is_known)

    def _file(self, node: Node, name: str, path: Path) -> Node:
        remedy = f"A relative path begins at {self.folder}."
        try:
            text = (self.folder / name).read_text(encoding="utf-8-sig").strip()
        except (OSError, ValueError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or "it is no UTF-8 text"
            self._note(node, path, f"the file that it names cannot be read: {why}", remedy)
            return replace(node, is_literal=False, is_known=False)
        if text:
            self.inserted[text] = "the file's content"
        return replace(node, value=text, is_literal=False)

    def _secret(self, node: Node, path: Path) -> Node:
        if node.is_known and node.value == "":
            remedy = "Set the variable or fill the file it comes from; remove the key if there is no secret."
            self._note(node, path, "the secret is empty", remedy)
            return replace(node, value=node.written, is_known=False)  # told once is enough
        if node.is_known:
            self.secrets.append(str(node.value))
        if node.is_literal and node.is_known:
            self.secrets.append(node.written)
            key = next((p for p in reversed(path) if isinstance(p, str)), "secret")
            remedy = f"Put it in the environment: `{key}: ${{{_variable(path)}}}`, or in a file: `{key}: file:<path>`."
            self._note(node, path, "a secret must not stand in the settings", remedy)
            return replace(node, is_known=False)
        return node

    def _address(self, node: Node, path: Path) -> Node:
        """A password in an address is a secret as well."""
        match = _ADDRESS_WITH_PASSWORD.match(str(node.value))
        if match is None or not node.is_known:
            return node
        self.secrets += dict.fromkeys([match["password"], unquote(match["password"])])
        written = _ADDRESS_WITH_PASSWORD.match(node.written)
        if written is not None and "${" not in written["password"]:
            scheme = urlsplit(node.written).scheme
            remedy = f"Put it in the environment: {scheme}://<name>:${{PASSWORD}}@<host>."
            self._note(node, path, "the address holds a password, which must not stand in the settings", remedy)
            return replace(node, is_known=False)
        return node

    def _note(self, node: Node, path: Path, what: str, remedy: str) -> None:
        self.problems.append(Problem(place=node.key_place, where=dotted(path), what=what, remedy=remedy))


def _may_be_file(path: Path, is_secret: bool) -> bool:
    return is_secret or "credentials" in path


def _variable(path: Path) -> str:
    """A name for the variable that a secret could come from: `SUPPORT_API_TOKEN`."""
    words = [str(p) for p in path if p not in ("trackers", "credentials")]
    return re.sub(r"[^A-Z0-9]+", "_", "_".join(words).upper()).strip("_")
