"""Whether what an answer cites supports what it says, told without a model.

Citation recall and precision as in ALCE (Gao et al. 2023), with a deterministic judge in the place of its NLI model: a
statement is supported when all its numbers and nearly all its content terms stand in what is cited for it. Word for
word quotes pass by construction; a paraphrase passes when it keeps to the passage's words. It raises an alarm about
wrong numbers, foreign names and words from elsewhere; it cannot tell a negation from its opposite.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.answering.inert import outside_code
from bot.answering.model import Answer, Citation, Passage
from bot.answering.units import Kind, Unit, units_of
from bot.evaluation.answers.plain import plain, tokens_of
from connectors.text.analysis import terms_of

COVERED = 0.75
"""Share of a statement's distinct content terms that its passages must hold, beside all its numbers."""

_FIRST_SIGN = 0xE100  # One private-use character a citation: it is no punctuation, so a sentence's end stays one.
_SIGN = re.compile(r"[\ue100-\uf8ff]")
_LEADING = re.compile(r"\s*[\ue100-\uf8ff][\s\ue100-\uf8ff]*")
_MARK = re.compile(r"[ \t]*\[(\d{1,4})\]")
_BEFORE_SIGNS = re.compile(r"([.!?…:;,]+[\"'”’)*_]*)[ \t]*((?:[\ue100-\uf8ff][ \t]*)+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, list item, table row or code block of an answer, and the citations by number that stand for it."""

    text: str
    cited: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """Citation marks that stand together, and the statements since the marks before: what they stand for."""

    numbers: tuple[int, ...]
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """``recall``: the share of statements that their citations support. ``precision``: the share of citations that
    do so. None where there is no statement, or no citation."""

    recall: float | None
    precision: float | None


def without_marks(answer: Answer) -> str:
    """The answer's text without its citation marks."""
    return _SIGN.sub("", _signed(answer.text, {citation.n for citation in answer.citations}))


def altered_quotes(answer: Answer) -> tuple[int, ...]:
    """The citations, by number, whose quote is no exact part of a passage of their document."""
    return tuple(citation.n for citation in answer.citations if _passage_of(citation, answer.passages) is None)


def support_in(answer: Answer) -> Support:
    """How well the answer's citations support it."""
    cited = {citation.n: _passage_of(citation, answer.passages) for citation in answer.citations}
    texts = {n: _text_of(passage) if passage else "" for n, passage in cited.items()}
    groups = groups_in(answer.text, texts.keys())
    judged = [_supports(statement.text, [texts[n] for n in statement.cited]) for statement in _statements(groups)]
    marks = [_is_precise(n, group, texts) for group in groups for n in group.numbers]
    return Support(_share(judged), _share(marks))


def groups_in(text: str, numbers: Collection[int]) -> list[Marked]:
    """The statements of an answer's text with the marks that stand for them; what comes after the last has none.

    A mark stands for what was said since the one before. A code block without marks below it belongs to those of the
    line that leads into it.
    """
    groups: list[Marked] = []
    said: list[str] = []
    units = list(_with_lead_ins(units_of(_signed(text, numbers))))
    for (signed, kind), (below, _) in pairwise([*units, ("", "markup")]):
        if leading := _LEADING.match(signed) if said else None:  # A mark below a code block.
            groups.append(Marked(_numbers(leading[0]), tuple(said)))
            said = []
        rest = signed[leading.end() :] if leading else signed
        found, words = _numbers(rest), _SIGN.sub("", rest)
        if kind == "code" and groups and not (found or said or _LEADING.match(below)):
            groups[-1] = Marked(groups[-1].numbers, (*groups[-1].statements, words))
        elif tokens_of(words):
            said.append(words)
        if found:
            groups.append(Marked(found, tuple(said)))
            said = []
    return [*groups, Marked((), tuple(said))] if said else groups


def _numbers(signed: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(ord(sign) - _FIRST_SIGN for sign in _SIGN.findall(signed)))


def _with_lead_ins(units: Sequence[Unit]) -> Iterator[tuple[str, Kind]]:
    """The units without headings. What ends with a colon says nothing until the next has been said, too."""
    lead = ""
    for unit in units:
        if unit.kind in ("heading", "markup") and not _SIGN.search(unit.text):
            continue
        told, kind = lead + unit.text, unit.kind if not lead else "sentence"
        lead = told if _SIGN.sub("", told).rstrip().endswith(":") else ""
        if not lead:
            yield told, kind
    if lead:
        yield lead, "sentence"


def _statements(groups: Sequence[Marked]) -> Iterator[Statement]:
    for group in groups:
        yield from (Statement(text, group.numbers) for text in group.statements)


def _is_precise(n: int, group: Marked, texts: Mapping[int, str]) -> bool:
    """Whether a citation supports one of its statements alone, or the others could not without it."""
    others = [texts[other] for other in group.numbers if other != n]
    return any(
        _supports(statement, [texts[n]])
        or (_supports(statement, [texts[n], *others]) and not _supports(statement, others))
        for statement in group.statements
    )


def _supports(statement: str, texts: Sequence[str]) -> bool:
    if not texts:
        return False
    evidence = "\n".join(texts)
    numbers = {token.text for token in tokens_of(statement) if token.is_number}
    if not numbers <= {token.text for token in tokens_of(evidence)}:
        return False
    terms = set(terms_of(plain(statement)))
    return len(terms & set(terms_of(plain(evidence)))) >= COVERED * len(terms)


def _passage_of(citation: Citation, passages: Sequence[Passage]) -> Passage | None:
    """The passage that a citation quotes from, word for word."""
    theirs = [passage for passage in passages if passage.document_id == citation.document_id]
    theirs.sort(key=lambda passage: passage.headings != citation.headings)
    return next((passage for passage in theirs if citation.quote and citation.quote in passage.text), None)


def _text_of(passage: Passage) -> str:
    """What a model was shown of a passage: where it stands, and its words."""
    return "\n".join((passage.title, *passage.headings, passage.text))


def _signed(text: str, numbers: Collection[int]) -> str:
    """The text with a sign for each mark, moved before the punctuation that a mark stands behind."""

    def signs(mark: re.Match[str]) -> str:
        return chr(_FIRST_SIGN + int(mark[1])) if int(mark[1]) in numbers else mark[0]

    signed = outside_code(_SIGN.sub("", text), lambda part: _MARK.sub(signs, part))
    return outside_code(signed, lambda part: _BEFORE_SIGNS.sub(_moved, part))


def _moved(match: re.Match[str]) -> str:
    spaces = "" if match.end() == len(match.string) or match.string[match.end()] in "\n|" else " "
    return "".join(match[2].split()) + match[1] + spaces


def _share(judged: Sequence[bool]) -> float | None:
    return sum(judged) / len(judged) if judged else None
