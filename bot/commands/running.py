"""Serves, and plays the demonstration."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.commands.house import ConfigPath, house_of
from bot.logs import start_logging
from bot.settings import Environment

commands = typer.Typer()


@commands.command()
def serve(context: typer.Context, config: ConfigPath = None) -> None:
    """Answer in Slack and keep the sources in sync, until SIGTERM."""
    from bot.serve import serve_until_told  # noqa: PLC0415  # slow to import, needed here alone

    with house_of(context, config, quiet=False) as house:
        asyncio.run(serve_until_told(house))


@commands.command()
def demo(
    docs: Annotated[str | None, typer.Option(metavar="PATH_OR_GIT_URL", help="Play on your own repository.")] = None,
) -> None:
    """Play the main job end to end on this machine: no account, no key, no container."""
    from bot.demo import play  # noqa: PLC0415  # slow to import, needed here alone

    environment = Environment()
    start_logging(environment.quoth_log, quiet=True)
    raise typer.Exit(asyncio.run(play(environment, docs)))
