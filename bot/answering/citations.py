"""Citations: every pointer of a model checked against what it was sent, numbered by first use."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.answering.inert import outside_code
from bot.answering.model import Citation
from bot.answering.prompts import Sent, sent_text_of
from bot.answering.units import Unit

_FIRST = 0xE100
_SIGN = re.compile(r"[\ue100-\uf8ff]")
_TYPED = re.compile(r"[ \t]*(?:\[\^?\d+(?:\s*[,;–-]\s*\d+)*\]|【[^【】\n]{0,40}】)")
_NUMBERS = re.compile(r"\d+")
_WORD = re.compile(r"\w{3,}")


@dataclass(slots=True)
class Citations:
    """Checks and numbers the citations of one answer.

    While an answer is being written, a citation stands in its text as a *sign*: one private-use character a passage,
    which no text of a model can contain. :meth:`numbered` turns signs into ``[n]``.
    """

    sent: Sent
    dropped: int = 0
    _spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    _numbers: dict[int, int] = field(default_factory=dict)

    def sign_of(self, location: Mapping[str, Any]) -> str:
        """The sign of a native citation; nothing, and one more dropped, when it does not point at what was sent."""
        place = _place_of(location, self.sent)
        if place is None:
            self.dropped += 1
            return ""
        return self._sign(*place)

    def signs_of_marks(self, text: str) -> str:
        """The text with each ``[n]``, ``[1, 2]`` and ``【n】`` that a model typed turned into its sources' signs."""
        return outside_code(text, lambda part: _TYPED.sub(lambda mark: self._signs_of_mark(mark, part), part))

    def without_marks(self, text: str) -> str:
        """The text without any ``[n]`` that a model typed: with native citations those point at nothing."""
        return outside_code(text, lambda part: _TYPED.sub(self._dropped_mark, part))

    def numbered(self, text: str) -> tuple[str, tuple[Citation, ...]]:
        """The text with ``[n]`` for each sign, and the citations that it uses for the first time."""
        known = len(self._numbers)
        text = _SIGN.sub(self._number, text)
        return text, self.made[known:]

    @property
    def made(self) -> tuple[Citation, ...]:
        """The citations used so far. A quote spans what was cited of its passage up to now."""
        return tuple(self._citation(passage, n) for passage, n in self._numbers.items())

    def _sign(self, passage: int, start: int, end: int) -> str:
        old_start, old_end = self._spans.get(passage, (start, end))
        self._spans[passage] = (min(start, old_start), max(end, old_end))
        return chr(_FIRST + passage)

    def _signs_of_mark(self, mark: re.Match[str], text: str) -> str:
        passages = [int(number) - 1 for number in _NUMBERS.findall(mark.group())]
        known = [passage for passage in passages if 0 <= passage < len(self.sent.passages)]
        self.dropped += max(len(passages) - len(known), 0 if passages else 1)
        claim = text[: mark.start()].rsplit("\n", 1)[-1][-300:]
        signs = "".join(self._sign(passage, *_closest(self.sent.units[passage], claim)) for passage in known)
        return f" {signs}" if signs and mark.group()[0].isspace() else signs

    def _dropped_mark(self, _mark: re.Match[str]) -> str:
        self.dropped += 1
        return ""

    def _number(self, sign: re.Match[str]) -> str:
        passage = ord(sign.group()) - _FIRST
        n = self._numbers.setdefault(passage, len(self._numbers) + 1)
        # Followed by a bracket or a colon, [n] would be the words of a link.
        glued = sign.string[sign.end() : sign.end() + 1] in ("(", ":", "[")
        return f"[{n}] " if glued else f"[{n}]"

    def _citation(self, index: int, n: int) -> Citation:
        passage = self.sent.passages[index]
        start, end = self._spans[index]
        quote = "".join(unit.text for unit in self.sent.units[index][start:end]).strip()
        return Citation(n, passage.title, passage.url, quote, passage.document_id, passage.updated_at, passage.headings)


def marked(text: str, signs: Sequence[str]) -> str:
    """The text with the signs at its end: before white space, inside the last cell of a table, after a code block."""
    added = "".join(dict.fromkeys(signs))
    body = text.rstrip()
    end = text[len(body) :]
    line = body.rpartition("\n")[2].strip()
    if line.startswith("|") and line.endswith("|") and len(line) > 1:
        return f"{body[:-1].rstrip()} {added} |{end}"
    if line.startswith(("```", "~~~")):
        return f"{body}\n\n{added}{end}"
    return f"{body} {added}{end}" if body else f"{added}{end}"


def without_signs(text: str) -> str:
    """A model's own text without the characters that stand for citations."""
    return re.sub(r"[\ue000-\uf8ff]", "", text)


def _place_of(location: Mapping[str, Any], sent: Sent) -> tuple[int, int, int] | None:
    """Passage, first and last+1 unit of a native citation, if they exist and say what the citation says they say."""
    if location.get("type") != "search_result_location":
        return None
    index, start, end = (
        _index(location.get(key)) for key in ("search_result_index", "start_block_index", "end_block_index")
    )
    if not (index < len(sent.passages) and start < end <= len(sent.units[index])):
        return None
    text = "".join(sent_text_of(unit) for unit in sent.units[index][start:end])
    return (index, start, end) if _same(str(location.get("cited_text", "")), text) else None


def _index(value: object) -> int:
    """The value if it can be an index; else one that is beyond everything."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else sys.maxsize


def _same(one: str, other: str) -> bool:
    """White space is not compared: it is joined and trimmed differently on the way."""
    return "".join(one.split()) == "".join(other.split()) != ""


def _closest(units: Sequence[Unit], claim: str) -> tuple[int, int]:
    """The unit that shares most words with what was claimed. A typed mark names a source, not a sentence."""
    words = _words_of(claim)
    overlap: Callable[[int], int] = lambda at: len(words & _words_of(units[at].text))  # noqa: E731  # A key, used once.
    best = max(range(len(units)), key=overlap)
    return best, best + 1


def _words_of(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))
