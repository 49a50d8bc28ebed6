from __future__ import annotations

from bot.answering.merits import merit_of
from bot.answering.spans import spans_of
from bot.answering.units import units_of

NOTHING: frozenset[str] = frozenset()


def best_of(text: str, question: str, path: str = "Guide") -> str:
    """What a passage's merits alone would choose."""
    units = units_of(text)
    best = max(spans_of(0, units), key=lambda span: merit_of(span, path, units, question, NOTHING))
    start, end = best.parts[0]
    return "".join(unit.text for unit in units[start:end]).strip()


def test_the_sentence_that_says_what_it_is_speaks_for_itself() -> None:
    text = "Every workspace needs a lock. Like elsewhere, a `workspace` is a set of packages. A workspace can be empty."
    assert best_of(text, "What is a workspace?") == "Like elsewhere, a `workspace` is a set of packages."


def test_what_names_both_sides_speaks_for_a_difference() -> None:
    text = "There are differences between tools. A `shipx` is a short `ship run`. It runs with `ship run`."
    assert best_of(text, "What is the difference between shipx and ship run?") == "A `shipx` is a short `ship run`."


def test_the_beginning_of_a_section_that_is_named_like_the_question_counts_more() -> None:
    text = "Pass the flag. Pass the other flag."
    assert best_of(text, "How do I enable debug mode?", "Guide › Debug mode") == "Pass the flag."


def test_words_that_lead_to_code_that_is_not_there_say_what_to_do() -> None:
    text = "Names matter.\n\nPass it like so:\n\n{* src/app.py hl[9] *}\n\nIt works.\n"
    assert best_of(text, "How do I begin?") == "Pass it like so:"


def test_a_list_of_cases_is_no_list_of_steps() -> None:
    text = "It depends:\n\n1. If it is one, it is sent.\n2. If it is a list, it is joined.\n\nRun:\n\n```\nsend\n```\n"
    assert best_of(text, "How do I begin?").startswith("Run:")
