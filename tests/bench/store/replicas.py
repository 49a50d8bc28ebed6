"""A corpus of any size: replicas of the reference collections' chunks with words swapped and vectors shaken.

The vectors of replicas are no embeddings: nothing that is measured on them says how well anything is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.model import Chunk, Document, Vector, source_tag
from connectors.ports import Embedder
from connectors.text.analysis import terms_of
from connectors.text.chunking import chunks_of, embedding_text_of
from tests.bench.retrieval.measuring import Collection

DIMENSIONS = 384
CHUNKS_A_DOCUMENT = 20
SOURCES = 10
"""Every source has a tenth of the chunks; a question is asked in one or in two of them."""

_SEED = 20_261_121
_WORDS = 85
"""Words of a chunk: with its title about 70 analysed terms."""
_SWAPPED = 0.3
"""Words of a chunk that are drawn from all words as often as they occur: the distribution stays Zipf's."""
_NAMES = 0.01
"""Words of a chunk that are rare names, so that the vocabulary grows with the corpus."""
_NOISE = 0.5
"""Length of the noise on a vector of length 1: two replicas of one chunk have a cosine of about 0.8."""
_TERMS = range(6, 9)


@dataclass(frozen=True, slots=True)
class Replica:
    """A document to store, with the vectors of its chunks."""

    chunks: Sequence[Chunk]
    vectors: Sequence[Vector]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of six to eight terms, its vector, and the sources it is asked in."""

    text: str
    vector: Vector
    sources: tuple[str, ...]

    @property
    def tags(self) -> frozenset[str]:
        """The scope."""
        return frozenset(map(source_tag, self.sources))


class Replicas:
    """Makes documents and questions; the same ones every time."""

    def __init__(self, collections: Sequence[Collection], embedder: Embedder) -> None:
        chunks = [chunk for held in collections for document in held.documents for chunk in chunks_of(document, "b")]
        words = [chunk.text.split() for chunk in chunks]
        self._words = np.array([word for some in words for word in some], object)
        self._starts = np.cumsum([0, *map(len, words[:-1])])
        self._titles = [chunk.title for chunk in chunks]
        self._vectors = np.stack([_half(v) for v in embedder.embed_texts([embedding_text_of(c) for c in chunks])])
        self._asked = [
            (short, _half(embedder.embed_question(question.text)))
            for held in collections
            for key, question in held.questions.items()
            if key in held.relevant and (short := _shortened(question.text))
        ]

    def documents(self, chunks: int, version: str = "1") -> Iterator[Replica]:
        """Documents with so many chunks together. Those of another version are different in every chunk."""
        for number in range(chunks // CHUNKS_A_DOCUMENT):
            yield self.document(number, version)

    def document(self, number: int, version: str = "1") -> Replica:
        """One of the documents."""
        chance = np.random.default_rng([_SEED, number, *version.encode()])
        pool = len(self._titles)
        picked = (int(chance.integers(pool)) + np.arange(CHUNKS_A_DOCUMENT)) % pool
        source = f"s{number % SOURCES:02}"
        document = Document(
            source, f"{source}-{number}", version, self._titles[picked[0]], "", "", "", tags=_tags(source)
        )
        chunks = [
            _chunk(document, ordinal, self._titles[i], self._text(int(self._starts[i]), chance))
            for ordinal, i in enumerate(picked)
        ]
        return Replica(chunks, _shaken(self._vectors[picked], chance))

    def questions(self, number: int) -> list[Asked]:
        """Different questions in turn in a tenth and in a fifth of the chunks.

        Raises:
            ValueError: The collections have fewer questions of that length.
        """
        if number > len(self._asked):
            raise ValueError(f"there are only {len(self._asked)} questions")
        chance = np.random.default_rng(_SEED)
        chosen = chance.permutation(len(self._asked))[:number]
        scopes = [chance.permutation(SOURCES)[: 1 + turn % 2] for turn in range(number)]
        return [
            Asked(text, vector, tuple(f"s{source:02}" for source in scope))
            for (text, vector), scope in zip((self._asked[i] for i in chosen), scopes, strict=True)
        ]

    def _text(self, start: int, chance: np.random.Generator) -> str:
        fates, every = chance.random(_WORDS), len(self._words)
        own = np.arange(start, start + _WORDS) % every
        text = self._words[np.where(fates < _SWAPPED, chance.integers(every, size=_WORDS), own)]
        for place in np.flatnonzero(fates < _NAMES):
            text[place] = f"n{int(1_000_000 * chance.random() ** 3)}"
        return " ".join(text)


def _chunk(document: Document, ordinal: int, title: str, text: str) -> Chunk:
    return Chunk(
        source=document.source,
        document_id=document.document_id,
        version=document.version,
        pipeline="bench",
        ordinal=ordinal,
        title=title,
        headings=(),
        text=text,
        tags=document.tags,
        seal="0" * 64,
    )


def _tags(source: str) -> frozenset[str]:
    return frozenset({source_tag(source)})


def _half(vector: Vector) -> Vector:
    """The half of a vector that bge-small made, of length 1 again."""
    half = vector[:DIMENSIONS]
    unit: Vector = half / np.float32(np.linalg.norm(half))
    return unit


def _shaken(vectors: NDArray[np.float32], chance: np.random.Generator) -> list[Vector]:
    noise = chance.standard_normal(vectors.shape, np.float32) * np.float32(_NOISE / np.sqrt(vectors.shape[1]))
    shaken = vectors + noise
    return list(shaken / np.linalg.norm(shaken, axis=1, keepdims=True))


def _shortened(text: str) -> str:
    """The question without its last words, so that few terms are left; empty for one that has too few."""
    words = text.split()
    while len(set(terms_of(" ".join(words)))) > _TERMS[-1]:
        words.pop()
    return " ".join(words) if len(set(terms_of(" ".join(words)))) in _TERMS else ""
