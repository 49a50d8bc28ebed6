"""What people judged can be read as long as its words are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.inbox.inbox import Asked, Inbox, Outcome
from bot.inbox.presence import Presence
from bot.inbox.rated import Exchange
from tests.databases import database_url

__all__ = ["database_url"]

DAY = timedelta(days=1)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def opened(url: str, folder: Path, clock: Clock, keep_words: timedelta = 30 * DAY) -> AsyncIterator[Inbox]:
    inbox = Inbox(url, Presence(folder), keep_words=keep_words, clock=clock)
    try:
        yield inbox
    finally:
        inbox.close()


async def answered(inbox: Inbox, ts: str, votes: dict[str, int], *, thread: str = "1.0", base: str = "eng") -> None:
    """A question in a message, its answer, and who thought what of it."""
    await inbox.deliver(f"event:{ts}", Asked("T1", "C1", ts, thread, "U1", f"question {ts}", "mention"))
    claimed = await inbox.claim()
    assert claimed is not None
    await inbox.record_post(claimed.question_id, f"{ts}5")
    await inbox.finish(claimed.question_id, Outcome("answered", f"answer {ts}", "{}", base))
    for voter, vote in votes.items():
        assert await inbox.vote(("T1", "C1", f"{ts}5"), claimed.question_id, voter, vote)


async def test_votes_are_counted_and_the_thread_comes_along(database_url: str, tmp_path: Path, clock: Clock) -> None:
    async with opened(database_url, tmp_path, clock) as inbox:
        await answered(inbox, "9.0", {}, thread="9.0")
        await answered(inbox, "10.0", {"U1": 1, "U2": 1, "U3": -1}, thread="9.0")
        await answered(inbox, "11.0", {}, thread="9.0")
        (rated,) = await inbox.rated(DAY)

    assert (rated.words, rated.outcome, rated.answer, rated.explanation) == (
        "question 10.0",
        "answered",
        "answer 10.0",
        "{}",
    )
    assert (rated.knowledge_base, rated.liked, rated.disliked) == ("eng", 2, 1)
    assert rated.earlier == (Exchange("question 9.0", "answer 9.0"),)


async def test_another_knowledge_bases_answers_stay_out_of_the_thread(
    database_url: str, tmp_path: Path, clock: Clock
) -> None:
    async with opened(database_url, tmp_path, clock) as inbox:
        await answered(inbox, "1.0", {}, base="people")
        await answered(inbox, "2.0", {"U1": -1})
        (rated,) = await inbox.rated(DAY)
    assert rated.earlier == ()


async def test_only_the_last_while_is_told_oldest_first(database_url: str, tmp_path: Path, clock: Clock) -> None:
    async with opened(database_url, tmp_path, clock) as inbox:
        for ts in ("1.0", "2.0", "3.0"):
            await answered(inbox, ts, {"U1": 1}, thread=ts)
            clock.now += DAY.total_seconds()
        assert [one.words for one in await inbox.rated(2.5 * DAY)] == ["question 2.0", "question 3.0"]


async def test_what_was_forgotten_is_not_told(database_url: str, tmp_path: Path, clock: Clock) -> None:
    async with opened(database_url, tmp_path, clock) as inbox:
        await answered(inbox, "1.0", {"U1": 1})
        clock.now += 31 * DAY.total_seconds()
        await inbox.purge()
        assert await inbox.rated(100 * DAY) == []
    async with opened(database_url, tmp_path, clock, keep_words=timedelta()) as inbox:
        await answered(inbox, "2.0", {"U1": 1})
        assert await inbox.rated(DAY) == []
