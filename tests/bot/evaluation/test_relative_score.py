"""Our fusion by relative score is what a real Weaviate makes of the same two lists, with nothing said about it."""

from __future__ import annotations

import json
import uuid
from typing import Any

import numpy as np
import pytest

from bot.evaluation.baselines import Hit, relative_scores
from bot.evaluation.measuring import DEPTH
from connectors.store.weaviate.place import WeaviatePlace
from tests.weaviate_servers import asked

COUNT = 3 * DEPTH // 2
DRAW = np.random.default_rng(11)
WORDS = ("gate", "roof", "lunch", "rope", "plate", "noon", "seven", "door")
IDS = [str(uuid.UUID(int=int(number))) for number in DRAW.integers(1 << 62, size=COUNT)]
PLACES = np.argsort(np.argsort(IDS))


class Server:
    """A collection with random words and vectors, asked past the client."""

    def __init__(self, place: WeaviatePlace) -> None:
        self._place = place
        self._name = place.collection
        asked(place, "POST", "/v1/schema", {"class": self._name, "vectorizer": "none", "properties": [_TEXT]})
        objects = [
            {
                "class": self._name,
                "id": key,
                "vector": DRAW.normal(size=8).tolist(),
                "properties": {"text": " ".join(DRAW.choice(WORDS, DRAW.integers(1, 12)))},
            }
            for key in IDS
        ]
        stored = asked(place, "POST", "/v1/batch/objects", {"objects": objects})
        assert isinstance(stored, list)
        assert [one["result"]["status"] for one in stored] == ["SUCCESS"] * COUNT

    def found(self, search: str, figure: str) -> list[Hit]:
        """The rows that a search finds, best first, each with its figure."""
        query = f"{{Get{{{self._name}({search}, limit: {DEPTH}){{_additional{{id {figure}}}}}}}}}"
        answer: Any = asked(self._place, "POST", "/v1/graphql", {"query": query})
        assert "errors" not in answer, answer
        found = [one["_additional"] for one in answer["data"]["Get"][self._name]]
        return [(IDS.index(one["id"]), float(one[figure])) for one in found]


_TEXT = {"name": "text", "dataType": ["text"], "tokenization": "word"}


@pytest.mark.weaviate
def test_the_fusion_is_weaviates_own(weaviate_place: WeaviatePlace) -> None:
    server = Server(weaviate_place)
    for question in ("gate", "roof lunch", "rope plate seven", "unheard"):
        vector = DRAW.normal(size=8).tolist()
        words = server.found(f"bm25: {{query: {json.dumps(question)}}}", "score")
        meaning = [(row, 1 - far) for row, far in server.found(f"nearVector: {{vector: {vector}}}", "distance")]
        hybrid = server.found(f"hybrid: {{query: {json.dumps(question)}, vector: {vector}}}", "score")
        fused = relative_scores(words, meaning, PLACES)[:DEPTH]

        assert [score for _, score in hybrid] == pytest.approx([score for _, score in fused], abs=1e-4)
        ours = dict(fused)
        assert {row: ours.get(row, 0.0) for row, _ in hybrid} == pytest.approx(dict(hybrid), abs=1e-4)
