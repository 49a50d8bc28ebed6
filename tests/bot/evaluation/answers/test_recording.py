"""Feedback makes cases; files keep what they hold and get what is new."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.evaluation.answers.growing import grown
from bot.evaluation.answers.reading import BadQuestions, questions_in, records_in
from bot.evaluation.answers.recording import recorded
from bot.evaluation.answers.writing import Entry, appended_to, file_of, write
from bot.inbox.rated import Exchange, Rated
from connectors.errors import Misconfigured
from tests.fakes.slack_desk import desk

ANSWER = (
    "Rolling back is quick, it takes 90 seconds. [1] Ask first. [1]\n\n"
    "Run:\n\n```bash\nshipctl rollback payments\n```\n\n[2] Everybody may."
)


def rated(name: str = "a" * 32, words: str = "How do I roll back?", **others: Any) -> Rated:
    explanation = json.dumps({"cited": ["git:docs:deploys.md"]})
    values: dict[str, Any] = {"outcome": "answered", "answer": ANSWER, "explanation": explanation}
    values |= {"knowledge_base": "company", "liked": 1, "disliked": 0} | others
    return Rated(name, words, **values)


def cases_of(*ratings: Rated, names: set[str] | None = None, asks: set[str] | None = None) -> list[dict[str, Any]]:
    return [dict(entry.values) for entry in recorded(ratings, names or set(), asks or set(), "company")]


def test_a_helpful_answer_is_a_case_with_its_own_words_and_documents() -> None:
    assert cases_of(rated()) == [
        {
            "id": "asked-aaaaaaaaaaaa",
            "ask": "How do I roll back?",
            "facts": ["it takes 90 seconds", "Ask first", "shipctl rollback payments"],
            "sources": ["git:docs:deploys.md"],
        }
    ]


def test_a_helpful_no_is_a_case_that_expects_one() -> None:
    (case,) = cases_of(rated(outcome="not_found", answer="Nothing.", explanation=None))
    assert case == {"id": "asked-aaaaaaaaaaaa", "ask": "How do I roll back?", "expect": "nothing"}


@pytest.mark.parametrize("votes", [{"liked": 0, "disliked": 1}, {"liked": 1, "disliked": 1}])
def test_what_did_not_help_waits_for_a_person(votes: dict[str, int]) -> None:
    (case,) = cases_of(rated(**votes))
    assert (case["review"], "facts" in case) == (True, False)


def test_an_answer_whose_words_are_gone_waits_for_a_person_too() -> None:
    (case,) = cases_of(rated(answer=None, explanation=None))
    assert case == {"id": "asked-aaaaaaaaaaaa", "ask": "How do I roll back?", "review": True}


def test_the_thread_comes_along_without_its_marks() -> None:
    earlier = (Exchange("How do I deploy?", "With shipit. [1]"), Exchange("And then?", None))
    (case,) = cases_of(rated(words="And back?", earlier=earlier))
    assert case["turns"] == [["user", "How do I deploy?"], ["agent", "With shipit."], ["user", "And then?"]]


def test_what_is_known_or_said_twice_is_not_recorded_again() -> None:
    again, other = rated("b" * 32, "how do i  ROLL back"), rated("c" * 32, "Who?", knowledge_base="people")
    assert [case["id"] for case in cases_of(rated(), again, other)] == ["asked-aaaaaaaaaaaa", "asked-cccccccccccc"]
    assert cases_of(rated(), names={"asked-aaaaaaaaaaaa"}) == []
    assert cases_of(rated(), asks={"how do i roll back"}) == []
    assert cases_of(other)[0]["knowledge_base"] == "people"
    assert cases_of(rated(outcome="error"), rated(words=" ")) == []


@pytest.mark.parametrize("name", ["questions.yaml", "questions.jsonl"])
def test_a_new_file_can_be_read_and_grows_by_what_is_new(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    first = grown(path, [rated(), rated("b" * 32, "Why “x: y” # z?", disliked=2)], "company")
    write(path, first.text)
    base, questions = records_in(path)
    assert (base, [name for name, _ in questions]) == ("company", ["asked-aaaaaaaaaaaa", "asked-bbbbbbbbbbbb"])
    assert (first.added, first.to_review, questions[1][1].ask) == (2, 1, "Why “x: y” # z?")
    assert path.stat().st_mode & 0o777 == 0o600

    second = grown(path, [rated(), rated("c" * 32, "New?")], None)
    write(path, second.text)
    assert (second.added, second.known) == (1, 1)
    assert path.read_text().startswith(first.text)
    assert len(questions_in(path).cases) == 2


@pytest.mark.parametrize(
    "text",
    [
        "questions:\n- {ask: who, facts: [x]}",
        "# mine\nquestions:\n    - ask: who\n      facts: [x]\n    # the end\n",
        "questions:\n  - ask: who\n    facts:\n      - x\n\nknowledge_base: company\n",
    ],
)
def test_a_file_keeps_all_that_it_holds(tmp_path: Path, text: str) -> None:
    path = tmp_path / "questions.yaml"
    path.write_text(text)
    more = appended_to(path, [Entry({"id": "new", "ask": "what: now?", "facts": ["a", "b"]}, "A remark.")])
    path.write_text(more)
    assert [name for name, _ in records_in(path)[1]] == ["q1", "new"]
    assert set(text.splitlines()) <= set(more.splitlines())
    assert "# A remark." in more


def test_a_list_in_brackets_is_not_torn_open(tmp_path: Path) -> None:
    path = tmp_path / "questions.yaml"
    path.write_text("questions: [{ask: who, facts: [x]}]\n")
    with pytest.raises(BadQuestions, match="line 1: the questions must each stand behind a dash"):
        appended_to(path, [Entry({"ask": "what"})])


def test_lists_of_texts_stand_on_one_line() -> None:
    text = file_of(["Read it."], "company", [Entry({"id": "a", "ask": "who?", "facts": ["x, y", "z"]}, "table row, A")])
    assert text.startswith("# Read it.\nknowledge_base: company\nquestions:\n  # table row, A\n  - id: a\n")
    assert "    facts: ['x, y', z]\n" in text
    assert yaml.safe_load(text)["questions"][0]["facts"] == ["x, y", "z"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "questions.yaml"
    path.write_text("mine")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(path, "other")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("questions.yaml", "mine")]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"nowhere/questions.yaml cannot be written"):
        write(tmp_path / "nowhere" / "questions.yaml", "x")


async def test_what_people_press_in_slack_becomes_a_case(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        first = await d.ask("how do I reset the VPN?")
        await d.idle()
        await d.ask("and on Windows?", first)
        await d.idle()
        answers = d.said(first)
        for answer, vote in zip(answers, (1, -1), strict=True):
            value = json.dumps({"a": answer.metadata["event_payload"]["answer_id"], "v": vote}, separators=(",", ":"))
            await d.slack.press_button(d.person, answer, "answer_feedback", value)
        ratings = await d.inbox.rated(timedelta(days=1))
    liked, disliked = (dict(entry.values) for entry in recorded(ratings, set(), set(), "engineering"))

    assert (liked["ask"], liked["facts"]) == ("how do I reset the VPN?", ["Open Settings and press Reset"])
    assert liked["sources"] == ["git:handbook:vpn.md"]
    assert (disliked["ask"], disliked["review"]) == ("and on Windows?", True)
    assert [speaker for speaker, _ in disliked["turns"]] == ["user", "agent"]
