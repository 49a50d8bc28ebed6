"""Moves the index from one store to another."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from bot import console
from bot.app import Quoth
from bot.commands.house import AsJson, ConfigPath, house_of, show
from bot.config_file import settings_of
from bot.stores import owner_of, share_ledger, store_of, twin_of
from connectors.sync.moving import End, MoveReport, Watched, move

commands = typer.Typer(
    help="Move the index between stores: from the file to a Weaviate, to another one, or back to the file.",
    no_args_is_help=True,
)


@commands.command("copy")
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
        house_of(context, config) as house,
        Quoth(settings_of(to), house.environment) as other,
        console.progress_of_copy() as tell,
    ):
        report = _copied(house, other, tell)
    if report.left:
        console.err.print(f"{report.left} documents changed meanwhile: `quoth sync` brings them.", markup=False)
    show(context, as_json, report.to_json(), lambda: console.show_copy(report, to))


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
