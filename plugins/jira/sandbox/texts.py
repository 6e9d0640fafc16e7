"""Texts as the versions of the API write them: wiki markup in version 2, ADF in version 3."""

from __future__ import annotations

from typing import Any

from flask import g

from plugins.jira.sandbox.errors import JiraError
from plugins.jira.sandbox.shapes import Json


def text_in(given: Any, name: str) -> str | None:
    """Wiki markup in version 2, ADF in version 3; the other one is refused, as by the real one."""
    if given is None:
        return None
    if g.version == "3":
        if not isinstance(given, dict) or given.get("type") != "doc":
            word = (
                "Comment body is not valid!"
                if name == "comment"
                else "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
            )
            raise JiraError(400, fields={name: word})
        return _adf_text(given).strip("\n")
    if not isinstance(given, str):
        raise JiraError(400, fields={name: "Operation value must be a string"})
    return given


def _adf_text(node: Json) -> str:
    if node.get("type") == "text":
        return str(node.get("text", ""))
    inner = "".join(_adf_text(child) for child in node.get("content", ()))
    return inner + ("\n" if node.get("type") in ("paragraph", "heading") else "")


def texts_out(shape: Any) -> Any:
    """In version 3 descriptions and comment bodies are documents."""
    if g.version != "3":
        return shape
    if isinstance(shape, list):
        return [texts_out(one) for one in shape]
    if isinstance(shape, dict):
        return {
            name: _adf(value)
            if name in ("description", "body") and isinstance(value, str) and value
            else texts_out(value)
            for name, value in shape.items()
        }
    return shape


def _adf(text: str) -> Json:
    paragraphs = [
        {"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in text.split("\n") if line
    ]
    return {"type": "doc", "version": 1, "content": paragraphs}
