"""What MantisBT looks at in an input before it stores it, and what it lets through.

Sources: recorded exchanges create.*, patch.*, file.*, tag.*. Unknown words of enumerations are let through as 0.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from plugins.mantis.sandbox.errors import CrashError, MantisError, denied
from plugins.mantis.sandbox.state import DEVELOPER, ENUMS, Category, CustomField, Project, Store, User, Version

SUMMARY_LIMIT = 128
TEXT_LIMIT = 65535
FILE_LIMIT = 5 * 1024 * 1024
FOUR_BYTES = re.compile("[\U00010000-\U0010ffff]")
NO_FILE = "No file was uploaded. Please go back and Choose a file before pressing Upload."


def number_of(kind: str, given: object) -> int:
    """The number that `{"id"}` or `{"name"}` means; 0 for a name that there is not."""
    if not isinstance(given, Mapping):
        return 0
    if given.get("id"):
        return int(given["id"])
    return next((n for n, name in ENUMS[kind].items() if name == given.get("name")), 0)


def find_user(store: Store, given: object) -> User | None:
    """By id, name or address; somebody unknown is nobody."""
    if not isinstance(given, Mapping):
        return None
    for user in store.users.values():
        if given.get("id"):
            if user.id == int(given["id"]):
                return user
        elif user.login == given.get("name") or (given.get("email") and user.email == given["email"]):
            return user
    return None


def handler_of(store: Store, project: Project, given: object) -> User | None:
    """Who is to handle an issue."""
    user = find_user(store, given)
    if user is not None and store.level(user, project) < DEVELOPER:
        raise denied(f"User '{user.id}' can't be assigned issues.")
    return user


def category_of(store: Store, project: Project, given: object) -> Category:
    named = given if isinstance(given, Mapping) else {}
    for category in store.categories:
        if category.project_id in (0, project.id) and (
            str(category.id) == str(named.get("id")) or category.name == named.get("name")
        ):
            return category
    raise MantisError(404, f"Category '{named.get('name', named.get('id'))}' not found.", 1502, "Category not found.")


def version_of(project: Project, given: object) -> Version | None:
    named = given if isinstance(given, Mapping) else {}
    return next((v for v in project.versions if v.name == named.get("name") or v.id == named.get("id")), None)


def custom_values(store: Store, project: Project, user: User, given: Any) -> dict[int, str]:
    """Values by field; a field that the user may not write is left out without a word."""
    values: dict[int, str] = {}
    for one in given or ():
        named = one.get("field") or {}
        field = _field(project, named)
        if field is None:
            key = "id" if "id" in named else "name"
            message = f"Invalid Custom Field {{{key}:{named.get(key)}}}"
            raise MantisError(404, message, 1300, "Custom field not found.")
        value = str(one.get("value") or "")
        if not _is_valid(field, value):
            localized = f'Invalid value for field "{field.name}".'
            raise MantisError(400, f"Invalid custom field '{field.name}' value.", 1303, localized)
        if store.level(user, project) >= field.write_level:
            values[field.id] = value
    return values


def tag_numbers(store: Store, given: Any) -> list[int]:
    """The tags that are meant, new ones made; a name with a comma is too much for MantisBT."""
    numbers = []
    for one in given or ():
        if one.get("id"):
            if int(one["id"]) not in store.tags:
                message = f"Tag with id {one['id']} not found."
                raise MantisError(404, message, 2200, f'Could not find tag "{one["id"]}".')
            numbers.append(int(one["id"]))
            continue
        name = str(one.get("name") or "")
        if not name or "," in name or name[0] in "+-":
            raise CrashError
        numbers.append(store.tag(name))
    return numbers


def file_content(name: str, encoded: object) -> bytes:
    """What a file holds."""
    try:
        content = base64.b64decode(str(encoded or ""), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content:
        raise MantisError(400, f"File '{name}' not uploaded", 504, NO_FILE)
    if name.lower().endswith(".svg"):
        raise MantisError(400, f"File '{name}' type not allowed", 501, "File type not allowed for uploads.")
    if len(content) > FILE_LIMIT:
        raise MantisError(400, f"File '{name}' too big", 500, "File upload failed. The file is too large.")
    return content


def content_type(content: bytes) -> str:
    """What libmagic calls it, as far as the recorded exchanges show."""
    if len(content) < 2 or len(content) > 1_000_000 or b"\0" in content:
        return "application/octet-stream; charset=binary"
    if content.isascii():
        return "text/plain; charset=us-ascii"
    try:
        content.decode()
    except UnicodeDecodeError:
        return "text/plain; charset=unknown-8bit"
    return "text/plain; charset=utf-8"


def long_enough(text: str, field: str) -> None:
    """Refuses a text that is longer than the columns are."""
    if len(text) > TEXT_LIMIT:
        message = f'Field "{field}" exceeds maximum length {TEXT_LIMIT}.'
        raise MantisError(400, message, 28, f'Maximum length for Field "{field}" is {TEXT_LIMIT} characters.')


def _field(project: Project, named: Mapping[str, Any]) -> CustomField | None:
    return next(
        (f for f in project.fields if str(f.id) == str(named.get("id")) or f.name == named.get("name")),
        None,
    )


def _is_valid(field: CustomField, value: str) -> bool:
    if not value:
        return True
    match field.type:
        case "enum":
            return value in field.possible
        case "multilist":
            return set(value.split("|")) <= set(field.possible)
        case "numeric":
            return value.lstrip("-").isdigit()
        case "date":
            return value.lstrip("-").isdigit()
        case _:
            return True
