"""Quote mode on every question about the sample company: pytest -m bench -s tests/bench/answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.answering.chain import Answerer
from bot.answering.model import Answer, Question
from bot.answering.quotes import QuoteModel
from bot.answering.retriever import Search
from connectors.embedding import CrossEncoder
from tests.bot.answering.company import KNOWLEDGE_BASE, QUESTIONS, Asked, questions_in, synced_company
from tests.bot.answering.passages import pool

Told = Sequence[tuple[Asked, Answer]]


@pytest.mark.bench
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(("reranker", "right", "honest"), [("local", 0.85, 0.9), ("none", 0.75, 0.85)])
async def test_most_are_right_and_hardly_any_is_invented(
    reranker: str, right: float, honest: float, tmp_path: Path
) -> None:
    scorer = CrossEncoder() if reranker == "local" else None
    with synced_company(tmp_path, reranker=reranker) as house:
        search = Search(house.indexes.live, house.ledger, scorer, rerank_seconds=60.0)
        answerer = Answerer(search, QuoteModel(scorer=scorer), fallback=None, model_name="quotes", pool=pool())
        scope = house.scope_of(KNOWLEDGE_BASE)
        told = [
            (asked, await answerer.answer(Question(asked.text, scope, asked.turns)))
            for asked in questions_in(QUESTIONS)
        ]
    for half in (True, False):
        print(f"\n{reranker}, {'fitted on' if half else 'reported'}: {_figures(told, half)}")  # noqa: T201
    print([asked.id for asked, answer in told if not asked.is_right(answer)])  # noqa: T201
    assert _share([one for one in told if one[0].answerable]) >= right
    assert _share([one for one in told if not one[0].answerable]) >= honest
    assert [answer.text for _, answer in told if _altered(answer)] == []


def _figures(told: Told, half: bool) -> str:
    ours = [(asked, answer) for asked, answer in told if asked.is_fitted_on is half]
    answerable = [one for one in ours if one[0].answerable]
    others = [one for one in ours if not one[0].answerable]
    return f"right {_share(answerable):.1%} of {len(answerable)}, honest {_share(others):.1%} of {len(others)}"


def _share(told: Told) -> float:
    return sum(asked.is_right(answer) for asked, answer in told) / len(told)


def _altered(answer: Answer) -> bool:
    texts = [(passage.document_id, passage.text) for passage in answer.passages]
    return any(
        not any(name == citation.document_id and citation.quote in text for name, text in texts)
        for citation in answer.citations
    )
