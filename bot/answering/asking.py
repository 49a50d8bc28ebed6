"""What kind of answer a question asks for: how something is done, what something is, or anything else."""

from __future__ import annotations

import re

from connectors.text.analysis import terms_of

_HOW_TO = re.compile(
    r"\b(how (do|can|could|should|would|to|does one)|steps?|procedure|instructions?|guide|set ?up"
    r"|what (now|next)|what (do|should|can) (i|we) do)\b",
    re.I,
)
_WHAT_IS = re.compile(r"^\W*what(?: is|'s|’s| are| does)\s+(?:an?\s+|the\s+)?([^?,.]+?)(?:\s+mean)?\s*\?*\W*$", re.I)
_NARROWED = re.compile(r"\b(of|for|on|in|at|between|to|from|with|when|if|by|per|do|does|i|we|our|my)\b", re.I)
_COMPARED = re.compile(
    r"\bdiffer\w*\s+between\s+(.+?)\s+and\s+([^?,]+)|\bhow (?:is|are|does|do)\s+(.+?)\s+differ\w*\s+from\s+([^?,]+)",
    re.I,
)
_MOST_TERMS = 3
"""Of a thing that is asked about. What has more is a value that is asked for: “the rate limit on the Team plan”."""


def is_how_to(question: str) -> bool:
    """Whether it asks what to do."""
    return bool(_HOW_TO.search(question))


def subject_of(question: str) -> frozenset[str]:
    """The terms of what the question wants explained: “What is a workspace?”; none when it asks anything else."""
    asked = _WHAT_IS.match(question)
    if asked is None or _NARROWED.search(asked.group(1)):
        return frozenset()
    terms = frozenset(terms_of(asked.group(1)))
    return terms if len(terms) <= _MOST_TERMS else frozenset()


def compared_in(question: str) -> tuple[frozenset[str], ...]:
    """The terms of the two things whose difference is asked for; nothing when none is."""
    asked = _COMPARED.search(question)
    return tuple(frozenset(terms_of(side)) for side in asked.groups() if side) if asked else ()
