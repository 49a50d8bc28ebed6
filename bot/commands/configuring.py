"""Looks at the configuration."""

from __future__ import annotations

import sys

import typer

from bot import console, results
from bot.commands.house import ConfigPath, config_path_of
from bot.config_file import settings_of
from bot.settings import Environment, schema

commands = typer.Typer(help="Look at the configuration.", no_args_is_help=True)


@commands.command("check")
def check_configuration(context: typer.Context, config: ConfigPath = None) -> None:
    """Validate quoth.yaml: every mistake is named with its line."""
    path = config_path_of(context, config, Environment())
    settings = settings_of(path)
    console.out.print(
        f"{path} is valid: {len(settings.sources)} sources, {len(settings.knowledge_bases)} knowledge bases, "
        f"{len(settings.channels)} channels.",
        markup=False,
    )


@commands.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of quoth.yaml, for editors."""
    sys.stdout.write(results.line_of(schema()) + "\n")
