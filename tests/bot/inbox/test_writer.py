"""Many callers share one flush of the disk; what fails is told to whom it concerns, and nothing of it is kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.inbox.tables import DELIVERIES, LINEAGE
from bot.inbox.writer import Writer
from connectors.database import Database
from connectors.errors import TryLater

Work = Callable[[sa.Connection], Any]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    database = Database(f"sqlite:///{tmp_path / 'inbox.db'}", LINEAGE)
    writer = Writer(database)
    yield writer
    writer.close()
    database.close()


def keep(delivery: str) -> Work:
    return lambda c: c.execute(sa.insert(DELIVERIES).values(delivery=delivery, received=1.0)).rowcount


def count(connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(DELIVERIES)).scalar_one()


async def at_once(writer: Writer, *works: Work) -> list[Any]:
    """What became of work that shared one transaction."""
    begun, go = threading.Event(), threading.Event()

    def hold_up(_: sa.Connection) -> None:
        begun.set()
        go.wait(5)

    first = asyncio.create_task(writer.run(hold_up))
    await asyncio.to_thread(begun.wait)
    rest = [asyncio.create_task(writer.run(work)) for work in works]
    await asyncio.sleep(0)
    go.set()
    await first
    return await asyncio.gather(*rest, return_exceptions=True)


async def test_work_that_fails_is_undone_alone(writer: Writer) -> None:
    def keep_and_stumble(connection: sa.Connection) -> None:
        keep("b")(connection)
        raise ValueError("b")

    done, failed, also_done = await at_once(writer, keep("a"), keep_and_stumble, keep("c"))
    assert (done, also_done) == (1, 1)
    assert isinstance(failed, ValueError)
    assert await writer.run(count) == 2


async def test_what_another_process_has_kept_meanwhile_is_tried_again_by_its_caller_alone(writer: Writer) -> None:
    done, failed = await at_once(writer, keep("a"), keep("a"))
    assert done == 1
    assert isinstance(failed, TryLater)
    assert await writer.run(count) == 1


async def test_a_full_disk_is_told_to_everybody_and_nothing_was_kept(writer: Writer) -> None:
    await writer.run(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1"))  # as many as there are already
    failures = await at_once(writer, keep("a"), keep("b" * 100_000), keep("c"))
    assert [type(failure) for failure in failures] == [TryLater] * 3
    assert "disk is full" in str(failures[0])
    await writer.run(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 100000"))
    assert await writer.run(count) == 0
    assert await writer.run(keep("a")) == 1


async def test_what_was_to_be_forgotten_while_another_reads_is_gone_after_the_next_commit(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'inbox.db'}", LINEAGE, busy_seconds=0.05, overwrites=True)
    reader = Database(f"sqlite:///{tmp_path / 'inbox.db'}", LINEAGE)
    writer = Writer(database)
    await writer.run(keep("cheese"))
    with reader.read() as connection:
        assert count(connection) == 1
        assert await writer.run(lambda c: c.execute(sa.delete(DELIVERIES)).rowcount, forgets=True) == 1
        assert files_with(b"cheese", tmp_path)
    await writer.run(count)
    assert files_with(b"cheese", tmp_path) == []
    writer.close()
    reader.close()
    database.close()


def files_with(words: bytes, folder: Path) -> list[str]:
    return [path.name for path in folder.glob("inbox.db*") if words in path.read_bytes()]
