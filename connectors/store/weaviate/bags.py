"""The terms of a chunk as numbers, so that hundreds of chunks are scored at once. The score is that of bm25f.py.

A bag is a row of 64-bit numbers in base64: first how many terms head, body and neighbours have, then each distinct term
with how often it is in each. It is what a search transfers most of.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from connectors.store.bm25f import Averages, Numbers, Occurrences, scores

_NUMBER = np.dtype("<u8")
_KEY_BYTES = 5  # Two of a question's and a chunk's terms are mistaken for each other once in some 10**10 pairs.
_HEAD_AT, _BODY_AT = 18, 9
_MOST_IN_HEAD, _MOST = 2**6 - 1, 2**9 - 1  # More of one term than this adds nothing to a score that saturates.
_KEY_AT = 24
_HEAD_LENGTH_AT, _BODY_LENGTH_AT = 48, 24
_MOST_LENGTH = 2**24 - 1
_MOST_HEAD_LENGTH = 2**16 - 1


def bag_of(head: Sequence[str], body: Sequence[str], near: Sequence[str]) -> str:
    """A chunk's analysed terms, those of both neighbours together in ``near``."""
    heads, bodies, nears = Counter(head), Counter(body), Counter(near)
    lengths = (
        min(len(head), _MOST_HEAD_LENGTH) << _HEAD_LENGTH_AT
        | min(len(body), _MOST_LENGTH) << _BODY_LENGTH_AT
        | min(len(near), _MOST_LENGTH)
    )
    entries = (
        _key(term) << _KEY_AT
        | min(heads[term], _MOST_IN_HEAD) << _HEAD_AT
        | min(bodies[term], _MOST) << _BODY_AT
        | min(nears[term], _MOST)
        for term in sorted(heads.keys() | bodies.keys() | nears.keys())
    )
    return base64.b64encode(np.fromiter((lengths, *entries), _NUMBER).tobytes()).decode()


def head_length(bag: str) -> int:
    """How many terms the head has: with all terms in a row, it tells where the body begins."""
    return int(_numbers(bag)[0] >> np.uint64(_HEAD_LENGTH_AT))


def averages_of(bags: Sequence[str]) -> Averages:
    """The mean numbers of terms in the fields of these chunks."""
    if not bags:
        return Averages(0.0, 0.0, 0.0)
    return Averages(*(float(one.mean()) for one in _lengths(np.array([_numbers(bag)[0] for bag in bags]))))


def scores_of(bags: Sequence[str], worth: Mapping[str, float], averages: Averages) -> Numbers:
    """How well chunks answer by their terms, as :func:`connectors.store.bm25f.scores` says."""
    if not bags or not worth:
        return np.zeros(len(bags))
    every = [_numbers(bag) for bag in bags]
    keys = np.array([_key(term) for term in worth], _NUMBER)
    order = np.argsort(keys)
    keys, value = keys[order], np.fromiter(worth.values(), float)[order]
    entries = np.concatenate([one[1:] for one in every])
    rows = np.repeat(np.arange(len(every)), [len(one) - 1 for one in every])
    place = np.minimum(np.searchsorted(keys, entries >> _KEY_AT), len(keys) - 1)
    hit = keys[place] == entries >> _KEY_AT
    entries, cells = entries[hit], rows[hit] * len(keys) + place[hit]
    parts = (entries >> _HEAD_AT & _MOST_IN_HEAD, entries >> _BODY_AT & _MOST, entries & _MOST)
    lengths = _lengths(np.array([one[0] for one in every]))
    head, body, near = (
        Occurrences(np.bincount(cells, part, len(every) * len(keys)).reshape(len(every), -1).astype(float), length)
        for part, length in zip(parts, lengths, strict=True)
    )
    return scores(head, body, near, value, averages)


def _lengths(first: NDArray[np.uint64]) -> tuple[Numbers, ...]:
    """The lengths of head, body and neighbours, from the first numbers of bags."""
    parts = (first >> _HEAD_LENGTH_AT, first >> _BODY_LENGTH_AT & _MOST_LENGTH, first & _MOST_LENGTH)
    return tuple(part.astype(float) for part in parts)


def _numbers(bag: str) -> NDArray[np.uint64]:
    """A bag unpacked. One that somebody has spoiled is empty, or a single object would end every search."""
    try:
        found = np.frombuffer(base64.b64decode(bag), _NUMBER)
    except (binascii.Error, ValueError):
        return _EMPTY
    return found if len(found) else _EMPTY


_EMPTY = np.zeros(1, _NUMBER)


@lru_cache(maxsize=100_000)
def _key(term: str) -> int:
    return int.from_bytes(blake2b(term.encode(), digest_size=_KEY_BYTES).digest())
