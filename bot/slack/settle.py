"""One question from its claim to its one visible outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from bot import metrics
from bot.answering.model import Answer, Failure, Question, Scope
from bot.inbox.boundaries import AtBoundary, Boundary, pass_by
from bot.inbox.inbox import Claimed, Inbox, Outcome
from bot.slack.abilities import Abilities
from bot.slack.delivery import Delivery, Undeliverable
from bot.slack.explain import explanation_of
from bot.slack.gate import Gate, Refusal
from bot.slack.gateway import Gateway, SlackError
from bot.slack.ports import Answerer, SmallTalk, StillVouched
from bot.slack.render import (
    NOT_FOUND,
    Message,
    answer_message,
    apology,
    below_elements,
    clipped,
    line_message,
    tail_blocks,
)
from bot.slack.rules import Identity
from bot.slack.sessions import Sessions
from bot.slack.threads import Threads
from connectors.errors import TryLater

log = structlog.get_logger()
STALE_SECONDS = 15 * 60.0
_HOPELESS_SECONDS = 60 * 60.0
_MOST_ATTEMPTS = 5
_ANSWER_SECONDS = 150.0
_LONGEST_PAUSE_SECONDS = 60.0
STALE = "I was away when you asked this, and it may not matter any more. Shall I answer it now?"
FAILED = "Something went wrong on my side and I could not answer this."


@dataclass(frozen=True, slots=True)
class Parts:
    """What answering a question needs."""

    gateway: Gateway
    inbox: Inbox
    identity: Identity
    gate: Gate
    abilities: Abilities
    sessions: Sessions
    answerer: Answerer
    still_vouched: StillVouched
    small_talk_of: SmallTalk
    clock: Callable[[], float] = time.time
    at: AtBoundary = pass_by


class Settler:
    """Answers, refuses or apologises; whatever cannot be shown now is given back to the inbox."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._inbox = parts.inbox
        self._threads = Threads(parts.gateway, parts.inbox, parts.identity)

    async def settle(self, claimed: Claimed) -> None:
        """Bring a claimed question to its end, or give it back. Raises only what cancels."""
        parts = self._parts
        parts.at(Boundary.QUESTION_CLAIMED)
        delivery = Delivery(parts.gateway, parts.inbox, parts.identity, claimed, parts.abilities, parts.at)
        try:
            await self._settle(claimed, delivery)
        except asyncio.CancelledError:
            await self._interrupted(claimed, delivery)
        except Undeliverable as error:
            log.info("question.abandoned", question_id=claimed.question_id, reason=str(error))
            await self._finish(claimed, Outcome("abandoned"))
        except (SlackError, TryLater) as error:
            await self._put_off(claimed, error)
        except Exception as error:
            log.exception("question.failed", question_id=claimed.question_id, error=type(error).__name__)
            await self._apologise(claimed, delivery)

    async def _settle(self, claimed: Claimed, delivery: Delivery) -> None:
        await delivery.find_earlier()
        if claimed.withdrawn is not None:
            await self._take_back(claimed, delivery)
        elif self._parts.clock() - claimed.received > STALE_SECONDS:
            await self._say(claimed, delivery, apology(claimed.question_id, STALE), "stale")
        elif claimed.attempts > _MOST_ATTEMPTS:
            await self._apologise(claimed, delivery)
        else:
            await self._answer(claimed, delivery)

    async def _answer(self, claimed: Claimed, delivery: Delivery) -> None:
        scope = await self._parts.gate.scope_for(claimed.asked)
        if isinstance(scope, Refusal):
            await self._refuse(claimed, delivery, scope)
            return
        line = self._parts.small_talk_of(claimed.asked.words)
        if line is not None:
            await self._say(claimed, delivery, line_message(line), "small_talk")
            return
        with self._parts.sessions.working(claimed.asked, lambda: delivery.is_ended_by_stream):
            await self._answer_from(scope, claimed, delivery)

    async def _answer_from(self, scope: Scope, claimed: Claimed, delivery: Delivery) -> None:
        question = Question(
            claimed.asked.words, scope, await self._threads.turns_before(claimed.asked, scope.knowledge_base)
        )
        answer = await self._vouched(question, delivery)
        self._parts.at(Boundary.QUESTION_ANSWERED)
        now_allowed = await self._parts.gate.scope_for(claimed.asked)
        if now_allowed != scope:
            await self._put_right(claimed, delivery, now_allowed)
            return
        await self._show(claimed, delivery, answer, scope)

    async def _vouched(self, question: Question, delivery: Delivery) -> Answer:
        """An answer of what may be seen at this moment; a second try, unseen, when something went away meanwhile."""
        answer = await self._streamed(question, delivery)
        for _ in range(2):
            if answer.outcome == "error" or await self._parts.still_vouched(answer.passages, question.scope):
                return answer
            answer = await self._streamed(question, None)
        return Answer("not_found", NOT_FOUND, model=answer.model)

    async def _streamed(self, question: Question, delivery: Delivery | None) -> Answer:
        async with asyncio.timeout(_ANSWER_SECONDS):
            async for said in self._parts.answerer.stream(question):
                if isinstance(said, Answer):
                    return said
                if delivery is not None and await self._parts.still_vouched(said.passages, question.scope):
                    await delivery.piece(said)
        raise RuntimeError("the stream ended without an answer")

    async def _show(self, claimed: Claimed, delivery: Delivery, answer: Answer, scope: Scope) -> None:
        now = datetime.fromtimestamp(self._parts.clock(), UTC)
        message = answer_message(claimed.question_id, answer, now)
        _, notes = clipped(answer.text, answer.notes)
        await delivery.end(message, tail_blocks(claimed.question_id, below_elements(answer, now), notes))
        outcome = Outcome(answer.outcome, answer.text, explanation_of(answer, scope), scope.knowledge_base)
        await self._finish(claimed, outcome)
        metrics.DROPPED_CITATIONS.inc(answer.dropped_citations)
        seconds = round(self._parts.clock() - claimed.received, 3)
        counts = {"citations": len(answer.citations), "passages": len(answer.passages), "seconds": seconds}
        log.info(
            "question.answered", question_id=claimed.question_id, outcome=answer.outcome, model=answer.model, **counts
        )

    async def _refuse(self, claimed: Claimed, delivery: Delivery, refusal: Refusal) -> None:
        if refusal.silent or claimed.asked.kind == "follow_up":
            # Nobody spoke to us by name, or nobody at all: a no would only be in the way.
            await self._finish(claimed, Outcome("refused"))
        elif refusal.passing:
            await self._say(claimed, delivery, apology(claimed.question_id, refusal.sentence), "error")
        else:
            await self._say(claimed, delivery, line_message(refusal.sentence), "refused")

    async def _put_right(self, claimed: Claimed, delivery: Delivery, allowed: Scope | Refusal) -> None:
        """The place's knowledge base changed while we answered: that answer must not stay."""
        if isinstance(allowed, Refusal):
            await self._say(claimed, delivery, line_message(allowed.sentence), "refused")
        else:
            sentence = "The knowledge base of this channel has just changed. Please ask again."
            await self._say(claimed, delivery, apology(claimed.question_id, sentence), "error")

    async def _say(self, claimed: Claimed, delivery: Delivery, message: Message, outcome: str) -> None:
        await delivery.end(message, [])
        await self._finish(claimed, Outcome(outcome))

    async def _apologise(self, claimed: Claimed, delivery: Delivery) -> None:
        failure = Failure("internal", FAILED, claimed.question_id[:8])
        now = datetime.fromtimestamp(self._parts.clock(), UTC)
        message = answer_message(claimed.question_id, Answer("error", "", failure=failure), now)
        try:
            await self._say(claimed, delivery, message, "error")
        except Undeliverable:
            await self._finish(claimed, Outcome("abandoned"))
        except (SlackError, TryLater) as error:
            await self._put_off(claimed, error)

    async def _put_off(self, claimed: Claimed, error: Exception) -> None:
        if self._parts.clock() - claimed.received > _HOPELESS_SECONDS:
            log.error("question.abandoned", question_id=claimed.question_id, reason=type(error).__name__)
            await self._finish(claimed, Outcome("abandoned"))
            return
        seconds = min(2.0**claimed.attempts, _LONGEST_PAUSE_SECONDS)
        log.warning("question.put_off", question_id=claimed.question_id, reason=str(error), seconds=seconds)
        await self._inbox.park(claimed.question_id, seconds)

    async def _interrupted(self, claimed: Claimed, delivery: Delivery) -> None:
        """Cancelled: either the question was taken back, or this process ends and another goes on."""
        if await self._inbox.withdrawn_among([claimed.question_id]):
            await self._take_back(claimed, delivery)
        else:
            await self._inbox.park(claimed.question_id, 0.0)

    async def _take_back(self, claimed: Claimed, delivery: Delivery) -> None:
        how = (await self._inbox.withdrawn_among([claimed.question_id])).get(claimed.question_id, claimed.withdrawn)
        await delivery.take_back(was_stopped=how == "stopped")
        await self._finish(claimed, Outcome("withdrawn"))

    async def _finish(self, claimed: Claimed, outcome: Outcome) -> None:
        await self._inbox.finish(claimed.question_id, outcome)
        self._parts.at(Boundary.QUESTION_FINISHED)
        metrics.QUESTIONS.labels(outcome.name).inc()
        metrics.ANSWER_SECONDS.observe(max(0.0, self._parts.clock() - claimed.received))
