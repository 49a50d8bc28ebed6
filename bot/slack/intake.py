"""Persist, then acknowledge: what an event asks is on the disk before Slack hears that we have it."""

from __future__ import annotations

import time
from collections.abc import Mapping

import structlog

from bot import metrics
from bot.inbox.boundaries import AtBoundary, Boundary
from bot.inbox.inbox import Asked, Delivered, Inbox
from bot.slack.events import Ask, Envelope, Leave, OpenHome, OpenMessages, Stop, Withdraw, intent_of
from bot.slack.home import Home
from bot.slack.rules import Identity
from bot.slack.sessions import Place, Sessions
from bot.slack.whispers import Whispers
from bot.slack.workers import Workers

log = structlog.get_logger()
NOT_TAKEN: Mapping[Delivered, str] = {
    "full": "I have more questions than I can answer just now. Please ask this again in a few minutes.",
    "too_many": "I am still working on your earlier questions. Please ask this one again when they are answered.",
}
"""What the asker of a question that was not kept is told."""


class Intake:
    """Takes envelopes in. When it raises, nothing was kept and Slack must deliver again."""

    def __init__(
        self, inbox: Inbox, workers: Workers, identity: Identity, home: Home, sessions: Sessions, whispers: Whispers
    ) -> None:
        self._inbox = inbox
        self._workers = workers
        self._identity = identity
        self._home = home
        self._sessions = sessions
        self._whispers = whispers

    async def take(self, envelope: Envelope, at: AtBoundary) -> None:
        """Make an event durable, whatever it asks.

        Raises:
            TryLater: The disk or the database did not take it.
        """
        began = time.monotonic()
        at(Boundary.DELIVERY_RECEIVED)
        intent = intent_of(envelope, self._identity.bot_user)
        match intent:
            case Ask(asked):
                await self._keep(_delivery_of(envelope, asked), asked)
                at(Boundary.QUESTION_DELIVERED)
            case Withdraw(channel, ts):
                self._workers.interrupt(await self._inbox.withdraw(self._identity.team, channel, ts))
            case Stop():
                await self._stop(intent, envelope)
            case OpenHome(user):
                self._home.show(user)
            case OpenMessages(channel):
                self._home.suggest(channel)
            case Leave():
                await self._inbox.forget_all_words()
                log.warning("app.removed")
        metrics.ACK_SECONDS.observe(time.monotonic() - began)

    async def _keep(self, delivery: str, asked: Asked) -> None:
        delivered = await self._inbox.deliver(delivery, asked)
        if delivered == "new":
            self._workers.ring()
        elif delivered in NOT_TAKEN:
            log.warning("question.not_taken", reason=delivered)
            metrics.QUESTIONS.labels(delivered).inc()
            self._whispers.start(asked.channel, asked.asker, NOT_TAKEN[delivered], asked.thread_ts)

    async def _stop(self, stop: Stop, envelope: Envelope) -> None:
        if not await self._inbox.first_time(f"event:{envelope.get('event_id')}"):
            return
        stopped = await self._inbox.stop_thread(self._identity.team, stop.channel, stop.thread_ts)
        self._workers.interrupt(stopped)
        self._sessions.end(Place(stop.channel, stop.thread_ts))  # Slack leaves that to us after a stop.


def _delivery_of(envelope: Envelope, asked: Asked) -> str:
    return f"event:{envelope.get('event_id') or f'{asked.kind}:{asked.channel}:{asked.ts}'}"
