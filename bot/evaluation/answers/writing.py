"""A question file written: a new one, or more questions at the end of one. Only its owner may read it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.evaluation.answers.reading import BadQuestions, is_lines, read_text
from connectors.errors import Misconfigured

_WIDE = 1_000_000  # Characters: a text is never broken into lines.


@dataclass(frozen=True, slots=True)
class Entry:
    """A question as the file holds it, and a remark for the person who reads it; JSON has no place for remarks."""

    values: Mapping[str, Any]
    remark: str = ""


def file_of(
    head: Sequence[str], knowledge_base: str | None, entries: Sequence[Entry], *, as_lines: bool = False
) -> str:
    """The text of a new file. A knowledge base that is not named there is named by every question, or nowhere."""
    named = {"knowledge_base": knowledge_base} if knowledge_base else {}
    if as_lines:
        return "".join(_line(values) for values in (*([named] if named else []), *(entry.values for entry in entries)))
    remarks = "".join(f"# {line}\n" for line in head)
    return f"{remarks}{_yaml(named) if named else ''}questions:\n{_listed(entries, indent=2)}"


def appended_to(path: Path, entries: Sequence[Entry]) -> str:
    """The text of a file with more questions at its end; all that is there stays as it stands.

    Raises:
        BadQuestions: The file cannot be read, or its list is written so that nothing can be put at its end.
    """
    text = read_text(path)
    ending = "" if text.endswith("\n") else "\n"
    if is_lines(path, text):
        return text + ending + "".join(_line(entry.values) for entry in entries)
    tree = yaml.compose(text, yaml.SafeLoader)
    pairs = tree.value if isinstance(tree, yaml.MappingNode) else []
    asked = next(node for key, node in pairs if key.value == "questions")
    if asked.flow_style:
        raise BadQuestions(path, [(asked.start_mark.line + 1, "the questions must each stand behind a dash.")])
    at = asked.end_mark.index
    added = _listed(entries, asked.start_mark.column)
    return f"{text}{ending}{added}" if not text[at:].strip() else f"{text[:at]}{added}{text[at:]}"


def alike(ask: str) -> str:
    """A question without what does not tell it from another: case, white space, a mark at its end."""
    return " ".join(ask.casefold().split()).rstrip(" ?.!")


def write(path: Path, text: str) -> None:
    """Put a text into a file, all of it or nothing. Nobody but the owner may read it.

    Raises:
        Misconfigured: It cannot be written there.
    """
    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # 0600, whatever the umask
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written ({error.strerror}).") from error


def _listed(entries: Sequence[Entry], indent: int) -> str:
    """Entries as items of a YAML list that begins in this column."""
    lines = []
    for entry in entries:
        lines += [f"# {line}" for line in entry.remark.splitlines()]
        lines += _yaml([dict(entry.values)]).splitlines()
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


class _Dumper(yaml.SafeDumper):
    """A list of texts stands on one line; everything else has lines of its own."""

    def represent_list(self, data: Any) -> yaml.SequenceNode:
        """A list, in brackets where it holds nothing but texts."""
        is_short = all(isinstance(one, str) for one in data)
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=is_short)


_Dumper.add_representer(list, _Dumper.represent_list)


def _yaml(value: Any) -> str:
    told = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDE, default_flow_style=False)
    return str(told)


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False) + "\n"
