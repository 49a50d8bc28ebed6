"""What the commands print with --json. A contract with the outside: keys are only ever added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.answering.model import Answer, Citation, Failure, Nearest, Passage, Retrieved, Turn
from connectors.errors import Misconfigured


def line_of(value: Mapping[str, Any]) -> str:
    """One compact JSON object on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def moment(value: datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def search_result(retrieved: Retrieved, seconds: float) -> dict[str, Any]:
    """What `quoth search` found."""
    return {"passages": [passage_result(passage) for passage in retrieved.passages], "seconds": round(seconds, 4)}


def passage_result(passage: Passage) -> dict[str, Any]:
    """One passage, as found."""
    return {
        "rank": passage.rank,
        "score": round(passage.score, 6),
        "document_id": passage.document_id,
        "source": passage.source,
        "version": passage.version,
        "title": passage.title,
        "headings": list(passage.headings),
        "url": passage.url,
        "text": passage.text,
        "updated_at": moment(passage.updated_at),
    }


def answer_result(answer: Answer) -> dict[str, Any]:
    """What `quoth ask` answered."""
    return {
        "outcome": answer.outcome,
        "answer": answer.text,
        "citations": [_citation(citation) for citation in answer.citations],
        "nearest": [_nearest(page) for page in answer.nearest],
        "passages": [passage_result(passage) for passage in answer.passages],
        "model": answer.model,
        "timings": {name: round(seconds, 4) for name, seconds in answer.timings.items()},
        "notes": list(answer.notes),
        "error": _failure(answer.failure),
    }


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "n": citation.n,
        "title": citation.title,
        "url": citation.url,
        "quote": citation.quote,
        "document_id": citation.document_id,
        "updated_at": moment(citation.updated_at),
    }


def _nearest(page: Nearest) -> dict[str, Any]:
    return {"title": page.title, "url": page.url, "document_id": page.document_id}


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {"kind": failure.kind, "message": failure.message, "reference": failure.reference}


def turns_of(text: str | None) -> tuple[Turn, ...]:
    """The earlier turns that `--turns` gives: [["user", "…"], ["agent", "…"]].

    Raises:
        Misconfigured: It is something else.
    """
    try:
        pairs = [] if text is None else json.loads(text)
        turns = tuple(Turn(speaker, words) for speaker, words in pairs)
    except (ValueError, TypeError) as error:
        raise Misconfigured(_TURNS) from error
    known = all(turn.speaker in ("user", "agent") and isinstance(turn.text, str) for turn in turns)
    if not isinstance(pairs, list) or not known:
        raise Misconfigured(_TURNS)
    return turns


_TURNS = '--turns takes JSON such as [["user", "How do I deploy?"], ["agent", "With shipit."]], earlier turns only.'
