"""Notebooks as Markdown: what people wrote, the code they ran, and the words that it printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.errors import CannotRead

MAX_OUTPUT_LINES = 20
MAX_OUTPUT_CHARACTERS = 2_000

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,30}")


def markdown_of_notebook(text: str) -> str:
    """The cells of a notebook of format 3 or 4, in order, with a blank line between them.

    Raises:
        CannotRead: It is no notebook.
    """
    notebook = _parsed(text)
    language = _language_of(notebook)
    parts = [part.strip("\n") for cell in _cells_of(notebook) for part in _parts_of(cell, language)]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CannotRead("The notebook is not valid JSON.") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells", notebook.get("worksheets")), list):
        raise CannotRead("The file has no cells: it is not a notebook.")
    return notebook


def _cells_of(notebook: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    sheets = [notebook] if "cells" in notebook else notebook["worksheets"]
    for sheet in sheets:
        cells = _mapping(sheet).get("cells")
        yield from (cell for cell in cells if isinstance(cell, dict)) if isinstance(cells, list) else ()


def _parts_of(cell: Mapping[str, Any], language: str) -> Iterator[str]:
    source = _text(cell.get("source", cell.get("input")))
    kind = cell.get("cell_type")
    if kind == "markdown":
        yield source
    elif kind == "heading":
        level = cell.get("level")
        yield f"{'#' * min(max(level, 1), 6) if isinstance(level, int) else '#'} {source}"
    elif kind == "code" and source.strip():
        yield _fenced(source, language)
        outputs = cell.get("outputs")
        printed = "".join(_printed(_mapping(output)) for output in outputs) if isinstance(outputs, list) else ""
        if printed.strip():
            yield _fenced(_short(printed), "text")


def _printed(output: Mapping[str, Any]) -> str:
    """The plain words of one output. Pictures, pages and tracebacks are nothing to quote."""
    kind = output.get("output_type")
    if kind == "stream" and output.get("name", output.get("stream")) != "stderr":
        return _text(output.get("text"))
    if kind in ("execute_result", "pyout", "display_data"):
        data = output.get("data", output)
        if isinstance(data, dict) and not any(
            str(name).startswith("image") or name in ("png", "jpeg") for name in data
        ):
            return _text(data.get("text/plain", data.get("text"))).rstrip("\n") + "\n"
    return ""


def _short(printed: str) -> str:
    words = _ANSI.sub("", printed).strip("\n")
    lines = words[:MAX_OUTPUT_CHARACTERS].split("\n")[:MAX_OUTPUT_LINES]
    shortened = "\n".join(lines)
    return shortened if shortened == words else f"{shortened}\n…"


def _fenced(body: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", body)), default=2)
    fence = "`" * (longest + 1)
    body = body.strip("\n")
    return f"{fence}{language}\n{body}\n{fence}"


def _language_of(notebook: Mapping[str, Any]) -> str:
    metadata = _mapping(notebook.get("metadata"))
    for outer, inner in (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name")):
        name = _mapping(metadata.get(outer)).get(inner)
        if isinstance(name, str) and _LANGUAGE.fullmatch(name):
            return re.sub(r"\d+$", "", name.lower()) or name
    return "python"


def _text(value: object) -> str:
    """What the format allows for a text: a string, or a list of lines."""
    text = "".join(part for part in value if isinstance(part, str)) if isinstance(value, list) else value
    # JSON can name half of a surrogate pair, which no encoding can write.
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
