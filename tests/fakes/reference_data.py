"""Reference data about the platforms, where it is on this machine: a test that needs it is skipped aloud otherwise."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(os.environ.get("QUOTH_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data"))  # noqa: TID251  # A test's own setting; bot/settings.py is for the bot.


def reference_path(relative: str) -> Path:
    path = ROOT / relative
    if not path.exists():
        pytest.skip(f"no reference data at {path}; set QUOTH_REFERENCE_DATA to the folder that holds it")
    return path


def reference(relative: str) -> Any:
    """A JSON file of the reference data."""
    return json.loads(reference_path(relative).read_text(encoding="utf-8"))


def references(folder: str) -> dict[str, Any]:
    """Every JSON file of a folder, by its name without the ending."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(reference_path(folder).glob("*.json"))
    }
