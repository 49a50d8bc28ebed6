"""The inbox keeps each question once, gives it to one process, and forgets what it must."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.inbox.inbox import CLAIM_SECONDS, Asked, Inbox, Outcome
from bot.inbox.presence import Presence
from bot.inbox.tables import LINEAGE, METADATA
from connectors.database import Database
from connectors.errors import Misconfigured, TryLater
from connectors.ledger.ledger import Ledger
from tests.databases import POSTGRES, database_url

__all__ = ["database_url"]

OpenInbox = Callable[..., Inbox]
QUESTION = Asked("T1", "C1", "1.0", "1.0", "U1", "how?", "mention")
FOLLOW_UP = Asked("T1", "C1", "3.0", "1.0", "U1", "and then?", "follow_up")


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> Iterator[OpenInbox]:
    """Opens inboxes on one database, each as a process of its own would; all are closed at the end."""
    inboxes: list[Inbox] = []

    def open_one(machine: str = "here", **others: Any) -> Inbox:
        settings = {"keep_words": timedelta(days=30)} | others
        inboxes.append(Inbox(database_url, Presence(tmp_path / machine), **settings))
        return inboxes[-1]

    yield open_one
    for inbox in inboxes:
        inbox.close()


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def test_a_question_is_new_once_by_delivery_and_by_message(opened: OpenInbox) -> None:
    inbox = opened()
    assert await inbox.deliver("event:1", QUESTION) == "new"
    assert await inbox.deliver("event:1", QUESTION) == "known"
    assert await inbox.deliver("event:2", QUESTION) == "known"


async def test_what_was_delivered_outlives_the_process(opened: OpenInbox) -> None:
    first = opened()
    await first.deliver("event:1", QUESTION)
    first.close()
    second = opened()
    assert await second.deliver("event:1", QUESTION) == "known"
    claimed = await second.claim()
    assert claimed is not None
    assert claimed.asked == QUESTION


async def test_a_follow_up_counts_only_where_an_answer_stands(opened: OpenInbox) -> None:
    inbox = opened()
    assert await inbox.deliver("event:3", FOLLOW_UP) == "not_ours"
    await inbox.deliver("event:1", QUESTION)
    assert await inbox.deliver("event:3", FOLLOW_UP) == "not_ours"
    claimed = await inbox.claim()
    assert claimed is not None
    await inbox.finish(claimed.question_id, Outcome("answered"))
    assert await inbox.deliver("event:3", FOLLOW_UP) == "new"


async def test_nobody_has_more_than_their_share_waiting_and_each_further_one_is_told_once(opened: OpenInbox) -> None:
    inbox = opened(share=5)

    def by(asker: str, n: int) -> Asked:
        return Asked("T1", "C1", f"{n}.0", f"{n}.0", asker, "how?", "mention")

    assert [await inbox.deliver(f"event:{n}", by("U1", n)) for n in range(5)] == ["new"] * 5
    assert await inbox.deliver("event:4b", by("U1", 4)) == "known", "a question that is kept is not one too many"
    assert [await inbox.deliver(f"event:5{part}", by("U1", 5)) for part in "ab"] == ["too_many", "known"]
    assert await inbox.deliver("event:6", by("U2", 6)) == "new", "others are not concerned"
    claimed = await inbox.claim()
    assert claimed is not None
    assert await inbox.deliver("event:7", by("U1", 7)) == "too_many", "one that is being answered counts"
    await inbox.finish(claimed.question_id, Outcome("answered"))
    assert await inbox.deliver("event:8", by("U1", 8)) == "new"


async def test_many_at_once_are_all_kept_and_each_is_claimed_by_one(opened: OpenInbox) -> None:
    one, two = opened(), opened()
    asked = [Asked("T1", "C1", f"{n}.0", f"{n}.0", f"U{n}", "how?", "mention") for n in range(200)]
    await asyncio.gather(*(one.deliver(f"event:{question.ts}", question) for question in asked))
    claims = await asyncio.gather(*((one if n % 2 else two).claim() for n in range(210)))
    ids = [claim.question_id for claim in claims if claim is not None]
    assert (len(ids), len(set(ids))) == (200, 200)


async def test_a_dead_process_loses_its_claims_at_once_and_a_living_one_keeps_them(opened: OpenInbox) -> None:
    dead, living = opened(), opened()
    await dead.deliver("event:1", QUESTION)
    assert await dead.claim() is not None
    assert await living.resume_dead() == 0
    dead._presence._lock.release()  # What the kernel does for a process that was killed.
    assert await living.resume_dead() == 1
    again = await living.claim()
    assert again is not None
    assert again.attempts == 2


async def test_a_silent_process_elsewhere_loses_its_claims_after_half_a_minute(opened: OpenInbox) -> None:
    clock = Clock()
    here, elsewhere = opened("here", clock=clock), opened("elsewhere", clock=clock)
    await elsewhere.deliver("event:1", QUESTION)
    await elsewhere.claim()
    clock.now += CLAIM_SECONDS - 1
    await elsewhere.renew()
    clock.now += CLAIM_SECONDS - 1
    assert await here.resume_dead() == 0
    clock.now += 2
    assert await here.resume_dead() == 1


async def test_one_message_is_the_answer_to_one_question(opened: OpenInbox) -> None:
    inbox = opened()
    await inbox.deliver("event:1", QUESTION)
    await inbox.deliver("event:2", Asked("T1", "C1", "2.0", "1.0", "U1", "why?", "mention"))
    first, second = await inbox.claim(), await inbox.claim()
    assert first is not None
    assert second is not None
    assert await inbox.record_post(first.question_id, "9.0")
    assert await inbox.record_post(first.question_id, "9.0")
    assert not await inbox.record_post(second.question_id, "9.0")


async def test_words_go_when_they_were_kept_long_enough(opened: OpenInbox) -> None:
    clock = Clock()
    inbox = opened(keep_words=timedelta(days=30), clock=clock)
    await inbox.deliver("event:1", QUESTION)
    claimed = await inbox.claim()
    assert claimed is not None
    await inbox.record_post(claimed.question_id, "9.0")
    await inbox.finish(claimed.question_id, Outcome("answered", "this way", "{}", "engineering"))
    clock.now += timedelta(days=29).total_seconds()
    await inbox.purge()
    assert await inbox.answers_in("T1", "C1", "1.0", "engineering") == {"9.0": "this way"}
    assert await inbox.answers_in("T1", "C1", "1.0", "people") == {}, "it was answered from another knowledge base"
    clock.now += timedelta(days=2).total_seconds()
    await inbox.purge()
    assert await inbox.answers_in("T1", "C1", "1.0", "engineering") == {"9.0": None}
    assert await inbox.deliver("event:9", QUESTION) == "known", "that it was asked is still known"


async def test_only_an_error_can_be_asked_again(opened: OpenInbox) -> None:
    inbox = opened(keep_words=timedelta(0))
    await inbox.deliver("event:1", QUESTION)
    claimed = await inbox.claim()
    assert claimed is not None
    await inbox.finish(claimed.question_id, Outcome("error"))
    assert not await inbox.retry("T1", "C2", claimed.question_id), "from another channel"
    assert await inbox.retry("T1", "C1", claimed.question_id)
    again = await inbox.claim()
    assert again is not None
    await inbox.finish(again.question_id, Outcome("answered"))
    assert not await inbox.retry("T1", "C1", claimed.question_id)


async def test_words_that_no_database_takes_as_they_are_lose_no_question(opened: OpenInbox) -> None:
    inbox = opened()
    for ts, words in (("1.0", "why\0?"), ("2.0", "why \ud83d?")):
        assert await inbox.deliver(f"event:{ts}", Asked("T1", "C1", ts, ts, "U1", words, "mention")) == "new"
    claims = [await inbox.claim(), await inbox.claim()]
    assert [claim.asked.words for claim in claims if claim is not None] == ["why?", "why ??"]


def test_the_migrations_make_the_tables_that_the_code_expects(database_url: str) -> None:
    database = Database(database_url, LINEAGE)
    with database.read() as connection:
        found = sa.inspect(connection)
        assert set(found.get_table_names()) == {*METADATA.tables, "alembic_version_bot"}
        for name, table in METADATA.tables.items():
            dialect = connection.dialect
            columns = {c["name"]: (c["nullable"], c["type"].compile(dialect)) for c in found.get_columns(name)}
            assert columns == {c.name: (c.nullable, typed(c, dialect)) for c in table.columns}, name
            indexes = {(i["name"], tuple(i["column_names"]), bool(i["unique"])) for i in found.get_indexes(name)}
            assert {(i.name, tuple(c.name for c in i.columns), i.unique) for i in table.indexes} <= indexes
    database.close()


def typed(column: sa.Column[Any], dialect: sa.Dialect) -> str:
    """A column's type as the database tells it. PostgreSQL's FLOAT is short for DOUBLE PRECISION."""
    told = column.type.compile(dialect)
    return "DOUBLE PRECISION" if (dialect.name, told) == ("postgresql", "FLOAT") else told


async def test_ledger_and_inbox_may_share_one_database(database_url: str, opened: OpenInbox) -> None:
    for _ in range(2):
        ledger = Ledger(database_url)
        await opened().waiting()
        ledger.close()
    engine = sa.create_engine(database_url)
    assert {"alembic_version_bot", "alembic_version_connectors"} <= set(sa.inspect(engine).get_table_names())
    engine.dispose()


def test_processes_that_start_together_agree_on_one_inbox(database_url: str, tmp_path: Path) -> None:
    code = (
        "import sys; from datetime import timedelta; from pathlib import Path\n"
        "from bot.inbox.inbox import Inbox; from bot.inbox.presence import Presence\n"
        "Inbox(sys.argv[1], Presence(Path(sys.argv[2])), keep_words=timedelta(1)).close()"
    )
    starts = [subprocess.Popen([sys.executable, "-c", code, database_url, str(tmp_path)]) for _ in range(2)]
    assert [start.wait() for start in starts] == [0, 0]


async def test_a_newer_inbox_is_refused_with_what_to_do(database_url: str, opened: OpenInbox) -> None:
    opened()
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version_bot SET version_num = 'bot_999'"))
    engine.dispose()
    with pytest.raises(Misconfigured, match="written by a newer Quoth"):
        opened()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "inbox.db").write_text("not a database " * 100)
    with pytest.raises(Misconfigured, match=r"inbox\.db is not a SQLite database"):
        Inbox(f"sqlite:///{tmp_path / 'inbox.db'}", Presence(tmp_path), keep_words=timedelta(1))
    assert (tmp_path / "inbox.db").read_text().startswith("not a database")


async def test_another_processes_long_write_is_a_no_in_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'inbox.db'}"
    inbox = Inbox(url, Presence(tmp_path), keep_words=timedelta(1), busy_seconds=0.1)
    other = sa.create_engine(url)
    with other.connect() as connection:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        with pytest.raises(TryLater, match="cannot be asked now"):
            await inbox.deliver("event:1", QUESTION)
    assert await inbox.deliver("event:1", QUESTION) == "new"
    other.dispose()
    inbox.close()


@pytest.mark.postgres
def test_the_inbox_is_tested_on_postgresql_too() -> None:
    if POSTGRES is None:
        pytest.skip("QUOTH_TEST_POSTGRES is not set: the inbox was tested on SQLite only")
    assert POSTGRES.startswith("postgresql")
