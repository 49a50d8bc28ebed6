"""What a message looks like: pure functions from answers to texts and blocks that are safe on every surface."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.answering.model import Answer, Citation
from bot.slack.literal import escaped, literal
from bot.slack.rich_text import Element, plain_of, rich_elements, rich_text, section, words
from bot.slack.sources import links_of, nearest_elements, source_elements

FEEDBACK = "answer_feedback"
RETRY = "answer_retry"
LONGEST_ANSWER = 9_000
"""Characters of Markdown. Slack refuses messages whose blocks hold more than some 13,200, users report."""
LONGEST_TEXT = 4_000
"""Characters of a message's ``text``; chat.update refuses more."""
NOT_FOUND = "I did not find this in the documentation that this channel may see."
TOO_LONG = "This answer is longer than a Slack message may be. Ask for the part that you need."
_CUT = "…"


@dataclass(frozen=True, slots=True)
class Message:
    """One Slack message. ``text`` says everything that the blocks say, for screen readers and notifications."""

    text: str
    blocks: tuple[Element, ...] = ()


def answer_message(question_id: str, answer: Answer, now: datetime) -> Message:
    """An answer, an honest no, or an error, with all that belongs under it."""
    if answer.outcome == "error":
        return _error_message(question_id, answer)
    said = answer.text if answer.outcome == "answered" else answer.text.strip() or NOT_FOUND
    shown, notes = clipped(said, answer.notes)
    body = rich_elements(shown, links_of(answer.citations)) or [section(words(NOT_FOUND))]
    below = below_elements(answer, now)
    blocks = [rich_text(body), *tail_blocks(question_id, below, notes)]
    return Message(_text_of(plain_of(body), plain_of(below), notes), tuple(blocks))


def below_elements(answer: Answer, now: datetime) -> list[Element]:
    """The sources of an answer, or the pages that came close to one."""
    if answer.outcome == "answered":
        return source_elements(answer.citations, now) if answer.citations else []
    return nearest_elements(answer.nearest) if answer.nearest else []


def tail_blocks(question_id: str, below: list[Element], notes: Sequence[str]) -> list[Element]:
    """What stands under an answer: sources, notes, feedback buttons."""
    blocks = [rich_text(below)] if below else []
    if notes:
        blocks.append({"type": "context", "elements": [_plain_text(note) for note in notes[:10]]})
    return [*blocks, _feedback(question_id)]


def piece_block(markdown: str, citations: Sequence[Citation]) -> Element | None:
    """A finished piece of an answer, as a block of a stream. None when there is nothing in it to be shown."""
    elements = rich_elements(markdown, links_of(citations))
    return rich_text(elements) if elements else None


def line_message(line: str) -> Message:
    """One sentence or a few of our own, in Markdown."""
    body = rich_elements(line, {})
    return Message(text_within(escaped(plain_of(body))), (rich_text(body),))


def apology(question_id: str, sentence: str) -> Message:
    """A sentence and a button to ask again."""
    message = line_message(sentence)
    return Message(message.text, (*message.blocks, _retry(question_id)))


def clipped(markdown: str, notes: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """As many whole paragraphs as a message may hold, and the notes, which then say so."""
    if len(markdown) <= LONGEST_ANSWER:
        return markdown, tuple(notes)
    head = markdown[:LONGEST_ANSWER]
    cut = max(head.rfind("\n\n"), head.rfind("\n", LONGEST_ANSWER // 2), LONGEST_ANSWER // 2)
    return head[:cut].rstrip() + f"\n\n{_CUT}", (*notes, TOO_LONG)


def text_within(text: str, limit: int = LONGEST_TEXT) -> str:
    """Escaped text, cut to a limit between two signs."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    entity = head.rfind("&")
    return (head[:entity] if ";" not in head[entity:] and entity >= limit - 7 else head) + _CUT


def _text_of(body: str, below: str, notes: Sequence[str]) -> str:
    tail = escaped("\n\n".join(part for part in (below, "\n".join(notes)) if part))
    tail = text_within(tail, LONGEST_TEXT // 2)
    room = LONGEST_TEXT - len(tail) - 2
    return text_within(escaped(body), room) + (f"\n\n{tail}" if tail else "")


def _error_message(question_id: str, answer: Answer) -> Message:
    said = answer.failure.message if answer.failure else "Something went wrong on my side."
    reference = f" (Reference {answer.failure.reference})" if answer.failure else ""
    return apology(question_id, f"{said}{reference}")


def _plain_text(text: str) -> Element:
    return {"type": "plain_text", "text": literal(text)[:2_000], "emoji": False}


def _feedback(question_id: str) -> Element:
    return {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": FEEDBACK,
                "positive_button": _vote(question_id, 1, "Good answer", "Mark this answer as helpful"),
                "negative_button": _vote(question_id, -1, "Bad answer", "Mark this answer as not helpful"),
            }
        ],
    }


def _vote(question_id: str, vote: int, label: str, spoken: str) -> Element:
    value = json.dumps({"a": question_id, "v": vote}, separators=(",", ":"))
    return {"text": {"type": "plain_text", "text": label}, "value": value, "accessibility_label": spoken}


def _retry(question_id: str) -> Element:
    button = {
        "type": "button",
        "action_id": RETRY,
        "text": {"type": "plain_text", "text": "Try again"},
        "value": question_id,
        "accessibility_label": "Ask this question again",
    }
    return {"type": "actions", "elements": [button]}
