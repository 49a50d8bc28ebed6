"""Verdicts in, figures out: means over questions, each with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from bot.evaluation.answers.coverage import Sure, aurc
from bot.evaluation.answers.judging import Verdict
from bot.evaluation.intervals import Estimate, estimate, mean, percentile

Figure = Estimate | None
"""None where no question can tell: no unanswerable one was asked, or nothing was answered."""

PERCENTILES = (50, 95)


def figures_of(verdicts: Sequence[Verdict]) -> dict[str, Figure]:
    """Every figure by name: shares from 0 to 1, times in milliseconds. Errors are left out."""
    told = [verdict for verdict in verdicts if verdict.outcome != "error"]
    answerable = [verdict for verdict in told if verdict.case.is_answerable]
    answered = [verdict for verdict in told if verdict.outcome == "answered"]
    others = [verdict for verdict in told if not verdict.case.is_answerable]
    return {
        "accuracy": _mean(verdict.is_right for verdict in told),
        "correctness": _mean(verdict.is_right for verdict in answerable),
        "facts": _mean(verdict.facts_found for verdict in answerable),
        **_overlaps(answerable),
        **_citations(answered),
        **_sources(answerable, answered),
        "refusal_accuracy": _mean(verdict.is_right for verdict in others),
        "false_refusals": _mean(verdict.outcome == "not_found" for verdict in answerable),
        "aurc": aurc(sure_ones(told)) if answered else None,
        **_times("first_text_ms", [verdict.taken.first_text_ms for verdict in told]),
        **_times("answer_ms", [verdict.taken.total_ms for verdict in told]),
    }


def sure_ones(verdicts: Sequence[Verdict]) -> list[Sure]:
    """The answers that were given, for the risk-coverage curve."""
    return [Sure(verdict.confidence, not verdict.is_right) for verdict in verdicts if verdict.outcome == "answered"]


def counts_of(verdicts: Sequence[Verdict], waiting: int) -> dict[str, int]:
    """How many questions of each kind were asked, and how they ended."""
    kinds = Counter(verdict.case.kind for verdict in verdicts)
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    return {
        "questions": len(verdicts),
        "answerable": kinds["answerable"],
        "unanswerable": kinds["unanswerable"],
        "out_of_scope": kinds["out_of_scope"],
        "follow_up": sum(bool(verdict.case.turns) for verdict in verdicts),
        "answered": outcomes["answered"],
        "not_found": outcomes["not_found"],
        "errors": outcomes["error"],
        "right": sum(verdict.is_right for verdict in verdicts),
        "citations": sum(len(verdict.taken.answer.citations) for verdict in verdicts),
        "altered_quotes": sum(len(verdict.altered_quotes) for verdict in verdicts),
        "to_review": waiting,
    }


def by_kind(verdicts: Sequence[Verdict]) -> dict[str, Mapping[str, int | Figure]]:
    """How many of each kind ended right. Follow-ups are those with earlier turns; they are of another kind, too."""
    kinds = {
        kind: [v for v in verdicts if v.case.kind == kind] for kind in ("answerable", "unanswerable", "out_of_scope")
    }
    kinds["follow_up"] = [verdict for verdict in verdicts if verdict.case.turns]
    return {kind: _kind(of_kind) for kind, of_kind in kinds.items()}


def _kind(verdicts: Sequence[Verdict]) -> dict[str, int | Figure]:
    told = [verdict for verdict in verdicts if verdict.outcome != "error"]
    return {
        "questions": len(verdicts),
        "right": sum(verdict.is_right for verdict in told),
        "errors": len(verdicts) - len(told),
        "accuracy": _mean(verdict.is_right for verdict in told),
    }


def _overlaps(answerable: Sequence[Verdict]) -> dict[str, Figure]:
    overlaps = [verdict.overlap for verdict in answerable if verdict.overlap is not None]
    return {
        "token_f1": _mean(overlap.token_f1 for overlap in overlaps),
        "bleu": _mean(overlap.bleu for overlap in overlaps),
    }


def _citations(answered: Sequence[Verdict]) -> dict[str, Figure]:
    supports = [verdict.support for verdict in answered if verdict.support is not None]
    return {
        "citation_precision": _mean(support.precision for support in supports),
        "citation_recall": _mean(support.recall for support in supports),
    }


def _sources(answerable: Sequence[Verdict], answered: Sequence[Verdict]) -> dict[str, Figure]:
    cited = [verdict.sources for verdict in answered if verdict.sources is not None and verdict.sources.cited]
    expecting = [verdict for verdict in answerable if verdict.sources is not None]
    return {
        "source_precision": _mean(1 - len(sources.unexpected) / len(sources.cited) for sources in cited),
        "source_recall": _mean(
            1 - len(verdict.sources.missing) / len(verdict.case.sources) for verdict in expecting if verdict.sources
        ),
    }


def _times(name: str, milliseconds: Sequence[float]) -> dict[str, Figure]:
    return {
        f"{name}_p{percent}": estimate(milliseconds, percentile(percent)) if milliseconds else None
        for percent in PERCENTILES
    }


def _mean(values: Iterable[float | None]) -> Figure:
    """The mean of what there is."""
    known = [value for value in values if value is not None]
    return estimate(known, mean) if known else None
