"""Measures how good it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot import console
from bot.app import Quoth
from bot.commands.house import AsJson, ConfigPath, house_of, show
from connectors.errors import Misconfigured

if TYPE_CHECKING:
    from bot.evaluation.dataset import Dataset
    from bot.evaluation.running import Evaluation

commands = typer.Typer()

Measured = Annotated[
    Path,
    typer.Argument(
        metavar="DATASET",
        help="A folder with corpus.jsonl, queries.jsonl, and qrels.tsv or qrels/test.tsv (the layout of BEIR); "
        "or a file of questions (`quoth questions --help`).",
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
        str | None, typer.Option("--kb", metavar="KB", help="With a file of questions: the knowledge base to ask.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Measure the usual pipelines beside it, with the same models and chunks.")
    ] = False,
    report: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="Write a page (.html), a picture (.png), or a folder with both. Repeatable."),
    ] = None,
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
    differences are beyond chance. --report puts it all on one page with
    pictures and the queries that went worst, to be opened without a network.

    --answers asks a file of questions instead, in your own knowledge base and
    with the model that is configured, and judges the answers without one:
    facts said, citations that support, exact quotes, right and wrong refusals,
    risk over coverage, and time; then every question that failed, and why.
    Without --answers, a file's questions are searched for in your knowledge
    base, and the sources they name are the right documents.
    """
    is_questions = answers or _is_file(dataset)
    if is_questions and (compare or report):
        raise Misconfigured("--compare and --report take a dataset’s folder, not a file or --answers. Leave one out.")
    if is_questions:
        _measure_questions(context, dataset, kb, config, answers=answers, as_json=as_json)
    elif kb is not None:
        raise Misconfigured("--kb goes with --answers or a file of questions: a dataset is its own knowledge base.")
    else:

        def tell(found: Evaluation) -> None:
            show(context, as_json, found.to_json(), lambda: _show(found))

        _measure_search(dataset, lambda: house_of(context, config), tell, report or (), compare=compare)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # Whoever reads it as a dataset says what is wrong with it.


def _measure_search(
    folder: Path,
    house: Callable[[], Quoth],
    tell: Callable[[Evaluation], None],
    reports: Sequence[Path],
    *,
    compare: bool,
) -> None:
    """Measure a dataset, tell what was found, and then write the reports: a full disk takes no figure away.

    Whatever could come in the way is looked at before anything is done.
    """
    from bot.evaluation import extras  # noqa: PLC0415  # needed here alone
    from bot.evaluation.dataset import dataset_in  # noqa: PLC0415
    from bot.evaluation.quarters import apart  # noqa: PLC0415
    from bot.evaluation.running import evaluated  # noqa: PLC0415  # slow to import

    if compare:
        extras.require(extras.FOR_COMPARING, "--compare")
    write = _writer(reports) if reports else None
    dataset = dataset_in(folder)
    with house() as here, Quoth(apart(here.settings, dataset), here.environment) as apart_house:
        found = evaluated(apart_house, dataset, compare=compare)
        tell(found)
        if write is not None:
            write(apart_house, dataset, found)


def _writer(paths: Sequence[Path]) -> Callable[[Quoth, Dataset, Evaluation], None]:
    """What will write the reports, once there is something to tell."""
    from bot.evaluation import extras  # noqa: PLC0415  # needed here alone

    extras.require(extras.FOR_REPORTING, "--report")
    from bot.evaluation import report  # noqa: PLC0415  # draws, so it needs the extra
    from bot.evaluation.plots import Measured  # noqa: PLC0415

    places = [report.place_of(path) for path in paths]

    def write(house: Quoth, dataset: Dataset, found: Evaluation) -> None:
        facts = report.facts_of(house.settings, house.embedder.fingerprint)
        for path in report.write_reports(places, Measured(dataset, found), facts):
            console.err.print(f"Written: {path}", markup=False)

    return write


def _show(found: Evaluation) -> None:
    from bot.evaluation.table import show_comparison  # noqa: PLC0415  # needed here alone

    if found.contrasts:
        show_comparison(found)
    else:
        console.show_figures(found.to_json())


def _measure_questions(
    context: typer.Context, file: Path, kb: str | None, config: Path | None, *, answers: bool, as_json: bool
) -> None:
    from bot.evaluation.answers import showing  # noqa: PLC0415  # needed here alone
    from bot.evaluation.answers.finding import found  # noqa: PLC0415
    from bot.evaluation.answers.reading import questions_in  # noqa: PLC0415
    from bot.evaluation.answers.running import measured  # noqa: PLC0415  # slow to import

    questions = questions_in(file)
    with house_of(context, config) as house:
        told = (measured if answers else found)(house, questions, kb).to_json()
    show(context, as_json, told, lambda: showing.show(told) if answers else console.show_figures(told))
