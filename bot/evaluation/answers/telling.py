"""What a measurement of answers found, as ``quoth eval --answers --json`` prints it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.evaluation.answers.coverage import curve
from bot.evaluation.answers.facts import Fact
from bot.evaluation.answers.judging import Verdict
from bot.evaluation.answers.questions import Questions
from bot.evaluation.answers.scoring import by_kind, counts_of, figures_of, sure_ones
from bot.evaluation.intervals import Estimate

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Measured:
    """The verdicts on all questions of a file, in its order, and the knowledge bases that they were asked in."""

    questions: Questions
    verdicts: Sequence[Verdict]
    knowledge_bases: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Figures by name, each with its interval or null; counts; the breakdown; the curve; and every question."""
        told = [verdict for verdict in self.verdicts if verdict.outcome != "error"]
        models = Counter(verdict.taken.answer.model for verdict in told if verdict.taken.answer.model)
        return {
            **{name: _json(figure) for name, figure in figures_of(self.verdicts).items()},
            "counts": counts_of(self.verdicts, self.questions.waiting),
            "kinds": {
                kind: {name: _json(value) for name, value in row.items()}
                for kind, row in by_kind(self.verdicts).items()
            },
            "risk_coverage": [_rounded(asdict(point)) for point in curve(sure_ones(told), len(told))],
            "models": dict(models),
            "knowledge_bases": list(self.knowledge_bases),
            "questions": [_question(verdict) for verdict in self.verdicts],
        }


def _question(verdict: Verdict) -> dict[str, Any]:
    case, answer = verdict.case, verdict.taken.answer
    support, overlap, sources = verdict.support, verdict.overlap, verdict.sources
    told = {
        "id": case.name,
        "line": case.line,
        "kind": case.kind,
        "follow_up": bool(case.turns),
        "outcome": answer.outcome,
        "correct": verdict.is_right,
        "reason": reason_of(verdict),
        "ask": case.ask,
        "answer": answer.text,
        "facts_missing": [list(fact) for fact in verdict.facts_missing],
        "sources_missing": list(sources.missing) if sources else [],
        "sources_unexpected": list(sources.unexpected) if sources else [],
        "cited": list(dict.fromkeys(citation.document_id for citation in answer.citations)),
        "altered_quotes": list(verdict.altered_quotes),
        "citation_precision": support.precision if support else None,
        "citation_recall": support.recall if support else None,
        "reference": overlap.reference if overlap else None,
        "token_f1": overlap.token_f1 if overlap else None,
        "bleu": overlap.bleu if overlap else None,
        "confidence": verdict.confidence if answer.outcome != "error" else None,
        "first_text_ms": verdict.taken.first_text_ms,
        "answer_ms": verdict.taken.total_ms,
        "model": answer.model or None,
        "error": answer.failure.kind if answer.failure else None,
    }
    return _rounded(told)


def reason_of(verdict: Verdict) -> str | None:
    """Why a question counts as failed, in words; None when it was right."""
    answer = verdict.taken.answer
    if answer.failure is not None:
        return f"ended in an error: {answer.failure.message}"
    if verdict.is_right:
        return None
    cited = ", ".join(dict.fromkeys(citation.document_id for citation in answer.citations))
    if not verdict.case.is_answerable:
        return f"was answered from {cited}, but an honest no is right"
    expected = f"; expected from {', '.join(verdict.case.sources)}" if verdict.case.sources else ""
    if answer.outcome == "not_found":
        return f"found nothing{expected}"
    missing = "; ".join(_shown(fact) for fact in verdict.facts_missing)
    wrong_place = (
        f"; expected from {', '.join(verdict.sources.missing)}" if verdict.sources and verdict.sources.missing else ""
    )
    return f"lacks {missing}{wrong_place}"


def _shown(fact: Fact) -> str:
    return " or ".join(f"“{way}”" for way in fact)


def _json(figure: Estimate | int | None) -> Any:
    return figure.to_json() if isinstance(figure, Estimate) else figure


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, _DIGITS) if isinstance(value, float) else value for name, value in values.items()}
