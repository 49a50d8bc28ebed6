"""From a question to its answer: retrieve, rerank, floor, chat model, citations, as one LangChain chain."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableBranch, RunnableLambda
from langsmith import tracing_context

from bot.answering import outcomes
from bot.answering.failures import ModelDeclined, ModelUnavailable
from bot.answering.floor import is_promising, is_quotable
from bot.answering.model import Answer, Passage, Piece, Question, Retrieved
from bot.answering.picking import standalone
from bot.answering.prompts import asked, is_cut, sent_of
from bot.answering.quotes import QUOTES
from bot.answering.retriever import PassageRetriever, Search
from bot.answering.smalltalk import small_talk_of
from bot.answering.writing import Written, write

LIMIT = 8
"""Passages that go to a model."""

_SEARCH_DOWN = "The search is not available right now. Please try again in a few minutes."
_BROKEN = (
    "Something went wrong while answering. Please try again; if it happens again, tell the operator the reference."
)
_NO_MODEL = "The language model could not be reached. Please try again in a few minutes."

_NOTHING_YET = Retrieved(())


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question with what was found for it, and who listens. ``seconds`` says what took how long."""

    question: Question
    started: float
    say: Callable[[Piece], None]
    retrieved: Retrieved = _NOTHING_YET
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def passages(self) -> tuple[Passage, ...]:
        """What may go to the model."""
        return sent_of(self.retrieved.passages).passages


class Answerer:
    """Answers questions. One object serves many at once; everything that blocks runs on ``pool``."""

    def __init__(
        self,
        search: Search,
        model: BaseChatModel,
        *,
        fallback: BaseChatModel | None,
        model_name: str,
        pool: Executor,
    ) -> None:
        self._search = search
        self._model = model
        self._fallback = fallback
        self._model_name = model_name
        self._pool = pool
        self._chain: Runnable[Prepared, Answer] = RunnableLambda(self._retrieve) | RunnableBranch(
            (self._is_promising, RunnableLambda(self._write)), RunnableLambda(self._decline)
        )

    async def answer(self, question: Question) -> Answer:
        """The one outcome of a question. Never raises for what goes wrong on the way: that is an outcome, too."""
        async for said in self.stream(question):
            if isinstance(said, Answer):
                return said
        raise AssertionError("a stream ends with its answer")

    async def aclose(self) -> None:
        """Let go of the model's connections."""
        if hasattr(self._model, "aclose"):
            await self._model.aclose()

    async def stream(self, question: Question) -> AsyncIterator[Piece | Answer]:
        """Pieces while the model writes, then exactly one answer, last.

        The pieces' texts join to the answer's text, unless the answer turns out otherwise: a fallback's, not found, an
        error. The answer is what counts; it supersedes them. Closing the iterator stops the model.
        """
        said: asyncio.Queue[Piece | Answer | None] = asyncio.Queue()
        telling = asyncio.create_task(self._tell(question, said.put_nowait))
        telling.add_done_callback(lambda _: said.put_nowait(None))
        try:
            while (next_said := await said.get()) is not None:
                yield next_said
            await telling
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _tell(self, question: Question, say: Callable[[Piece | Answer], None]) -> None:
        """In a task of its own, so that tracing is off for all of it and for nothing else.

        A variable in the environment must not send our users' documents to a tracing service.
        """
        started = perf_counter()
        with tracing_context(enabled=False):
            answer = await self._answer(question, started, say)
        notes = (*answer.notes, outcomes.CUT_QUESTION) if is_cut(question) else answer.notes
        timings = {**answer.timings, "total": perf_counter() - started}
        say(replace(answer, notes=notes, timings=timings))

    async def _answer(self, question: Question, started: float, say: Callable[[Piece], None]) -> Answer:
        if reply := small_talk_of(question.text):
            return Answer("not_found", reply, because=outcomes.NO_QUESTION)
        try:
            return await self._chain.ainvoke(Prepared(question, started, say))
        except Exception as error:  # noqa: BLE001  # Writing raises nothing; what a search can raise is one outcome.
            return outcomes.failed("search_unavailable", _SEARCH_DOWN, error)

    async def _retrieve(self, prepared: Prepared) -> Prepared:
        began = perf_counter()
        retriever = PassageRetriever(search=self._search, question=prepared.question, limit=LIMIT)
        invoke = partial(retriever.invoke, asked(prepared.question))
        context = contextvars.copy_context()
        documents = await asyncio.get_running_loop().run_in_executor(self._pool, context.run, invoke)
        retrieved = Retrieved(tuple(document.metadata["passage"] for document in documents), retriever.rejected)
        return replace(prepared, retrieved=retrieved, seconds={"retrieve": perf_counter() - began})

    async def _write(self, prepared: Prepared) -> Answer:
        try:
            return await self._by_model_or_quotes(prepared)
        except Exception as error:  # noqa: BLE001  # The last line: a question always ends in an outcome.
            return _with(prepared, outcomes.failed("internal", _BROKEN, error))

    def _decline(self, prepared: Prepared) -> Answer:
        return _not_found(
            prepared, self._model_name, outcomes.BELOW_FLOOR if prepared.passages else outcomes.NOTHING_FOUND
        )

    def _is_promising(self, prepared: Prepared) -> bool:
        """The floor: what is not worth a model's time is an honest no. Quotes have to be the answer as they stand."""
        decide = is_quotable if self._model_name == QUOTES else is_promising
        return decide(_alone(prepared.question), prepared.passages)

    async def _by_model_or_quotes(self, prepared: Prepared) -> Answer:
        try:
            written = await self._by(self._model, prepared, prepared.say)
        except ModelDeclined as error:
            return await self._fallen_back(prepared, outcomes.declined_note(self._model_name), error)
        except ModelUnavailable as error:
            return await self._fallen_back(prepared, outcomes.unreachable_note(self._model_name), error)
        notes = (outcomes.QUOTES_ONLY,) if self._model_name == QUOTES else ()
        return _told(prepared, written, self._model_name, notes)

    async def _fallen_back(self, prepared: Prepared, note: str, error: Exception) -> Answer:
        if self._fallback is None:
            return _with(prepared, outcomes.failed("model_unavailable", _NO_MODEL, error))
        outcomes.log.warning("model.replaced", model=self._model_name, reason=str(error))
        if not is_quotable(_alone(prepared.question), prepared.passages):
            return replace(_not_found(prepared, QUOTES, outcomes.BELOW_FLOOR), notes=(note,))
        written = await self._by(self._fallback, prepared, lambda _: None)
        return _told(prepared, written, QUOTES, (note,))

    async def _by(self, model: BaseChatModel, prepared: Prepared, say: Callable[[Piece], None]) -> Written:
        began = perf_counter()
        try:
            return await write(model, prepared.question, sent_of(prepared.passages), self._first(prepared, say))
        finally:
            prepared.seconds["model"] = prepared.seconds.get("model", 0.0) + perf_counter() - began

    def _first(self, prepared: Prepared, say: Callable[[Piece], None]) -> Callable[[Piece], None]:
        """Say, and remember when the first words came."""

        def saying(piece: Piece) -> None:
            prepared.seconds.setdefault("first_text", perf_counter() - prepared.started)
            say(replace(piece, passages=prepared.passages))

        return saying


def _alone(question: Question) -> str:
    """The question as it makes sense without its thread."""
    return standalone(asked(question), [turn.text for turn in question.turns if turn.speaker == "user"])


def _told(prepared: Prepared, written: Written, model_name: str, notes: tuple[str, ...]) -> Answer:
    """An answer rests on at least one citation; anything else is an honest no."""
    if written.declined or not written.citations:
        no = _not_found(prepared, model_name, outcomes.DECLINED if written.declined else outcomes.UNCITED)
        return replace(no, notes=notes, dropped_citations=written.dropped_citations)
    if written.cut_short:
        notes = (*notes, outcomes.CUT_ANSWER)
    answer = Answer(
        "answered",
        written.text,
        written.citations,
        model=model_name,
        notes=notes,
        dropped_citations=written.dropped_citations,
        because=outcomes.cited(len(written.citations), len(prepared.passages)),
    )
    return _with(prepared, answer)


def _not_found(prepared: Prepared, model_name: str, because: str) -> Answer:
    nearest = outcomes.nearest_of(prepared.retrieved.passages)
    no = Answer("not_found", outcomes.NOT_FOUND, nearest=nearest, model=model_name, because=because)
    return _with(prepared, no)


def _with(prepared: Prepared, answer: Answer) -> Answer:
    return replace(
        answer, passages=prepared.passages, rejected=prepared.retrieved.rejected, timings=dict(prepared.seconds)
    )
