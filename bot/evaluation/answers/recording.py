"""Real questions with feedback turned into cases. Behind ``quoth questions record``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from bot.evaluation.answers.phrasing import clause_of
from bot.evaluation.answers.plain import plain, tokens_of
from bot.evaluation.answers.support import Marked, groups_in
from bot.evaluation.answers.writing import Entry, alike
from bot.inbox.rated import Exchange, Rated

_MARK = re.compile(r"\[(\d{1,4})\]")
_MOST_FACTS = 3
_MOST_TURNS = 10
_LIKED = "Somebody found this answer helpful. Keep in “facts” only what a correct answer must say."
_LIKED_NO = "Somebody found it helpful to hear that there is no answer."
_DISLIKED = "Somebody did not find this helpful. Write what is right, or “expect: nothing”, then delete “review”."
_UNCLEAR = (
    "Helpful, but nothing short was cited. Write into “facts” what a correct answer must say, then delete “review”."
)


def recorded(rated: Sequence[Rated], names: set[str], asks: set[str], knowledge_base: str | None) -> Iterator[Entry]:
    """A case for each judged question whose id, and whose words where it opens its thread, are not among those known.

    What more people liked than disliked becomes a case as it is; the others wait for a person. ``knowledge_base`` is
    the file's: a question that was answered from another one says so.
    """
    names, asks = set(names), set(asks)
    for one in rated:
        name = f"asked-{one.question_id[:12]}"
        turns = _turns(one.earlier)
        said = alike(one.words) if not turns else ""
        if name in names or said in asks or not one.words.strip() or one.outcome not in ("answered", "not_found"):
            continue
        names.add(name)
        asks |= {said} - {""}
        where = {} if one.knowledge_base == knowledge_base else {"knowledge_base": one.knowledge_base}
        values, remark = _judged(one)
        yield Entry({"id": name, "ask": one.words.strip(), **values, **turns, **where}, remark)


def _judged(one: Rated) -> tuple[dict[str, Any], str]:
    """What is right to answer, as far as the feedback tells."""
    if one.liked <= one.disliked:
        return {"review": True}, _DISLIKED
    if one.outcome == "not_found":
        return {"expect": "nothing"}, _LIKED_NO
    facts, cited = _facts(one.answer or ""), _cited(one.explanation)
    sources = {"sources": cited} if cited else {}
    return ({"facts": facts, **sources}, _LIKED) if facts else ({**sources, "review": True}, _UNCLEAR)


def _facts(answer: str) -> list[str]:
    """Short exact words of the answer, one for each place that it cites; those with numbers and commands first."""
    groups = groups_in(answer, {int(number) for number in _MARK.findall(answer)})
    found = [_telling(group) for group in groups if group.numbers]
    return list(dict.fromkeys(fact for fact in found if fact))[:_MOST_FACTS]


def _telling(group: Marked) -> str:
    """Of what a mark stands for, the clause that says most: the first with a number, else the first."""
    clauses = [clause for statement in group.statements if (clause := clause_of(plain(statement)))]
    return next(
        (clause for clause in clauses if any(token.is_number for token in tokens_of(clause))), (*clauses, "")[0]
    )


def _cited(explanation: str | None) -> list[str]:
    kept = json.loads(explanation) if explanation else {}
    return [str(document) for document in kept.get("cited", ())]


def _turns(earlier: Sequence[Exchange]) -> dict[str, Any]:
    """What was said before, without citation marks: those numbers mean nothing there."""
    turns: list[list[str]] = []
    for exchange in earlier:
        turns.append(["user", exchange.words.strip()])
        if exchange.answer and exchange.answer.strip():
            turns.append(["agent", _MARK.sub("", exchange.answer).strip()])
    kept = [turn for turn in turns if turn[1]][-_MOST_TURNS:]
    return {"turns": kept} if kept else {}
