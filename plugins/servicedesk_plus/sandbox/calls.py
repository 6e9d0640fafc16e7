"""Reads what a request carries: JSON in the field `input_data` of a form or of the address, and one file in a form.

Source: sdpod-v3-api, "Input data"; the MSP help, "v3 attachment API".
"""

from __future__ import annotations

import json
from typing import Any

from flask import g, request

from plugins.servicedesk_plus.sandbox.errors import FAILED, MANDATORY, WRONG_VALUE, problem, wrong
from plugins.servicedesk_plus.sandbox.state import File, Store

FILE_PART = "input_file"


def input_data() -> dict[str, Any]:
    """What is given; {} where nothing is. A body that is JSON itself is not looked at."""
    text = request.form.get("input_data") or request.args.get("input_data")
    if not text:
        return {}
    try:
        given = json.loads(text)
    except ValueError as error:
        raise wrong(problem(FAILED, "Unable to parse the given input data as JSON", "input_data")) from error
    if not isinstance(given, dict):
        raise wrong(problem(FAILED, "input_data is an object", "input_data"))
    return given


def inner(*keys: str) -> dict[str, Any]:
    """The one object that is written, under one of these keys. Raises 400 for any other."""
    given = input_data()
    for key in keys:
        if isinstance(given.get(key), dict):
            found: dict[str, Any] = given[key]
            return found
    raise wrong(problem(MANDATORY, f"{keys[0]} is missing in the input data", keys[0]))


def sent_file(store: Store) -> File:
    """The one file of a form."""
    upload = request.files.get(FILE_PART)
    if upload is None or len(request.files) != 1:
        raise wrong(problem(MANDATORY, "One file is needed", FILE_PART))
    content_type = upload.mimetype or "application/octet-stream"
    return store.add_file(upload.filename or "file", upload.read(), content_type, g.user)


def claimed_files(store: Store, given: Any) -> list[File]:
    """The files that were sent before for this note or mail. Raises 400 for one that was not."""
    found = []
    for reference in given or ():
        number = str(reference.get("id"))
        file = store.loose.pop(int(number), None) if number.isdigit() else None
        if file is None:
            raise wrong(problem(WRONG_VALUE, "Value given for attachments does not exist", "attachments"))
        found.append(file)
    return found
