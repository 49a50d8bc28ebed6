"""What is wrong with a question, in a sentence that says what to write."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

from bot.evaluation.answers.form import AskedQuestion, QuestionFile
from bot.evaluation.records import quoted

Place = tuple[Any, ...]

_TURNS = "“turns” must look like [[“user”, “…”], [“agent”, “…”]]: the thread before this question."
_TEXT = "must be a text; put it in quotes"
_SENTENCES = {
    "missing": "is missing",
    "string_type": _TEXT,
    "string_too_short": "is empty",
    "string_too_long": "is too long: {max_length} characters at most",
    "list_type": "must be a list, such as [“…”]",
    "too_long": "has too many entries: {max_length} at most",
    "too_short": "is empty",
    "literal_error": "must be {expected}",
    "bool_type": "must be true or false",
    "model_type": "must hold “ask” and what goes with it",
    "model_attributes_type": "must hold “ask” and what goes with it",
}
_QUESTION = 2
"""Parts of the place of a question: (questions, its position)."""


def said_of(detail: ErrorDetails, values: Any) -> tuple[Place, str]:
    """Where a mistake stands, and a sentence on it that names the question."""
    place = detail["loc"]
    if len(place) < _QUESTION or place[0] != "questions":
        return place, _of_file(detail, place)
    said = _of_question(detail, place[_QUESTION:])
    return place, f"question {_called(place[1], values)}{said}"


def _called(at: Any, values: Any) -> str:
    """A question's number, and its id where it has one."""
    asked = values["questions"][at]
    name = asked.get("id") if isinstance(asked, Mapping) else None
    return f"{at + 1} ({quoted(name)})" if isinstance(name, str) and name.strip() else f"{at + 1}"


def _of_file(detail: ErrorDetails, place: Place) -> str:
    if not place:
        return "the file must hold “questions:”, a list."
    if detail["type"] == "extra_forbidden":
        return _unknown(str(place[0]), QuestionFile)
    if place[0] == "questions" and detail["type"] == "too_short":
        return "there is no question in it."
    return f"“{place[0]}” {_sentence(detail)}."


def _of_question(detail: ErrorDetails, place: Place) -> str:
    if not place:
        return f" {detail['ctx']['error'] if detail['type'] == 'value_error' else _sentence(detail)}."
    key, *rest = place
    if detail["type"] == "extra_forbidden":
        return f": {_unknown(str(key), AskedQuestion)}"
    if key == "turns":
        return f": {_TURNS}"
    if not rest or not isinstance(rest[0], int):
        return f": “{key}” {_sentence(detail)}."
    # An entry may be a list, too, but what is meant is nearly always a text.
    return f": “{key}” {rest[0] + 1} {_TEXT if detail['type'] == 'list_type' else _sentence(detail)}."


def _sentence(detail: ErrorDetails) -> str:
    known = _SENTENCES.get(detail["type"])
    if known is None:
        return detail["msg"][0].lower() + detail["msg"][1:]
    return known.format_map({key: str(value).replace("'", "") for key, value in detail.get("ctx", {}).items()})


def _unknown(key: str, form: type[QuestionFile] | type[AskedQuestion]) -> str:
    close = difflib.get_close_matches(key, form.model_fields, n=1)
    hint = f"did you mean “{close[0]}”?" if close else f"known are {', '.join(form.model_fields)}."
    return f"{quoted(key)} is not a key of a {'question' if form is AskedQuestion else 'question file'}; {hint}"
