"""Quote mode on questions with known answers, through the real store and models. All of them: pytest -m bench -s."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.answering.chain import Answerer
from bot.answering.model import Answer
from bot.answering.quotes import QuoteModel
from connectors.embedding import CrossEncoder
from tests.bot.answering.handbook_search import handbook_search
from tests.bot.answering.passages import pool, question

QUESTIONS: dict[str, list[Any]] = yaml.safe_load((Path(__file__).parent / "questions.yaml").read_text())
ANSWERABLE, UNANSWERABLE = QUESTIONS["answerable"], QUESTIONS["unanswerable"]


@pytest.fixture(scope="module")
def quoter(tmp_path_factory: pytest.TempPathFactory) -> Answerer:
    cross_encoder = CrossEncoder()
    search = handbook_search(tmp_path_factory.mktemp("handbook") / "index.db", cross_encoder)
    return Answerer(search, QuoteModel(scorer=cross_encoder), fallback=None, model_name="quotes", pool=pool())


def is_right(answer: Answer, expected: dict[str, str]) -> bool:
    return any(expected["quote"] in cited.quote and cited.document_id == expected["file"] for cited in answer.citations)


async def test_a_few_questions_are_answered_from_the_right_place(quoter: Answerer) -> None:
    for expected in ANSWERABLE[::12]:
        assert is_right(await quoter.answer(question(expected["ask"])), expected), expected["ask"]


async def test_a_few_unanswerable_ones_get_an_honest_no(quoter: Answerer) -> None:
    for asked in UNANSWERABLE[::10]:
        answer = await quoter.answer(question(asked))
        assert (answer.outcome, answer.citations) == ("not_found", ()), asked


@pytest.mark.bench
@pytest.mark.timeout(900)
async def test_most_are_right_and_hardly_any_is_invented(quoter: Answerer) -> None:
    answers = [(expected, await quoter.answer(question(expected["ask"]))) for expected in ANSWERABLE]
    wrong = [(expected["ask"], answer.text[:90]) for expected, answer in answers if not is_right(answer, expected)]
    noes = [(asked, await quoter.answer(question(asked))) for asked in UNANSWERABLE]
    invented = [(asked, answer.text[:90]) for asked, answer in noes if answer.outcome != "not_found"]
    seconds = sorted(answer.timings["model"] for _, answer in answers if "model" in answer.timings)
    print(f"right {len(answers) - len(wrong)}/{len(answers)}, honest {len(noes) - len(invented)}/{len(noes)}")  # noqa: T201
    print(f"model p50 {seconds[len(seconds) // 2]:.2f} s, p95 {seconds[-3]:.2f} s")  # noqa: T201
    print(wrong, invented)  # noqa: T201
    assert len(wrong) <= 0.15 * len(answers)
    assert len(invented) <= 0.1 * len(noes)
