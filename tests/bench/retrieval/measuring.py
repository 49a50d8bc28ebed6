"""Measures search through the real pipeline: chunking, SQLite store, local embedder, fusion, thread weighting."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.answering.model import Question, Retrieved, Scope, Turn
from connectors.ledger.ledger import Vouched, Vouching
from connectors.model import Chunk, Document
from connectors.ports import Embedder, KnowledgeStore
from connectors.text.chunking import chunks_of, embedding_text_of

SOURCE = "bench"
SCOPE = Scope("bench", frozenset({f"source:{SOURCE}"}))
_FAR = 37


class EverythingIsVouchedFor:
    """A ledger that refuses nothing: ranking is measured, not access."""

    def vouch(self, chunks: Sequence[Chunk], tags: frozenset[str]) -> Vouching:
        return Vouching({c.chunk_id: Vouched(c.title, "", "", (), None) for c in chunks}, {})


@dataclass(frozen=True, slots=True)
class Collection:
    """A BEIR folder: documents, questions with their threads, and which documents answer which question."""

    documents: tuple[Document, ...]
    questions: Mapping[str, Question]
    relevant: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the questions of a collection, 0 to 1, and seconds a search."""

    ndcg_at_10: float
    recall_at_5: float
    precision_at_3: float
    recall_at_3: float
    mrr_at_3: float
    median_seconds: float
    p95_seconds: float

    def __str__(self) -> str:
        at_3 = f"P/R/MRR@3 {self.precision_at_3:.3f}/{self.recall_at_3:.3f}/{self.mrr_at_3:.3f}"
        times = f"p50 {1000 * self.median_seconds:.0f} ms p95 {1000 * self.p95_seconds:.0f} ms"
        return f"nDCG@10 {100 * self.ndcg_at_10:.1f}  R@5 {100 * self.recall_at_5:.1f}  {at_3}  {times}"


def collection_in(folder: Path) -> Collection:
    relevant: dict[str, dict[str, float]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        question, document, score = line.split("\t")
        relevant.setdefault(question, {})[document] = float(score)
    questions = {row["_id"]: _question(row) for row in _rows(folder / "queries.jsonl")}
    return Collection(tuple(map(_document, _rows(folder / "corpus.jsonl"))), questions, relevant)


def with_wrong_answers(collection: Collection) -> Collection:
    """The same threads, the last answer in each replaced by that of a thread that began otherwise."""
    keys = list(collection.questions)
    last = {key: [turn for turn in collection.questions[key].turns if turn.speaker == "agent"][-1:] for key in keys}
    questions = {}
    for place, key in enumerate(keys):
        turns = collection.questions[key].turns
        others = (keys[(place + step * _FAR) % len(keys)] for step in range(1, len(keys)))
        wrong = next(
            (turn for other in others if _begins(collection, other) != turns[:1] for turn in last[other]), None
        )
        changed = tuple(wrong if wrong and [turn] == last[key] else turn for turn in turns)
        questions[key] = replace(collection.questions[key], turns=changed)
    return replace(collection, questions=questions)


def _begins(collection: Collection, key: str) -> tuple[Turn, ...]:
    return collection.questions[key].turns[:1]


def fill(store: KnowledgeStore, embedder: Embedder, documents: Sequence[Document]) -> None:
    for document in documents:
        store.put(chunks_of(document, "bench"))
    while chunks := store.unembedded(256):
        vectors = embedder.embed_texts([embedding_text_of(chunk) for chunk in chunks])
        store.embed({chunk.chunk_id: vector for chunk, vector in zip(chunks, vectors, strict=True)})


def measured(collection: Collection, search: Callable[[Question], Retrieved]) -> Figures:
    rows, seconds = [], []
    for key, relevant in collection.relevant.items():
        began = time.perf_counter()
        found = search(collection.questions[key])
        seconds.append(time.perf_counter() - began)
        ranked = list(dict.fromkeys(passage.document_id for passage in found.passages))
        rows.append(_figures_of(ranked, relevant))
    seconds.sort()
    ndcg, recall, precision, recall_at_3, mrr = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    return Figures(
        ndcg, recall, precision, recall_at_3, mrr, seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.95)]
    )


def _figures_of(ranked: Sequence[str], relevant: Mapping[str, float]) -> tuple[float, ...]:
    gains = [relevant.get(document, 0.0) for document in ranked[:10]]
    ideal = sorted(relevant.values(), reverse=True)[:10]
    hits = [document in relevant for document in ranked]
    first = next((1 / rank for rank, hit in enumerate(hits[:3], start=1) if hit), 0.0)
    recall = [sum(hits[:depth]) / len(relevant) for depth in (5, 3)]
    return (_dcg(gains) / _dcg(ideal), recall[0], sum(hits[:3]) / 3, recall[1], first)


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _document(row: Mapping[str, Any]) -> Document:
    return Document(
        source=SOURCE,
        document_id=row["_id"],
        version="1",
        title=row.get("title", ""),
        text=row["text"],
        url="",
        link="",
        tags=SCOPE.tags,
        markup="plain",
    )


def _question(row: Mapping[str, Any]) -> Question:
    turns = [(speaker, text) for speaker, text in row.get("turns", ())]
    if turns and turns[-1] == ("user", row["text"]):
        turns.pop()
    return Question(row["text"], SCOPE, tuple(Turn(speaker, text) for speaker, text in turns))
