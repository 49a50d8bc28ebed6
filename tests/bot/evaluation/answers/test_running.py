"""Every question of a file is asked in its knowledge base and thread; what comes is judged and told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.answering.model import Turn
from bot.evaluation.answers.reading import questions_in
from bot.evaluation.answers.running import measured
from bot.evaluation.answers.showing import show
from connectors.errors import Misconfigured, TryLater
from tests.bot.evaluation.answers.answered import DEPLOYS, LIMITS, answered
from tests.bot.evaluation.answers.scripted import BROKEN, ScriptedAnswerer, ScriptedHouse

FILE = """
knowledge_base: company
questions:
  - {id: takes, ask: "how long?", facts: [90 seconds], answer: It takes 90 seconds, sources: [docs/deploys.md]}
  - {id: limit, ask: "what limit?", facts: [[600, six hundred], per hour], sources: [docs/limits.md, deploys.md]}
  - {id: never, ask: "who pays?", facts: [accounting]}
  - {id: shoes, ask: "which shoes?", expect: nothing}
  - {id: moon, ask: "the moon?", expect: nothing, kind: out_of_scope}
  - {id: again, ask: "and then?", facts: [one approval], turns: [[user, "how long?"], [agent, 90 seconds.]]}
  - {id: broken, ask: "broken?", facts: [x]}
  - {id: later, ask: "unclear?", review: true}
""".replace("600, six", '"600", six')

ANSWERS = {
    "how long?": answered("A rollback takes 90 seconds. [1]"),
    "what limit?": answered("The Team plan allows 600 requests per minute. [2]"),
    "the moon?": answered("The Team plan allows 700 requests. [2]", quotes=(DEPLOYS, LIMITS.upper())),
    "and then?": answered("It needs one approval. [1]"),
    "broken?": BROKEN,
}


@pytest.fixture
def answerer() -> ScriptedAnswerer:
    return ScriptedAnswerer(ANSWERS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "questions.yaml"
    path.write_text(FILE)
    return path


def told_of(house: ScriptedHouse, file: Path, knowledge_base: str | None = None) -> dict[str, Any]:
    return measured(house, questions_in(file), knowledge_base).to_json()


def test_figures_are_those_counted_by_hand(answerer: ScriptedAnswerer, file: Path) -> None:
    told = told_of(ScriptedHouse(answerer), file)
    values = {name: figure["value"] for name, figure in told.items() if isinstance(figure, dict) and "value" in figure}

    assert values["correctness"] == 0.5  # takes and again of four; broken does not count
    assert values["facts"] == (1 + 1 / 2 + 0 + 1) / 4
    assert values["accuracy"] == 0.5  # and shoes, of six
    assert values["refusal_accuracy"] == 0.5
    assert values["false_refusals"] == 0.25
    assert values["citation_precision"] == values["citation_recall"] == 0.75
    assert values["source_recall"] == pytest.approx((1 + 1 / 2) / 2)
    assert values["source_precision"] == 1.0
    last = told["risk_coverage"][-1]
    assert (last["coverage"], last["risk"]) == (round(4 / 6, 6), 0.5)  # all four answers given, two of them wrong
    assert 0 < values["aurc"] < 1
    assert all(told[name]["low"] <= value <= told[name]["high"] for name, value in values.items())


def test_counts_and_kinds_add_up(answerer: ScriptedAnswerer, file: Path) -> None:
    told = told_of(ScriptedHouse(answerer), file)

    assert told["counts"] == {
        "questions": 7, "answerable": 5, "unanswerable": 1, "out_of_scope": 1, "follow_up": 1, "answered": 4,
        "not_found": 2, "errors": 1, "right": 3, "citations": 4, "altered_quotes": 1, "to_review": 1,
    }  # fmt: skip
    assert {kind: (row["questions"], row["right"], row["errors"]) for kind, row in told["kinds"].items()} == {
        "answerable": (5, 2, 1), "unanswerable": (1, 1, 0), "out_of_scope": (1, 0, 0), "follow_up": (1, 1, 0),
    }  # fmt: skip
    assert (told["models"], told["knowledge_bases"]) == ({"quotes": 6}, ["company"])


def test_every_question_is_told_with_its_reason(answerer: ScriptedAnswerer, file: Path) -> None:
    questions = {question["id"]: question for question in told_of(ScriptedHouse(answerer), file)["questions"]}

    assert {name: question["reason"] for name, question in questions.items()} == {
        "takes": None,
        "limit": "lacks “per hour”; expected from deploys.md",
        "never": "found nothing",
        "shoes": None,
        "moon": "was answered from git:docs:docs/limits.md, but an honest no is right",
        "again": None,
        "broken": "ended in an error: Something went wrong.",
    }
    takes = questions["takes"]
    assert (takes["outcome"], takes["correct"], takes["line"], takes["reference"]) == ("answered", True, 4, "answer")
    assert takes["token_f1"] == pytest.approx(2 * (3 / 4) * (3 / 4) / (3 / 4 + 3 / 4))  # takes 90 seconds; rollback, it
    assert (takes["cited"], takes["sources_missing"]) == (["git:docs:docs/deploys.md"], [])
    assert questions["limit"]["facts_missing"] == [["per hour"]]
    assert questions["limit"]["reference"] == "facts"
    assert questions["moon"]["altered_quotes"] == [2]
    assert questions["broken"]["error"] == "internal"


def test_each_is_asked_where_it_belongs_and_in_its_thread(
    tmp_path: Path, answerer: ScriptedAnswerer, file: Path
) -> None:
    file.write_text(FILE + "  - {ask: 'who won?', expect: nothing, knowledge_base: sport}\n")
    told = told_of(ScriptedHouse(answerer), file)

    assert [question.scope.knowledge_base for question in answerer.asked] == 7 * ["company"] + ["sport"]
    assert answerer.asked[5].turns == (Turn("user", "how long?"), Turn("agent", "90 seconds."))
    assert (told["knowledge_bases"], answerer.is_closed) == (["company", "sport"], True)

    answerer.asked.clear()
    told_of(ScriptedHouse(answerer), file, "sport")
    assert {question.scope.knowledge_base for question in answerer.asked} == {"sport"}


def test_the_only_knowledge_base_need_not_be_named(answerer: ScriptedAnswerer, file: Path) -> None:
    file.write_text(FILE.replace("knowledge_base: company", ""))
    assert told_of(ScriptedHouse(answerer, names=["company"]), file)["knowledge_bases"] == ["company"]
    with pytest.raises(Misconfigured, match="Name one with --kb: one of company, sport"):
        told_of(ScriptedHouse(answerer), file)


def test_time_to_the_first_text_is_not_that_to_the_end(file: Path) -> None:
    told = told_of(ScriptedHouse(ScriptedAnswerer(ANSWERS, seconds=0.03)), file)
    waited = {question["id"]: question["answer_ms"] - question["first_text_ms"] for question in told["questions"]}
    assert (waited["takes"] >= 25, waited["shoes"] < 25) == (True, True)  # an honest no comes at once, as a whole
    assert told["answer_ms_p50"]["value"] >= 25


@pytest.mark.parametrize(
    ("house", "said"),
    [
        ({"synced": {"docs": -1}}, "Never synced yet: docs. Run `quoth sync` first."),
        ({"synced": {}}, "Never synced yet: docs. Run `quoth sync` first."),
        ({"synced": {"docs": 0}}, "There is nothing in the knowledge base “company”"),
        ({"lost": ["docs"]}, "The index has lost chunks."),
    ],
)
def test_a_knowledge_base_that_cannot_answer_is_not_measured(
    answerer: ScriptedAnswerer, file: Path, house: dict[str, Any], said: str
) -> None:
    with pytest.raises(TryLater, match=said):
        told_of(ScriptedHouse(answerer, **house), file)
    assert answerer.asked == []


def test_nothing_is_measured_where_everything_fails(file: Path) -> None:
    file.write_text("questions:\n  - {ask: 'broken?', facts: [x], knowledge_base: company}\n")
    with pytest.raises(TryLater, match=r"No question could be answered. Something went wrong"):
        told_of(ScriptedHouse(ScriptedAnswerer(ANSWERS)), file)


def test_what_nobody_asked_has_no_figure(answerer: ScriptedAnswerer, file: Path) -> None:
    file.write_text("questions:\n  - {ask: 'which shoes?', expect: nothing, knowledge_base: company}\n")
    told = told_of(ScriptedHouse(answerer), file)
    assert [told[name] for name in ("correctness", "bleu", "citation_recall", "aurc", "source_recall")] == 5 * [None]
    assert told["refusal_accuracy"]["value"] == 1.0


def test_a_person_gets_a_table_and_the_failed_ones(
    answerer: ScriptedAnswerer, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = told_of(ScriptedHouse(answerer), file)
    show(json.loads(json.dumps(told)))
    said = capsys.readouterr()

    assert "all facts said" in said.out
    assert "4 failed:\n✗ limit (line 5): what limit?\n    lacks “per hour”; expected from deploys.md\n" in said.out
    assert "4 citations, 1 with an altered quote" in said.out
    assert "1 questions wait for a review and were not asked." in said.err
