"""Questions on disk: delivered once, claimed by one process, finished once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.inbox import tables
from bot.inbox.presence import Presence
from bot.inbox.rated import Rated, rated_since
from bot.inbox.tables import DELIVERIES, FEEDBACK, LINEAGE, QUESTIONS, answered_in, in_message, in_thread
from bot.inbox.writer import Writer
from connectors.database import Database

_T = TypeVar("_T")
Kind = Literal["mention", "direct", "follow_up", "shortcut"]
Sending = Literal["post", "stream"]
Withdrawal = Literal["deleted", "stopped"]
NotTaken = Literal["full", "too_many"]
Delivered = Literal["new", "known", "not_ours"] | NotTaken

CLAIM_SECONDS = 30.0
REMEMBERED = timedelta(days=7)
"""How long a delivery is known again. Slack repeats one for at most a day."""
_RETRYABLE_FOR = timedelta(days=1)
_MOST_WAITING = 5_000
SHARE = 200
"""Questions of one person that may wait at once: a crowd of scripts, not of thoughts."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came in. ``thread_ts`` is the root of its thread, ``ts`` its own message."""

    team: str
    channel: str
    ts: str
    thread_ts: str
    asker: str
    words: str
    kind: Kind
    asker_team: str | None = None
    shared: bool = False
    """It was asked where people of other companies read."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A question that this process answers now, and what may already have gone out for it."""

    question_id: str
    asked: Asked
    received: float
    attempts: int
    sending: Sending | None
    answer_ts: str | None
    withdrawn: Withdrawal | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a question ended. ``answer`` and ``explanation`` are words and are forgotten as configured."""

    name: str
    answer: str | None = None
    explanation: str | None = None
    knowledge_base: str | None = None
    """What it was answered from."""


class Inbox:
    """Storage only; every call raises TryLater when the database does not take it, and then nothing was kept.

    Slack waits three seconds for an acknowledgement: better a clear no after ``busy_seconds`` than a wait for
    another process's write.

    Raises:
        Misconfigured: The database is not ours, or a newer Quoth has already used it.
        TryLater: It cannot be reached, or its disk is full.
    """

    def __init__(
        self,
        url: str,
        presence: Presence,
        *,
        keep_words: timedelta,
        clock: Callable[[], float] = time.time,
        busy_seconds: float = 2.0,
        share: int = SHARE,
    ) -> None:
        self._database = Database(url, LINEAGE, busy_seconds=busy_seconds, overwrites=True)
        self._insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        self._writer = Writer(self._database)
        self._presence = presence
        presence.enter()
        self._keep_words = keep_words
        self._clock = clock
        self._share = share

    def close(self) -> None:
        """Finish what is being written and let go of the database."""
        self._writer.close()
        self._database.close()
        self._presence.leave()

    async def first_time(self, delivery: str) -> bool:
        """Whether this delivery is new. It is known from now on."""
        return await self._run(lambda c: self._is_first(c, delivery))

    async def deliver(self, delivery: str, asked: Asked) -> Delivered:
        """Keep a question, unless its delivery or the message itself is known.

        A follow-up is kept only in a thread that was answered in before. A question that is one too many, of
        everybody's or of its asker's, is not kept; that is told once, however often the message is delivered.
        """
        return await self._run(lambda c: self._deliver(c, delivery, asked))

    async def claim(self) -> Claimed | None:
        """The question that has waited longest, now this process's own for half a minute."""
        return await self._run(self._claim)

    async def renew(self) -> None:
        """Hold this process's claims for another half minute."""
        mine = tables.held_by(self._presence.name)
        await self._run(
            lambda c: c.execute(sa.update(QUESTIONS).where(mine).values(claimed_until=self._clock() + CLAIM_SECONDS))
        )

    async def withdrawn_among(self, question_ids: Collection[str]) -> dict[str, Withdrawal]:
        """Those of these questions that were taken back, and how."""
        chosen = sa.select(QUESTIONS.c.question_id, QUESTIONS.c.withdrawn).where(
            QUESTIONS.c.question_id.in_(question_ids), QUESTIONS.c.withdrawn.is_not(None)
        )
        return await self._run(lambda c: {row.question_id: row.withdrawn for row in c.execute(chosen)})

    async def announce(self, question_id: str, sending: Sending) -> None:
        """Note that a message for this question may go out from now on."""
        await self._set(question_id, sending=sending)

    async def record_post(self, question_id: str, answer_ts: str) -> bool:
        """Note the message that is this question's answer. False if it already is another's."""
        return await self._run(lambda c: tables.record_post(c, question_id, answer_ts))

    async def finish(self, question_id: str, outcome: Outcome) -> None:
        """End a question for good. Its words go when they are not to be kept; an error's stay a day for its retry."""
        values: dict[str, Any] = {"state": "done", "outcome": outcome.name, "claimed_by": None, "claimed_until": None}
        values["knowledge_base"] = outcome.knowledge_base
        if self._keep_words:
            values |= {"answer": outcome.answer, "explanation": outcome.explanation}
        elif outcome.name not in {"error", "stale"}:
            values |= {"words": None}
        change = sa.update(QUESTIONS).where(QUESTIONS.c.question_id == question_id).values(**values)
        await self._run(lambda c: c.execute(change), forgets=not self._keep_words)

    async def park(self, question_id: str, seconds: float) -> None:
        """Give a question back, to be claimed again after a while."""
        await self._set(
            question_id, state="waiting", claimed_by=None, claimed_until=None, not_before=self._clock() + seconds
        )

    async def resume_dead(self) -> int:
        """Free the claims of processes that died or fell silent; how many there were. Nothing stays of the dead."""
        dead = self._presence.dead()
        freed = await self._run(lambda c: tables.free(c, dead, self._clock()))
        for process in dead:
            self._presence.bury(process)
        return freed

    async def withdraw(self, team: str, channel: str, ts: str) -> list[str]:
        """Take back the unfinished question of a deleted message; its id, if there is one."""
        return await self._run(lambda c: tables.withdraw(c, in_message(team, channel, ts), "deleted"))

    async def stop_thread(self, team: str, channel: str, thread_ts: str) -> list[str]:
        """Take back every unfinished question of a thread; their ids."""
        return await self._run(lambda c: tables.withdraw(c, in_thread(team, channel, thread_ts), "stopped"))

    async def retry(self, team: str, channel: str, question_id: str) -> bool:
        """Ask a question again that ended in an error. False if it did not, or if its words are gone."""
        row = QUESTIONS.c
        wanted = sa.update(QUESTIONS).where(
            row.question_id == question_id, row.team == team, row.channel == channel, row.state == "done",
            row.outcome.in_(("error", "stale")), row.words.is_not(None),
        )  # fmt: skip
        values = {"state": "waiting", "attempts": 0, "received": self._clock(), "not_before": 0.0, "withdrawn": None}
        return await self._run(lambda c: c.execute(wanted.values(outcome=None, **values)).rowcount == 1)

    async def vote(self, message: tuple[str, str, str], question_id: str, voter: str, vote: int) -> bool:
        """Keep a person's last word on an answer. False when that message (team, channel, ts) is not that answer."""
        return await self._run(lambda c: self._vote(c, message, question_id, voter, vote))

    async def votes(self, question_id: str) -> dict[str, int]:
        """What people said of an answer, by person."""
        chosen = sa.select(FEEDBACK.c.voter, FEEDBACK.c.vote).where(FEEDBACK.c.question_id == question_id)
        return await self._run(lambda c: {row.voter: row.vote for row in c.execute(chosen)})

    async def rated(self, within: timedelta) -> list[Rated]:
        """The answers to questions of this last while that got feedback, oldest first, as far as words are kept."""
        since = self._clock() - within.total_seconds()
        return await self._run(lambda c: rated_since(c, since))

    async def explanation(self, team: str, channel: str, ts: str) -> str | None:
        """How the answer in that message, or to it, came about; None when it is neither or its words are gone."""
        which = sa.or_(answered_in(team, channel, ts), in_message(team, channel, ts))
        chosen = sa.select(QUESTIONS.c.explanation).where(which)
        return await self._run(lambda c: c.execute(chosen).scalar())

    async def answers_in(self, team: str, channel: str, thread_ts: str, base: str) -> dict[str, str | None]:
        """What was answered in a thread from a knowledge base, by message; None where the words are not kept."""
        chosen = sa.select(QUESTIONS.c.answer_ts, QUESTIONS.c.answer).where(
            in_thread(team, channel, thread_ts), QUESTIONS.c.knowledge_base == base, QUESTIONS.c.answer_ts.is_not(None)
        )
        return await self._run(lambda c: {row.answer_ts: row.answer for row in c.execute(chosen)})

    async def waiting(self) -> int:
        """How many questions have no outcome yet."""
        count = sa.select(sa.func.count()).where(tables.UNFINISHED)
        return await self._run(lambda c: c.execute(count).scalar_one())

    async def purge(self) -> None:
        """Forget words that were kept long enough, and deliveries that nobody repeats any more."""
        now = self._clock()
        old = now - max(self._keep_words, _RETRYABLE_FOR if not self._keep_words else timedelta()).total_seconds()
        await self._run(lambda c: tables.forget_words(c, QUESTIONS.c.received < old), forgets=True)
        gone = sa.delete(DELIVERIES).where(DELIVERIES.c.received < now - REMEMBERED.total_seconds())
        await self._run(lambda c: c.execute(gone))

    async def forget_all_words(self) -> None:
        """Forget every question and answer at once: the app was removed from its workspace."""
        await self._run(lambda c: c.execute(sa.update(QUESTIONS).values(state="done", words=None)))
        await self._run(lambda c: tables.forget_words(c, sa.true()), forgets=True)

    async def _run(self, work: Callable[[sa.Connection], _T], *, forgets: bool = False) -> _T:
        return await self._writer.run(work, forgets=forgets)

    async def _set(self, question_id: str, **values: Any) -> None:
        change = sa.update(QUESTIONS).where(QUESTIONS.c.question_id == question_id).values(**values)
        await self._run(lambda c: c.execute(change))

    def _is_first(self, c: sa.Connection, delivery: str) -> bool:
        return self._is_kept(c, DELIVERIES, {"delivery": delivery, "received": self._clock()})

    def _is_kept(self, c: sa.Connection, table: sa.Table, row: dict[str, Any]) -> bool:
        """Insert a row; False when it was there already. Not every driver counts what an INSERT did."""
        kept = self._insert(table).values(**row).on_conflict_do_nothing().returning(sa.literal(1))
        return c.execute(kept).first() is not None

    def _one_too_many(self, of_all: int, of_one: int) -> NotTaken | None:
        if of_all >= _MOST_WAITING:
            return "full"
        return "too_many" if of_one >= self._share else None

    def _deliver(self, c: sa.Connection, delivery: str, asked: Asked) -> Delivered:
        if asked.kind == "follow_up" and not tables.is_engaged(c, asked.team, asked.channel, asked.thread_ts):
            return "not_ours"
        if tables.is_there(c, in_message(asked.team, asked.channel, asked.ts)):
            return "known"
        refusal = self._one_too_many(*tables.unfinished(c, asked.team, asked.asker))
        if refusal is not None:
            is_told = not self._is_first(c, f"refused:{asked.team}:{asked.channel}:{asked.ts}")
            return "known" if is_told else refusal
        if not self._is_first(c, delivery):
            return "known"
        row = _row_of(asked) | {"question_id": uuid.uuid4().hex, "received": self._clock()}
        return "new" if self._is_kept(c, QUESTIONS, row) else "known"

    def _claim(self, c: sa.Connection) -> Claimed | None:
        now = self._clock()
        free = sa.select(QUESTIONS).where(QUESTIONS.c.state == "waiting", QUESTIONS.c.not_before <= now)
        row = c.execute(free.order_by(QUESTIONS.c.received).limit(1).with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        values = {"claimed_by": self._presence.name, "claimed_until": now + CLAIM_SECONDS, "attempts": row.attempts + 1}
        c.execute(
            sa.update(QUESTIONS).where(QUESTIONS.c.question_id == row.question_id).values(state="claimed", **values)
        )
        return _claimed_of(row)

    def _vote(self, c: sa.Connection, message: tuple[str, str, str], question_id: str, voter: str, vote: int) -> bool:
        theirs = sa.select(QUESTIONS.c.question_id).where(answered_in(*message), QUESTIONS.c.question_id == question_id)
        if c.execute(theirs).first() is None:
            return False
        said = self._insert(FEEDBACK).values(question_id=question_id, voter=voter, vote=vote, voted=self._clock())
        c.execute(
            said.on_conflict_do_update(
                index_elements=["question_id", "voter"], set_={"vote": vote, "voted": self._clock()}
            )
        )
        return True


def _row_of(asked: Asked) -> dict[str, Any]:
    return {
        "team": asked.team, "channel": asked.channel, "ts": asked.ts, "thread_ts": asked.thread_ts,
        "asker": asked.asker, "asker_team": asked.asker_team, "kind": asked.kind, "shared": asked.shared,
        "words": tables.storable(asked.words), "state": "waiting", "not_before": 0.0, "attempts": 0,
    }  # fmt: skip


def _claimed_of(row: sa.Row[Any]) -> Claimed:
    asked = Asked(
        row.team, row.channel, row.ts, row.thread_ts, row.asker, row.words or "", row.kind, row.asker_team, row.shared
    )
    return Claimed(row.question_id, asked, row.received, row.attempts + 1, row.sending, row.answer_ts, row.withdrawn)
