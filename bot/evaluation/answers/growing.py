"""A question file with more questions: a new one, or what there is with new ones at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.evaluation.answers.reading import records_in
from bot.evaluation.answers.recording import recorded
from bot.evaluation.answers.writing import alike, appended_to, file_of
from bot.inbox.rated import Rated

_HEAD = (
    "Questions for `quoth eval FILE --answers`, recorded from what people asked and found helpful, or did not.",
    "It holds people's words: keep it where only those can read it who may.",
)


@dataclass(frozen=True, slots=True)
class Growth:
    """The text of the file to be, and how many questions are new in it, wait for a person, or were known."""

    text: str
    added: int
    to_review: int
    known: int


def grown(path: Path | None, rated: Sequence[Rated], knowledge_base: str | None) -> Growth:
    """A file with the cases that judged questions make. ``path`` may not be there yet; None is no file.

    Raises:
        BadQuestions: The file is no question file.
    """
    names: set[str] = set()
    asks: set[str] = set()
    is_there = path is not None and path.exists()
    if path is not None and is_there:
        knowledge_base, known = records_in(path)
        names = {name for name, _ in known}
        asks = {alike(asked.ask) for _, asked in known if not asked.turns}
    entries = list(recorded(rated, names, asks, knowledge_base))
    if not entries:
        text = ""
    elif path is not None and is_there:
        text = appended_to(path, entries)
    else:
        text = file_of(_HEAD, knowledge_base, entries, as_lines=path is not None and path.suffix == ".jsonl")
    waiting = sum("review" in entry.values for entry in entries)
    return Growth(text, len(entries), waiting, len(rated) - len(entries))
