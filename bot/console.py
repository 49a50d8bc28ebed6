"""What the commands show a person: tables, answers and progress, on a terminal or in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from bot.answering.model import Answer, Retrieved
from connectors.sync.moving import MoveReport
from connectors.sync.reports import Filled, FilledWatcher, Progress, SyncReport, Watcher

T = TypeVar("T")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_MARKS = {True: ("✓", "green"), False: ("✗", "red")}
_FILLED = ("running", "embedded", "chunks", "per_second", "error")
_COUNTS = ("documents", "chunks", "unreadable", "held")
_COLUMNS = ("source", "type", *_COUNTS, "compared", "next")


def age_of(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago, in the largest unit that fits: `3 days ago`; `never` for None."""
    if moment is None:
        return "never"
    passed = (now or datetime.now(UTC)) - moment
    for unit, length in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        count = int(passed / length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def show_answer(answer: Answer) -> None:
    """An answer with its numbered sources, or the honest no with the nearest pages."""
    if answer.failure is not None:
        err.print(Text(f"{answer.failure.message} (reference {answer.failure.reference})", style="red"))
        return
    out.print(Markdown(answer.text) if out.is_terminal else Text(answer.text))
    for citation in answer.citations:
        place = " › ".join((citation.title, *citation.headings))
        out.print(Text(f"\n[{citation.n}] {place}, updated {age_of(citation.updated_at)}"))
        out.print(Text(f"    {citation.url}", style="dim"))
    if answer.nearest:
        out.print("\nNearest pages:")
        for page in answer.nearest:
            out.print(Text(f"  {page.title}  {page.url}"))
    for note in answer.notes:
        err.print(Text(note, style="dim"))


def show_passages(retrieved: Retrieved) -> None:
    """Passages, best first, each with where it stands."""
    if not retrieved.passages:
        err.print("Nothing found.")
    for passage in retrieved.passages:
        place = " › ".join((passage.title, *passage.headings))
        title = Text(f"{passage.rank}. {place}  ({passage.score:.3f})")
        out.print(Panel(Text(passage.text.strip()), title=title, title_align="left", subtitle=Text(passage.url)))


@contextmanager
def progress_of(source: str) -> Iterator[Watcher]:
    """A bar on stderr while a source is synced; nothing where nobody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Bars(*columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal) as bars:
        listed = bars.add_task(source, total=None)

        def watch(now: Progress) -> None:
            stage = f"{source}: {now.fetched} fetched" + (f", {now.embedded} embedded" if now.embedded else "")
            bars.update(listed, description=stage, completed=now.seen, total=now.total or None)

        yield watch


@contextmanager
def progress_of_vectors() -> Iterator[FilledWatcher]:
    """A bar on stderr while what was synced is given vectors, with the rate and the time left; none if nobody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} chunks"))
    with Bars(*columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal) as bars:
        filled = bars.add_task("embedding", total=None)
        yield lambda now: bars.update(
            filled, description=f"embedding{pace_of(now)}", completed=now.embedded, total=now.chunks
        )


def pace_of(now: Filled) -> str:
    """How fast the backfill is and how long it will take, after a comma each; nothing where that cannot be told."""
    if now.per_second is None or now.seconds_left is None:
        return ""
    return f", {now.per_second:.0f} a second, {timedelta(seconds=round(now.seconds_left))} left"


@contextmanager
def progress_of_copy() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr while an index is copied; nothing where nobody looks. Takes documents done, and in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} documents"))
    with Bars(*columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal) as bars:
        copied = bars.add_task("copying", total=None)
        yield lambda done, of: bars.update(copied, completed=done, total=of)


def show_copy(report: MoveReport, to: Path) -> None:
    """How a copy ended, and what to do next."""
    chunks = str(report.chunks) if report.embedded == report.chunks else f"{report.chunks} ({report.embedded} embedded)"
    held = f" {report.documents} documents in {chunks} chunks, as here: count and digest were compared"
    out.print(Text.assemble(_MARKS[True], held))
    out.print(Text(f"    {report.copied} documents were copied in {report.seconds:.1f} s"))
    out.print(Text(f"    to use it: quoth serve --config {to}"))


def counted(things: Iterable[T], total: int, name: str) -> Iterator[T]:
    """The same things; a bar on stderr counts them as they come, where somebody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Bars(*columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal) as bars:
        yield from bars.track(things, total=total, description=name)


def show_figures(told: Mapping[str, Any]) -> None:
    """An evaluation as a table: each figure with the bounds that hold it with 95 % confidence."""
    table = Table(box=None, pad_edge=False)
    for name in ("", "value", "95 % interval"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for name, figure in told.items():
        if isinstance(figure, Mapping):
            shown = "{:.0f}" if name.startswith("latency") else "{:.3f}"
            value, low, high = (shown.format(figure[part]) for part in ("value", "low", "high"))
            table.add_row(name, value, f"{low} – {high}")
    out.print(table)
    out.print(f"{told['queries']} queries on {told['documents']} documents in {told['chunks']} chunks")


def show_report(report: SyncReport) -> None:
    """How a sync ended, in a line."""
    counts = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "unreadable": report.unreadable,
        "held": report.held,
    }
    went_well = report.status == "ok"
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    told = told or ("nothing there" if went_well else "then it failed")
    mark, colour = _MARKS[went_well]
    line = f" {report.source}: {report.seen} documents seen, {told}; {report.chunks} chunks in {report.seconds:.1f} s"
    out.print(Text.assemble((mark, colour), line))
    if report.error:
        out.print(Text(f"    {report.error}", style="red"))
    if report.held:
        out.print(Text(f"    {report.held} removals wait for a person: quoth sync {report.source} --approve-removals"))


def show_check(check: Mapping[str, Any]) -> None:
    """One thing that was tried, and what to do about it."""
    mark, colour = ("!", "yellow") if check["ok"] and check["mend"] else _MARKS[check["ok"]]
    out.print(Text.assemble((f"{mark} ", colour), (f"{check['check']}: ", "bold"), str(check["found"])))
    if check["mend"]:
        out.print(Text(f"    → {check['mend']}", style=colour))


def show_status(told: Mapping[str, Any]) -> None:
    """The sources as a table, then what waits and what answers."""
    rows = told["sources"]
    if not rows:
        out.print("No sources are configured.")
    else:
        out.print(_table_of(rows))
    for row in rows:
        if row["last_error"]:
            out.print(Text(f"{row['source']}: {row['last_error']}", style="red"))
    _show_store(told["store"])
    _show_backfill(Filled(**{name: told["backfill"][name] for name in _FILLED}))
    queue = told["queue"]
    out.print(f"waiting: {queue['runs']} syncs, {queue['questions']} questions; model: {told['model']}", markup=False)


def _show_store(store: Mapping[str, Any]) -> None:
    out.print(f"store: {store['backend']}, {store['chunks']} chunks of {store['documents']} documents", markup=False)
    for node in store["nodes"]:
        mark, colour = _MARKS[node["ready"] and not node["lagging"]]
        out.print(Text.assemble("  ", (mark, colour), f" {node['name']}: {standing_of(node)}"))
    if building := store["building"]:
        documents = f"{building['documents']} of {building['of']} documents"
        vectors = f"{building['embedded']} of {building['chunks']} chunks embedded"
        out.print(f"  another index is being built: {documents}, {vectors}; it answers once it is complete")


def _show_backfill(now: Filled) -> None:
    if now.embedded != now.chunks:
        doing = "being embedded" if now.running else "quoth sync or quoth serve goes on with it"
        out.print(f"vectors: {now.embedded} of {now.chunks} chunks have one, {doing}{pace_of(now)}", markup=False)
    if now.error:
        out.print(Text(f"embedding: {now.error}", style="red"))


def standing_of(node: Mapping[str, Any]) -> str:
    """How a node of the store's cluster stands, in words."""
    if not node["ready"]:
        return "does not answer"
    chunks = "" if node["chunks"] is None else f", {node['chunks']} chunks"
    return f"ready, but lags behind the others{chunks}" if node["lagging"] else f"ready{chunks}"


def _table_of(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name in _COUNTS else "left", no_wrap=True)
    for row in rows:
        chunks = str(row["chunks"]) if row["embedded"] == row["chunks"] else f"{row['embedded']} of {row['chunks']}"
        counts = (str(row["documents"]), chunks, str(row["unreadable"]), str(row["held"]))
        success = None if row["last_success"] is None else datetime.fromisoformat(row["last_success"])
        compared = "now" if row["running"] else age_of(success)
        table.add_row(row["source"], row["type"], *counts, compared, _until(row["next_run"]))
    return table


def _until(moment: str) -> str:
    minutes = (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds() / 60
    return "due" if minutes < 1 else f"in {minutes:.0f} min"
