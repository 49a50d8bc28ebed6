"""Finds passages and answers questions."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Annotated

import typer

from bot import console, results
from bot.answering.model import Answer, Question, Scope
from bot.app import Quoth
from bot.commands.house import AsJson, ConfigPath, house_of, show
from connectors.errors import Misconfigured, TryLater
from connectors.model import source_tag

commands = typer.Typer()

Words = Annotated[str, typer.Argument(metavar="TEXT", help="The question; - reads standard input.", show_default=False)]
KnowledgeBase = Annotated[str, typer.Option("--kb", metavar="KB", help="The knowledge base to look in.")]


@commands.command()
def search(  # noqa: PLR0913, PLR0917  # a command's options are its parameters
    context: typer.Context,
    text: Words,
    kb: KnowledgeBase,
    limit: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 10,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each signal's score, what was removed, and whether it is answered.")
    ] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Find passages, best first."""
    with house_of(context, config) as house:
        question = Question(_words_of(text), _scope(house, kb))
        if explain:
            _explain(context, as_json, house, question, limit)
            return
        started = time.perf_counter()
        found = house.search.find(question, limit)
        seconds = time.perf_counter() - started
        _tell_of_losses(house, kb, found_some=bool(found.passages))
    show(context, as_json, results.search_result(found, seconds), lambda: console.show_passages(found))


@commands.command()
def ask(
    context: typer.Context,
    text: Words,
    kb: KnowledgeBase,
    turns: Annotated[
        str | None, typer.Option(metavar="JSON", help='Earlier turns: [["user", "…"], ["agent", "…"]]')
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question as Slack would, with its sources."""
    with house_of(context, config) as house:
        question = Question(_words_of(text), _scope(house, kb), results.turns_of(turns))
        answer = asyncio.run(_answered(house, question))
        _tell_of_losses(house, kb, found_some=answer.outcome != "not_found")
    show(context, as_json, results.answer_result(answer), lambda: console.show_answer(answer))
    raise typer.Exit(1 if answer.outcome == "error" else 0)


def _explain(context: typer.Context, as_json: bool, house: Quoth, question: Question, limit: int) -> None:
    from bot.answering.quotes import QUOTES  # noqa: PLC0415  # slow to import, needed here alone
    from bot.commands.explaining import explained, show_explained  # noqa: PLC0415  # slow to import, needed here alone

    started = time.perf_counter()
    everything = frozenset(map(source_tag, house.settings.sources))
    told = explained(house.search, question, limit, everything, quoting=house.model_name == QUOTES)
    value = results.search_result(told.found, time.perf_counter() - started)
    for shown, passage in zip(value["passages"], told.found.passages, strict=True):
        shown["signals"] = told.signals(passage)
    show(context, as_json, {**value, **told.to_json()}, lambda: show_explained(told))


def _scope(house: Quoth, knowledge_base: str) -> Scope:
    """A knowledge base. What of it was never read is told on stderr.

    Raises:
        Misconfigured: There is no such knowledge base.
    """
    scope = house.scope_of(knowledge_base)
    sources = house.settings.knowledge_bases[knowledge_base].sources
    new = [told.source for told in house.ledger.figures() if told.source in sources and told.last_success is None]
    if new:
        console.err.print(f"Never synced yet: {', '.join(new)}. `quoth sync` reads it.", markup=False)
    return scope


def _tell_of_losses(house: Quoth, knowledge_base: str, *, found_some: bool) -> None:
    """Say on stderr which part of the index was lost.

    Raises:
        TryLater: Some was, and nothing was found: an honest no must not come of it.
    """
    try:
        house.check_index(house.settings.knowledge_bases[knowledge_base].sources)
    except TryLater as lost:
        if not found_some:
            raise
        console.err.print(str(lost), markup=False)


async def _answered(house: Quoth, question: Question) -> Answer:
    try:
        return await house.answerer.answer(question)
    finally:
        await house.answerer.aclose()


def _words_of(text: str) -> str:
    """The words of a question; `-` is standard input.

    Raises:
        Misconfigured: There are none.
    """
    words = (sys.stdin.read() if text == "-" else text).strip()
    if not words:
        raise Misconfigured("The text is empty. Write a question, or - to read one from standard input.")
    return words
