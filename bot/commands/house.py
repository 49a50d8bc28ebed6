"""What all commands share: where the configuration is, the house built from it, and how results are shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bot import results
from bot.app import Quoth
from bot.config_file import settings_of
from bot.logs import start_logging
from bot.settings import Environment

ConfigPath = Annotated[
    Path | None, typer.Option("--config", metavar="PATH", help="quoth.yaml; QUOTH_CONFIG or ./quoth.yaml by default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, and nothing else, on stdout.")]


@dataclass(frozen=True, slots=True)
class Before:
    """What was said before the command's own words."""

    config: Path | None
    as_json: bool


def config_path_of(context: typer.Context, path: Path | None, environment: Environment) -> Path:
    """The quoth.yaml that the command line or the environment names."""
    before: Before = context.find_root().obj
    return path or before.config or environment.quoth_config


def house_of(context: typer.Context, path: Path | None, *, quiet: bool = True) -> Quoth:
    """Everything that this configuration makes, to be closed by the caller."""
    environment = Environment()
    start_logging(environment.quoth_log, quiet=quiet)
    return Quoth(settings_of(config_path_of(context, path, environment)), environment)


def show(context: typer.Context, as_json: bool, value: Mapping[str, Any], readably: Callable[[], object]) -> None:
    """Print a result: as one line of JSON where that was asked for, else readably."""
    before: Before = context.find_root().obj
    if as_json or before.as_json:
        sys.stdout.write(results.line_of(value) + "\n")
        sys.stdout.flush()
    else:
        readably()
