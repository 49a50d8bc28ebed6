"""Fits the floor again and says what it is good for: pytest -m bench -s tests/bench/answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answering.evidence import WITH_BOTH, WITH_COSINE, WITH_LOGIT, WITH_WORDS
from bot.answering.floor import evidence_in
from bot.answering.model import Question
from bot.answering.picking import standalone
from bot.answering.retriever import Search
from connectors.embedding import CrossEncoder
from tests.bench.answers.fitting import Seen, fitted, odds_on, of_kind, told
from tests.bot.answering.company import KNOWLEDGE_BASE, QUESTIONS, questions_in, synced_company
from tests.bot.answering.handbook_search import handbook_search
from tests.bot.answering.passages import question
from tests.bot.answering.test_calibration import ANSWERABLE, UNANSWERABLE

PASSAGES = 8
SCALES = {"both": WITH_BOTH, "logit": WITH_LOGIT, "cosine": WITH_COSINE, "words": WITH_WORDS}


@pytest.mark.bench
@pytest.mark.timeout(3_600)
def test_the_floor_is_what_one_half_of_the_questions_says(tmp_path: Path) -> None:
    (tmp_path / "company").mkdir()
    company = list(_seen_of_company(tmp_path / "company"))
    handbook = list(_seen_of_handbook(tmp_path))
    for kind, scale in SCALES.items():
        seen = [Seen(of_kind(kind, one.evidence), one.answerable, one.fitted_on) for one in (*company, *handbook)]
        half = [one for one in seen if one.fitted_on]
        others = [one for one in seen[: len(company)] if not one.fitted_on]
        refitted = fitted(half)
        print(f"\n{kind}: {refitted}\n  fitted on  {told(scale, half)}\n  company    {told(scale, others)}")  # noqa: T201
        print(f"  handbook   {told(scale, [one for one in seen[len(company) :] if not one.fitted_on])}")  # noqa: T201
        now, again = (odds_on(one, seen) >= one.worth_quoting for one in (scale, refitted))
        assert (now == again).mean() >= 0.95


def _seen_of_company(folder: Path) -> Iterator[Seen]:
    with synced_company(folder) as house:
        search = Search(house.indexes.live, house.ledger, house.cross_encoder, rerank_seconds=60.0)
        for asked in questions_in(QUESTIONS):
            found = search.best(Question(asked.text, house.scope_of(KNOWLEDGE_BASE), asked.turns), PASSAGES)
            alone = standalone(asked.text, [turn.text for turn in asked.turns if turn.speaker == "user"])
            yield Seen(evidence_in(alone, found.passages), asked.answerable, asked.is_fitted_on)


def _seen_of_handbook(folder: Path) -> Iterator[Seen]:
    search = handbook_search(folder / "handbook.db", CrossEncoder())
    questions = [*((expected["ask"], True) for expected in ANSWERABLE), *((asked, False) for asked in UNANSWERABLE)]
    for text, answerable in questions:
        half = hashlib.sha256(text.encode()).digest()[-1] % 2 == 0
        yield Seen(evidence_in(text, search.best(question(text), PASSAGES).passages), answerable, half)
