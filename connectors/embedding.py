"""What turns text into vectors, and what judges a passage against a question."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from connectors.errors import Misconfigured, QuothError, TryLater
from connectors.model import Vector
from connectors.onnx import BGE_SMALL, MINILM, RERANKER, TOKENIZER, Transformer, threads_here
from connectors.ports import Embedder

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

QUESTION_PREFIX = "Represent this sentence for searching relevant passages: "
"""What bge-small was trained to see in front of a question."""

_BGE_IN_QUESTIONS = 0.6
_TOKENS_OF_BGE = 512
_TOKENS_OF_MINILM = 256
_TOKENS_OF_RERANKER = 512
_NICENESS = 3
_CHARACTERS_A_TOKEN = 20  # More than this many never matter: the rest is cut before tokenizing, which takes time.


def embedder_of(name: str) -> Embedder:
    """The embedder that a configuration names: ``local``, or any string that LangChain's init_embeddings takes.

    Raises:
        Misconfigured: LangChain knows no such model, its package is missing, or it refuses us.
        TryLater: The model does not answer now.
    """
    return LocalEmbedder() if name == "local" else LangChainEmbedder(name, _langchain_embeddings(name))


class LocalEmbedder:
    """bge-small-en-v1.5 and all-MiniLM-L6-v2 side by side: a dot product is a mean of their cosines.

    Texts hold both alike; a question weighs them, .6 and .4 (tests/bench/retrieval). Loaded at first use, without a
    network.

    Raises:
        Misconfigured: A model file is missing or altered; from the embedding methods.
    """

    dimensions: int = 768

    def __init__(self) -> None:
        self._bge = Transformer(BGE_SMALL, _TOKENS_OF_BGE, threads=1)
        self._minilm = Transformer(MINILM, _TOKENS_OF_MINILM, threads=1)
        files = "".join(file.sha256 for file in (BGE_SMALL, MINILM, TOKENIZER))
        self.fingerprint: str = f"local-1-{hashlib.sha256(files.encode()).hexdigest()[:12]}"

    def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
        """One vector a text, which depends on that text alone. A text a core at once, and behind everything else."""
        with ThreadPoolExecutor(threads_here(), thread_name_prefix="embedding", initializer=_stand_back) as pool:
            return list(pool.map(self._embedded, texts, texts))

    def embed_question(self, text: str) -> Vector:
        """The vector of a question."""
        return self._embedded(QUESTION_PREFIX + text, text, _BGE_IN_QUESTIONS)

    def _embedded(self, for_bge: str, for_minilm: str, bge: float = 0.5) -> Vector:
        first = self._bge.run(for_bge[: _TOKENS_OF_BGE * _CHARACTERS_A_TOKEN])[0]
        second = self._minilm.run(for_minilm[: _TOKENS_OF_MINILM * _CHARACTERS_A_TOKEN]).mean(axis=0)
        return _unit(np.concatenate((bge * _unit(first), (1 - bge) * _unit(second))))


class LangChainEmbedder:
    """Any LangChain embeddings model. Asks it for one vector at once, to know how many dimensions it has.

    Raises:
        Misconfigured: The model refuses us, or answers with something else than vectors.
        TryLater: It does not answer now; also from the embedding methods.
    """

    def __init__(self, name: str, embeddings: Embeddings) -> None:
        self._name = name
        self._embeddings = embeddings
        self.dimensions: int = 0
        self.dimensions = len(self.embed_question("dimensions"))
        self.fingerprint: str = f"{name}-{self.dimensions}"

    def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
        """One vector a text, in the same order."""
        if not texts:
            return []
        try:
            answered = self._embeddings.embed_documents(list(texts))
        except Exception as error:
            raise _failure_of(self._name, error) from error
        if len(answered) != len(texts):
            raise TryLater(f"The embedding model {self._name} gave {len(answered)} vectors for {len(texts)} texts.")
        return [self._checked(vector) for vector in answered]

    def embed_question(self, text: str) -> Vector:
        """The vector of a question."""
        try:
            answered = self._embeddings.embed_query(text)
        except Exception as error:
            raise _failure_of(self._name, error) from error
        return self._checked(answered)

    def _checked(self, answered: Iterable[float]) -> Vector:
        vector = np.asarray(answered, np.float32)
        if vector.ndim != 1 or not vector.size or (self.dimensions and vector.size != self.dimensions):
            raise Misconfigured(f"The embedding model {self._name} gave no vector of {self.dimensions} dimensions.")
        if not np.isfinite(vector).all() or not vector.any():
            raise TryLater(f"The embedding model {self._name} gave a vector without a direction.")
        return _unit(vector)


class CrossEncoder:
    """ms-marco-MiniLM: reads a question and a passage together and says how well they fit. Loaded at first use.

    ``asked`` is called whenever it works: somebody waits for an answer then.

    Raises:
        Misconfigured: The model file is missing or altered; from ``scores``.
    """

    def __init__(self, asked: Callable[[], None] = lambda: None) -> None:
        self._model = Transformer(RERANKER, _TOKENS_OF_RERANKER)
        self._asked = asked

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """The raw logit of each text: above 0 fits, far below does not; about 30 ms each on two cores."""
        self._asked()
        most = _TOKENS_OF_RERANKER * _CHARACTERS_A_TOKEN
        return [float(self._model.run(question[:most], text[:most])[0]) for text in texts]


def _stand_back() -> None:
    """Let every other thread of the machine go first; a thread of its own can be told so on Linux alone."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _unit(vector: Vector) -> Vector:
    unit: Vector = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
    return unit


def _langchain_embeddings(name: str) -> Embeddings:
    from langchain.embeddings import init_embeddings  # noqa: PLC0415  # Slow to import, and seldom needed.
    from langchain_core.embeddings import Embeddings  # noqa: PLC0415  # The same.

    try:
        embeddings = init_embeddings(name)
    except ImportError as error:
        raise Misconfigured(f"`embeddings: {name}` needs a package: {error}") from error
    except Exception as error:
        raise Misconfigured(
            f"`embeddings: {name}` names no model that can be used ({type(error).__name__}). Write `local`, or "
            "provider:model as LangChain's init_embeddings takes it, and set the provider's key."
        ) from error
    if not isinstance(embeddings, Embeddings):
        raise Misconfigured(f"`embeddings: {name}` names no embeddings model. Write `local` or provider:model.")
    return embeddings


def _failure_of(name: str, error: Exception) -> QuothError:
    """What a provider's own exception means. Its text is left out: it may quote a key or what was embedded."""
    status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    what = f"The embedding model {name} failed with {type(error).__name__}"
    if status in (400, 401, 403, 404):
        return Misconfigured(f"{what} ({status}): check its name and its key.")
    return TryLater(f"{what}{f' ({status})' if status else ''}.")
