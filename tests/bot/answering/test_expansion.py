from __future__ import annotations

from bot.answering.expansion import joined, with_instructions, with_paragraph
from bot.answering.spans import Span, text_of
from bot.answering.units import Unit, units_of

HTTP = units_of(
    "Others matter. Install the extra first...\n\n```sh\npip install it\n```\n\nAnd then turn it on:\n\n```python\n"
    "on()\n```\n\n## Off\n\nTurn it off.\n"
)


def expanded(text: str, at: int) -> str:
    units = units_of(text)
    return text_of(with_instructions(Span(0, ((at, at + 1),), at), units), units).strip()


def shown(span: Span | None, units: tuple[Unit, ...]) -> str:
    assert span is not None
    return text_of(span, units).strip()


def test_the_step_between_two_quotes_is_shown_too() -> None:
    whole = joined(Span(0, ((1, 2),), 1), Span(0, ((3, 5),), 3), HTTP)
    assert shown(whole, HTTP) == (
        "Install the extra first...\n\n```sh\npip install it\n```\n\nAnd then turn it on:\n\n```python\non()\n```"
    )


def test_quotes_of_two_sections_or_passages_stay_apart() -> None:
    on = Span(0, ((3, 5),), 3)
    assert joined(on, Span(0, ((6, 7),), 6), HTTP) is None
    assert joined(on, Span(1, ((1, 2),), 1), HTTP) is None


def test_quotes_with_much_between_them_stay_apart() -> None:
    units = units_of("One. " + "Much is said here. " * 40 + "Two.")
    assert joined(Span(0, ((0, 1),), 0), Span(0, ((41, 42),), 41), units) is None


def test_words_about_code_bring_the_code_that_comes_soon() -> None:
    text = "Adds headers.\n\nIts defaults are strict.\n\n```python\nadd()\n```\n"
    assert expanded(text, 0) == text.strip()


def test_code_that_has_an_announcement_of_its_own_is_another_matter() -> None:
    assert expanded("Adds headers.\n\nTo remove them:\n\n```python\nremove()\n```\n", 0) == "Adds headers."


def test_where_code_is_not_there_its_explanation_is() -> None:
    text = "Show it like so:\n\n{* src/app.py *}\n\nYou put it inside of `track()`.\n\nIt is fast.\n"
    assert expanded(text, 0) == "Show it like so:\n\nYou put it inside of `track()`."


def test_a_definition_comes_with_its_paragraph() -> None:
    units = units_of("A chart is a set of files. It has a name.\n\nCharts are old.\n")
    assert shown(with_paragraph(Span(0, ((0, 1),), 0), units), units) == "A chart is a set of files. It has a name."
