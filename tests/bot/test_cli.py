"""The commands keep their contract: one JSON object a line, exit codes, and sentences that say what to do."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.__main__ import main
from bot.rehearsal.company import commit_all
from connectors.database import Database
from connectors.ledger.ledger import LINEAGE
from connectors.sync.runs import Runs

HANDBOOK = """# Deploying

Deploy with the command `shipit deploy` from the main branch. Deployments leave at 11:00 and 15:00.

## Rolling back

Run `shipit rollback` and wait for three minutes.
"""


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Types a command in a folder that has a quoth.yaml and a repository."""
    repository = tmp_path / "handbook"
    repository.mkdir()
    (repository / "deploying.md").write_text(HANDBOOK)
    commit_all(repository, "Write it down")
    (tmp_path / "quoth.yaml").write_text(
        "sources: {handbook: {type: git, url: ./handbook}}\nknowledge_bases: {eng: {sources: [handbook]}}\n"
    )
    monkeypatch.chdir(tmp_path)
    for name in ("ANTHROPIC_API_KEY", "QUOTH_CONFIG", "SLACK_BOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def typed(*words: str, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "argv", ["quoth", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return Ran(int(left.value.code or 0), said.out, said.err)

    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield typed
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_a_source_is_synced_searched_and_asked(run: Run) -> None:
    synced = run("sync", "--json")
    assert synced.code == 0
    (report,) = synced.objects
    assert " ".join(report) == (
        "source status joined seen added updated unchanged removed held unreadable chunks seconds"
    )
    assert (report["source"], report["status"], report["added"], report["seen"]) == ("handbook", "ok", 1, 1)

    found = run("--json", "search", "--kb", "eng", "-k", "1", "how do I roll back?")
    (passage,) = found.objects[0]["passages"]
    assert passage["text"] in HANDBOOK
    assert passage["headings"] == ["Rolling back"]
    assert passage["url"].startswith("file:///")
    assert passage["url"].endswith("deploying.md#L7-L7")

    asked = run("ask", "--kb", "eng", "--json", "When do deployments leave?")
    (answer,) = asked.objects
    assert asked.code == 0
    assert answer["outcome"] == "answered"
    assert "11:00" in answer["answer"]
    assert "[1]" in answer["answer"]
    assert [citation["n"] for citation in answer["citations"]] == [1]
    assert any(answer["citations"][0]["quote"] in sent["text"] for sent in answer["passages"])

    again = run("sync", "handbook", "--json")
    assert again.objects[0]["unchanged"] == 1


def test_a_search_explains_itself(run: Run) -> None:
    run("sync")
    plain = run("search", "--kb", "eng", "--json", "how do I roll back?").objects[0]
    told = run("search", "--kb", "eng", "--json", "--explain", "how do I roll back?").objects[0]
    assert [one["url"] for one in told["passages"]] == [one["url"] for one in plain["passages"]]
    assert told["passages"][0]["signals"]["words"] > 0
    assert told["answerable"] is True
    assert told["removed"] == {"by_filter": [], "by_ledger": []}
    shown = run("search", "--kb", "eng", "--explain", "how do I roll back?").out
    assert "meaning" in shown
    assert "Rolling back" in shown


def test_what_nobody_wrote_down_is_an_honest_no_and_no_failure(run: Run) -> None:
    run("sync")
    asked = run("ask", "--kb", "eng", "--json", "-", stdin="Who won the football world cup in 1998?")

    assert asked.code == 0
    assert asked.objects[0]["outcome"] == "not_found"
    assert asked.objects[0]["citations"] == []


def test_a_status_shows_every_source(run: Run) -> None:
    run("sync")
    (told,) = run("status", "--json").objects
    (source,) = told["sources"]

    assert (source["source"], source["type"], source["documents"], source["running"]) == ("handbook", "git", 1, False)
    assert source["chunks"] == source["embedded"] > 0
    assert source["next_run"] > source["last_success"]
    assert {"queue", "store", "model"} <= set(told)
    assert "handbook" in run("status").out


def test_a_run_whose_process_died_is_not_shown_as_running(run: Run) -> None:
    run("sync")
    database = Database(f"sqlite:///{Path('.quoth/ledger.db').absolute()}", LINEAGE)
    runs = Runs(database, Path(".quoth/locks"))
    runs.request("handbook")
    claim = runs.claim(["handbook"])
    assert claim is not None
    assert run("status", "--json").objects[0]["sources"][0]["running"] is True

    claim._lock.release()  # as the end of a process does, with nothing written down
    assert run("status", "--json").objects[0]["sources"][0]["running"] is False
    database.close()


def test_a_doctor_names_what_is_missing(run: Run) -> None:
    examined = run("doctor", "--json")
    found = {check["check"]: check for check in examined.objects}

    assert examined.code == 1
    assert found["source handbook"]["ok"]
    assert "1 .md" in found["source handbook"]["found"]
    assert not found["slack token"]["ok"]
    assert "SLACK_BOT_TOKEN" in found["slack token"]["mend"]
    assert all(set(check) == {"check", "ok", "found", "mend"} for check in examined.objects)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sync", "wiki"], "no source called “wiki”"),
        (["search", "--kb", "hr", "x"], "no knowledge base called “hr”"),
        (["ask", "--kb", "hr", "x"], "no knowledge base called “hr”"),
        (["ask", "--kb", "eng", "   "], "text is empty"),
        (["ask", "--kb", "eng", "-"], "text is empty"),
        (["ask", "--kb", "eng", "--turns", "nonsense", "x"], "--turns takes JSON"),
        (["ask", "--kb", "eng", "--turns", '[["boss", "x"]]', "x"], "--turns takes JSON"),
        (["ask", "--kb", "eng", "--turns", "{}", "x"], "--turns takes JSON"),
        (["ask", "--kb", "eng", "--turns", "", "x"], "--turns takes JSON"),
        (["search", "--kb", "eng", "-k", "101", "x"], "100"),
        (["search", "x"], "--kb"),
        (["fly"], "fly"),
        (["serve"], "SLACK_BOT_TOKEN"),
        (["--config", "nowhere.yaml", "status"], "nowhere.yaml"),
    ],
)
def test_bad_usage_is_a_sentence_and_exit_2(run: Run, words: list[str], said: str) -> None:
    ran = run(*words)

    assert ran.code == 2
    assert ran.out == ""
    assert said in " ".join(ran.err.split())


def test_a_failed_source_still_has_its_line_and_exit_1(run: Run) -> None:
    Path("quoth.yaml").write_text(
        "sources: {gone: {type: git, url: ./nowhere}, handbook: {type: git, url: ./handbook}}\n"
    )
    ran = run("sync", "--json")

    assert ran.code == 1
    assert [(report["source"], report["status"]) for report in ran.objects] == [("gone", "failed"), ("handbook", "ok")]
    assert "nowhere" in ran.objects[0]["error"]
    assert "gone: 0 documents seen, then it failed" in run("sync", "gone").out


def test_a_source_that_left_the_configuration_is_unanswerable_at_once(run: Run) -> None:
    run("sync")
    other = Path("handbook").rename("elsewhere")
    Path("quoth.yaml").write_text(
        f"sources: {{other: {{type: git, url: {other}}}}}\nknowledge_bases: {{eng: {{sources: [other]}}}}\n"
    )

    assert run("search", "--kb", "eng", "--json", "roll back").objects[0]["passages"] == []


def test_a_file_that_is_no_store_is_named_and_left_alone(run: Run) -> None:
    run("sync")
    (store,) = Path(".quoth").glob("index-*.db")
    store.write_bytes(b"not a database" * 100)
    ran = run("search", "--kb", "eng", "x")

    assert ran.code == 2
    assert store.name in ran.err


def test_a_lost_index_is_named_and_the_next_sync_puts_it_back(run: Run) -> None:
    run("sync")
    for file in Path(".quoth").glob("index-*"):
        file.unlink()
    ran = run("ask", "--kb", "eng", "How do I roll back?")
    assert (ran.code, "quoth sync" in ran.err) == (1, True)
    found = {check["check"]: check for check in run("doctor", "--json").objects}
    assert (found["store"]["ok"], "lost chunks of handbook" in found["store"]["mend"]) == (False, True)

    run("sync")
    assert run("ask", "--kb", "eng", "--json", "How do I roll back?").objects[0]["outcome"] == "answered"


def test_a_source_that_was_never_synced_is_named_beside_the_honest_no(run: Run) -> None:
    asked = run("ask", "--kb", "eng", "--json", "How do I roll back?")
    assert asked.objects[0]["outcome"] == "not_found"
    assert "Never synced yet: handbook" in asked.err

    run("sync")
    assert "Never synced" not in run("ask", "--kb", "eng", "How do I roll back?").err


def test_what_is_kept_is_for_its_owner_alone(run: Run) -> None:
    Path(".quoth").mkdir(mode=0o755)
    run("sync")
    readable = [path for path in Path(".quoth").rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert readable == []


def test_the_configuration_is_checked_and_its_schema_printed(run: Run) -> None:
    assert run("config", "check").code == 0
    assert "knowledge_bases" in json.loads(run("config", "schema").out)["properties"]
    Path("quoth.yaml").write_text("keep_word: 0\n")
    checked = run("config", "check")
    assert checked.code == 2
    assert "line 1" in checked.err
