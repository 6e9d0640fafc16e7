"""Writes starter settings for a new deployment: the example of this pairing, to be filled in."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

FILES = {"hub.yaml": "hub.yaml", "env.example": ".env.example"}


def example_names() -> list[str]:
    """The names of the example deployments that come with the hub."""
    return sorted(p.name for p in _examples().iterdir() if p.is_dir())


def write_starter(folder: Path, example: str) -> list[Path]:
    """Writes an example deployment into `folder`; returns the files.

    Raises FileExistsError when one of them is there already (nothing is written then), LookupError for an example
    that does not exist.
    """
    if example not in example_names():
        raise LookupError(f"there is no example {example!r}; there are {', '.join(example_names())}")
    targets = {folder / target: _examples() / example / name for name, target in FILES.items()}
    for path in targets:
        if path.exists():
            raise FileExistsError(f"{path} is there already; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    for path, example_file in targets.items():
        path.write_text(example_file.read_text(encoding="utf-8"), encoding="utf-8")
    return list(targets)


def example_text(example: str) -> str:
    """The settings of an example deployment, as they stand in its file."""
    return (_examples() / example / "hub.yaml").read_text(encoding="utf-8")


def _examples() -> Path:
    installed = Path(str(files("hub"))) / "examples"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[2] / "config"
