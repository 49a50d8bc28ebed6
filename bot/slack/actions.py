"""What people press: feedback, try again, ask about this message, why this answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.inbox.inbox import Asked, Inbox
from bot.slack.background import Background
from bot.slack.events import words_of
from bot.slack.explain import NOT_AN_ANSWER, explanation_text, explanation_view, sentence_view
from bot.slack.gate import Gate
from bot.slack.gateway import Gateway, SlackError
from bot.slack.intake import NOT_TAKEN
from bot.slack.rules import Identity
from bot.slack.whispers import Whispers
from bot.slack.workers import Workers

log = structlog.get_logger()
ASK = "ask_quoth"
WHY = "why_answer"
THANKS = "Thank you, I have noted that."
ANSWERED_ALREADY = "I have taken this message as a question before; see its thread."
GONE = "I no longer have that question. Please ask it again."
OWN = "That message is mine. Use “Why this answer?” to see how it came about."
Body = Mapping[str, Any]


class Actions:
    """Each is durable before it is acknowledged, so that a press is never lost."""

    def __init__(
        self,
        gateway: Gateway,
        inbox: Inbox,
        identity: Identity,
        gate: Gate,
        workers: Workers,
        background: Background,
    ) -> None:
        self._gateway = gateway
        self._inbox = inbox
        self._identity = identity
        self._gate = gate
        self._workers = workers
        self._background = background
        self._whispers = Whispers(gateway, background)

    async def on_feedback(self, ack: AsyncAck, body: Body) -> None:
        """Good answer, bad answer; the last word of a person counts."""
        said = _vote_of(body)
        kept = said is not None and await self._inbox.vote(
            (self._identity.team, _channel_of(body), _message_ts(body)), said[0], _user_of(body), said[1]
        )
        await ack()
        log.info("feedback.given" if kept else "feedback.rejected", vote=said[1] if said else None)
        if kept:
            self._whisper(body, THANKS)

    async def on_retry(self, ack: AsyncAck, body: Body) -> None:
        """Ask again what ended in an error; the same message becomes the answer."""
        question_id = str((body.get("actions") or [{}])[0].get("value", ""))
        again = await self._inbox.retry(self._identity.team, _channel_of(body), question_id)
        await ack()
        if again:
            self._workers.ring()
        else:
            self._whisper(body, GONE)

    async def on_ask(self, ack: AsyncAck, body: Body) -> None:
        """Answer somebody's message, in its thread."""
        message = body.get("message") or {}
        if message.get("user") == self._identity.bot_user or message.get("bot_id") == self._identity.bot:
            await ack()
            self._whisper(body, OWN)
            return
        delivered = await self._inbox.deliver(f"shortcut:{body.get('trigger_id')}", self._asked(body, message))
        await ack()
        self._workers.ring()
        if delivered in NOT_TAKEN:
            self._whisper(body, NOT_TAKEN[delivered])
        elif delivered == "known":
            self._whisper(body, ANSWERED_ALREADY)

    async def on_why(self, ack: AsyncAck, body: Body) -> None:
        """Show the one who asks how an answer came about."""
        await ack()
        self._background.start(self._explain(body), "explanation")

    async def _explain(self, body: Body) -> None:
        refusal = await self._gate.refusal_of(_user_of(body), (body.get("user") or {}).get("team_id"))
        explanation = None
        if refusal is None:
            place = self._identity.team, _channel_of(body), _message_ts(body)
            explanation = await self._inbox.explanation(*place)
        sentence = refusal.sentence if refusal is not None else NOT_AN_ANSWER
        view = explanation_view(explanation) if explanation else sentence_view(sentence)
        try:
            await self._gateway.write("views.open", trigger_id=body.get("trigger_id"), view=view)
        except SlackError as error:
            log.info("explanation.unopened", reason=error.reason)
            self._whisper(body, explanation_text(explanation) if explanation else sentence)

    def _asked(self, body: Body, message: Body) -> Asked:
        ts = str(message.get("ts") or body.get("message_ts") or "")
        return Asked(
            team=self._identity.team,
            channel=_channel_of(body),
            ts=ts,
            thread_ts=str(message.get("thread_ts") or ts),
            asker=_user_of(body),
            words=words_of(str(message.get("text") or ""), self._identity.bot_user),
            kind="shortcut",
            asker_team=(body.get("user") or {}).get("team_id") or (body.get("team") or {}).get("id"),
        )

    def _whisper(self, body: Body, sentence: str) -> None:
        self._whispers.start(_channel_of(body), _user_of(body), sentence, _thread_of(body))


def _vote_of(body: Body) -> tuple[str, int] | None:
    """The answer and the vote that a button carries; None when somebody made it up."""
    try:
        value = json.loads((body.get("actions") or [{}])[0].get("value", ""))
        question_id, vote = value["a"], value["v"]
    except (ValueError, KeyError, TypeError):
        return None
    return (question_id, vote) if isinstance(question_id, str) and vote in {1, -1} and vote is not True else None


def _channel_of(body: Body) -> str:
    return str((body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id") or "")


def _message_ts(body: Body) -> str:
    container, message = body.get("container") or {}, body.get("message") or {}
    return str(container.get("message_ts") or message.get("ts") or body.get("message_ts") or "")


def _thread_of(body: Body) -> str | None:
    return (body.get("message") or {}).get("thread_ts") or (body.get("container") or {}).get("thread_ts")


def _user_of(body: Body) -> str:
    return str((body.get("user") or {}).get("id") or "")
