"""How an answer came about: kept as titles and scores, shown to the one who asks for it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from bot.answering.model import Answer, Passage
from bot.slack.literal import literal
from bot.slack.rich_text import Element, rich_text, section, words

_MOST_PASSAGES = 20
_LONGEST = 2_900
NOT_AN_ANSWER = (
    "This message is not an answer of mine, or I do not keep any more how it came about. Use this on one of my answers."
)


def explanation_of(answer: Answer) -> str:
    """What there is to say about an answer, without the passages' words.

    What was kept out is counted by reason only: its title may be what somebody must not learn.
    """
    reasons = Counter(rejected.reason for rejected in answer.rejected)
    best = {rejected.reason: 0.0 for rejected in answer.rejected}
    for rejected in answer.rejected:
        best[rejected.reason] = max(best[rejected.reason], rejected.score)
    kept = {
        "outcome": answer.outcome,
        "model": answer.model,
        "seconds": {name: round(seconds, 3) for name, seconds in answer.timings.items()},
        "cited": sorted({citation.document_id for citation in answer.citations}),
        "dropped": answer.dropped_citations,
        "passages": [_passage(passage) for passage in answer.passages[:_MOST_PASSAGES]],
        "kept_out": [{"reason": reason, "count": count, "best": best[reason]} for reason, count in reasons.items()],
    }
    return json.dumps(kept, separators=(",", ":"))


def explanation_view(explanation: str) -> dict[str, Any]:
    """A modal that shows an explanation."""
    kept = json.loads(explanation)
    return _view([_summary(kept), *_passages(kept), *_kept_out(kept)])


def sentence_view(sentence: str) -> dict[str, Any]:
    """A modal that says one sentence."""
    return _view([rich_text([section(words(sentence))])])


def explanation_text(explanation: str) -> str:
    """The same for where no modal can be opened; not escaped yet."""
    kept = json.loads(explanation)
    lines = [f"{one['rank']}. {one['title']} ({_scores(one)})" for one in kept["passages"]]
    lines += [f"{one['count']} kept out: {one['reason']}" for one in kept["kept_out"]]
    return "\n".join(lines or ["Nothing was found."])[:_LONGEST]


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


def _summary(kept: dict[str, Any]) -> Element:
    seconds = ", ".join(f"{name} {value:.2f} s" for name, value in kept["seconds"].items())
    parts = [f"Outcome: {kept['outcome']}", f"Written by: {kept['model'] or 'nobody'}", seconds and f"Time: {seconds}"]
    if kept["dropped"]:
        parts.append(f"Citations that pointed at nothing and were dropped: {kept['dropped']}")
    return _paragraph("How this answer came about", "\n".join(part for part in parts if part))


def _passages(kept: dict[str, Any]) -> list[Element]:
    if not kept["passages"]:
        return [_paragraph("Passages found", "None.")]
    cited = set(kept["cited"])
    return [
        _paragraph(f"{one['rank']}. {one['title']}", _scores(one) + (" · cited" if one["document"] in cited else ""))
        for one in kept["passages"]
    ]


def _kept_out(kept: dict[str, Any]) -> list[Element]:
    lines = [f"{one['count']} × {one['reason']} (best score {one['best']:.3f})" for one in kept["kept_out"]]
    return [_paragraph("Kept out", "\n".join(lines))] if lines else []


def _scores(one: dict[str, Any]) -> str:
    scores = {"score": one["score"], "words": one["keyword"], "meaning": one["vector"], "reread": one["rerank"]}
    return " · ".join(f"{name} {value:.3f}" for name, value in scores.items() if value is not None)


def _paragraph(head: str, body: str) -> Element:
    return rich_text([section(words(head[:300], bold=True), words("\n" + body[:_LONGEST]))])


def _view(blocks: list[Element]) -> dict[str, Any]:
    title = {"type": "plain_text", "text": literal("Why this answer?")}
    close = {"type": "plain_text", "text": "Close"}
    return {"type": "modal", "title": title, "close": close, "blocks": blocks}
