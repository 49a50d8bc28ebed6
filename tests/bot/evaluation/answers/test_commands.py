"""`quoth questions` and `quoth eval --answers` keep the contract of the commands, on a repository of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config_file import settings_of
from bot.inbox.inbox import Asked, Inbox, Outcome
from bot.inbox.presence import Presence
from bot.rehearsal.company import commit_all
from tests.fakes.command_line import Run, command_line

DEPLOYING = """# Deploying

Deploy with the command `shipit deploy` from the main branch. Deployments leave at 11:00 and 15:00.

## Roll back

A rollback takes three minutes:

```bash
shipit rollback payments
```

## Limits

| Plan | Requests a minute |
|---|---|
| Team | 600 |
"""
QUESTIONS = """
questions:
  - {id: leave, ask: "When do deployments leave?", facts: ["11:00", "15:00"], sources: [deploying.md]}
  - {id: shoes, ask: "What is the shoe size of the CEO?", expect: nothing}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    repository = tmp_path / "handbook"
    repository.mkdir()
    (repository / "deploying.md").write_text(DEPLOYING)
    commit_all(repository, "Write it down")
    sources = "sources: {handbook: {type: git, url: ./handbook}}\nknowledge_bases: {eng: {sources: [handbook]}}\n"
    (tmp_path / "quoth.yaml").write_text(f"{sources}model: quotes\n")
    monkeypatch.chdir(tmp_path)
    with command_line(monkeypatch, capsys) as typed:
        yield typed


@pytest.mark.parametrize("words", [["questions", "init"], ["eval", "mine.yaml", "--answers"], ["eval", "mine.yaml"]])
def test_before_the_first_sync_there_is_nothing_to_measure(run: Run, words: list[str]) -> None:
    Path("mine.yaml").write_text(QUESTIONS)
    assert run(*words) == (1, "", "Never synced yet: handbook. Run `quoth sync` first.")
    assert not Path("questions.yaml").exists()


def test_a_file_is_started_checked_and_measured(run: Run) -> None:
    Path("mine.yaml").write_text(QUESTIONS)
    run("sync")

    code, out, _ = run("questions", "init", "-n", "4")
    assert (code, Path("questions.yaml").stat().st_mode & 0o777) == (0, 0o600)
    assert out.startswith("6 questions are in questions.yaml.")
    started = Path("questions.yaml").read_text()
    assert "ask: Which command do I run to roll back (Deploying)?\n    facts: [shipit rollback payments]" in started
    assert "ask: What is the requests a minute for Team?\n    facts: ['600']" in started
    assert run("questions", "init", "-n", "4", "-o", "-")[1] == started
    code, _, err = run("questions", "init")
    assert (code, "questions.yaml is there already." in err) == (2, True)
    assert run("questions", "init", "--force", "-n", "1", "--json")[1] == (
        '{"file":"questions.yaml","knowledge_base":"eng","questions":3}\n'
    )
    assert run("questions", "check", "questions.yaml", "--json")[1] == (
        '{"file":"questions.yaml","answerable":1,"nothing":2,"to_review":0}\n'
    )

    code, out, err = run("eval", "mine.yaml", "--answers", "--json")
    told = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert told["accuracy"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert told["counts"]["altered_quotes"] == 0
    assert [(question["id"], question["outcome"]) for question in told["questions"]] == [
        ("leave", "answered"),
        ("shoes", "not_found"),
    ]
    assert told["questions"][0]["cited"] == ["git:handbook:deploying.md"]
    told = json.loads(run("eval", "mine.yaml", "--json")[1])
    assert list(told)[-3:] == ["documents", "chunks", "queries"]
    assert (told["recall@3"]["value"], told["mrr"]["value"], told["queries"]) == (1.0, 1.0, 1)
    assert "2 questions in eng; answered by: quotes" in run("eval", "mine.yaml", "--answers", "--kb", "eng")[1]


def feedback(vote: int, ts: str, words: str, thread: str) -> None:
    """A question in Slack, its answer, and what somebody thought of it."""
    settings = settings_of(Path("quoth.yaml"))
    inbox = Inbox(
        f"sqlite:///{settings.data_dir / 'inbox.db'}",
        Presence(settings.data_dir / "locks"),
        keep_words=settings.keep_words,
    )

    async def go() -> None:
        await inbox.deliver(f"event:{ts}", Asked("T1", "C1", ts, thread, "U1", words, "mention"))
        claimed = await inbox.claim()
        assert claimed is not None
        await inbox.record_post(claimed.question_id, f"{ts}9")
        explanation = json.dumps({"cited": ["git:handbook:deploying.md"]})
        answer = "Deployments leave at 11:00 and 15:00. [1]"
        await inbox.finish(claimed.question_id, Outcome("answered", answer, explanation, "eng"))
        assert await inbox.vote(("T1", "C1", f"{ts}9"), claimed.question_id, "U2", vote)

    asyncio.run(go())
    inbox.close()


def test_feedback_is_recorded_once(run: Run) -> None:
    Path(".quoth").mkdir()
    assert run("questions", "record")[1].startswith(
        "Nothing to add: of the questions with feedback in the last 30d, none"
    )
    assert not Path("questions.yaml").exists()
    feedback(1, "1.0", "When do they leave?", "1.0")
    feedback(-1, "2.0", "And on Sundays?", "1.0")

    assert run("questions", "record", "--json")[1] == '{"file":"questions.yaml","added":2,"to_review":1,"known":0}\n'
    text = Path("questions.yaml").read_text()
    assert (
        "ask: When do they leave?\n    facts: ['Deployments leave at 11:00 and 15:00']\n    sources: ['git:handbook"
        in text
    )
    assert "turns:\n    - [user, 'When do they leave?']\n    - [agent, 'Deployments leave" in text
    assert "review: true" in text
    assert Path("questions.yaml").stat().st_mode & 0o777 == 0o600

    feedback(1, "3.0", "Who deploys?", "3.0")
    assert '"added":1,"to_review":0,"known":2' in run("questions", "record", "--json", "--kb", "eng")[1]
    assert Path("questions.yaml").read_text().startswith(text)
    assert "2 are in questions.yaml already" not in run("questions", "record", "--since", "1h")[1]
    assert run("questions", "check", "questions.yaml")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["eval", "nowhere.yaml", "--answers"], "nowhere.yaml: the file cannot be read"),
        (["eval", "bad.yaml", "--answers"], "bad.yaml, line 2: question 1: “ask” is empty."),
        (["eval", "fine.yaml", "--answers", "--kb", "none"], "There is no knowledge base called “none”"),
        (["eval", "fine.yaml", "--compare"], "--compare and --report take a dataset’s folder"),
        (["eval", "no-sources.yaml"], "no question names its “sources”"),
        (["questions", "init", "--kb", "none"], "There is no knowledge base called “none”"),
        (["questions", "init", "-n", "0"], "-n"),
        (["questions", "record", "--kb", "none"], "There is no knowledge base called “none”"),
        (["questions", "record", "--since", "soon"], "--since takes a number and a unit"),
        (["questions", "record", "-o", "bad.yaml"], "bad.yaml, line 2"),
        (["questions", "check", "bad.yaml"], "bad.yaml, line 2"),
    ],
)
def test_bad_usage_is_a_sentence_and_exit_2(run: Run, words: list[str], said: str) -> None:
    Path("bad.yaml").write_text("questions:\n- {ask: '', facts: [x]}\n")
    Path("fine.yaml").write_text(QUESTIONS)
    Path("no-sources.yaml").write_text("questions:\n- {ask: who, facts: [x]}\n")
    code, out, err = run(*words)
    assert (code, out, said in err) == (2, "", True)


def test_nothing_can_be_recorded_where_nothing_is_kept(run: Run) -> None:
    Path("quoth.yaml").write_text("keep_words: 0\n")
    code, _, err = run("questions", "record")
    assert (code, "keep_words is 0" in err) == (2, True)


def test_the_schema_is_one_line_of_json(run: Run) -> None:
    code, out, _ = run("questions", "schema")
    assert (code, json.loads(out)["type"], out.count("\n")) == (0, "object", 1)
