"""Turns text into the terms that keyword search compares: the same for documents and for questions, on every store."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock

from snowballstemmer import EnglishStemmer

VERSION = "1"
"""Changes with anything here that changes a term: every index built with another version is another index."""

MAX_TERM = 80
"""Characters of a term that count. Longer runs are keys, hashes or noise, and their beginning tells them apart."""

STOP_WORDS = frozenset(
    """a about above after again all also am an and any are aren't as at be because been before being below between both
    but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each else few for from
    further get had hadn't has hasn't have haven't having he her here hers him his how however i if in into is isn't it
    its itself just let me more most my no nor not now of off on once only or other our ours out over own please same
    she should shouldn't so some such tell than that the their theirs them then there these they this those through to
    too under until up us very was wasn't we were weren't what when where which while who whom whose why will with
    won't would wouldn't you your yours""".replace("'", "").split()
)

_WORD = r"[^\W_]+(?:'[^\W\d_]+)*"
_TOKEN = re.compile(rf"[A-Za-z](?:\+\+|\#)(?!\w)|{_WORD}(?:[._-]+{_WORD})*")
_PARTS = re.compile(r"[._-]+")
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_VERSION = re.compile(r"v?(\d+\.\d+)((?:[.-]\w+)*)")
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]+")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})
_stemmer = EnglishStemmer()
_stemmer_lock = Lock()  # A stemmer keeps the word it works on in itself.


def terms_of(text: str) -> list[str]:
    """The terms of a text, in order: folded, stemmed, without stop words.

    Names made of parts (camelCase, snake_case, kebab-case, dotted.ids) give their parts and themselves. Versions and
    error codes stay whole. Chinese, Japanese and Korean give pairs of characters. Nothing in the text is syntax.
    """
    terms: list[str] = []
    for token in _TOKEN.findall(_normal(text)):
        terms.extend(_terms_of_token(token) if len(token) <= MAX_TERM else _terms(token))
    return terms


def _normal(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
    if folded.isascii():
        return folded
    return "".join(c for c in folded if unicodedata.category(c) != "Cf")  # Zero-width characters hide words.


@lru_cache(maxsize=200_000)
def _terms_of_token(token: str) -> tuple[str, ...]:
    return tuple(_terms(token))


def _terms(token: str) -> Iterator[str]:
    version = _VERSION.fullmatch(token)
    if version:
        yield from dict.fromkeys((token.lower().removeprefix("v")[:MAX_TERM], version[1][:MAX_TERM]))
    elif _HEXADECIMAL.fullmatch(token):
        yield token.lower()[:MAX_TERM]
    elif not token.isascii() and _CJK.search(token):
        yield from _pairs(token)
    else:
        yield from _names(token)


def _names(token: str) -> Iterator[str]:
    """A name's own parts, then the whole of it if it has several."""
    parts = [part for piece in _PARTS.split(token) if piece for part in _humps(piece)]
    yield from (term for part in parts if (term := _word(part)))
    if len(parts) > 1:
        yield _folded(token[:MAX_TERM])


def _humps(piece: str) -> list[str]:
    """What camelCase joins. ``v2`` and ``utf8`` stay one word: a letter's number belongs to it."""
    piece = piece.replace("'s", "").replace("'", "")
    if not piece.isascii() or piece.islower() or piece.isupper() or piece.istitle():
        return [piece]
    return _CAMEL.findall(piece)


def _word(part: str) -> str:
    folded = _folded(part[:MAX_TERM])
    if folded in STOP_WORDS:
        return ""
    return _stem(folded) if folded.isascii() and folded.isalpha() else folded


def _folded(word: str) -> str:
    folded = word.casefold()
    if folded.isascii():
        return folded
    bare = (c for c in unicodedata.normalize("NFD", folded) if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", "".join(bare))


def _stem(word: str) -> str:
    with _stemmer_lock:
        return str(_stemmer.stemWord(word))


def _pairs(token: str) -> Iterator[str]:
    """Pairs of neighbouring characters, as these languages write no spaces; other letters between them as words."""
    end = 0
    for run in _CJK.finditer(token):
        yield from _names_between(token[end : run.start()])
        word, end = run[0], run.end()
        yield from (word[i : i + 2] for i in range(max(1, len(word) - 1)))
    yield from _names_between(token[end:])


def _names_between(rest: str) -> Iterator[str]:
    for token in _TOKEN.findall(rest):
        yield from _terms(token)
