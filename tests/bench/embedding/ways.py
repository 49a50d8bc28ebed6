"""Ways to run the two models over the same chunks, to be timed side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from connectors.model import Document
from connectors.onnx import BGE_SMALL, MINILM, TOKENIZER, ModelFile
from connectors.text.chunking import chunks_of, embedding_text_of
from tests.fakes.reference_data import reference_path

Vectors = NDArray[np.float32]
Way = Callable[[Sequence[str]], Vectors]


def chunks(count: int) -> list[str]:
    """What is embedded of documentation, spread evenly over a collection."""
    lines = reference_path("retrieval/anthropic_docs/corpus.jsonl").read_text(encoding="utf-8").splitlines()
    texts: list[str] = []
    for line in lines:
        page = json.loads(line)
        document = Document("bench", page["_id"], "1", page.get("title", ""), page["text"], "", "")
        texts += [embedding_text_of(chunk) for chunk in chunks_of(document, "bench")]
    return texts[:: max(1, len(texts) // count)][:count]


class Model:
    """One model in a session of its own."""

    def __init__(self, file: ModelFile, tokens: int, threads: int, *, spinning: bool = False) -> None:
        self._tokenizer = Tokenizer.from_buffer(TOKENIZER.read())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(tokens)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
        self._session = onnxruntime.InferenceSession(file.read(), options, providers=["CPUExecutionProvider"])

    def tokens_of(self, text: str) -> int:
        return len(self._tokenizer.encode(text).ids)

    def run(self, texts: Sequence[str]) -> list[Any]:
        """The hidden states of each text, of a batch padded to its longest."""
        encoded = [self._tokenizer.encode(text) for text in texts]
        width = max(len(one.ids) for one in encoded)
        ids, mask = np.zeros((2, len(texts), width), np.int64)
        for row, one in enumerate(encoded):
            ids[row, : len(one.ids)] = one.ids
            mask[row, : len(one.ids)] = 1
        names = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = self._session.run(None, names)[0]
        return [state[: len(one.ids)] for state, one in zip(states, encoded, strict=True)]


class Pair:
    """Both models, as the product puts them together."""

    def __init__(self, threads: int, *, spinning: bool = False) -> None:
        self.bge = Model(BGE_SMALL, 512, threads, spinning=spinning)
        self.minilm = Model(MINILM, 256, threads, spinning=spinning)

    def one_by_one(self, texts: Sequence[str]) -> Vectors:
        return np.array([self._vector([text])[0] for text in texts])

    def side_by_side(self, texts: Sequence[str]) -> Vectors:
        """A text a core."""
        with ThreadPoolExecutor(2) as pool:
            return np.array([vector for (vector,) in pool.map(lambda text: self._vector([text]), texts)])

    def model_by_model(self, texts: Sequence[str]) -> Vectors:
        """A model a core."""
        with ThreadPoolExecutor(2) as pool:
            sides = (
                pool.submit(lambda model=model: [model.run([text])[0] for text in texts])  # type: ignore[misc]
                for model in (self.bge, self.minilm)
            )
            first, second = [side.result() for side in list(sides)]
        return np.array([_joined(one, other) for one, other in zip(first, second, strict=True)])

    def batched(self, size: int) -> Way:
        """In batches of texts of about one length."""

        def way(texts: Sequence[str]) -> Vectors:
            order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
            found: dict[int, Vectors] = {}
            for start in range(0, len(order), size):
                batch = order[start : start + size]
                found |= dict(zip(batch, self._vector([texts[i] for i in batch]), strict=True))
            return np.array([found[i] for i in range(len(texts))])

        return way

    def _vector(self, texts: Sequence[str]) -> list[Vectors]:
        return [_joined(one, other) for one, other in zip(self.bge.run(texts), self.minilm.run(texts), strict=True)]


def _joined(bge: Vectors, minilm: Vectors) -> Vectors:
    sides = bge[0], minilm.mean(axis=0)
    return np.concatenate([side / np.linalg.norm(side) for side in sides]) / np.sqrt(2)
