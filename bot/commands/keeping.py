"""Keeps the knowledge base true to its sources, and says how it stands."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from bot import console
from bot.app import Quoth
from bot.commands.house import AsJson, ConfigPath, house_of, show
from bot.status import status_of
from connectors.errors import QuothError

commands = typer.Typer()


@commands.command()
def sync(  # noqa: PLR0913, PLR0917  # a command's options are its parameters
    context: typer.Context,
    sources: Annotated[list[str] | None, typer.Argument(metavar="[SOURCE]…", help="All of them by default.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Fetch everything again.")] = False,
    approve_removals: Annotated[bool, typer.Option("--approve-removals", help="Let held removals go.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Put back what the store has lost.")] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Make the knowledge base true to its sources. Each is answered from as soon as its line is there."""
    with house_of(context, config) as house:
        chosen = list(dict.fromkeys(sources or house.settings.sources))
        connectors = [house.connector(name) for name in chosen]
        failed = False
        for connector in connectors:
            with console.progress_of(connector.source) as watch:
                report = house.read_now(
                    connector, full=full, approve_removals=approve_removals, verify=verify, watch=watch
                )
            failed = failed or report.status == "failed"
            show(context, as_json, report.to_json(), partial(console.show_report, report))
        failed = not _embedded(house) or failed
    raise typer.Exit(1 if failed else 0)


def _embedded(house: Quoth) -> bool:
    """Give vectors to whatever has none; whether all have one then. Why not is told on stderr."""
    try:
        with console.progress_of_vectors() as watch:
            house.embed_all(watch)
    except QuothError as error:
        console.err.print(f"Answers are found by words alone for now: {error}", markup=False, style="red")
        return False
    return True


@commands.command()
def status(context: typer.Context, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Say what is held of each source, what waits for a person, and what comes next."""
    with house_of(context, config) as house:
        told = status_of(house)
    show(context, as_json, told, lambda: console.show_status(told))


@commands.command()
def doctor(context: typer.Context, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Try everything that this configuration needs, and say what to do about what does not work."""
    from bot.doctor import checks  # noqa: PLC0415  # slow to import, needed here alone

    with house_of(context, config) as house:
        passed = True
        for check in checks(house):
            passed = passed and check.ok
            show(context, as_json, check.to_json(), partial(console.show_check, check.to_json()))
    raise typer.Exit(0 if passed else 1)
