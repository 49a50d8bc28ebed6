"""Seals: how a chunk proves that this knowledge base wrote it, and that nobody changed it since."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace

from connectors.model import Chunk


def seal(key: bytes, chunk: Chunk) -> Chunk:
    """The chunk with its seal: an HMAC-SHA256 over its identity, title, headings, text, place and tags."""
    return replace(chunk, seal=_seal_of(key, chunk))


def is_sealed(key: bytes, chunk: Chunk) -> bool:
    """Whether the chunk carries the seal of this key and is, word for word, what was sealed."""
    return hmac.compare_digest(chunk.seal.encode(errors="replace"), _seal_of(key, chunk).encode())


def _seal_of(key: bytes, chunk: Chunk) -> str:
    identity = [chunk.source, chunk.document_id, chunk.version, chunk.pipeline, chunk.ordinal]
    words = [chunk.title, list(chunk.headings), chunk.text]
    place = [chunk.first_line, chunk.last_line, chunk.anchor]
    # JSON keeps the fields apart: no text can look like the end of one field and the start of the next.
    sealed = json.dumps([identity, words, place, sorted(chunk.tags)])
    return hmac.new(key, sealed.encode(), hashlib.sha256).hexdigest()
