"""Whether a visible answer is what a scene expects."""

from __future__ import annotations

from bot.demo.scenes import Answered, Expected, NotFound
from bot.rehearsal.slack import Message, transcript_of
from bot.slack.render import RETRY

_SOURCES = "Sources"
"""What stands above the numbered sources of every answer that has some."""


def complaint_about(answer: Message, expected: Expected, *, word_for_word: bool) -> str | None:
    """What is wrong with an answer as a person sees it; None when it came out as it must.

    A language model may say it in words of its own; quotes may not.
    """
    if any(element.get("action_id") == RETRY for block in answer.blocks for element in block.get("elements", ())):
        return "it is an error"
    seen = transcript_of([answer])
    match expected:
        case Answered():
            return _forbidden(seen, expected.never) or _missing(seen, expected, word_for_word=word_for_word)
        case NotFound():
            has_sources = "it has sources, but nothing there answers this" if _SOURCES in seen else None
            return _forbidden(seen, expected.never) or has_sources
    return None


def _forbidden(seen: str, never: tuple[str, ...]) -> str | None:
    said = [words for words in never if words.lower() in seen.lower()]
    return f"it must not say “{said[0]}”" if said else None


def _missing(seen: str, expected: Answered, *, word_for_word: bool) -> str | None:
    if _SOURCES not in seen:
        return "it is no answer with sources"
    if word_for_word and expected.says.lower() not in seen.lower():
        return f"it does not say “{expected.says}”"
    cited = seen.rpartition(_SOURCES)[2]
    return None if any(title in cited for title in expected.cites) else f"it does not cite “{expected.cites[0]}”"
