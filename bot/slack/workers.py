"""The people at the desk: so many questions at a time, each in a task of our own, none lost when one is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress

import structlog

from bot.inbox.inbox import Claimed, Inbox
from bot.slack.settle import Settler
from connectors.errors import TryLater

log = structlog.get_logger()
_LOOK_SECONDS = 1.0
_WITHDRAWN_SECONDS = 0.4
_RENEW_EVERY = 20
_RESUME_EVERY = 5


class Workers:
    """Claims questions and has them settled. The inbox, not this object, knows what there is to do."""

    def __init__(self, inbox: Inbox, settler: Settler, at_once: int) -> None:
        self._inbox = inbox
        self._settler = settler
        self._at_once = at_once
        self._bell = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    async def start(self) -> None:
        """Take up what earlier processes left, then wait for more."""
        await self._inbox.resume_dead()
        self._tasks = [asyncio.create_task(self._work(), name=f"worker-{number}") for number in range(self._at_once)]
        self._tasks.append(asyncio.create_task(self._tend(), name="inbox-tender"))

    def ring(self) -> None:
        """There may be something to do."""
        self._bell.set()

    def interrupt(self, question_ids: Collection[str]) -> None:
        """Stop working on these questions at once."""
        for question_id in question_ids:
            task = self._running.get(question_id)
            # Only once: what an interrupted question does last must not be interrupted in its turn.
            if task is not None and not task.cancelling():
                task.cancel()

    async def drain(self, seconds: float) -> None:
        """Claim nothing more; let what runs end within the time, then give the rest back to the inbox."""
        self._closing = True
        self.ring()
        if self._running:
            await asyncio.wait(self._running.values(), timeout=seconds)
        left = list(self._running.values())
        for task in left:
            task.cancel()
        for worker in self._tasks:
            worker.cancel()
        await asyncio.gather(*left, *self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        while not self._closing:
            self._bell.clear()
            claimed = await self._claimed()
            if claimed is None:
                await self._wait_for_bell()
                continue
            task = asyncio.create_task(self._settler.settle(claimed), name=f"question-{claimed.question_id[:8]}")
            self._running[claimed.question_id] = task
            try:
                await asyncio.wait({task})
                if not task.cancelled() and (error := task.exception()) is not None:
                    log.error("question.left", question_id=claimed.question_id, error=type(error).__name__)
            finally:
                if task.done():
                    self._running.pop(claimed.question_id, None)

    async def _claimed(self) -> Claimed | None:
        try:
            return await self._inbox.claim()
        except TryLater as error:
            log.warning("inbox.unavailable", reason=str(error))
            return None

    async def _wait_for_bell(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), _LOOK_SECONDS)

    async def _tend(self) -> None:
        """Keep our claims, notice questions that were taken back elsewhere, take over dead processes' ones."""
        beat = 0
        while True:
            await asyncio.sleep(_WITHDRAWN_SECONDS)
            beat += 1
            try:
                await self._tend_once(beat)
            except TryLater as error:
                log.warning("inbox.unavailable", reason=str(error))

    async def _tend_once(self, beat: int) -> None:
        if self._running:
            self.interrupt(await self._inbox.withdrawn_among(list(self._running)))
        if beat % _RENEW_EVERY == 0:
            await self._inbox.renew()
        if beat % _RESUME_EVERY == 0 and await self._inbox.resume_dead():
            self.ring()
