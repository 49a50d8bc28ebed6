"""Claude as a chat model whose citations survive streaming and whose failures are ours to handle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any, ClassVar

import anthropic
import structlog
from langchain_anthropic import ChatAnthropic
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from pydantic import Field, SecretStr

from bot.answering.failures import ModelUnavailable
from bot.answering.patience import Patience, StreamCut, is_our_fault, name_of, pause_before_retry

MODEL = "claude-sonnet-5-5"
"""The default."""

API = "https://api.anthropic.com"

_MAX_TOKENS = 4096

log = structlog.get_logger()


class ClaudeModel(ChatAnthropic):
    """ChatAnthropic with three things set right.

    Streams over ``search_result`` blocks keep text and citations together (langchain-anthropic turns their text into
    bare strings); the end of a stream is told by a ``message_stop`` in the metadata of the last chunk; and what fails
    before the first word is tried again under one deadline, never by the client itself.
    """

    native_citations: ClassVar[bool] = True
    patience: Patience = Field(default_factory=Patience, exclude=True)

    @cached_property
    def _async_client(self) -> anthropic.AsyncClient:
        """A client of our own: time-outs for each phase, no retries, no spans."""
        return anthropic.AsyncClient(
            **{**self._client_params, "timeout": self._timeout, "max_retries": 0},
            open_telemetry=False,
        )

    @property
    def _timeout(self) -> anthropic.Timeout:
        patience = self.patience
        return anthropic.Timeout(
            patience.deadline_seconds, connect=patience.connect_seconds, read=patience.silence_seconds
        )

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._async_client.close()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        """The reply. Raises ModelUnavailable when there is none, or when it broke after its first words."""
        give_up = asyncio.get_running_loop().time() + self.patience.deadline_seconds
        tried, spoken = 0, False
        while True:
            tried += 1
            try:
                async for chunk in _whole(super()._astream(messages, stop, run_manager, **kwargs), give_up):
                    spoken = spoken or bool(chunk.message.content)
                    yield chunk
                return
            except Exception as error:  # noqa: BLE001  # Sorted by what may be tried again; the rest becomes one failure.
                await self._pause_or_give_up(error, tried, give_up, spoken=spoken)

    async def _pause_or_give_up(self, error: Exception, tried: int, give_up: float, *, spoken: bool) -> None:
        remaining = give_up - asyncio.get_running_loop().time()
        pause = None if spoken else pause_before_retry(error, tried, remaining, self.patience)
        if pause is None:
            report = log.error if is_our_fault(error) else log.warning
            report("model.failed", model=self.model, error=name_of(error), tries=tried, spoken=spoken)
            raise ModelUnavailable(name_of(error)) from error
        log.info("model.retried", model=self.model, error=name_of(error), tries=tried, seconds=round(pause, 2))
        await asyncio.sleep(pause)

    def _make_message_chunk_from_anthropic_event(
        self, event: Any, *, coerce_content_to_string: bool, **kwargs: Any
    ) -> tuple[AIMessageChunk | None, Any]:
        """Keep text in blocks, and let the end of the message be seen. A private method: tests stand guard over it."""
        if event.type == "message_stop":
            return AIMessageChunk(content=[], response_metadata={"message_stop": True}), None
        return super()._make_message_chunk_from_anthropic_event(event, coerce_content_to_string=False, **kwargs)


def claude_of(api_key: str, base_url: str | None, model: str = MODEL, patience: Patience | None = None) -> ClaudeModel:
    """A ClaudeModel that takes nothing from the environment: key and address are these."""
    patience = patience or Patience()
    return ClaudeModel(
        model_name=model,
        api_key=SecretStr(api_key),
        base_url=base_url or API,
        max_tokens_to_sample=_MAX_TOKENS,
        timeout=patience.deadline_seconds,
        max_retries=0,
        stop=None,
        output_config={"effort": "low"},
        output_version="v0",
        patience=patience,
    )


async def _whole(stream: AsyncIterator[ChatGenerationChunk], give_up: float) -> AsyncIterator[ChatGenerationChunk]:
    """The chunks of a stream that comes to its proper end before the deadline; else StreamCut."""
    complete = False
    try:
        while (chunk := await _next(stream, give_up)) is not None:
            complete = complete or bool(chunk.message.response_metadata.get("message_stop"))
            yield chunk
    finally:
        await stream.aclose()  # type: ignore[attr-defined]  # It is a generator: closing it closes the connection.
    if not complete:
        raise StreamCut


async def _next(stream: AsyncIterator[ChatGenerationChunk], give_up: float) -> ChatGenerationChunk | None:
    async with asyncio.timeout_at(give_up):
        return await anext(stream, None)
