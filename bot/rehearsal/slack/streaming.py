"""Messages that grow: chat.startStream, appendStream, stopStream, and how a stream can end otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.rehearsal.slack.blocks import accept_blocks
from bot.rehearsal.slack.refusals import Refused
from bot.rehearsal.slack.workspace import Json, Message, Workspace

MAX_MARKDOWN = 12_000
Ending = Literal["", "stopped", "stopped_by_user", "expired"]


@dataclass(slots=True)
class Stream:
    """One open or ended stream."""

    started_at: float
    ending: Ending = ""


class Streams:
    """The state of every stream of the workspace."""

    def __init__(self, workspace: Workspace, lifetime_seconds: float) -> None:
        self._workspace = workspace
        self._lifetime_seconds = lifetime_seconds
        self._streams: dict[tuple[str, str], Stream] = {}

    def start(self, message: Message, chunks: Sequence[Json]) -> Message:
        """Begin with a message that may still be empty."""
        self._streams[(message.channel, message.ts)] = Stream(self._workspace.clock())
        return self._workspace.keep(_grown(replace(message, streaming=True), chunks))

    def append(self, channel: str, ts: object, chunks: Sequence[Json]) -> Message:
        """Add to it.

        Raises:
            Refused: message_not_found, stopped_by_user, or message_not_in_streaming_state once it has ended.
        """
        message, stream = self._stream(channel, ts)
        if stream is not None and stream.ending == "stopped_by_user":
            raise Refused("stopped_by_user")
        self._ensure_open(stream)
        return self._workspace.keep(_grown(message, chunks))

    def stop(self, channel: str, ts: object, chunks: Sequence[Json], blocks: Sequence[Json]) -> Message:
        """End it, with some last words and blocks below."""
        message, stream = self._stream(channel, ts)
        self._ensure_open(stream).ending = "stopped"
        grown = _grown(message, chunks)
        return self._workspace.keep(replace(grown, streaming=False, blocks=(*grown.blocks, *blocks)))

    def stop_by_user(self, channel: str, root_ts: str) -> list[str]:
        """A person pressed Stop: every open stream of the thread ends. Returns their ts."""
        stopped = []
        for message in self._workspace.thread(channel, root_ts):
            stream = self._streams.get((channel, message.ts))
            if message.streaming and stream is not None:
                stream.ending = "stopped_by_user"
                self._workspace.keep(replace(message, streaming=False))
                stopped.append(message.ts)
        return stopped

    def expire(self) -> None:
        """End the streams that have lived too long. What they said stays, cut off."""
        dead_line = self._workspace.clock() - self._lifetime_seconds
        for (channel, ts), stream in self._streams.items():
            if not stream.ending and stream.started_at < dead_line:
                stream.ending = "expired"
                if message := self._workspace.find(channel, ts):
                    self._workspace.keep(replace(message, streaming=False))

    def _stream(self, channel: str, ts: object) -> tuple[Message, Stream | None]:
        return self._workspace.message(channel, ts), self._streams.get((channel, str(ts)))

    def _ensure_open(self, stream: Stream | None) -> Stream:
        if stream is None or stream.ending:
            raise Refused("message_not_in_streaming_state")
        return stream


def accept_chunks(markdown_text: object, chunks: object) -> list[Json]:
    """What to add, as chunks.

    Raises:
        Refused: invalid_chunks, invalid_blocks, msg_too_long or markdown_text_conflict.
    """
    if markdown_text and chunks:
        raise Refused("markdown_text_conflict")
    if markdown_text:
        chunks = [{"type": "markdown_text", "text": markdown_text}]
    if not isinstance(chunks, list | None):
        raise Refused("invalid_chunks")
    for chunk in chunks or []:
        _accept_chunk(chunk)
    return chunks or []


_REQUIRED = {
    "markdown_text": {"text"},
    "task_update": {"id", "title", "status"},
    "plan_update": {"title"},
    "blocks": {"blocks"},
}
_OPTIONAL = {"task_update": {"details", "output", "sources"}}


def _accept_chunk(chunk: Any) -> None:
    kind = chunk.get("type") if isinstance(chunk, dict) else None
    if kind not in _REQUIRED:
        raise Refused("invalid_chunks")
    given = chunk.keys() - {"type"}
    if not _REQUIRED[kind] <= given <= _REQUIRED[kind] | _OPTIONAL.get(kind, set()):
        raise Refused("invalid_chunks")
    if kind == "blocks":
        accept_blocks(chunk["blocks"])
    if kind == "markdown_text" and len(str(chunk["text"])) > MAX_MARKDOWN:
        raise Refused("msg_too_long")


def _grown(message: Message, chunks: Iterable[Json]) -> Message:
    blocks = list(message.blocks)
    text = message.text
    for chunk in chunks:
        if chunk["type"] == "markdown_text":
            text += chunk["text"]
        _add(blocks, chunk)
    return replace(message, blocks=tuple(blocks), text=text)


def _add(blocks: list[Json], chunk: Json) -> None:
    match chunk["type"]:
        case "markdown_text" if blocks and blocks[-1]["type"] == "markdown":
            blocks[-1] = {"type": "markdown", "text": blocks[-1]["text"] + chunk["text"]}
        case "markdown_text":
            blocks.append({"type": "markdown", "text": chunk["text"]})
        case "blocks":
            blocks.extend(chunk["blocks"])
        case "plan_update":
            _replace(blocks, {"type": "plan", "title": chunk["title"]}, "type")
        case _:
            _replace(blocks, _task_card(chunk), "task_id")


def _task_card(chunk: Json) -> Json:
    card = {"type": "task_card", "task_id": chunk["id"], "title": chunk["title"], "status": chunk["status"]}
    return card | {"sources": chunk["sources"]} if "sources" in chunk else card


def _replace(blocks: list[Json], block: Json, key: str) -> None:
    """Put a block where one with the same key stands, or at the end."""
    for n, old in enumerate(blocks):
        if old["type"] == block["type"] and old.get(key) == block[key]:
            blocks[n] = old | block
            return
    blocks.append(block)
