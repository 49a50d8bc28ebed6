"""What kind of answer a question asks for: how something is done, what something is, or anything else."""

from __future__ import annotations

import re

from connectors.text.analysis import terms_of

_HOW_TO = re.compile(
    r"\b(how (do|can|could|should|would|to|does one)|steps?|procedure|instructions?|guide|set ?up"
    r"|what (now|next)|what (do|should|can) (i|we) do)\b",
    re.I,
)
_ORDER = re.compile(
    r"^\W*(?:please\s+)?(add|attach|back|build|change|configure|connect|create|delete|deploy|disable|download|embed"
    r"|enable|export|fix|generate|import|install|list|log|make|mount|move|open|order|publish|raise|read|register|remove"
    r"|renew|replace|reset|restart|restore|resume|roll|rotate|run|send|set|show|sign|start|stop|switch|test|turn"
    r"|uninstall|update|upgrade|upload|use|write)\b",
    re.I,
)
"""What people type for “how do I …”: “renew a certificate”."""
_WHAT_IS = re.compile(r"^\W*what(?: is|'s|’s| are| does)\s+(?:an?\s+|the\s+)?([^?,.]+?)(?:\s+mean)?\s*\?*\W*$", re.I)
_NARROWED = re.compile(r"\b(of|for|on|in|at|between|to|from|with|when|if|by|per|do|does|i|we|our|my)\b", re.I)
_COMPARED = re.compile(
    r"\bdiffer\w*\s+between\s+(.+?)\s+and\s+([^?,]+)|\bhow (?:is|are|does|do)\s+(.+?)\s+differ\w*\s+from\s+([^?,]+)",
    re.I,
)
_TIMES = (
    r"\b(?:milli|micro)?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)\b|\d ?m?s\b|\d:\d\d|\d{4}-\d\d"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\b(?:january|february|march|april|june|july|august|september|october"
    r"|november|december|may \d|\d may)\b|\b(?:night|daily|weekly|monthly|yearly|hourly|once|twice|noon|at once|before"
    r"|after|until|when|every|always|never)\b"
)
_MONEY = r"[€$£¥]|\b(?:euros?|dollars?|cents?|pounds?|francs?|crowns?|eur|usd|gbp|chf|free|budget|paid|pays?)\b"
_NUMBERS = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|dozens?|hundreds?|thousands?|millions?|half|all|both|every|each|none?"
    r"|single|once|twice|first|unlimited)\b"
)
_EXPECTED = tuple(
    (re.compile(asked, re.I), re.compile(answer, re.I))
    for asked, answer in (
        (
            r"\b(price|costs?|fee|earns?|worth|salary)\b|how much (money|do (i|we) get)",
            _MONEY,
        ),
        (
            r"\bhow (long|often|soon|fast|quickly|early|late|old)\b|\bwhen\b|\bdeadline\b|\bwhat time\b|\buntil\b",
            _TIMES,
        ),
        (r"\bhow (many|much|high|far|big|large|heavy|deep|wide|tall|accurate)\b|\bnumber of\b", _NUMBERS),
        (r"\b(max|min|maximum|minimum|limit|size|port)\b", _NUMBERS),
    )
)
"""What is asked for, and what stands in every answer to it."""
_MOST_TERMS = 3
"""Of a thing that is asked about. What has more is a value that is asked for: “the rate limit on the Team plan”."""


def is_how_to(question: str) -> bool:
    """Whether it asks what to do."""
    return bool(_HOW_TO.search(question) or _ORDER.search(question))


def expected_in(question: str) -> re.Pattern[str] | None:
    """What an answer has to have in it: an amount, a time or a number; nothing when any words can be the answer."""
    return next((answer for asked, answer in _EXPECTED if asked.search(question)), None)


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
