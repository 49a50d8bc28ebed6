"""One answer judged against what was right to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.answering.model import Answer, Outcome
from bot.evaluation.answers.coverage import confidence_in
from bot.evaluation.answers.facts import Fact, missing_from, said_in
from bot.evaluation.answers.overlap import bleu, token_f1
from bot.evaluation.answers.plain import plain
from bot.evaluation.answers.questions import Case
from bot.evaluation.answers.sources import Sources, sources_of
from bot.evaluation.answers.support import Support, altered_quotes, support_in, without_marks

Reference = Literal["answer", "facts"]


@dataclass(frozen=True, slots=True)
class Taken:
    """An answer, and when it came: milliseconds from the question to the first text and to the end."""

    answer: Answer
    first_text_ms: float
    total_ms: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """How far an answer's words are those of the reference: the file's answer, or the facts joined."""

    reference: Reference
    token_f1: float
    bleu: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a question.

    ``is_right`` is an answer with every fact, or an honest no where none could be given. ``overlap`` and ``sources``
    are None where there is nothing to compare, ``support`` where nothing was answered.
    """

    case: Case
    taken: Taken
    is_right: bool
    facts_missing: tuple[Fact, ...] = ()
    overlap: Overlap | None = None
    support: Support | None = None
    sources: Sources | None = None
    altered_quotes: tuple[int, ...] = ()
    confidence: float = 0.0

    @property
    def outcome(self) -> Outcome:
        """How the question ended."""
        return self.taken.answer.outcome

    @property
    def facts_found(self) -> float:
        """The share of the facts that the answer holds."""
        return 1 - len(self.facts_missing) / len(self.case.facts)


def judged(case: Case, taken: Taken) -> Verdict:
    """The verdict on an answer. One that ended in an error is neither right nor compared."""
    answer = taken.answer
    if answer.outcome == "error":
        return Verdict(case, taken, is_right=False)
    answered = answer.outcome == "answered"
    text = without_marks(answer) if answered else ""
    missing = missing_from(text, case.facts)
    is_right = answered and not missing if case.is_answerable else not answered
    return Verdict(
        case,
        taken,
        is_right,
        facts_missing=missing,
        overlap=_overlap(case, text) if case.is_answerable else None,
        support=support_in(answer) if answered else None,
        sources=sources_of(answer.citations, case.sources) if case.sources else None,
        altered_quotes=altered_quotes(answer) if answered else (),
        confidence=confidence_in(case.ask, case.turns, answer),
    )


def _overlap(case: Case, text: str) -> Overlap:
    reference: Reference = "facts" if case.answer is None else "answer"
    wanted = plain(said_in(text, case.facts) if case.answer is None else case.answer)
    said = plain(text)
    return Overlap(reference, token_f1(said, wanted), bleu(said, wanted))
