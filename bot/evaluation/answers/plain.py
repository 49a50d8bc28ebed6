"""The words of Markdown: what a reader sees, and the tokens in which two texts are compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_FENCE_LINE = re.compile(r"(?m)^[ \t]*(?:[-*+][ \t]+|\d{1,3}[.)][ \t]+)?(?:`{3,}|~{3,})[^\n]*$")
_RULE_ROW = re.compile(r"(?m)^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_LINE_START = re.compile(r"(?m)^[ \t]*(?:>[ \t]?)*(?:#{1,6}[ \t]+|[-*+•][ \t]+(?:\[[ xX]\][ \t]+)?)?")
_LINK = re.compile(r"!?\[((?:[^\[\]\\]|\\.)*)\]\([^()\n]*\)")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_EMPHASIS = re.compile(r"(?<!\\)(?:\*+|`+|~~|(?<!\w)_+(?=\S)|(?<=[^\s\\])_+(?!\w))")
_SPACES = re.compile(r"\s+")
_SPACED_RANGE = re.compile(r"(?<=\d) - (?=\d)")

_TYPOGRAPHY = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "ʼ": "'",
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "−": "-",
        "⁄": "/",
        "×": "x",
        "→": ">",
    }
)
# Written without spaces between words: each of these characters is a token.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_TOKEN = re.compile(
    rf"(?P<number>(?<![\w)%°])-?\d+(?:[.,:/-]\d+)*|\d+(?:[.,:/-]\d+)*)"
    rf"|[{_UNSPACED}]"
    rf"|(?:(?![{_UNSPACED}])[^\W\d])(?:(?![{_UNSPACED}])\w)*(?:\.\d(?:(?![{_UNSPACED}])\w)*)*"
    r"|[^\w\s]"
)
_SIGNS = frozenset("%‰/&@#§")  # Punctuation that carries meaning, beside all symbols: currencies, arithmetic, ticks.
_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number or a sign that carries meaning, folded. ``glued``: a word follows a number without a space."""

    text: str
    is_number: bool = False
    glued: bool = False


def plain(text: str) -> str:
    """Markdown without its marks, on one line: a code block's code, a table's cells, a link's words."""
    for pattern in (_FENCE_LINE, _RULE_ROW, _LINE_START):
        text = pattern.sub("", text)
    text = _EMPHASIS.sub("", _LINK.sub(r"\1", text))
    return _SPACES.sub(" ", _ESCAPE.sub(r"\1", text).replace("|", " ")).strip()


def tokens_of(text: str) -> tuple[Token, ...]:
    """What of a text is compared: case, white space, Markdown, punctuation and typography do not matter.

    A number is one token with its decimals, its thousands and its range: 90 is neither in 190 nor in 90.5 nor in 60–90.
    """
    folded = unicodedata.normalize("NFKC", plain(text)).translate(_TYPOGRAPHY).casefold()
    folded = _SPACED_RANGE.sub("-", folded)
    folded = "".join(c for c in folded if unicodedata.category(c) != "Cf")  # Zero-width characters hide words.
    found = list(_TOKEN.finditer(folded))
    return tuple(token for match in found if (token := _token(match, folded)).text)


def _token(match: re.Match[str], text: str) -> Token:
    number = match["number"]
    if number is None:
        word = match[0].strip("_")
        return Token(word if word[:1].isalnum() or _is_sign(word) else "")
    follower = text[match.end() : match.end() + 1]
    if _THOUSANDS.fullmatch(number):
        number = number.replace(",", "")
    return Token(number, is_number=True, glued=follower.isalpha())


def _is_sign(character: str) -> bool:
    return len(character) == 1 and (character in _SIGNS or unicodedata.category(character) in ("Sm", "Sc", "So"))
