"""Quote mode: a chat model without a language model. It answers with sentences of the sources, or declines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, ClassVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

from bot.answering.picking import Excerpt, Scorer, excerpt_of, picked
from bot.answering.prompts import NO_ANSWER
from bot.answering.spans import Span, shown, text_of

QUOTES = "quotes"
"""The name of quote mode in settings and answers."""

_LEAD_AND_CODE = 2
_NOTHING: UsageMetadata = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}


class QuoteModel(BaseChatModel):
    """Answers from the ``search_result`` blocks of the last message, in the very shape in which Claude does.

    Every word it says is a word of a source, so it can be unhelpful but cannot invent. Without a scorer it goes by the
    words that question and source share.
    """

    native_citations: ClassVar[bool] = True
    scorer: Any = None
    """A :class:`bot.answering.picking.Scorer`, or nothing."""
    pool: Any = Field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="quotes"), exclude=True)
    """Where scoring runs when asked from an event loop."""

    @property
    def _llm_type(self) -> str:
        return QUOTES

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return LangSmithParams(ls_provider="quoth", ls_model_name=kwargs.get("model", QUOTES), ls_model_type="chat")

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        blocks = quoted_blocks(messages, self.scorer)
        message = AIMessage(content=blocks, response_metadata=_ending(), usage_metadata=_NOTHING)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        yield from _chunks(quoted_blocks(messages, self.scorer))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._generate, messages)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        loop = asyncio.get_running_loop()
        for chunk in _chunks(await loop.run_in_executor(self._executor, quoted_blocks, messages, self.scorer)):
            yield chunk

    @property
    def _executor(self) -> Executor:
        pool: Executor = self.pool
        return pool


def quoted_blocks(messages: Sequence[BaseMessage], scorer: Scorer | None) -> list[str | dict[Any, Any]]:
    """Text blocks with citations, as Claude sends them; one block with NO_ANSWER when nothing answers the question."""
    results, question = _asked(messages[-1])
    earlier = [str(message.text) for message in messages[:-1] if isinstance(message, HumanMessage)]
    excerpts = [excerpt_of(result.get("title", ""), _texts_of(result)) for result in results]
    spans = picked(question, excerpts, scorer, earlier)
    if not spans:
        return [{"type": "text", "text": NO_ANSWER, "index": 0}]
    blocks = [block for span in spans for block in _blocks(span, excerpts[span.passage], results[span.passage])]
    return [{**block, "index": number} for number, block in enumerate(blocks)]


def _blocks(span: Span, excerpt: Excerpt, result: dict[str, Any]) -> list[dict[str, Any]]:
    """A span's words with its citations. They stand with the sentence that leads into a code block, not after it."""
    citations = _locations(span, excerpt, result)
    start, end = span.parts[-1]
    code = excerpt.units[end - 1]
    if len(span.parts) > 1 or end - start < _LEAD_AND_CODE or code.kind != "code" or code.text.startswith((" ", "\t")):
        return [_block(text_of(span, excerpt.units), citations)]
    lead = shown(excerpt.units[start : end - 1])
    return [_block(lead, citations), _block(code.text, [])]


def _block(text: str, citations: list[dict[str, Any]]) -> dict[str, Any]:
    text = text.strip("\n").rstrip() + "\n\n"
    return {"type": "text", "text": text, "citations": citations} if citations else {"type": "text", "text": text}


def _locations(span: Span, excerpt: Excerpt, result: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "type": "search_result_location",
            "source": result.get("source", ""),
            "title": result.get("title"),
            "search_result_index": span.passage,
            "start_block_index": start,
            "end_block_index": end,
            "cited_text": "".join(unit.text for unit in excerpt.units[start:end]),
        }
        for start, end in span.parts
    ]


def _asked(message: BaseMessage) -> tuple[list[dict[str, Any]], str]:
    content = message.content
    if isinstance(content, str):
        return [], content
    blocks = [block for block in content if isinstance(block, dict)]
    texts = [str(block["text"]) for block in blocks if block.get("type") == "text"]
    return [block for block in blocks if block.get("type") == "search_result"], texts[-1] if texts else ""


def _texts_of(result: dict[str, Any]) -> list[str]:
    return [block["text"] for block in result["content"]]


def _chunks(blocks: Sequence[str | dict[Any, Any]]) -> Iterator[ChatGenerationChunk]:
    for block in blocks:
        yield ChatGenerationChunk(message=AIMessageChunk(content=[block]))
    last = AIMessageChunk(content=[], response_metadata=_ending(), usage_metadata=_NOTHING, chunk_position="last")
    yield ChatGenerationChunk(message=last)


def _ending() -> dict[str, Any]:
    return {"stop_reason": "end_turn", "model_name": QUOTES, "message_stop": True}
