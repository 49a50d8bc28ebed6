"""The command line: every command under its name."""

from __future__ import annotations

import typer

from bot.commands import asking, configuring, keeping, measuring, moving, questions, running
from bot.commands.house import AsJson, Before, ConfigPath

quoth = typer.Typer(
    name="quoth",
    help="Answers questions from your own documentation, in Slack and here, and quotes its sources.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for room in (keeping, asking, measuring, running):
    quoth.add_typer(room.commands)
quoth.add_typer(configuring.commands, name="config")
quoth.add_typer(moving.commands, name="store")
quoth.add_typer(questions.commands, name="questions")


@quoth.callback()
def before(context: typer.Context, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Take --config and --json before a command's own words, too."""
    context.obj = Before(config, as_json)
