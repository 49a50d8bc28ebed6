"""One call of a chat model: what it was sent in, its checked words and citations out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.runnables import Runnable, RunnableLambda

from bot.answering.citations import Citations
from bot.answering.draft import Draft
from bot.answering.failures import ModelDeclined, ModelUnavailable
from bot.answering.model import Citation, Piece, Question
from bot.answering.prompts import Sent, messages_with_blocks, messages_with_marks

DEADLINE_SECONDS = 75.0
"""For any model, its own retries included. Claude's own deadline is shorter."""

_REFUSED = frozenset({"refusal", "content_filter", "safety"})
_CUT = frozenset({"max_tokens", "length", "model_context_window_exceeded", "incomplete"})
_FINISHED = frozenset({"end_turn", "stop_sequence", "stop"})


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote, checked. ``declined`` says that it found no answer in the sources."""

    text: str
    citations: tuple[Citation, ...]
    declined: bool
    cut_short: bool
    dropped_citations: int


@dataclass(slots=True)
class _Ending:
    """What the chunks said about how the stream ended."""

    facts: dict[str, Any] = field(default_factory=dict)

    def take(self, chunk: AIMessageChunk) -> None:
        self.facts.update({key: value for key, value in chunk.response_metadata.items() if value is not None})

    @property
    def reason(self) -> str:
        reasons = (
            self.facts.get(key) for key in ("stop_reason", "finish_reason", "done_reason", "stopReason", "status")
        )
        return next((str(reason).lower() for reason in reasons if reason), "")

    def is_complete(self, *, native: bool) -> bool:
        if native:
            return bool(self.facts.get("message_stop")) and self.reason in _FINISHED | _CUT
        # An integration that names its provider also passes on how the provider ended; a plain one does neither.
        return bool(self.reason) or "model_provider" not in self.facts


async def write(model: BaseChatModel, question: Question, sent: Sent, say: Callable[[Piece], None]) -> Written:
    """Ask the model once and say each finished piece.

    Raises:
        ModelUnavailable: It failed, or its stream ended in any other way than complete.
        ModelDeclined: It refused.
    """
    native = bool(getattr(model, "native_citations", False))
    draft, ending = Draft(Citations(sent), native), _Ending()
    chain = _chain(model, sent, native=native)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for chunk in _chunks(chain, question):
                ending.take(chunk)
                _say_all(draft.take(chunk), say)
    except (ModelUnavailable, ModelDeclined):
        raise
    except Exception as error:  # A model of any provider can fail in any way; for an answer they are all one.
        raise ModelUnavailable(type(error).__name__) from error
    _check(ending, native=native)
    _say_all(draft.finish(), say)
    cut_short = ending.reason in _CUT
    return Written(draft.text, draft.citations.made, draft.declined, cut_short, draft.citations.dropped)


def _chain(model: BaseChatModel, sent: Sent, *, native: bool) -> Runnable[Question, Any]:
    """The question and its sources as messages, then the model. No tools, no second call."""

    def messages(question: Question) -> list[BaseMessage]:
        return messages_with_blocks(question, sent) if native else messages_with_marks(question, sent)

    return RunnableLambda(messages) | model


async def _chunks(chain: Runnable[Question, Any], question: Question) -> AsyncIterator[AIMessageChunk]:
    async for chunk in chain.astream(question):
        if isinstance(chunk, AIMessageChunk):
            yield chunk
        else:  # A model that cannot stream says everything at once.
            yield AIMessageChunk(content=chunk.content, response_metadata=chunk.response_metadata)


def _check(ending: _Ending, *, native: bool) -> None:
    if ending.reason in _REFUSED:
        raise ModelDeclined(ending.reason)
    if not ending.is_complete(native=native):
        raise ModelUnavailable("the stream ended before the answer did")


def _say_all(pieces: list[Piece], say: Callable[[Piece], None]) -> None:
    for piece in pieces:
        say(piece)
