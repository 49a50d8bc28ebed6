"""The commands. Each reads its words, asks the house for what it needs, and shows what came of it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bot import console, results
from bot.answering.model import Answer, Question, Scope
from bot.app import Quoth
from bot.config_file import settings_of
from bot.logs import start_logging
from bot.settings import Environment, schema
from bot.status import status_of
from bot.stores import owner_of, share_ledger, store_of, twin_of
from connectors.errors import Misconfigured, TryLater
from connectors.sync.moving import End, MoveReport, Watched, move

quoth = typer.Typer(
    name="quoth",
    help="Answers questions from your own documentation, in Slack and here, and quotes its sources.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
config = typer.Typer(name="config", help="Look at the configuration.", no_args_is_help=True)
quoth.add_typer(config)
store = typer.Typer(
    name="store",
    help="Move the index between stores: from the file to a Weaviate, to another one, or back to the file.",
    no_args_is_help=True,
)
quoth.add_typer(store)

ConfigPath = Annotated[
    Path | None, typer.Option("--config", metavar="PATH", help="quoth.yaml; QUOTH_CONFIG or ./quoth.yaml by default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, and nothing else, on stdout.")]
Words = Annotated[str, typer.Argument(metavar="TEXT", help="The question; - reads standard input.", show_default=False)]
KnowledgeBase = Annotated[str, typer.Option("--kb", metavar="KB", help="The knowledge base to look in.")]


@dataclass(frozen=True, slots=True)
class Before:
    """What was said before the command's own words."""

    config: Path | None
    as_json: bool


@quoth.callback()
def before(context: typer.Context, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Take --config and --json before a command's own words, too."""
    context.obj = Before(config, as_json)


@quoth.command()
def sync(  # noqa: PLR0913, PLR0917  # a command's options are its parameters
    context: typer.Context,
    sources: Annotated[list[str] | None, typer.Argument(metavar="[SOURCE]…", help="All of them by default.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Fetch everything again.")] = False,
    approve_removals: Annotated[bool, typer.Option("--approve-removals", help="Let held removals go.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Put back what the store has lost.")] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Make the knowledge base true to its sources."""
    with _house(context, config) as house:
        chosen = list(dict.fromkeys(sources or house.settings.sources))
        connectors = [house.connector(name) for name in chosen]
        failed = False
        for connector in connectors:
            with console.progress_of(connector.source) as watch:
                report = house.sync_now(
                    connector, full=full, approve_removals=approve_removals, verify=verify, watch=watch
                )
            failed = failed or report.status == "failed"
            _show(context, as_json, report.to_json(), lambda report=report: console.show_report(report))
    raise typer.Exit(1 if failed else 0)


@quoth.command()
def search(
    context: typer.Context,
    text: Words,
    kb: KnowledgeBase,
    limit: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 10,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Find passages, best first."""
    with _house(context, config) as house:
        question = Question(_words_of(text), _scope(house, kb))
        started = time.perf_counter()
        found = house.search.find(question, limit)
        seconds = time.perf_counter() - started
        _tell_of_losses(house, kb, found_some=bool(found.passages))
    _show(context, as_json, results.search_result(found, seconds), lambda: console.show_passages(found))


@quoth.command()
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
    with _house(context, config) as house:
        question = Question(_words_of(text), _scope(house, kb), results.turns_of(turns))
        answer = asyncio.run(_answered(house, question))
        _tell_of_losses(house, kb, found_some=answer.outcome != "not_found")
    _show(context, as_json, results.answer_result(answer), lambda: console.show_answer(answer))
    raise typer.Exit(1 if answer.outcome == "error" else 0)


@quoth.command()
def status(context: typer.Context, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Say what is held of each source, what waits for a person, and what comes next."""
    with _house(context, config) as house:
        told = status_of(house)
    _show(context, as_json, told, lambda: console.show_status(told))


@quoth.command()
def doctor(context: typer.Context, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Try everything that this configuration needs, and say what to do about what does not work."""
    from bot.doctor import checks  # noqa: PLC0415  # slow to import, needed here alone

    with _house(context, config) as house:
        passed = True
        for check in checks(house):
            passed = passed and check.ok
            _show(context, as_json, check.to_json(), lambda check=check: console.show_check(check.to_json()))
    raise typer.Exit(0 if passed else 1)


@quoth.command("eval")
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
    with _house(context, config) as here, Quoth(apart(here.settings, measured), here.environment) as house:
        told = evaluated(house, measured).to_json()
    _show(context, as_json, told, lambda: console.show_figures(told))


@quoth.command()
def serve(context: typer.Context, config: ConfigPath = None) -> None:
    """Answer in Slack and keep the sources in sync, until SIGTERM."""
    from bot.serve import serve_until_told  # noqa: PLC0415  # slow to import, needed here alone

    with _house(context, config, quiet=False) as house:
        asyncio.run(serve_until_told(house))


@quoth.command()
def demo(
    docs: Annotated[str | None, typer.Option(metavar="PATH_OR_GIT_URL", help="Play on your own repository.")] = None,
) -> None:
    """Play the main job end to end on this machine: no account, no key, no container."""
    from bot.demo import play  # noqa: PLC0415  # slow to import, needed here alone

    environment = Environment()
    start_logging(environment.quoth_log, quiet=True)
    raise typer.Exit(asyncio.run(play(environment, docs)))


@config.command("check")
def check_configuration(context: typer.Context, config: ConfigPath = None) -> None:
    """Validate quoth.yaml: every mistake is named with its line."""
    path = _config_path(context, config, Environment())
    settings = settings_of(path)
    console.out.print(
        f"{path} is valid: {len(settings.sources)} sources, {len(settings.knowledge_bases)} knowledge bases, "
        f"{len(settings.channels)} channels.",
        markup=False,
    )


@config.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of quoth.yaml, for editors."""
    sys.stdout.write(results.line_of(schema()) + "\n")


@store.command("copy")
def copy_store(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", metavar="CONFIG", help="Another quoth.yaml: its store is filled.")],
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Copy the index that answers now to the store that another quoth.yaml names.

    Documents, chunks and vectors go as they are: nothing is fetched, nothing is
    embedded, and Quoth goes on answering meanwhile. Copied again, only what is
    missing goes; so does a copy that was interrupted. In the end count and
    digest of every source are compared.

    To move: write a second quoth.yaml with another store section, copy to it,
    then start Quoth with it. The way back is the same command, from there to
    here. If the other file names another data_dir or database, what the ledger
    knows goes along, to a Quoth that has no documents of these sources yet.
    """
    with (
        _house(context, config) as house,
        Quoth(settings_of(to), house.environment) as other,
        console.progress_of_copy() as tell,
    ):
        report = _copied(house, other, tell)
    if report.left:
        console.err.print(f"{report.left} documents changed meanwhile: `quoth sync` brings them.", markup=False)
    _show(context, as_json, report.to_json(), lambda: console.show_copy(report, to))


def _copied(house: Quoth, other: Quoth, tell: Callable[[int, int], None]) -> MoveReport:
    live, shared = house.indexes.live(), share_ledger(house.settings, other.settings)
    twin = twin_of(live.spec, house.settings, other.settings)
    ledger = house.ledger if shared else other.ledger
    sources = [name for name in house.settings.sources if shared or name in other.settings.sources]
    if left_out := set(house.settings.sources) - set(sources):
        console.err.print(f"Not named there, so left out: {', '.join(sorted(left_out))}.", markup=False)
    with ExitStack() as opened:
        filled = store_of(twin, other.data_dir, house.environment, owner_of(ledger.key), opened)
        ends = End(house.ledger, live.name, live.store), End(ledger, twin.name, filled)
        return move(*ends, sources, house.data_dir, watched=Watched(tell, house.stopping))


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


def _config_path(context: typer.Context, path: Path | None, environment: Environment) -> Path:
    before: Before = context.find_root().obj
    return path or before.config or environment.quoth_config


def _house(context: typer.Context, path: Path | None, *, quiet: bool = True) -> Quoth:
    environment = Environment()
    start_logging(environment.quoth_log, quiet=quiet)
    return Quoth(settings_of(_config_path(context, path, environment)), environment)


def _show(context: typer.Context, as_json: bool, value: Mapping[str, Any], readably: Any) -> None:
    before: Before = context.find_root().obj
    if as_json or before.as_json:
        sys.stdout.write(results.line_of(value) + "\n")
        sys.stdout.flush()
    else:
        readably()


def _words_of(text: str) -> str:
    """The words of a question; `-` is standard input.

    Raises:
        Misconfigured: There are none.
    """
    words = (sys.stdin.read() if text == "-" else text).strip()
    if not words:
        raise Misconfigured("The text is empty. Write a question, or - to read one from standard input.")
    return words
