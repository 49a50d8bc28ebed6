"""The answers that are none: nothing found, no question, a failure; and the notes beside an answer."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import structlog

from bot.answering.model import MAX_QUESTION, Answer, Failure, Nearest, Passage
from connectors.errors import QuothError

log = structlog.get_logger()

NOT_FOUND = "I could not find an answer to this in the documentation."
CUT_QUESTION = f"Only the first {MAX_QUESTION:,} characters of the question were read."
CUT_ANSWER = "This answer was cut short because it became too long."
QUOTES_ONLY = "Quotes only: no language model is configured."

NO_QUESTION = "This was no question, so nothing was looked up."
NOTHING_FOUND = "No passage of this knowledge base shares words or meaning with the question."
BELOW_FLOOR = "What was found is too far from the question to answer it, so no model was asked."
DECLINED = "The passages were read, and no answer was found in them."
UNCITED = "What the model wrote cites no passage that it was sent, so it is not shown."

_MOST_NEAREST = 3


def nearest_of(passages: Sequence[Passage]) -> tuple[Nearest, ...]:
    """The pages that came closest, each document once, at most three."""
    pages: dict[str, Nearest] = {}
    for passage in passages:
        pages.setdefault(passage.document_id, Nearest(passage.title, passage.url, passage.document_id))
    return tuple(pages.values())[:_MOST_NEAREST]


def cited(citations: int, passages: int) -> str:
    """Why there is an answer."""
    return f"{_counted(passages, 'passage')} read, {_counted(citations, 'citation')} checked against what was sent."


def unreachable_note(model_name: str) -> str:
    """What stands beside quotes that were meant to be an answer."""
    return f"{_called(model_name)} could not be reached; these are quotes from the documents."


def declined_note(model_name: str) -> str:
    """The same, when the model refused."""
    return f"{_called(model_name)} declined to answer; these are quotes from the documents."


def failed(kind: str, message: str, error: BaseException) -> Answer:
    """An answer that says what failed, in words that may be shown. Its log line has the same reference and no words."""
    reference = uuid.uuid4().hex[:8]
    reason = str(error) if isinstance(error, QuothError) else ""
    log.error("question.failed", kind=kind, reference=reference, error=type(error).__name__, reason=reason)
    return Answer("error", "", failure=Failure(kind, message, reference), because=message)


def _called(model_name: str) -> str:
    return "Claude" if model_name.startswith("anthropic:") else "The language model"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
