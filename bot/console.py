"""What the commands show a person: tables, answers and progress, on a terminal or in a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.answering.model import Answer, Retrieved

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("!", "yellow")}


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
        err.print(f"[red]{answer.failure.message}[/] (reference {answer.failure.reference})")
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


def show_checks(checks: Iterable[Mapping[str, Any]]) -> bool:
    """Each check with what was found and, where it fails, what to do. Gives whether all passed."""
    passed = True
    for check in checks:
        mark, colour = _MARKS[check["ok"]]
        out.print(Text.assemble((f"{mark} ", colour), (f"{check['check']}: ", "bold"), str(check["found"])))
        if check["mend"]:
            out.print(Text(f"    → {check['mend']}", style=colour))
        passed = passed and check["ok"] is not False
    return passed


def table_of(title: str, rows: list[Mapping[str, Any]]) -> Table:
    """Rows of like shape as a table, one column a key."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in rows[0] if rows else ():
        table.add_column(name.replace("_", " "), justify="left" if name in ("source", "type", "status") else "right")
    for row in rows:
        table.add_row(*("–" if value is None else str(value) for value in row.values()))
    return table
