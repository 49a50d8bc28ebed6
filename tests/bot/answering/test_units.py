from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.units import units_of

PAGE = """# Roll back

Use this when a deploy fails. It takes e.g. 5 min, see v1.2 of the tool! Then tell the team.

To roll back:

1. Open the console.
   It may take a while.
2. Run:
   ```bash
   deploy rollback

   echo done
   ```

- one
- two

| Env | URL |
|-----|-----|
| staging | https://s |
| prod | https://p |

```python
x = 1. Next
```
"""


def test_units_join_to_the_exact_text() -> None:
    assert "".join(unit.text for unit in units_of(PAGE)) == PAGE


def test_each_sentence_item_row_and_code_block_is_a_unit() -> None:
    assert [(unit.kind, unit.text.strip().split("\n")[0]) for unit in units_of(PAGE)] == [
        ("heading", "# Roll back"),
        ("sentence", "Use this when a deploy fails."),
        ("sentence", "It takes e.g. 5 min, see v1.2 of the tool!"),
        ("sentence", "Then tell the team."),
        ("sentence", "To roll back:"),
        ("step", "1. Open the console."),
        ("step", "2. Run:"),
        ("code", "```bash"),
        ("item", "- one"),
        ("item", "- two"),
        ("head", "| Env | URL |"),
        ("row", "| staging | https://s |"),
        ("row", "| prod | https://p |"),
        ("code", "```python"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '<div class="termy">\n',
        "</div>\n",
        "//// tab | Python 3.9+\n",
        "///\n",
        "::: tip\n",
        '```Python hl_lines="8"\n{!> ../docs_src/app.py!}\n```\n',
        '```python\n--8<-- "app.py"\n```\n',
        "{* docs_src/app.py hl[9] *}\n",
        "!!! note\n",
        '??? tip "Read on"\n',
        '=== "Windows"\n',
        "> [!WARNING]\n",
    ],
)
def test_what_shows_nothing_of_its_own_is_markup(text: str) -> None:
    assert [unit.kind for unit in units_of(f"Run it:\n{text}Then look.\n")][1] == "markup"


def test_what_stands_in_a_box_is_what_it_would_be_outside() -> None:
    box = "!!! note\n\n    One. Two\n    goes on.\n\n    1. Step.\n\n    ```sh\n    run\n    ```\n\nOut.\n\n    code\n"
    assert [(unit.kind, unit.text.strip().split("\n")[0]) for unit in units_of(box)] == [
        ("markup", "!!! note"),
        ("sentence", "One."),
        ("sentence", "Two"),
        ("step", "1. Step."),
        ("code", "```sh"),
        ("sentence", "Out."),
        ("code", "code"),
    ]


def test_a_code_block_that_is_never_closed_goes_on_to_the_end() -> None:
    assert [unit.kind for unit in units_of("Run:\n\n```\na. B\n\nc")] == ["sentence", "code"]


@pytest.mark.parametrize("text", ["", " ", "\n\n \t\n"])
def test_a_blank_text_has_no_units(text: str) -> None:
    assert units_of(text) == ()


@given(st.text(alphabet="ab.!? \n\t|`~-*#1)[]：。é\u2028\x0c=>", max_size=200))
def test_any_text_is_kept_whole_and_no_unit_is_blank(text: str) -> None:
    units = units_of(text)
    assert "".join(unit.text for unit in units) == (text if text.strip() else "")
    assert all(unit.text.strip() for unit in units)
