"""A house answers by words while vectors are still to come, and a process that is killed meanwhile loses nothing."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import structlog

from bot import console
from bot.__main__ import main
from bot.answering.model import Question
from bot.app import Quoth
from bot.settings import Environment, GitSource, KnowledgeBase, Settings
from bot.status import status_of
from connectors.errors import TryLater
from connectors.model import Vector
from connectors.patience import Patience
from tests.fakes.embedders import WordEmbedder
from tests.fakes.git_repository import GitRepository

ROOT = Path(__file__).parents[2]
PAGES = 60
SECONDS = 30.0
ASKED = "How long does rollback 7 take?"


class SlowEmbedder(WordEmbedder):
    """Takes its time, or waits until it is let; and tells when it has begun."""

    def __init__(self, *, gated: bool = False) -> None:
        super().__init__()
        self.begun, self.let = threading.Event(), threading.Event()
        if not gated:
            self.let.set()

    def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
        self.begun.set()
        assert self.let.wait(SECONDS)
        time.sleep(0.02 * len(texts))
        return super().embed_texts(texts)


class BrokenEmbedder(WordEmbedder):
    def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
        raise TryLater("The embedding model openai:x failed with ConnectError.")


def settings_in(folder: Path) -> Settings:
    return Settings(
        data_dir=folder / "quoth",
        sources={"docs": GitSource(type="git", url=str(folder / "docs"))},
        knowledge_bases={"open": KnowledgeBase(sources=("docs",))},
        reranker="none",
    )


def house_in(folder: Path, embedder: WordEmbedder) -> Quoth:
    house = Quoth(settings_in(folder), Environment())
    house.embedder = embedder
    return house


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    docs = GitRepository(tmp_path / "docs")
    docs.write_all({f"{n}.md": f"# Rollback {n}\n\nThe rollback takes {n} minutes.\n" for n in range(PAGES)})
    return tmp_path


@pytest.fixture
def opened(folder: Path) -> Iterator[Callable[[WordEmbedder], Quoth]]:
    houses: list[Quoth] = []

    def house(embedder: WordEmbedder) -> Quoth:
        houses.append(house_in(folder, embedder).__enter__())
        return houses[-1]

    yield house
    for one in houses:
        one.__exit__()


def read(house: Quoth) -> None:
    report = house.read_now(house.connector("docs"), full=False, approve_removals=False, verify=False)
    assert (report.status, report.error) == ("ok", None)


def test_a_question_during_the_backfill_is_answered_by_words(opened: Callable[[WordEmbedder], Quoth]) -> None:
    embedder = SlowEmbedder(gated=True)
    house = opened(embedder)
    read(house)
    filling = threading.Thread(target=house.embed_all)
    filling.start()
    assert embedder.begun.wait(SECONDS)
    found = house.search.find(Question(ASKED, house.scope_of("open")), 5)
    assert found.passages[0].text.strip() == "The rollback takes 7 minutes."
    told = status_of(house)["backfill"]
    assert told["running"]
    assert told["embedded"] < told["chunks"] == PAGES
    embedder.let.set()
    filling.join(SECONDS)
    told = status_of(house)
    assert told["backfill"] == {
        "running": False, "embedded": PAGES, "chunks": PAGES, "per_second": None, "seconds_left": None, "error": None,
    }  # fmt: skip
    assert told["sources"][0]["embedded"] == PAGES


def test_a_backfill_rests_while_somebody_asks(
    opened: Callable[[WordEmbedder], Quoth], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.sync.course.REST_SECONDS", SECONDS)
    monkeypatch.setattr("connectors.sync.course.LONGEST_REST_SECONDS", SECONDS)
    embedder = SlowEmbedder()
    house = opened(embedder)
    read(house)
    house.search.find(Question(ASKED, house.scope_of("open")), 5)
    filling = threading.Thread(target=house.embed_all)
    filling.start()
    assert not embedder.begun.wait(0.3)
    monkeypatch.setattr("connectors.sync.course.REST_SECONDS", 0.0)
    assert embedder.begun.wait(SECONDS)
    filling.join(SECONDS)
    assert house.sync.backfill.standing().embedded == PAGES


def test_an_embedding_service_that_is_down_is_named_and_fails_no_sync(
    opened: Callable[[WordEmbedder], Quoth], capsys: pytest.CaptureFixture[str]
) -> None:
    house = opened(BrokenEmbedder())
    house.sync.backfill.patience = Patience(attempts=1)
    read(house)
    with pytest.raises(TryLater, match="openai:x"):
        house.embed_all()
    told = status_of(house)
    assert "openai:x" in told["backfill"]["error"]
    assert told["sources"][0]["last_error"] is None
    console.show_status(told)
    shown = capsys.readouterr().out
    assert f"0 of {PAGES} chunks have one" in shown
    assert "openai:x failed" in shown


@pytest.fixture
def quiet() -> Iterator[None]:
    """Takes back what a command does to the logs of its process."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.usefixtures("quiet")
def test_a_source_has_its_line_before_its_vectors_and_what_keeps_them_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []

    class Watching(BrokenEmbedder):
        def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
            shown.append(capsys.readouterr().out)
            return super().embed_texts(texts)

    (folder / "quoth.yaml").write_text(
        "sources: {docs: {type: git, url: ./docs}}\nknowledge_bases: {open: {sources: [docs]}}\nreranker: none\n"
    )
    monkeypatch.chdir(folder)
    monkeypatch.setattr(Quoth, "embedder", Watching())
    monkeypatch.setattr("connectors.sync.vectors.PATIENCE", Patience(attempts=1))
    monkeypatch.setattr(sys, "argv", ["quoth", "sync", "--json"])
    with pytest.raises(SystemExit) as left:
        main()
    report = json.loads(shown[0])
    assert (report["status"], report["added"], report["chunks"]) == ("ok", PAGES, PAGES)
    assert left.value.code == 1
    assert "by words alone for now: The embedding model openai:x failed" in " ".join(capsys.readouterr().err.split())
    monkeypatch.setattr(sys, "argv", ["quoth", "doctor", "--json"])
    with pytest.raises(SystemExit):
        main()
    checks = {line["check"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert "openai:x" in checks["store"]["mend"]


CHILD = """
import sys
from pathlib import Path
from tests.bot.test_backfill import SlowEmbedder, house_in, read
with house_in(Path(sys.argv[1]), SlowEmbedder()) as house:
    read(house)
    print("read", flush=True)
    house.embed_all(lambda filled: print(filled.embedded, flush=True))
"""


def test_a_process_that_is_killed_in_the_backfill_is_gone_on_with(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        lines = (line.strip() for line in child.stdout if line.strip() == "read" or line.strip().isdecimal())
        assert next(lines) == "read"
        done = int(next(lines))
        child.send_signal(signal.SIGKILL)
    assert 0 < done < PAGES
    embedder = WordEmbedder()
    with house_in(folder, embedder) as house:
        assert status_of(house)["backfill"] | {"per_second": None} == {
            "running": False, "embedded": done, "chunks": PAGES, "per_second": None, "seconds_left": None,
            "error": None,
        }  # fmt: skip
        read(house)
        house.embed_all()
        assert embedder.embedded <= PAGES - done
        assert status_of(house)["backfill"]["embedded"] == house.store.stats().embedded == PAGES
        assert json.dumps(status_of(house))
