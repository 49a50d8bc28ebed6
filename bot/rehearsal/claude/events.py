"""A reply of the Messages API, as one JSON object and as the events of a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.rehearsal.claude.answers import Block

Event = dict[str, Any]

_DELTA = 14
"""Characters of text in one event: small, so that words and marks are cut in two."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said and how it ends. ``text_first`` sends a block's citations after its words; real streams do not."""

    model: str
    blocks: list[Block]
    stop_reason: str = "end_turn"
    text_first: bool = False
    message_id: str = "msg_rehearsal"


def json_of(reply: Reply) -> dict[str, Any]:
    """The whole reply at once."""
    return {**_message(reply), "content": reply.blocks, **_ending(reply), "usage": _usage(reply)}


def events_of(reply: Reply) -> Iterator[Event]:
    """The reply as a stream: in the order of the recorded one, pings included."""
    start = {
        **_message(reply),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**_usage(reply), "output_tokens": 1},
    }
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(reply.blocks):
        yield {"type": "content_block_start", "index": index, "content_block": _opening(block)}
        if index == 0:
            yield {"type": "ping"}
        for delta in _deltas(block, text_first=reply.text_first):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": _ending(reply), "usage": {"output_tokens": _usage(reply)["output_tokens"]}}
    yield {"type": "message_stop"}


def line_of(event: Event) -> bytes:
    """An event as it travels; real ones are padded with blanks, too."""
    padding = " " * (len(json.dumps(event)) % 23)
    return f"event: {event['type']}\ndata: {json.dumps(event)}{padding}\n\n".encode()


def _message(reply: Reply) -> dict[str, Any]:
    return {"id": reply.message_id, "type": "message", "role": "assistant", "model": reply.model}


def _ending(reply: Reply) -> dict[str, Any]:
    ending: dict[str, Any] = {"stop_reason": reply.stop_reason, "stop_sequence": None}
    if reply.stop_reason == "refusal":
        ending["stop_details"] = {"type": "refusal", "category": "cyber", "explanation": "This was declined."}
    return ending


def _usage(reply: Reply) -> dict[str, Any]:
    written = sum(len(str(block.get("text", ""))) for block in reply.blocks)
    return {
        "input_tokens": 1000,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 1 + written // 4,
        "service_tier": "standard",
    }


def _opening(block: Block) -> dict[str, Any]:
    if block["type"] == "thinking":
        return {"type": "thinking", "thinking": "", "signature": ""}
    return {"citations": [], "type": "text", "text": ""} if block.get("citations") else {"type": "text", "text": ""}


def _deltas(block: Block, *, text_first: bool) -> Iterator[Event]:
    if block["type"] == "thinking":
        yield {"type": "thinking_delta", "thinking": block["thinking"]}
        yield {"type": "signature_delta", "signature": block["signature"]}
        return
    text = block["text"]
    words = [{"type": "text_delta", "text": text[at : at + _DELTA]} for at in range(0, len(text), _DELTA)]
    cited = [{"type": "citations_delta", "citation": citation} for citation in block.get("citations", ())]
    yield from (*words, *cited) if text_first else (*cited, *words)
