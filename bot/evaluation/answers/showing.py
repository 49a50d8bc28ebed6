"""A measurement of answers for a person: a table of figures, then every question that failed and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from bot.console import err, out

_SECTIONS = {
    "Answers": {
        "correctness": "all facts said",
        "facts": "facts said",
        "token_f1": "token F1",
        "bleu": "BLEU",
        "false_refusals": "wrongly refused",
        "refusal_accuracy": "rightly refused",
        "accuracy": "right, all questions",
        "aurc": "risk over coverage (AURC)",
    },
    "Citations": {
        "citation_recall": "statements supported",
        "citation_precision": "citations that support",
        "source_recall": "expected sources cited",
        "source_precision": "cited sources expected",
    },
    "Milliseconds": {
        "first_text_ms_p50": "to the first text, median",
        "first_text_ms_p95": "to the first text, p95",
        "answer_ms_p50": "to the end, median",
        "answer_ms_p95": "to the end, p95",
    },
}
_KINDS = {
    "answerable": "answerable",
    "unanswerable": "unanswerable",
    "out_of_scope": "out of scope",
    "follow_up": "follow-ups, also counted above",
}


def show(told: Mapping[str, Any]) -> None:
    """What :meth:`bot.evaluation.answers.telling.Measured.to_json` tells."""
    out.print(_figures(told))
    out.print()
    out.print(_kinds(told["kinds"]))
    out.print()
    _show_failed(told["questions"])
    _show_counts(told)


def _figures(told: Mapping[str, Any]) -> Table:
    table = _table("", "value", "95 % interval")
    for section, names in _SECTIONS.items():
        table.add_row(Text(section, style="bold"))
        for name, label in names.items():
            table.add_row(f"  {label}", *_cells(told[name], "{:.0f}" if section == "Milliseconds" else "{:.3f}"))
    return table


def _kinds(kinds: Mapping[str, Any]) -> Table:
    table = _table("questions", "asked", "right", "share", "95 % interval")
    for name, label in _KINDS.items():
        kind = kinds[name]
        if kind["questions"]:
            table.add_row(label, str(kind["questions"]), str(kind["right"]), *_cells(kind["accuracy"], "{:.3f}"))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    return table


def _cells(figure: Mapping[str, float] | None, shown: str) -> tuple[str, str]:
    if figure is None:
        return "–", ""
    value, low, high = (shown.format(figure[part]) for part in ("value", "low", "high"))
    return value, f"{low} – {high}"


def _show_failed(questions: list[Mapping[str, Any]]) -> None:
    failed = [question for question in questions if not question["correct"]]
    if not failed:
        out.print("No question failed.")
        return
    out.print(Text(f"{len(failed)} failed:", style="bold"))
    for question in failed:
        line = f" (line {question['line']})" if question["line"] else ""
        out.print(Text.assemble(("✗", "red"), f" {question['id']}{line}: {question['ask']}"))
        out.print(Text(f"    {question['reason']}", style="dim"))


def _show_counts(told: Mapping[str, Any]) -> None:
    counts = told["counts"]
    models = ", ".join(f"{name} ({count})" for name, count in told["models"].items()) or "none"
    bases = ", ".join(told["knowledge_bases"])
    out.print(f"\n{counts['questions']} questions in {bases}; answered by: {models}", markup=False)
    exact = "every one an exact part of its passage"
    altered = counts["altered_quotes"]
    out.print(f"{counts['citations']} citations, {f'{altered} with an altered quote' if altered else exact}")
    if counts["to_review"]:
        err.print(f"{counts['to_review']} questions wait for a review and were not asked.")
    if told["bleu"] is None and counts["answerable"]:
        err.print('BLEU needs sacrebleu: pip install "quoth[evaluation]"', markup=False)
