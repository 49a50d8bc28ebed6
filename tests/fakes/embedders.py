"""An embedder that needs no model: texts that share words are near each other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from connectors.errors import TryLater
from connectors.model import Vector
from connectors.text.analysis import terms_of


@dataclass
class WordEmbedder:
    """Each word has a place on the sphere of its own. ``embedded`` counts texts, ``patience`` says when it gives up."""

    fingerprint: str = "words-64"
    dimensions: int = 64
    embedded: int = 0
    patience: int | None = None
    batches: list[int] = field(default_factory=list)

    def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
        if self.patience is not None and self.embedded + len(texts) > self.patience:
            raise TryLater("the embedder is down")
        self.embedded += len(texts)
        self.batches.append(len(texts))
        return [self.embed_question(text) for text in texts]

    def embed_question(self, text: str) -> Vector:
        total = np.full(self.dimensions, 1e-6, dtype=np.float32)
        for word in terms_of(text):
            total[int(hashlib.sha256(word.encode()).hexdigest(), 16) % self.dimensions] += 1.0
        return total / np.float32(np.linalg.norm(total))
