"""An index that somebody else wrote to: nothing of it is vouched for, and everything else is still found."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.answering.model import Question, Retrieved
from bot.app import Quoth
from bot.settings import Environment, GitSource, KnowledgeBase, Settings
from tests.fakes.embedders import WordEmbedder
from tests.fakes.git_repository import GitRepository

ASKED = "How long does a rollback take?"
PAGES = 9
LIMIT = 8


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Quoth]:
    open_docs, vault = GitRepository(tmp_path / "open"), GitRepository(tmp_path / "vault")
    open_docs.write_all({f"{n}.md": f"# Rollback {n}\n\nThe rollback takes {n} minutes.\n" for n in range(PAGES)})
    vault.write("secret.md", "# Rollback of the vault\n\nThe rollback takes CANARY minutes.\n")
    settings = Settings(
        data_dir=tmp_path / "quoth",
        sources={
            "docs": GitSource(type="git", url=str(open_docs.folder)),
            "vault": GitSource(type="git", url=str(vault.folder)),
        },
        knowledge_bases={"open": KnowledgeBase(sources=("docs",)), "closed": KnowledgeBase(sources=("vault",))},
        reranker="none",
    )
    with Quoth(settings, Environment()) as house:
        house.embedder = WordEmbedder()
        for name in settings.sources:
            report = house.sync_now(house.connector(name), full=False, approve_removals=False, verify=False)
            assert report.status == "ok"
        yield house


def index_of(house: Quoth) -> Path:
    (path,) = house.settings.data_dir.glob("index-*.db")
    return path


def alter(house: Quoth, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(index_of(house))) as connection, connection:
        assert connection.execute(statement, values).rowcount >= 1


def told(house: Quoth, question: str, *values: object) -> tuple[object, ...]:
    with closing(sqlite3.connect(index_of(house))) as connection:
        return tuple(connection.execute(question, values).fetchone())


def found_in(house: Quoth, limit: int = LIMIT) -> Retrieved:
    return house.search.best(Question(ASKED, house.scope_of("open")), limit)


FIRST = 1
"""The first chunk of the first source."""


SPOILED: tuple[tuple[str, object], ...] = (
    ("text", "EVIL rollback"), ("text", b"\xff\x00"), ("title", "EVIL"), ("headings", '["EVIL"]'),
    ("headings", "EVIL"), ("headings", "5"), ("headings", "[[1]]"), ("tags", '["source:docs", "source:vault"]'),
    ("tags", "EVIL"), ("tags", "7"), ("tags", "[[1]]"), ("first_line", 99), ("anchor", "EVIL"), ("ordinal", 5),
    ("ordinal", "EVIL"), ("seal", ""), ("seal", b"\xff"), ("version_id", 999_999),
)  # fmt: skip


def test_a_chunk_that_was_changed_is_not_found_and_all_others_are(house: Quoth) -> None:
    for column, value in SPOILED:
        [before] = told(house, f"SELECT {column} FROM chunks WHERE id = {FIRST}")
        alter(house, f"UPDATE chunks SET {column} = ? WHERE id = {FIRST}", value)
        found = found_in(house, PAGES)
        assert len(found.passages) == PAGES - 1, (column, value)
        assert "EVIL" not in str(found.passages)
        assert len(found_in(house).passages) == LIMIT
        alter(house, f"UPDATE chunks SET {column} = ? WHERE id = {FIRST}", before)
    assert len(found_in(house, PAGES).passages) == PAGES


def test_a_version_that_was_changed_is_not_found_and_all_others_are(house: Quoth) -> None:
    [version_id] = told(house, f"SELECT version_id FROM chunks WHERE id = {FIRST}")
    changes = {"source": "vault", "version": "EVIL", "pipeline": "EVIL", "document_id": "git:vault:secret.md"}
    for column, value in changes.items():
        [before] = told(house, "SELECT " + column + " FROM versions WHERE version_id = ?", version_id)
        alter(house, f"UPDATE versions SET {column} = ? WHERE version_id = ?", value, version_id)
        assert len(found_in(house, PAGES).passages) == PAGES - 1, column
        alter(house, f"UPDATE versions SET {column} = ? WHERE version_id = ?", before, version_id)


def test_a_vector_that_was_changed_takes_nothing_from_the_others(house: Quoth) -> None:
    alter(house, f"UPDATE vectors SET vector = x'0102' WHERE id = {FIRST}")
    assert len(found_in(house).passages) == LIMIT


def test_another_knowledge_bases_chunk_is_not_let_in_by_the_index(house: Quoth) -> None:
    scope, tags = "(SELECT scope FROM chunks WHERE id = ", "(SELECT tags FROM chunks WHERE id = "
    alter(house, f"UPDATE chunks SET scope = {scope}{FIRST}), tags = {tags}{FIRST}) WHERE text LIKE '%CANARY%'")
    alter(house, "INSERT INTO terms (terms) VALUES ('rebuild')")
    alter(house, "INSERT INTO changes (id) SELECT id FROM chunks")
    found = found_in(house, PAGES)
    assert len(found.passages) == PAGES
    assert "CANARY" not in str(found.passages)
    assert {one.reason for one in found.rejected} == {"its seal is broken"}


def test_a_flood_of_foreign_chunks_does_not_hide_the_true_ones(house: Quoth) -> None:
    made_up = "VALUES ('docs', 'git:docs:evil.md', '1', '1')"
    alter(house, f"INSERT INTO versions (source, document_id, version, pipeline) {made_up}")
    kept = "first_line, last_line, anchor, tags, seal, scope, head, body, head_length, body_length, near_length"
    alter(
        house,
        f"INSERT INTO chunks (chunk_id, version_id, ordinal, title, headings, text, {kept}) "
        "SELECT 'evil' || value, (SELECT max(version_id) FROM versions), value, title, headings, 'EVIL ' || text, "
        f"{kept} FROM chunks, json_each(?) WHERE chunks.id = {FIRST}",
        json.dumps(list(range(700))),
    )
    found = found_in(house)
    assert len(found.passages) == LIMIT
    assert "EVIL" not in str(found.passages)


def test_a_sync_of_everything_mends_what_was_spoiled(house: Quoth) -> None:
    alter(house, f"UPDATE chunks SET headings = 'EVIL', ordinal = 'EVIL' WHERE id = {FIRST}")
    report = house.sync_now(house.connector("docs"), full=True, approve_removals=False, verify=False)
    assert (report.status, report.error) == ("ok", None)
    assert len(found_in(house, PAGES).passages) == PAGES
