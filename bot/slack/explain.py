"""How an answer came about: kept as titles and scores, shown to the one who asks for it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bot.answering.model import Answer, Passage, Scope
from bot.slack.literal import literal
from bot.slack.rich_text import Element, rich_text, section, words
from connectors.model import sources_of

_MOST_PASSAGES = 20
_LONGEST = 2_900
NOT_AN_ANSWER = (
    "This message is not an answer of mine, or I do not keep any more how it came about. Use this on one of my answers."
)


def explanation_of(answer: Answer, scope: Scope) -> str:
    """What there is to say about an answer, without the passages' words.

    What was kept out is counted by reason only: its title may be what somebody must not learn.
    """
    reasons = Counter(rejected.reason for rejected in answer.rejected)
    best = {rejected.reason: 0.0 for rejected in answer.rejected}
    for rejected in answer.rejected:
        best[rejected.reason] = max(best[rejected.reason], rejected.score)
    kept = {
        "outcome": answer.outcome,
        "because": answer.because,
        "model": answer.model,
        "seconds": {name: round(seconds, 3) for name, seconds in answer.timings.items()},
        "base": scope.knowledge_base,
        "sources": sources_of(scope.tags),
        "cited": sorted({citation.document_id for citation in answer.citations}),
        "dropped": answer.dropped_citations,
        "passages": [_passage(passage) for passage in answer.passages[:_MOST_PASSAGES]],
        "kept_out": [{"reason": reason, "count": count, "best": best[reason]} for reason, count in reasons.items()],
    }
    return json.dumps(kept, separators=(",", ":"))


def explanation_view(explanation: str) -> dict[str, Any]:
    """A modal that shows an explanation."""
    return _view([_paragraph(head, body) for head, body in _told(json.loads(explanation))])


def sentence_view(sentence: str) -> dict[str, Any]:
    """A modal that says one sentence."""
    return _view([rich_text([section(words(sentence))])])


def explanation_text(explanation: str) -> str:
    """The same for where no modal can be opened; not escaped yet."""
    return "\n".join(f"{head}: {body}" for head, body in _told(json.loads(explanation)))[:_LONGEST]


def _told(kept: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is said about what, in order."""
    cited = set(kept["cited"])
    passages = [
        (f"{one['rank']}. {one['title']}", _scores(one) + (" · cited" if one["document"] in cited else ""))
        for one in kept["passages"]
    ]
    return [
        ("How this answer came about", _summary(kept)),
        *(passages or [("Passages found", "none")]),
        ("Left out", _left_out(kept)),
    ]


def _summary(kept: Mapping[str, Any]) -> str:
    seconds = ", ".join(f"{name} {value:.2f} s" for name, value in kept["seconds"].items())
    parts = [
        kept["outcome"].replace("_", " "),
        kept.get("because", ""),
        f"Written by {kept['model'] or 'nobody'}.",
        f"Time: {seconds}." if seconds else "",
        f"Citations that pointed at nothing and were dropped: {kept['dropped']}." if kept["dropped"] else "",
    ]
    return "\n".join(part for part in parts if part)


def _left_out(kept: Mapping[str, Any]) -> str:
    lines = [f"{one['count']} × {one['reason']} (best score {one['best']:.3f})" for one in kept["kept_out"]]
    ledger = lines or ["The ledger refused nothing."]
    where = ", ".join(kept.get("sources", ()))
    scope = f"The filter let in only the knowledge base {kept['base']}: {where}." if where else ""
    return "\n".join(line for line in (scope, *ledger) if line)


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "rank": passage.rank,
        "title": " › ".join((passage.title, *passage.headings)),
        "document": passage.document_id,
        "score": passage.score,
        "keyword": passage.keyword_score,
        "vector": passage.vector_score,
        "rerank": passage.rerank_score,
    }


def _scores(one: Mapping[str, Any]) -> str:
    scores = {"score": one["score"], "words": one["keyword"], "meaning": one["vector"], "reread": one["rerank"]}
    return " · ".join(f"{name} {value:.3f}" for name, value in scores.items() if value is not None)


def _paragraph(head: str, body: str) -> Element:
    return rich_text([section(words(head[:300], bold=True), words("\n" + body[:_LONGEST]))])


def _view(blocks: list[Element]) -> dict[str, Any]:
    title = {"type": "plain_text", "text": literal("Why this answer?")}
    close = {"type": "plain_text", "text": "Close"}
    return {"type": "modal", "title": title, "close": close, "blocks": blocks}
