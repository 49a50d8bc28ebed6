"""Measures how good it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot import console
from bot.app import Quoth
from bot.commands.house import AsJson, ConfigPath, house_of, show
from connectors.errors import Misconfigured

commands = typer.Typer()

Measured = Annotated[
    Path,
    typer.Argument(
        metavar="DATASET",
        help="A folder with corpus.jsonl, queries.jsonl, and qrels.tsv or qrels/test.tsv (the layout of BEIR); "
        "with --answers a file of questions.",
        show_default=False,
    ),
]


@commands.command("eval")
def evaluate(  # noqa: PLR0913  # A command has as many options as it has.
    context: typer.Context,
    dataset: Measured,
    *,
    answers: Annotated[
        bool, typer.Option("--answers", help="Measure what is answered; DATASET is a file of questions.")
    ] = False,
    kb: Annotated[
        str | None, typer.Option("--kb", metavar="KB", help="With --answers: the knowledge base to ask.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Measure the usual pipelines beside it, with the same models and chunks.")
    ] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Measure what is found, on questions whose right documents are known.

    The dataset is synced into an index of its own, with the configured models
    and kind of store; the next run uses it again. Then every query is searched
    as `quoth search` does it, and a document ranks by its best chunk.

    Figures are means over the queries, each with a 95 % bootstrap interval:
    nDCG, recall, precision and MRR; pass@k, the share of queries with a right
    document among the first k; and the latency of a search in milliseconds.

    --compare does the same with BM25 alone, the vectors alone, LangChain's
    EnsembleRetriever and Weaviate's relative-score hybrid, and tells which
    differences are beyond chance.

    --answers asks a file of questions instead, in your own knowledge base,
    and judges the answers: facts, citations, honest noes, and time.
    """
    if answers and compare:
        raise Misconfigured("--compare measures what is found, --answers what is answered. Run one after the other.")
    if answers:
        _measure_answers(context, dataset, kb, config, as_json=as_json)
    elif kb is not None:
        raise Misconfigured("--kb goes with --answers: a dataset is its own knowledge base.")
    else:
        _measure_search(context, dataset, config, compare=compare, as_json=as_json)


def _measure_search(context: typer.Context, folder: Path, config: Path | None, *, compare: bool, as_json: bool) -> None:
    from bot.evaluation.dataset import dataset_in  # noqa: PLC0415  # needed here alone
    from bot.evaluation.extras import FOR_COMPARING, require  # noqa: PLC0415
    from bot.evaluation.quarters import apart  # noqa: PLC0415
    from bot.evaluation.running import evaluated  # noqa: PLC0415  # slow to import
    from bot.evaluation.table import show_comparison  # noqa: PLC0415

    if compare:
        require(FOR_COMPARING, "--compare")
    dataset = dataset_in(folder)
    with house_of(context, config) as here, Quoth(apart(here.settings, dataset), here.environment) as house:
        found = evaluated(house, dataset, compare=compare)
    told = found.to_json()
    show(context, as_json, told, lambda: show_comparison(found) if compare else console.show_figures(told))


def _measure_answers(
    context: typer.Context, file: Path, knowledge_base: str | None, config: Path | None, *, as_json: bool
) -> None:
    from bot.evaluation.answers import showing  # noqa: PLC0415  # needed here alone
    from bot.evaluation.answers.reading import questions_in  # noqa: PLC0415
    from bot.evaluation.answers.running import measured  # noqa: PLC0415  # slow to import

    questions = questions_in(file)
    with house_of(context, config) as house:
        told = measured(house, questions, knowledge_base).to_json()
    show(context, as_json, told, lambda: showing.show(told))
