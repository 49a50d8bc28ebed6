"""quoth.yaml read and checked: every complaint names its line and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.settings import Settings
from bot.store_settings import MisplacedError, WeaviateSettings
from connectors.errors import Misconfigured

_FIXES = {
    "missing": "is missing; add it",
    "union_tag_not_found": "needs a type: git or confluence",
    "union_tag_invalid": "has an unknown {discriminator}; write {expected_tags}",
    "tuple_type": "must be a list, such as [one, two]",
    "dict_type": "must hold names with their settings, such as “name: {…}”",
    "model_attributes_type": "must hold settings, such as “name: value”",
    "model_type": "must hold settings, such as “name: value”",
}
_KINDS_AT = {"sources": 2, "store": 1}
"""Where, in pydantic's place of a mistake, stands the type or backend that was chosen."""

_KEY_FIXES = {
    "channels": "is not a channel id; a channel's id (such as C0123ABCD) stands at the end of its About tab in Slack",
    "sources": "is not a usable name; use letters, digits, dots, dashes and underscores",
    "knowledge_bases": "is not a usable name; use letters, digits, dots, dashes and underscores",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong with a configuration file. ``line`` is 1-based, ``None`` where there is none."""

    line: int | None
    where: str
    text: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.where}: {self.text}" if self.where else f"{place}{self.text}"


class BadConfiguration(Misconfigured):
    """A configuration file that cannot be used. ``complaints`` has one entry for each thing to mend."""

    def __init__(self, path: Path, complaints: Sequence[Complaint]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("\n".join(f"{path}: {complaint}" for complaint in complaints))


def settings_of(path: Path) -> Settings:
    """The settings in a file. Relative paths in it (data_dir, local repositories) start at the file's folder.

    Raises:
        BadConfiguration: The file is missing, is not YAML, or says something that cannot be used.
    """
    text = _text_of(path)
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_bad_names(path, tree)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise BadConfiguration(path, [Complaint(mark.line + 1 if mark else None, "", f"{error.problem}")]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise BadConfiguration(path, [Complaint(None, "", "this is not YAML or JSON")]) from error
    if not isinstance(values or {}, dict):
        raise BadConfiguration(path, [Complaint(1, "", "the file must hold settings, such as “sources:”")])
    try:
        return Settings.model_validate(_given(values), context={"folder": path.parent})
    except ValidationError as error:
        raise BadConfiguration(path, list(_complaints(error, tree))) from error


def _given(values: dict[str, Any] | None) -> dict[str, Any]:
    """An empty ``sources:`` in YAML is null and means nothing was said."""
    return {key: value for key, value in (values or {}).items() if value is not None}


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        hint = "there is no such file; name one with --config, or start from deploy/quoth.example.yaml"
        raise BadConfiguration(path, [Complaint(None, "", hint)]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(path, [Complaint(None, "", f"cannot be read as UTF-8 text ({error})")]) from error


def _refuse_bad_names(path: Path, node: yaml.Node | None) -> None:
    for child in _mappings_in(node):
        seen: set[str] = set()
        for key, _ in child.value:
            if not isinstance(key, yaml.ScalarNode):
                raise BadConfiguration(path, [Complaint(key.start_mark.line + 1, "", "a name must be plain text")])
            if key.value in seen:
                raise BadConfiguration(path, [Complaint(key.start_mark.line + 1, key.value, "is there twice")])
            seen.add(key.value)


def _mappings_in(node: yaml.Node | None) -> Iterable[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings_in(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _mappings_in(value)


def _complaints(error: ValidationError, tree: yaml.Node | None) -> Iterable[Complaint]:
    for detail in error.errors():
        location = _written(detail["loc"])
        if isinstance(misplaced := detail.get("ctx", {}).get("error"), MisplacedError):
            location.append(misplaced.setting)
        where, text = _said(detail, location)
        yield Complaint(line_of(tree, location or where.split(".")), where, text)


def _written(location: Sequence[Any]) -> list[Any]:
    """A place as the file has it: without the kind that chose among several shapes."""
    depth = _KINDS_AT.get(location[0]) if location else None
    return [part for at, part in enumerate(location) if at != depth and part != "[key]"]


def _said(detail: ErrorDetails, location: list[Any]) -> tuple[str, str]:
    """Where a complaint belongs and what it says."""
    where = ".".join(map(str, location))
    kind = detail["type"]
    if kind == "value_error":
        text = str(detail["ctx"]["error"])
        return (where, text) if where else tuple(text.split(": ", 1))  # type: ignore[return-value]  # ours always has one
    if detail["loc"][-1] == "[key]":
        return where, _KEY_FIXES[str(location[0])]
    if kind == "extra_forbidden":
        return where, _unknown_key(location)
    said = _FIXES.get(kind, detail["msg"][0].lower() + detail["msg"][1:])
    if kind == "union_tag_invalid":
        kinds = {name: value.replace("'", "").replace(", ", " or ") for name, value in detail["ctx"].items()}
        return where, said.format_map(kinds)
    return where, said


def _unknown_key(location: list[Any]) -> str:
    if location[0] == "store" and location[-1] in WeaviateSettings.model_fields:
        return "needs backend: weaviate beside it"
    close = difflib.get_close_matches(str(location[-1]), _known_keys(), n=1)
    return "is not a setting" + (f"; did you mean “{close[0]}”?" if close else "; see `quoth config schema`")


def _known_keys() -> set[str]:
    found: set[str] = set()
    waiting: list[Any] = [Settings]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= set(kind.model_fields)
            waiting += [field.annotation for field in kind.model_fields.values()]
        else:
            waiting += [part for part in get_args(kind) if part is not kind]
    return found


def line_of(node: yaml.Node | None, location: Sequence[Any]) -> int | None:
    """The 1-based line of the deepest part of a location that is written in the file."""
    line = None
    for part in location:
        step = _step(node, part)
        if step is None:
            break
        line, node = step
    return line


def _step(node: yaml.Node | None, part: Any) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None
