"""The usual pipelines are what they are called: checked by hand on a few chunks, and against their own libraries."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from langchain_classic.retrievers.ensemble import EnsembleRetriever
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langsmith import tracing_context
from langsmith.utils import tracing_is_enabled

from bot.answering.model import Turn
from bot.evaluation.baselines import ALPHA, K1, B, Baselines, Hit, Keywords, relative_scores
from bot.evaluation.dataset import Case
from bot.evaluation.measuring import DEPTH
from bot.evaluation.pieces import Pieces
from connectors.model import Vector

TEXTS = (
    "The gate opens at seven and closes at ten.",
    "Lunch is served at noon. Bring a plate.",
    "Nobody may walk on the roof without a rope.",
    "The gate of the roof is closed.",
)
COMPASS = {"gate": (1.0, 0.0), "lunch": (0.0, 1.0), "both": (0.6, 0.8)}
VECTORS = ((0.8, 0.6), (0.0, 1.0), (-1.0, 0.0), (1.0, 0.0))


class Compass:
    """Embeds three questions, each in a direction of its own, and counts them."""

    fingerprint = "compass"
    dimensions = 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
        raise AssertionError("what the index has embedded is not embedded again")

    def embed_question(self, text: str) -> Vector:
        self.asked.append(text)
        return np.array(COMPASS[text], np.float32)


def pieces(texts: Sequence[str] = TEXTS, vectors: Sequence[tuple[float, float]] = VECTORS) -> Pieces:
    count = len(texts)
    return Pieces([f"d{row}" for row in range(count)], texts, np.array(vectors, np.float32), np.arange(count))


def case(text: str) -> Case:
    return Case("q", text, (Turn("user", "What is a plate?"), Turn("agent", "A lunch thing.")), {"d0": 1.0})


def test_bm25_is_the_formula_of_the_textbook() -> None:
    """Stop words gone and words stemmed, the chunks are 5, 5, 6 and 3 words long, and two of them have the gate."""
    rarity = math.log(1 + (4 - 2 + 0.5) / (2 + 0.5))
    lengths = (5, 5, 6, 3)
    by_hand = [
        rarity / (1 + K1 * (1 - B + B * length / np.mean(lengths))) if row in (0, 3) else 0
        for row, length in enumerate(lengths)
    ]
    assert Keywords(TEXTS).scores("Where are the gates?") == pytest.approx(by_hand)


def test_bm25_finds_nothing_where_no_word_of_the_question_occurs() -> None:
    usual = Baselines(pieces(), Compass())

    assert [row for row, _ in usual.by_words("gate")] == [3, 0]
    for nothing in ("the of and", "?", "зебра 斑馬", "x" * 4_000):
        assert usual.by_words(nothing) == []


def test_chunks_without_a_word_can_be_searched_all_the_same() -> None:
    assert Baselines(pieces(["?"] * 4), Compass()).by_words("gate") == []


def test_dense_is_the_cosine_with_the_vectors_that_are_there() -> None:
    compass = Compass()
    found = Baselines(pieces(), compass).by_meaning("both")

    assert found == [(row, pytest.approx(score)) for row, score in ((0, 0.96), (1, 0.8), (3, 0.6), (2, -0.6))]
    assert compass.asked == ["both"]


def test_of_a_thread_the_usual_pipelines_see_the_last_message() -> None:
    compass = Compass()
    for rank in Baselines(pieces(), compass).rankings().values():
        rank(case("gate"))

    assert set(compass.asked) == {"gate"}


def test_of_a_long_question_as_much_counts_as_of_ours() -> None:
    compass = Compass()
    with pytest.raises(KeyError):
        Baselines(pieces(), compass).rankings()["dense"](case("x" * 40_000))
    assert compass.asked == ["x" * 4_000]


def test_equals_stand_in_the_order_of_their_places_and_no_list_is_deeper_than_it_may() -> None:
    count = 2 * DEPTH
    many = pieces(["gate"] * count, [(1.0, 0.0)] * count)
    backwards = Pieces(many.documents, many.texts, many.vectors, np.arange(count)[::-1])

    for find in (Baselines(backwards, Compass()).by_words, Baselines(backwards, Compass()).by_meaning):
        assert [row for row, _ in find("gate")] == list(range(count - 1, DEPTH - 1, -1))


def test_the_ensemble_is_langchains_own_reciprocal_rank_fusion() -> None:
    """Words find 3, 0; the vectors 3, 0, 1, 2: weights of one half each, 60 more than the rank below the line."""
    usual = Baselines(pieces(), Compass())
    by_hand = {3: 1 / 61, 0: 1 / 62, 1: 0.5 / 63, 2: 0.5 / 64}

    assert usual.by_ranks("gate") == sorted(by_hand, key=by_hand.__getitem__, reverse=True)
    assert usual.by_ranks("gate") == _ensemble_of([3, 0], [3, 0, 1, 2])
    assert usual.by_ranks("lunch") == _ensemble_of([1], [1, 0, 2, 3])


def test_chunks_that_say_the_same_stay_two_in_the_ensemble() -> None:
    assert sorted(Baselines(pieces(["The gate."] * 4), Compass()).by_ranks("gate")) == [0, 1, 2, 3]


def test_nothing_is_sent_to_a_tracing_service_however_it_was_asked_for() -> None:
    traced: list[bool | str] = []

    class Watched(Compass):
        def embed_question(self, text: str) -> Vector:
            traced.append(tracing_is_enabled())
            return super().embed_question(text)

    with tracing_context(enabled=True):
        Baselines(pieces(), Watched()).by_ranks("gate")
    assert traced == [False]


@pytest.mark.parametrize(
    ("words", "meaning", "fused"),
    [
        # 5 → 1, 3 → .5, 1 → 0, of which a quarter counts; .9 → 1, .5 → .5, .1 → 0, of which three quarters do.
        ([(0, 5.0), (1, 3.0), (2, 1.0)], [(3, 0.9), (1, 0.5), (0, 0.1)], [(3, 0.75), (1, 0.5), (0, 0.25), (2, 0.0)]),
        ([], [(1, 0.9), (0, 0.2)], [(1, 0.75), (0, 0.0)]),
        ([(1, 2.0), (0, 1.0)], [], [(1, 0.25), (0, 0.0)]),
        ([], [], []),
        ([(2, 7.0)], [(0, 0.3), (1, 0.3)], [(0, 0.75), (1, 0.75), (2, 0.25)]),  # Equals count as the best.
        ([(0, 1.0), (1, 2.0)], [(0, 0.5), (2, 0.5), (1, 0.4)], [(0, 0.75), (2, 0.75), (1, 0.25)]),
        (
            [(1, 1.0), (0, 9.0)],
            [(2, -0.5), (3, 0.5)],
            [(3, 0.75), (0, 0.25), (1, 0.0), (2, 0.0)],
        ),  # Equal: by own score.
    ],
)
def test_the_relative_score_is_weaviates(words: list[Hit], meaning: list[Hit], fused: list[Hit]) -> None:
    assert ALPHA == 0.75
    assert relative_scores(words, meaning, np.arange(9)) == [(row, pytest.approx(score)) for row, score in fused]


def test_a_document_ranks_by_its_best_chunk() -> None:
    four = pieces()
    two = Pieces(["roof", "lunch", "lunch", "roof"], four.texts, four.vectors, four.places)
    rankings = Baselines(two, Compass()).rankings()

    assert list(rankings) == ["bm25", "dense", "ensemble_rrf", "weaviate_relative_score"]
    assert {name: rank(case("gate")) for name, rank in rankings.items()} == {
        "bm25": ["roof"],
        "dense": ["roof", "lunch"],
        "ensemble_rrf": ["roof", "lunch"],
        "weaviate_relative_score": ["roof", "lunch"],
    }


class Given(BaseRetriever):
    """A list that a test makes up."""

    rows: list[int]

    def _get_relevant_documents(self, query: str, **_: object) -> list[Document]:
        return [Document(page_content=str(row), metadata={"row": row}) for row in self.rows]


def _ensemble_of(*lists: list[int]) -> list[int]:
    """The class as somebody would use it who knows nothing of ours."""
    retriever = EnsembleRetriever(retrievers=[Given(rows=rows) for rows in lists], weights=[0.5, 0.5])
    return [int(document.page_content) for document in retriever.invoke("anything")]
