"""Whether a visible answer is what a scene expects."""

from __future__ import annotations

from bot.demo.scenes import Answered, NotFound
from bot.rehearsal.slack import Message, transcript_of
from bot.slack.render import RETRY

_SOURCES = "Sources"
"""What stands above the numbered sources of every answer that has some."""


def complaint_about(answer: Message, expected: Answered | NotFound) -> str | None:
    """What is wrong with an answer as a person sees it; None when it came out as it must."""
    seen = transcript_of([answer])
    if any(element.get("action_id") == RETRY for block in answer.blocks for element in block.get("elements", ())):
        return "it is an error"
    said = [words for words in expected.never if words.lower() in seen.lower()]
    if said:
        return f"it must not say “{said[0]}”"
    if isinstance(expected, NotFound):
        return "it has sources, but nothing there answers this" if _SOURCES in seen else None
    if _SOURCES not in seen:
        return "it is no answer with sources"
    if expected.says.lower() not in seen.lower():
        return f"it does not say “{expected.says}”"
    cited = seen.rpartition(_SOURCES)[2]
    return None if any(title in cited for title in expected.cites) else f"it does not cite “{expected.cites[0]}”"
