"""A question file read and checked: every complaint names file and line, and the question."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bot.answering.model import Turn
from bot.config_file import line_of
from bot.evaluation.answers.complaints import said_of
from bot.evaluation.answers.form import AskedQuestion, QuestionFile
from bot.evaluation.answers.questions import Case, Questions
from bot.evaluation.records import quoted
from connectors.errors import Misconfigured

LONGEST_LINE = 1024 * 1024
"""Bytes. A question has at most 4,000 characters that count."""
LARGEST_YAML = 2 * 1024 * 1024
LARGEST = 32 * 1024 * 1024

_MOST_COMPLAINTS = 20
_LINES = (".jsonl", ".ndjson")
_FORM = "A question file looks like “questions: [{ask: …, facts: […]}]”. `quoth questions init` starts one."

Place = tuple[Any, ...]


class BadQuestions(Misconfigured):
    """A question file that cannot be used. ``complaints``: line, or None, and sentence."""

    def __init__(self, path: Path, complaints: Sequence[tuple[int | None, str]], *, is_foreign: bool = False) -> None:
        self.complaints = tuple(complaints)
        shown = [f"{path}, line {line}: {text}" if line else f"{path}: {text}" for line, text in complaints]
        rest = [f"And {len(shown) - _MOST_COMPLAINTS} more."] if len(shown) > _MOST_COMPLAINTS else []
        super().__init__("\n".join([*shown[:_MOST_COMPLAINTS], *rest, *([_FORM] if is_foreign else [])]))


@dataclass(frozen=True, slots=True)
class _Parsed:
    """What a file says, and in which line it says what."""

    values: Any
    line_of: Callable[[Place], int | None]


def questions_in(path: Path) -> Questions:
    """The questions of a file, checked from end to end. ``.jsonl``, or what looks like it, is read as JSON lines.

    Raises:
        BadQuestions: The file is missing or cannot be read, or says something that nobody can ask or judge.
    """
    file, names, lines = _file_in(path)
    read = zip(file.questions, names, lines, strict=True)
    cases = [_case(asked, name, line) for asked, name, line in read if not asked.review]
    if not cases:
        raise BadQuestions(path, [(None, "every question in it waits for a review, so there is nothing to ask.")])
    return Questions(path, file.knowledge_base, tuple(cases), len(names) - len(cases))


def records_in(path: Path) -> tuple[str | None, list[tuple[str, AskedQuestion]]]:
    """A file's knowledge base, and every question by its id as it is written, those that wait for a review included.

    Raises:
        BadQuestions: As above.
    """
    file, names, _ = _file_in(path)
    return file.knowledge_base, list(zip(names, file.questions, strict=True))


def _file_in(path: Path) -> tuple[QuestionFile, list[str], list[int | None]]:
    """What a file says, with the id of each question and its line."""
    text = read_text(path)
    parsed = _lines_of(path, text) if is_lines(path, text) else _tree_of(path, text)
    try:
        file = QuestionFile.model_validate(parsed.values)
    except ValidationError as error:
        told = [said_of(detail, parsed.values) for detail in error.errors()]
        complaints = dict.fromkeys((parsed.line_of(place), sentence) for place, sentence in told)
        raise BadQuestions(path, list(complaints), is_foreign=any(len(place) == 0 for place, _ in told)) from None
    names = [asked.id or f"q{number}" for number, asked in enumerate(file.questions, start=1)]
    lines = [parsed.line_of(("questions", at)) for at in range(len(names))]
    if doubled := list(_doubled(names, lines)):
        raise BadQuestions(path, doubled)
    return file, names, lines


def _doubled(names: Sequence[str], lines: Sequence[int | None]) -> Iterator[tuple[int | None, str]]:
    first: dict[str, int] = {}
    for at, name in enumerate(names):
        if (earlier := first.setdefault(name, at)) != at:
            there = f"the question in line {lines[earlier]}" if lines[earlier] else f"question {earlier + 1}"
            yield lines[at], f"question {at + 1}: the id {quoted(name)} is that of {there} already."


def _case(asked: AskedQuestion, name: str, line: int | None) -> Case:
    return Case(
        name=name,
        line=line,
        ask=asked.ask,
        kind="answerable" if asked.expect == "answer" else asked.kind or "unanswerable",
        facts=tuple(tuple(fact) for fact in asked.facts),
        answer=asked.answer,
        sources=tuple(asked.sources),
        turns=tuple(Turn(speaker, text) for speaker, text in asked.turns),
        knowledge_base=asked.knowledge_base,
    )


def read_text(path: Path) -> str:
    """The text of a file of bounded size.

    Raises:
        BadQuestions: It cannot be read, is empty, too large or not UTF-8, or has a line that is too long.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise BadQuestions(path, [(None, f"the file cannot be read ({error.strerror}).")]) from error
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if len(line) > LONGEST_LINE:
            raise BadQuestions(path, [(number, f"the line is longer than {LONGEST_LINE // 1024 // 1024} MB.")])
    if len(raw) > LARGEST:
        raise BadQuestions(path, [(None, f"the file is larger than {LARGEST // 1024 // 1024} MB. Cut it up.")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = raw.count(b"\n", 0, error.start) + 1
        raise BadQuestions(path, [(number, "this is not UTF-8. Save the file as UTF-8.")]) from error
    if not text.strip():
        raise BadQuestions(path, [(None, "the file is empty.")], is_foreign=True)
    return text


def is_lines(path: Path, text: str) -> bool:
    """Whether each line is an object: by the file's name, or because its first line is a question already."""
    if path.suffix.lower() in _LINES:
        return True
    if path.suffix.lower() in (".yaml", ".yml"):
        return False
    first = text.lstrip().partition("\n")[0]
    try:
        return first.startswith("{") and "questions" not in json.loads(first)
    except (ValueError, RecursionError):
        return False


def _lines_of(path: Path, text: str) -> _Parsed:
    """One question a line; a first line with nothing but the knowledge base speaks for all."""
    head: dict[str, Any] = {}
    questions: list[Any] = []
    numbers: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        value = _value_of(path, number, line)
        if not numbers and isinstance(value, dict) and set(value) == {"knowledge_base"}:
            head = value
            continue
        questions.append(value)
        numbers.append(number)

    def line_at(place: Place) -> int | None:
        return numbers[place[1]] if len(place) > 1 and place[0] == "questions" else None

    return _Parsed({**head, "questions": questions}, line_at)


def _value_of(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line, object_pairs_hook=_without_doubles)
    except json.JSONDecodeError as error:
        sentence = f"this is not JSON ({error.msg}, column {error.colno}). A line is one question."
    except _TwiceError as error:
        sentence = f"{quoted(str(error))} is there twice."
    except (ValueError, RecursionError):
        sentence = "this is JSON that nobody can read: too deep, or with too long a number."
    raise BadQuestions(path, [(number, sentence)])


class _TwiceError(Exception):
    """A key that stands twice."""


def _without_doubles(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise _TwiceError(key)
        values[key] = value
    return values


def _tree_of(path: Path, text: str) -> _Parsed:
    if len(text.encode()) > LARGEST_YAML:
        hint = f"YAML of more than {LARGEST_YAML // 1024 // 1024} MB takes too long to read. Use JSON lines (.jsonl)."
        raise BadQuestions(path, [(None, hint)])
    try:
        # Not libyaml: nested deeply enough, it ends the process.
        loader = yaml.SafeLoader(text)
        tree = loader.get_single_node()
        doubles = list(_doubles_in(tree))
        values = loader.construct_document(tree) if tree is not None and not doubles else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        sentence = f"this is not YAML: {error.problem}. Put texts with ?, :, # or commas in quotes."
        raise BadQuestions(path, [(mark.line + 1 if mark else None, sentence)]) from error
    except yaml.reader.ReaderError as error:
        number = text.count("\n", 0, error.position) + 1
        raise BadQuestions(path, [(number, "there is a character that YAML does not allow.")]) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BadQuestions(path, [(None, "this is not YAML that anybody can read.")]) from error
    if doubles:
        raise BadQuestions(path, doubles)
    return _Parsed(values, lambda place: line_of(tree, place))


def _doubles_in(tree: yaml.Node | None) -> Iterator[tuple[int | None, str]]:
    """Keys that stand twice in one mapping. Every node is looked at once: aliases can make a huge tree of a few."""
    waiting, known = [tree], {id(tree)}
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            yield from _doubles_of(node)
        children = [child for pair in node.value for child in pair] if isinstance(node, yaml.MappingNode) else []
        children = list(node.value) if isinstance(node, yaml.SequenceNode) else children
        waiting += [child for child in children if id(child) not in known]
        known.update(map(id, children))


def _doubles_of(mapping: yaml.MappingNode) -> Iterator[tuple[int | None, str]]:
    seen: set[str] = set()
    for key, _ in mapping.value:
        if not isinstance(key, yaml.ScalarNode):
            yield key.start_mark.line + 1, "a key must be plain text."
        elif key.value in seen:
            yield key.start_mark.line + 1, f"{quoted(key.value)} is there twice."
        else:
            seen.add(key.value)
