"""What is left of a notebook."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.errors import CannotRead
from connectors.git.notebooks import markdown_of_notebook


def notebook(*cells: dict[str, Any], **metadata: Any) -> str:
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def code(source: str | list[str], *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "execution_count": 1}


def test_words_stay_words_and_code_becomes_fenced_code() -> None:
    cells = [{"cell_type": "markdown", "source": ["# Load\n", "\n", "First this."]}, code(["x = 1\n", "print(x)"])]
    found = markdown_of_notebook(notebook(*cells, kernelspec={"language": "R"}))
    assert found == "# Load\n\nFirst this.\n\n```r\nx = 1\nprint(x)\n```\n"


def test_printed_words_are_kept_short_and_without_colours() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": [f"\x1b[31mline {n}\x1b[0m\n" for n in range(100)]}
    found = markdown_of_notebook(notebook(code("run()", output)))
    assert "```text\nline 0\nline 1\n" in found
    assert "line 19\n…\n```" in found
    assert "line 20" not in found


def test_pictures_and_errors_leave_nothing() -> None:
    picture = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo", "text/plain": "<Figure 1>"}}
    error = {"output_type": "error", "ename": "E", "evalue": "bad", "traceback": ["Traceback: secret"]}
    assert markdown_of_notebook(notebook(code("draw()", picture, error))) == "```python\ndraw()\n```\n"


def test_code_with_a_fence_in_it_stays_in_its_fence() -> None:
    assert markdown_of_notebook(notebook(code('s = """\n```\n"""'))).startswith("````python\n")


def test_the_third_format_is_read_too() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Steps"]},
        {"cell_type": "code", "input": ["go()"], "outputs": [{"output_type": "pyout", "text": ["42"]}]},
    ]
    found = markdown_of_notebook(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}))
    assert found == "## Steps\n\n```python\ngo()\n```\n\n```text\n42\n```\n"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"cells": 3}', '"cells"', "[" * 100_000])
def test_what_is_no_notebook_is_unreadable(text: str) -> None:
    with pytest.raises(CannotRead):
        markdown_of_notebook(text)


@pytest.mark.parametrize(
    "cell", [3, None, {"cell_type": "code"}, {"source": 7}, {"cell_type": "code", "source": "a", "outputs": 1}]
)
def test_odd_cells_do_no_harm(cell: Any) -> None:
    cells = [cell, {"cell_type": "markdown", "source": "kept \ud800"}]
    assert "kept" in markdown_of_notebook(json.dumps({"cells": cells, "metadata": []}))
