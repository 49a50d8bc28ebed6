"""Small datasets, written where a test wants them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

DOCUMENTS = (
    {"_id": "gate", "title": "The gate", "text": "The gate opens at seven and closes at ten."},
    {"_id": "lunch", "title": "The kitchen", "text": "Lunch is served at noon. Bring a plate."},
    {"_id": "roof", "title": "The roof", "text": "Nobody may walk on the roof without a rope."},
)
QUERIES: tuple[Mapping[str, Any], ...] = (
    {"_id": "q1", "text": "When does the gate open?"},
    {"_id": "q2", "text": "What do I bring to lunch?"},
)
JUDGEMENTS = "query-id\tcorpus-id\tscore\nq1\tgate\t1\nq2\tlunch\t2\n"


def lines_of(records: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def write_dataset(
    folder: Path,
    documents: Iterable[Mapping[str, Any]] = DOCUMENTS,
    queries: Iterable[Mapping[str, Any]] = QUERIES,
    judgements: str = JUDGEMENTS,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "corpus.jsonl").write_text(lines_of(documents))
    (folder / "queries.jsonl").write_text(lines_of(queries))
    (folder / "qrels.tsv").write_text(judgements)
    return folder
