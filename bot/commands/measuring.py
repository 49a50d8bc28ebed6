"""Measures how good it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot import console
from bot.app import Quoth
from bot.commands.house import AsJson, ConfigPath, house_of, show

commands = typer.Typer()


@commands.command("eval")
def evaluate(
    context: typer.Context,
    dataset: Annotated[
        Path,
        typer.Argument(
            metavar="DATASET",
            help="A folder with corpus.jsonl, queries.jsonl, and qrels.tsv or qrels/test.tsv (the layout of BEIR).",
            show_default=False,
        ),
    ],
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
    """
    from bot.evaluation.dataset import dataset_in  # noqa: PLC0415  # needed here alone
    from bot.evaluation.quarters import apart  # noqa: PLC0415  # needed here alone
    from bot.evaluation.running import evaluated  # noqa: PLC0415  # slow to import, needed here alone

    measured = dataset_in(dataset)
    with house_of(context, config) as here, Quoth(apart(here.settings, measured), here.environment) as house:
        told = evaluated(house, measured).to_json()
    show(context, as_json, told, lambda: console.show_figures(told))
