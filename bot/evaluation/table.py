"""A comparison as a person reads it on a terminal or in a file: pipelines side by side, then ours minus theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from bot import console
from bot.evaluation.comparison import FEWEST, Contrast, Verdict
from bot.evaluation.intervals import Estimate
from bot.evaluation.measuring import LATENCIES
from bot.evaluation.running import OURS, Evaluation

MARKS: Mapping[Verdict, str] = {"better": "▲", "worse": "▼", "chance": " "}

_STYLES: Mapping[Verdict, str] = {"better": "green", "worse": "red", "chance": "dim"}


def show_comparison(found: Evaluation) -> None:
    """Every figure of every pipeline with its interval, and which differences are beyond chance."""
    figures = {OURS: found.figures, **{name: contrast.figures for name, contrast in found.contrasts.items()}}
    table = _table(list(figures))
    for metric in found.figures:
        table.add_row(metric, *(_figure(metric, each[metric]) for each in figures.values()))
    console.out.print(table)
    console.out.print(f"\nOurs minus theirs, query by query ({MARKS['better']} better, {MARKS['worse']} worse):\n")
    table = _table(list(found.contrasts))
    for metric in found.figures:
        table.add_row(metric, *(_difference(metric, contrast) for contrast in found.contrasts.values()))
    console.out.print(table)
    console.out.print(f"\n{found.queries} queries on {found.documents} documents in {found.chunks} chunks")
    console.out.print("Under each figure stands its 95 % interval; unmarked differences may be chance.")
    if found.queries < FEWEST:
        console.out.print(f"With fewer than {FEWEST} queries, no difference can be told from chance.")


def signed(metric: str, number: float) -> str:
    """A difference as it is shown: milliseconds whole, everything else with three digits."""
    return f"{number:+.0f}" if metric in LATENCIES else f"{number:+.3f}"


def plain(metric: str, number: float) -> str:
    """A figure as it is shown."""
    return f"{number:.0f}" if metric in LATENCIES else f"{number:.3f}"


def _table(pipelines: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in pipelines:
        table.add_column(name.replace("_", "\n"), justify="right", no_wrap=True)
    return table


def _figure(metric: str, figure: Estimate) -> Text:
    bounds = f"{plain(metric, figure.low)}–{plain(metric, figure.high)}"
    return Text.assemble(plain(metric, figure.value), "\n", (bounds, "dim"))


def _difference(metric: str, contrast: Contrast) -> Text:
    found, verdict = contrast.differences[metric], contrast.verdicts[metric]
    bounds = f"{signed(metric, found.low)}…{signed(metric, found.high)}"
    return Text.assemble((f"{signed(metric, found.value)} {MARKS[verdict]}", _STYLES[verdict]), "\n", (bounds, "dim"))
