"""A question file is read whole, or every mistake in it is named with its line."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bot.answering.model import Turn
from bot.evaluation.answers.form import schema
from bot.evaluation.answers.reading import LONGEST_LINE, BadQuestions, questions_in

_TWICE = "line 3: question 2: the id “q1” is that of the question in line 2 already."
FILE = """
knowledge_base: company
questions:
  - id: rollback
    ask: "How do I roll back the last release?"
    facts: ["shipctl rollback payments", ["90 seconds", "ninety seconds"]]
    answer: "With shipctl, in 90 seconds."
    sources: ["docs/deploys.md"]
  - ask: "And on staging?"
    facts: ["shipctl rollback staging"]
    turns: [["user", "How do I roll back?"], ["agent", "With shipctl."]]
  - {ask: "What is the CEO's shoe size?", expect: nothing, kind: out_of_scope}
  - {id: 7, ask: "Who won?", expect: nothing, knowledge_base: sport}
  - {ask: "What is E4017?", facts: [], review: true}
"""


def written(tmp_path: Path, text: str | bytes, name: str = "questions.yaml") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_gives_its_questions_in_order(tmp_path: Path) -> None:
    asked = questions_in(written(tmp_path, FILE))
    first, second, third, fourth = asked.cases

    assert (asked.knowledge_base, asked.waiting) == ("company", 1)
    assert [case.name for case in asked.cases] == ["rollback", "q2", "q3", "7"]
    assert [case.line for case in asked.cases] == [4, 9, 12, 13]
    assert first.facts == (("shipctl rollback payments",), ("90 seconds", "ninety seconds"))
    assert (first.answer, first.sources, first.turns) == ("With shipctl, in 90 seconds.", ("docs/deploys.md",), ())
    assert second.turns == (Turn("user", "How do I roll back?"), Turn("agent", "With shipctl."))
    assert [case.kind for case in asked.cases] == ["answerable", "answerable", "out_of_scope", "unanswerable"]
    assert (third.knowledge_base, fourth.knowledge_base) == (None, "sport")


def test_json_lines_say_the_same_with_or_without_their_name(tmp_path: Path) -> None:
    questions = ('{"ask": "Who?", "facts": ["me"], "sources": null}', "", '{"ask": "Why?", "expect": "nothing"}')
    lines = "\n".join(['{"knowledge_base": "company"}', *questions])
    for name in ("questions.jsonl", "questions.json", "questions"):
        asked = questions_in(written(tmp_path, lines, name))
        assert (asked.knowledge_base, [case.line for case in asked.cases]) == ("company", [2, 4])


def test_json_is_yaml(tmp_path: Path) -> None:
    asked = questions_in(
        written(tmp_path, json.dumps({"questions": [{"ask": "Who?", "facts": ["me"]}]}), "questions.json")
    )
    assert asked.cases[0].ask == "Who?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "questions.yaml: the file is empty."),
        ("questions: []", "questions.yaml, line 1: there is no question in it."),
        ("- ask: who", "questions.yaml: the file must hold “questions:”, a list."),
        ("question:\n- {ask: who, facts: [x]}", "line 1: “question” is not a key of a question file; did you mean “"),
        ("questions:\n- who", "line 2: question 1 must hold “ask” and what goes with it."),
        ("questions:\n- {facts: [x]}", "line 2: question 1: “ask” is missing."),
        ("questions:\n- ask: ' '\n  facts: [x]", "line 2: question 1: “ask” is empty."),
        ("questions:\n- ask: who\n  fact: [x]", "“fact” is not a key of a question; did you mean “facts”?"),
        ("questions:\n- id: a\n  ask: who\n", "line 2: question 1 (“a”) needs “facts”"),
        ("questions:\n- ask: who\n  facts: [x,\n    90]", "line 4: question 1: “facts” 2 must be a text; put it"),
        ("questions:\n- ask: who\n  facts: [[]]", "line 3: question 1: “facts” 1 is empty."),
        ("questions:\n- ask: who\n  facts: x", "line 3: question 1: “facts” must be a list, such as [“…”]."),
        ("questions:\n- {ask: who, facts: [x, '…']}", "has no word, number or sign to look for in “facts” 2"),
        ("questions:\n- {ask: who, expect: nothing, facts: [x]}", "expects nothing, so it can have no “facts”."),
        ("questions:\n- {ask: who, expect: never}", "line 2: question 1: “expect” must be answer or nothing."),
        ("questions:\n- {ask: who, facts: [x], kind: unanswerable}", "“kind: unanswerable” is for questions with"),
        ("questions:\n- {ask: who, facts: [x], turns: [[bot, hi]]}", "line 2: question 1: “turns” must look like [["),
        ("questions:\n- {ask: who, facts: [x], turns: [[user]]}", "“turns” must look like"),
        ("questions:\n- {ask: who, facts: [x], review: soon}", "line 2: question 1: “review” must be true or false."),
        ("questions:\n- {ask: who, facts: [x]}\n- {id: q1, ask: who, facts: [x]}", _TWICE),
        ("questions:\n- ask: who\n  facts: [x]\n  ask: what", "line 4: “ask” is there twice."),
        ("questions:\n- {ask: who, review: true}", "every question in it waits for a review"),
        ("questions: [", "line 1: this is not YAML"),
        ("questions:\n- {ask: 'a\x07', facts: [x]}", "line 2: there is a character that YAML does not allow."),
        (b"questions:\n- {ask: \xff}", "line 2: this is not UTF-8."),
        ("questions:\n- ask: " + "x" * LONGEST_LINE, "line 2: the line is longer than 1 MB."),
        ("[" * 1_000, "this is not YAML that anybody can read."),
        ("questions: &a\n- *a", "line 1: question 1 must hold"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence_with_its_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(BadQuestions) as refused:
        questions_in(written(tmp_path, text))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"ask": "who", "facts": ["x"]}\n{"ask": "who"\n', "line 2: this is not JSON (Expecting ',' delimiter,"),
        ('{"ask": "who", "ask": "what", "facts": ["x"]}', "line 1: “ask” is there twice."),
        ('{"ask": "who", "facts": ["x"]}\n["who"]', "line 2: question 2 must hold “ask”"),
        ('{"ask": "who", "facts": ["x"]}\n\n{"ask": "who"}', "line 3: question 2 needs “facts”"),
        ("[" * 200_000, "line 1: this is JSON that nobody can read"),
    ],
)  # fmt: skip
def test_a_mistake_in_json_lines_has_its_line_too(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadQuestions) as refused:
        questions_in(written(tmp_path, text, "questions.jsonl"))
    assert said in str(refused.value)


def test_all_mistakes_are_told_at_once_but_not_hundreds(tmp_path: Path) -> None:
    with pytest.raises(BadQuestions) as refused:
        questions_in(written(tmp_path, "questions:\n" + "- {ask: who}\n" * 100))
    assert len(refused.value.complaints) == 100
    assert "line 21: question 20 needs “facts”" in str(refused.value)
    assert str(refused.value).endswith("none can be given.\nAnd 80 more.")


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_what_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadQuestions, match="the file cannot be read"):
        questions_in(tmp_path / name)


def test_nested_aliases_cost_nothing(tmp_path: Path) -> None:
    laughs = "".join(f"{chr(98 + at)}: &{chr(98 + at)} [{', '.join(9 * ['*' + chr(97 + at)])}]\n" for at in range(20))
    with pytest.raises(BadQuestions, match="is not a key of a question file"):
        questions_in(written(tmp_path, f"a: &a [ha]\n{laughs}"))


def test_the_schema_takes_what_the_reader_takes() -> None:
    validator = Draft202012Validator(schema())
    fine = {"questions": [{"id": 7, "ask": "who", "facts": ["x", ["y", "z"]], "turns": [["user", "hi"]]}]}
    assert list(validator.iter_errors(fine)) == []
    assert list(validator.iter_errors({"questions": [{"ask": "who", "facts": [90]}]}))
    assert list(validator.iter_errors({"questions": [{"ask": "who", "fact": ["x"]}]}))
