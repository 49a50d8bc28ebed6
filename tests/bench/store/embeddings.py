"""Embeddings that are made once and kept: a benchmark is repeated, its vectors are not."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from connectors.model import Vector
from connectors.ports import Embedder

CACHE = Path(os.environ.get("QUOTH_BENCH_CACHE", Path(tempfile.gettempdir(), "quoth-bench")))  # noqa: TID251  # A benchmark's own setting; bot/settings.py is for the bot.
"""Where vectors and filled stores are kept between runs."""

_AT_ONCE = 64


class KeptEmbedder:
    """Another embedder, whose vectors of texts are made once. Questions are few, and embedded every time.

    In ``vectors-<fingerprint>.db``, table ``vectors (key, vector)``: the key is the SHA-256, in hexadecimal, of
    ``text``, a zero byte and the text in UTF-8; the vector is little-endian float32.
    """

    def __init__(self, embedder: Embedder, folder: Path = CACHE / "vectors") -> None:
        self._embedder = embedder
        self.fingerprint = embedder.fingerprint
        self.dimensions = embedder.dimensions
        folder.mkdir(parents=True, exist_ok=True)
        self._held = sqlite3.connect(
            folder / f"vectors-{self.fingerprint}.db", timeout=60, isolation_level=None, check_same_thread=False
        )
        self._held.execute("CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, vector BLOB NOT NULL)")

    def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
        """One vector a text, in the same order."""
        found = {text: self._kept(text) for text in texts}
        missing = [text for text, vector in found.items() if vector is None]
        for start in range(0, len(missing), _AT_ONCE):
            some = missing[start : start + _AT_ONCE]
            made = self._embedder.embed_texts(some)
            self._keep(dict(zip(some, made, strict=True)))
            found.update(zip(some, made, strict=True))
        return [vector for text in texts if (vector := found[text]) is not None]

    def embed_question(self, text: str) -> Vector:
        """The vector of a question."""
        return self._embedder.embed_question(text)

    def close(self) -> None:
        """Let go of the file."""
        self._held.close()

    def _kept(self, text: str) -> Vector | None:
        row = self._held.execute("SELECT vector FROM vectors WHERE key = ?", (_key(text),)).fetchone()
        return None if row is None else np.frombuffer(row[0], "<f4").astype(np.float32)

    def _keep(self, vectors: dict[str, Vector]) -> None:
        rows = [(_key(text), np.asarray(vector, "<f4").tobytes()) for text, vector in vectors.items()]
        self._held.execute("BEGIN IMMEDIATE")
        self._held.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
        self._held.execute("COMMIT")


def _key(text: str) -> str:
    return hashlib.sha256(f"text\0{text}".encode()).hexdigest()
