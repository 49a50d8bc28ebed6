"""A Weaviate on this machine that nobody has to install."""

from __future__ import annotations

import hashlib
from pathlib import Path

VERSION = "1.39.0"
"""The server that is started, and the one that everything here is tested with."""


def binary_place() -> Path:
    """Where the official client keeps the executable of this version, by its own rule."""
    from weaviate.embedded import EmbeddedOptions  # noqa: PLC0415  # the client is slow to import

    tag = f"v{VERSION}"
    return Path(EmbeddedOptions().binary_path, f"weaviate-{tag}-{hashlib.sha256(tag.encode()).hexdigest()}")
