"""What the Messages API refuses, and why: the rules that a client must keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_FIELDS = frozenset(
    {
        "model", "max_tokens", "messages", "system", "stream", "stop_sequences", "thinking", "output_config", "tools",
        "tool_choice", "metadata", "service_tier", "cache_control", "container", "context_management", "inference_geo",
    }
)  # fmt: skip
_SAMPLING = frozenset({"temperature", "top_p", "top_k"})
_BLOCKS = frozenset({"text", "search_result", "document", "image", "thinking", "tool_use", "tool_result"})

Body = Mapping[str, Any]


def complaint_about(body: object) -> str | None:
    """Why the API would answer 400 to this body; ``None`` when it would not."""
    if not isinstance(body, dict):
        return "The request body is not valid JSON."
    return next((complaint for rule in _RULES for complaint in rule(body)), None)


def search_results_of(body: Body) -> list[dict[str, Any]]:
    """All search_result blocks of a request, in the order in which citations count them."""
    return [block for block in _blocks_of(body) if block.get("type") == "search_result"]


def question_of(body: Body) -> str:
    """The last text of the last message."""
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return next((str(block["text"]) for block in reversed(content) if block.get("type") == "text"), "")


def _fields(body: Body) -> Iterator[str]:
    for name in sorted(body.keys() - _FIELDS - _SAMPLING):
        yield f"{name}: Extra inputs are not permitted"
    for name in sorted(body.keys() & _SAMPLING):
        yield f"{name}: this model does not support sampling parameters"
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            yield f"{name}: Field required"


def _size(body: Body) -> Iterator[str]:
    if not isinstance(body["max_tokens"], int) or body["max_tokens"] < 1:
        yield "max_tokens: Input should be greater than or equal to 1"


def _roles(body: Body) -> Iterator[str]:
    messages = body["messages"]
    if not isinstance(messages, list) or not messages:
        yield "messages: at least one message is required"
        return
    if messages[0].get("role") != "user":
        yield "messages: first message must use the user role"
    if messages[-1].get("role") != "user":
        yield "This model does not support assistant message prefill. The conversation must end with a user message."


def _content(body: Body) -> Iterator[str]:
    for message in body["messages"]:
        if not message.get("content"):
            yield "messages: all messages must have non-empty content"
    for block in _blocks_of(body):
        if block.get("type") not in _BLOCKS:
            yield f"messages.content: unknown block type {block.get('type')!r}"
        if block.get("type") == "text" and not str(block.get("text", "")).strip():
            yield "messages: text content blocks must contain non-whitespace text"


def _results(body: Body) -> Iterator[str]:
    results = search_results_of(body)
    for result in results:
        texts = result.get("content") or []
        if not (result.get("source") and result.get("title") and texts):
            yield "search_result: source, title and content are required"
        if any(not str(text.get("text", "")).strip() for text in texts):
            yield "search_result: text content blocks must contain non-whitespace text"
    if len({_cites(result) for result in results}) > 1:
        yield "citations must be enabled on all or none of the search results of a request"
    if any(map(_cites, results)) and (body.get("output_config") or {}).get("format"):
        yield "citations cannot be combined with output_config.format"


def _cites(result: Mapping[str, Any]) -> bool:
    return bool((result.get("citations") or {}).get("enabled"))


def _blocks_of(body: Body) -> Iterator[dict[str, Any]]:
    for message in body["messages"]:
        content = message.get("content")
        yield from content if isinstance(content, list) else []


_RULES: tuple[Callable[[Body], Iterator[str]], ...] = (_fields, _size, _roles, _content, _results)
