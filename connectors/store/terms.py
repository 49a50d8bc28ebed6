"""How analysed terms and tags are written down for a full-text index, the same for every store."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

_LOUDEST = 4
"""Times that the heaviest term is repeated: full-text indexes know the weights of a question as repeats only."""

_PLAIN = re.compile(r"[a-z0-9]+")
_OTHER = re.compile(r"[^a-z0-9]")


def keys_of(terms: Iterable[str]) -> list[str]:
    """Terms as a full-text index splits them at spaces and nowhere else: letters, digits and underscores."""
    return [_key(term) for term in terms]


def keyed(pairs: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Pairs of terms as pairs of such keys."""
    return {(_key(first), _key(second)): weight for (first, second), weight in pairs.items()}


def repeats_of(weights: Mapping[str, float]) -> dict[str, int]:
    """How often each term is to be said so that it counts by its weight; once where all weigh about the same."""
    loudest = max(weights.values(), default=1.0)
    repeats = {key: max(1, round(_LOUDEST * weight / loudest)) for key, weight in weights.items()}
    return dict.fromkeys(repeats, 1) if len(set(repeats.values())) == 1 else repeats


@lru_cache(maxsize=100_000)
def _key(term: str) -> str:
    if _PLAIN.fullmatch(term):
        return term
    return _OTHER.sub(lambda other: f"_{ord(other[0]):x}_", term)
