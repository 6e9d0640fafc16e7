"""Where the public test data stands: beside the repository, in a folder `shared`, when it is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def payload_files(folder: str) -> list[Path]:
    """The JSON files of a folder under payloads, sorted; empty where the data is not there."""
    return sorted((SHARED / "payloads" / folder).glob("*.json"))


def payload(path: str) -> Any:
    """One payload; the test is skipped where the data is not there."""
    file = SHARED / "payloads" / path
    if not file.is_file():
        pytest.skip(f"the public payloads are not beside the repository ({path})")
    return json.loads(file.read_text())
