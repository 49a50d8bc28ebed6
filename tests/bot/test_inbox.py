"""The inbox keeps each question once, gives it to one process, and forgets what it must."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.inbox import CLAIM_SECONDS, Asked, Inbox, Outcome
from bot.inbox_tables import METADATA, opened
from bot.presence import Presence
from connectors.errors import Misconfigured, QuothError
from tests.fakes.slack_desk import inbox_in

QUESTION = Asked("T1", "C1", "1.0", "1.0", "U1", "how?", "mention")
FOLLOW_UP = Asked("T1", "C1", "3.0", "1.0", "U1", "and then?", "follow_up")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def test_a_question_is_new_once_by_delivery_and_by_message(tmp_path: Path) -> None:
    inbox = inbox_in(tmp_path)
    assert await inbox.deliver("event:1", QUESTION) == "new"
    assert await inbox.deliver("event:1", QUESTION) == "known"
    assert await inbox.deliver("event:2", QUESTION) == "known"
    inbox.close()


async def test_what_was_delivered_outlives_the_process(tmp_path: Path) -> None:
    first = inbox_in(tmp_path)
    await first.deliver("event:1", QUESTION)
    first.close()
    second = inbox_in(tmp_path)
    assert await second.deliver("event:1", QUESTION) == "known"
    claimed = await second.claim()
    assert claimed is not None
    assert claimed.asked == QUESTION
    second.close()


async def test_a_follow_up_counts_only_where_an_answer_stands(tmp_path: Path) -> None:
    inbox = inbox_in(tmp_path)
    assert await inbox.deliver("event:3", FOLLOW_UP) == "not_ours"
    await inbox.deliver("event:1", QUESTION)
    assert await inbox.deliver("event:3", FOLLOW_UP) == "not_ours"
    claimed = await inbox.claim()
    assert claimed is not None
    await inbox.finish(claimed.question_id, Outcome("answered"))
    assert await inbox.deliver("event:3", FOLLOW_UP) == "new"
    inbox.close()


async def test_many_at_once_are_all_kept_and_each_is_claimed_by_one(tmp_path: Path) -> None:
    one, two = inbox_in(tmp_path), inbox_in(tmp_path)
    asked = [Asked("T1", "C1", f"{n}.0", f"{n}.0", "U1", "how?", "mention") for n in range(200)]
    await asyncio.gather(*(one.deliver(f"event:{question.ts}", question) for question in asked))
    claims = await asyncio.gather(*((one if n % 2 else two).claim() for n in range(210)))
    ids = [claim.question_id for claim in claims if claim is not None]
    assert (len(ids), len(set(ids))) == (200, 200)
    one.close()
    two.close()


async def test_a_dead_process_loses_its_claims_at_once_and_a_living_one_keeps_them(tmp_path: Path) -> None:
    dead, living = inbox_in(tmp_path), inbox_in(tmp_path)
    await dead.deliver("event:1", QUESTION)
    assert await dead.claim() is not None
    assert await living.resume_dead() == 0
    dead._presence._file.close()  # What the kernel does for a process that was killed.
    assert await living.resume_dead() == 1
    again = await living.claim()
    assert again is not None
    assert again.attempts == 2
    dead.close()
    living.close()


async def test_a_silent_process_elsewhere_loses_its_claims_after_half_a_minute(tmp_path: Path) -> None:
    clock = Clock()
    url = f"sqlite:///{tmp_path}/inbox.db"
    here = Inbox(url, Presence(tmp_path / "here"), keep_words=timedelta(1), clock=clock)
    elsewhere = Inbox(url, Presence(tmp_path / "elsewhere"), keep_words=timedelta(1), clock=clock)
    await elsewhere.deliver("event:1", QUESTION)
    await elsewhere.claim()
    clock.now += CLAIM_SECONDS - 1
    await elsewhere.renew()
    clock.now += CLAIM_SECONDS - 1
    assert await here.resume_dead() == 0
    clock.now += 2
    assert await here.resume_dead() == 1
    here.close()
    elsewhere.close()


async def test_one_message_is_the_answer_to_one_question(tmp_path: Path) -> None:
    inbox = inbox_in(tmp_path)
    await inbox.deliver("event:1", QUESTION)
    await inbox.deliver("event:2", Asked("T1", "C1", "2.0", "1.0", "U1", "why?", "mention"))
    first, second = await inbox.claim(), await inbox.claim()
    assert first is not None
    assert second is not None
    assert await inbox.record_post(first.question_id, "9.0")
    assert await inbox.record_post(first.question_id, "9.0")
    assert not await inbox.record_post(second.question_id, "9.0")
    inbox.close()


async def test_words_go_when_they_were_kept_long_enough(tmp_path: Path) -> None:
    clock = Clock()
    inbox = inbox_in(tmp_path, keep_words=timedelta(days=30), clock=clock)
    await inbox.deliver("event:1", QUESTION)
    claimed = await inbox.claim()
    assert claimed is not None
    await inbox.record_post(claimed.question_id, "9.0")
    await inbox.finish(claimed.question_id, Outcome("answered", "this way", "{}"))
    clock.now += timedelta(days=29).total_seconds()
    await inbox.purge()
    assert await inbox.answers_in("T1", "C1", "1.0") == {"9.0": "this way"}
    clock.now += timedelta(days=2).total_seconds()
    await inbox.purge()
    assert await inbox.answers_in("T1", "C1", "1.0") == {}
    assert await inbox.deliver("event:9", QUESTION) == "known", "that it was asked is still known"
    inbox.close()


async def test_only_an_error_can_be_asked_again(tmp_path: Path) -> None:
    inbox = inbox_in(tmp_path, keep_words=timedelta(0))
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
    inbox.close()


def test_the_migrations_make_the_tables_that_the_code_expects(tmp_path: Path) -> None:
    engine = opened(f"sqlite:///{tmp_path}/inbox.db")
    found = sa.inspect(engine)
    for table in METADATA.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert columns == {column.name: bool(column.nullable) for column in table.columns}
    engine.dispose()


def test_a_newer_inbox_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/inbox.db"
    engine = opened(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version_bot SET version_num = 'bot_999'"))
    engine.dispose()
    with pytest.raises(Misconfigured, match="newer Quoth"):
        opened(url)
    (tmp_path / "other.db").write_text("not a database " * 100)
    with pytest.raises(QuothError, match="database"):
        opened(f"sqlite:///{tmp_path}/other.db")
