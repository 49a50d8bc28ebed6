"""Quote mode on some of the questions about the sample company; on all of them: pytest -m bench tests/bench/answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.answering.chain import Answerer
from bot.answering.model import Answer, Question, Scope
from bot.answering.quotes import QuoteModel
from bot.answering.retriever import Search
from bot.rehearsal import company as rehearsal
from connectors.embedding import CrossEncoder
from connectors.model import Document
from tests.bot.answering.company import KNOWLEDGE_BASE, QUESTIONS, company_documents, questions_in
from tests.bot.answering.handbook_search import search_over
from tests.bot.answering.passages import pool

ASKED = {asked.id: asked for asked in questions_in(QUESTIONS)}
SOME = ("restore-command", "calibrate-steps", "hotel-limit", "sev4-meaning", "split-parental", "then-on-staging")
NONE = ("no-mongo-backup", "no-sev5", "no-salary-band", "out-lasagne")
ABOUT = (":1003", ":1005", ":1008", ":1013", ":2003", ":2010", ":2011", "/backups.md", "/staging.md", "/kubernetes.md")
SCOPE = Scope(KNOWLEDGE_BASE, frozenset({"source:docs", "source:wiki"}))


@dataclass(frozen=True, slots=True)
class Company:
    """A part of the sample company, which answers with quotes."""

    answerer: Answerer
    by_words: Answerer
    """Without a cross-encoder."""
    documents: Mapping[str, Document]
    answers: dict[str, Answer] = field(default_factory=dict)

    async def answer(self, name: str) -> Answer:
        if name not in self.answers:
            asked = ASKED[name]
            self.answers[name] = await self.answerer.answer(Question(asked.text, SCOPE, asked.turns))
        return self.answers[name]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("company")
    documents = {name: one for name, one in company_documents(folder).items() if name.endswith(ABOUT)}
    return Company(
        _quoting(search_over(documents.values(), folder / "index.db", scorer := CrossEncoder()), scorer),
        _quoting(search_over(documents.values(), folder / "words.db", None), None),
        documents,
    )


def _quoting(search: Search, scorer: CrossEncoder | None) -> Answerer:
    return Answerer(search, QuoteModel(scorer=scorer), fallback=None, model_name="quotes", pool=pool())


@pytest.mark.parametrize("name", [*SOME, *NONE])
async def test_a_question_is_answered_from_its_source_or_not_at_all(company: Company, name: str) -> None:
    answer = await company.answer(name)
    assert ASKED[name].is_right(answer), answer.text


@pytest.mark.parametrize("name", SOME)
async def test_a_quote_stands_in_its_document_to_the_letter(company: Company, name: str) -> None:
    answer = await company.answer(name)
    assert answer.citations
    for citation in answer.citations:
        assert citation.quote in company.documents[citation.document_id].text
        if citation.document_id.endswith(".md"):
            path = citation.document_id.removeprefix("git:docs:")
            assert citation.quote in (Path(rehearsal.__file__).parent / "repository" / path).read_text()


async def test_a_command_is_quoted_in_its_block_and_a_row_with_its_head(company: Company) -> None:
    command, row = await company.answer("restore-command"), await company.answer("hotel-limit")
    assert "```bash\nbackupctl list means --last 5\nbackupctl restore means --id" in command.text
    assert "| What | Limit |\n| --- | --- |\n| Hotel | 160 euros a night" in row.text


@pytest.mark.parametrize(
    "text",
    [
        "Wie lange werden Backups aufbewahrt?",
        "バックアップはどこですか",
        "¿Cuánto cuesta el almuerzo?",
        "?",
        "x",
        "the of and is it",
        "`kubectl drain node-7`",
        "for (;;) { ship(); }",
        "SELECT * FROM means WHERE id = 1; --",
    ],
)
async def test_an_odd_question_ends_in_an_answer_or_an_honest_no(company: Company, text: str) -> None:
    answer = await company.by_words.answer(Question(text, SCOPE))
    assert answer.outcome in ("answered", "not_found")
    assert bool(answer.citations) == (answer.outcome == "answered")
    assert answer.timings["total"] < 5.0


async def test_of_a_very_long_question_the_beginning_counts_and_the_answer_says_so(company: Company) -> None:
    answer = await company.answerer.answer(Question("how do I restore a backup " + "and then " * 4_500, SCOPE))
    assert answer.outcome in ("answered", "not_found")
    assert any("Only the first 4,000 characters" in note for note in answer.notes)
    assert answer.timings["total"] < 20.0


async def test_a_question_in_another_language_is_read_by_every_model(company: Company) -> None:
    answer = await company.answerer.answer(Question("Wie lange werden Backups aufbewahrt?", SCOPE))
    assert answer.outcome in ("answered", "not_found")
