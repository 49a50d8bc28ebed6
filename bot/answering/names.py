"""Names in a question that nothing found knows: backups of what we do not run are not our backups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from connectors.text.analysis import STOP_WORDS, terms_of

_NAME = re.compile(
    r"\b[A-Za-z]+/\d[\w.]*\b|(?<=[\w,'’:] )(?!I\b)[A-Z][\w-]*|\b[A-Za-z_-]*\d[\w.-]*\b|\b[a-z]+[A-Z]\w*|\b\w+_\w+\b"
)
_WORD = re.compile(r"[A-Za-z]+|\d+")
_SHORT = re.compile(r"[A-Z]{2,5}|[A-Za-z]\d{1,3}")
"""What may stand for several words: PR, SLA, v3."""
_EXPANDED = 3
"""Texts in which an abbreviation's words are looked for: in many, any two letters begin some two words."""
_MOST_CAPITALS = 0.4


def strangers_in(question: str, texts: Sequence[str]) -> list[str]:
    """The names in the question that none of the texts knows, in full or in the words that they abbreviate."""
    known = {term for text in texts for term in terms_of(text)}
    unknown = (name for name in sorted(names_in(question)) if not set(terms_of(name)) <= known or "/" in name)
    return [name for name in unknown if not (_is_written(name, texts) or _is_spelled_out(name, texts[:_EXPANDED]))]


def names_in(question: str) -> set[str]:
    """Words that name one thing. Where capitals are everywhere (headlines, German), only codes and identifiers do."""
    names = {match.group() for match in _NAME.finditer(question)}
    capitals = {name for name in names if name.istitle()}
    return names - capitals if len(capitals) > _MOST_CAPITALS * len(question.split()) else names


def _is_written(name: str, texts: Iterable[str]) -> bool:
    """As it stands: of HTTP/3 the parts are everywhere."""
    return "/" in name and any(name.lower() in text.lower() for text in texts)


def _is_spelled_out(name: str, texts: Iterable[str]) -> bool:
    return bool(_SHORT.fullmatch(name)) and any(name.lower() in _initials_of(text) for text in texts)


def _initials_of(text: str) -> str:
    words = (word.lower() for word in _WORD.findall(text))
    return "".join(word if word.isdigit() else word[0] for word in words if word not in STOP_WORDS)
