"""What was said before in a thread: other people's words as a user's turns, our own answers as the agent's."""

from __future__ import annotations

import re
from typing import Any

import structlog

from bot.answering.model import Turn
from bot.inbox.inbox import Asked, Inbox
from bot.slack.events import words_of
from bot.slack.gateway import Gateway, SlackError
from bot.slack.rules import Identity

log = structlog.get_logger()
_MOST_TURNS = 15
_MOST_MESSAGES = 200
"""In one page, which begins with a thread's oldest. Apps that are sold outside of Slack's directory get 15 at most."""
_LONGEST_TURN = 1_500
_BELOW_ANSWER = re.compile(r"\n\n(?:Sources|Closest pages)\n")


class Threads:
    """Reads a thread once for each question. Slack may refuse; then the question stands alone."""

    def __init__(self, gateway: Gateway, inbox: Inbox, identity: Identity) -> None:
        self._gateway = gateway
        self._inbox = inbox
        self._identity = identity

    async def turns_before(self, asked: Asked, knowledge_base: str) -> tuple[Turn, ...]:
        """The earlier turns, oldest first; none for a question that opens its thread.

        Answers from another knowledge base, which the place was bound to before, are left out.
        """
        if asked.ts == asked.thread_ts:
            return ()
        try:
            messages = await self._gateway.replies(
                asked.channel, asked.thread_ts, latest=asked.ts, inclusive=True, limit=_MOST_MESSAGES
            )
        except SlackError as error:
            log.info("thread.unread", reason=error.reason)
            messages = []
        answers = await self._inbox.answers_in(asked.team, asked.channel, asked.thread_ts, knowledge_base)
        earlier = [one for one in messages if float(one.get("ts", 0)) < float(asked.ts)]
        turns = [self._turn(message, answers) for message in earlier]
        return tuple(turn for turn in turns if turn is not None and turn.text)[-_MOST_TURNS:]

    def _turn(self, message: dict[str, Any], answers: dict[str, str | None]) -> Turn | None:
        text = words_of(str(message.get("text") or ""), self._identity.bot_user)
        if message.get("user") == self._identity.bot_user or message.get("bot_id") == self._identity.bot:
            ts = str(message.get("ts"))
            said = answers.get(ts) or _BELOW_ANSWER.split(text)[0]
            return Turn("agent", said[:_LONGEST_TURN]) if ts in answers else None
        if message.get("bot_id") or message.get("subtype") == "bot_message":
            return None
        return Turn("user", text[:_LONGEST_TURN])
