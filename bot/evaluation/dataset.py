"""A dataset in BEIR's layout, read and checked: documents, queries with their threads, and which answers which."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.answering.model import Turn
from bot.evaluation.records import BadDataset, Line, Record, lines_in, quoted, records_in, storable

_LAYOUT = "A dataset is a folder with corpus.jsonl, queries.jsonl, and qrels.tsv or qrels/test.tsv."
_TURNS = "“turns” must look like [[“user”, “…”], [“agent”, “…”], [“user”, the question itself]]."
HIGHEST = 1_000_000
"""Of a judgement. Collections judge from 0 to 4; what is much higher is something else, and its sums mean nothing."""

_PLAIN, _TREC = 3, 4  # Columns: query, document, score; or query, iteration, document, score.


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a document stands in the corpus. ``version`` is a digest of its title and text."""

    offset: int
    size: int
    title: str
    version: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents of a dataset by name, in the order of the file. Their texts stay on disk."""

    path: Path
    entries: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Case:
    """A query with at least one relevant document. ``judged`` gives documents by name their relevance; 0 is none.

    ``turns`` are the earlier ones of its thread, oldest first.
    """

    name: str
    text: str
    turns: tuple[Turn, ...]
    judged: Mapping[str, float]

    @property
    def relevant(self) -> frozenset[str]:
        """The documents that are right."""
        return frozenset(document for document, score in self.judged.items() if score > 0)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Documents, and the queries that can be measured on them, in the order of their file."""

    folder: Path
    corpus: Corpus
    cases: tuple[Case, ...]


def dataset_in(folder: Path) -> Dataset:
    """The dataset in a folder, checked from end to end. Queries without a relevant document are left out, as BEIR does.

    Raises:
        BadDataset: A file is missing or cannot be read, an id stands twice, a judgement points nowhere, a query is
            empty, or there is nothing to measure.
    """
    folder = folder.expanduser().absolute()
    try:
        return _dataset_in(folder)
    except OSError as error:
        place = Path(error.filename) if error.filename else folder
        raise BadDataset(place, None, f"this cannot be read ({error.strerror}).") from error


def _dataset_in(folder: Path) -> Dataset:
    if not folder.is_dir():
        what = "this is a file (of questions? add --answers)" if folder.is_file() else "there is no such folder"
        raise BadDataset(folder, None, f"{what}. {_LAYOUT}")
    corpus = corpus_in(_file(folder, "corpus.jsonl"))
    if not corpus.entries:
        raise BadDataset(corpus.path, None, "there are no documents in it.")
    queries = {record.name: (_question(record), _turns(record)) for record in _unique(_file(folder, "queries.jsonl"))}
    path = _file(folder, "qrels.tsv", "qrels/test.tsv")
    judged = _judgements(path, queries, corpus.entries)
    cases = [Case(name, *queries[name], judged[name]) for name in queries if max(judged[name].values(), default=0) > 0]
    if not cases:
        raise BadDataset(path, None, "no query has a relevant document, so there is nothing to measure.")
    return Dataset(folder, corpus, tuple(cases))


def corpus_in(path: Path) -> Corpus:
    """The documents of a corpus file.

    Raises:
        BadDataset: A line is no document, or an id stands twice.
    """
    entries = {
        record.name: Entry(record.line.offset, len(record.line.raw), record.words("title"), version_of(record))
        for record in _unique(path)
    }
    return Corpus(path, entries)


def version_of(record: Record) -> str:
    """Names what a document says: another text or title is another version, other fields are not."""
    said = "\0".join((record.words("title"), record.words("text")))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _file(folder: Path, *names: str) -> Path:
    """The first of these files that is there."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
        if (folder / name).exists():
            raise BadDataset(folder / name, None, "this is not a file.")
    raise BadDataset(folder, None, f"there is no {' and no '.join(names)} in it. {_LAYOUT}")


def _unique(path: Path) -> Iterator[Record]:
    lines: dict[str, int] = {}
    for record in records_in(path):
        first = lines.setdefault(record.name, record.line.number)
        if first != record.line.number:
            raise record.line.complaint(f"the _id {quoted(record.name)} stands in line {first} already.")
        yield record


def _question(record: Record) -> str:
    text = record.words("text")
    if not text.strip():
        raise record.line.complaint(f"the query {quoted(record.name)} is empty: it needs a “text”.")
    return text


def _turns(record: Record) -> tuple[Turn, ...]:
    """The thread before the question, which is its last turn."""
    told = record.fields.get("turns") or []
    if not isinstance(told, list) or not all(_is_turn(turn) for turn in told) or (told and told[-1][0] != "user"):
        raise record.line.complaint(_TURNS)
    return tuple(Turn(speaker, storable(text)) for speaker, text in told[:-1])


def _is_turn(turn: Any) -> bool:
    match turn:
        case ["user" | "agent", str()]:
            return True
    return False


def _judgements(path: Path, queries: Collection[str], documents: Collection[str]) -> dict[str, dict[str, float]]:
    """What is judged for each query, by document."""
    judged: dict[str, dict[str, float]] = {query: {} for query in queries}
    for line, query, document, score in _rows(path, queries):
        if query not in queries:
            raise line.complaint(f"the query {quoted(query)} is not in queries.jsonl.")
        if document not in documents:
            raise line.complaint(f"the document {quoted(document)} is not in corpus.jsonl.")
        if judged[query].setdefault(document, score) != score:
            raise line.complaint(f"{quoted(document)} is judged otherwise for {quoted(query)} in an earlier line.")
    return judged


def _rows(path: Path, queries: Collection[str]) -> Iterator[tuple[Line, str, str, float]]:
    """The judgements of a file with a header, or without one, whose lines have as many columns as the first."""
    columns = 0
    for line in lines_in(path):
        cells = _cells(line)
        is_first, columns = not columns, columns or len(cells)
        if len(cells) != columns or columns not in (_PLAIN, _TREC):
            raise line.complaint("a line needs a query’s id, a document’s id and a score, with tabs between them.")
        score = _score(cells[-1])
        if score is not None and abs(score) > HIGHEST:
            raise line.complaint(f"the score {quoted(cells[-1])} is too high: {HIGHEST} is the most.")
        if score is not None:
            yield line, cells[0], cells[-2], score
        elif not is_first or cells[0] in queries:  # else it is the header
            raise line.complaint(f"the score {quoted(cells[-1])} is not a number.")


def _cells(line: Line) -> list[str]:
    text = line.text()
    return [cell.strip() for cell in (text.split("\t") if "\t" in text else text.split())]


def _score(cell: str) -> float | None:
    try:
        score = float(cell)
    except ValueError:
        return None
    return score if math.isfinite(score) else None
