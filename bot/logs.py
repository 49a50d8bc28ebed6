"""Log lines: readable on a terminal, JSON elsewhere, and never with anybody's words."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

_LOUD = (
    "slack_bolt",
    "slack_sdk",
    "httpx",
    "httpx2",
    "anthropic",
    "langchain",
    "apscheduler",
    "uvicorn.access",
    "alembic",
)
"""Libraries whose own lines may carry message bodies, prompts or URLs with queries."""


def start_logging(shape: Literal["text", "json"] | None = None, *, quiet: bool = False) -> None:
    """Send every log line to stderr: readable when a person looks, else JSON; ``quiet`` leaves warnings only."""
    readable = sys.stderr.isatty() if shape is None else shape == "text"
    renderer = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if readable else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_words_of_exceptions,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _quieten_libraries(shared, renderer)


def _without_words_of_exceptions(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A traceback's messages can hold what a person wrote; the chain of types and places cannot."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = _chain_of(error)
    return event


def _chain_of(error: BaseException | None) -> list[str]:
    chain: list[str] = []
    while error is not None and len(chain) < 5:  # noqa: PLR2004  # Deeper causes say nothing new.
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f" at {trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace else ""
        chain.append(type(error).__name__ + place)
        error = error.__cause__ or error.__context__
    return chain


def _quieten_libraries(shared: list[structlog.typing.Processor], renderer: structlog.typing.Processor) -> None:
    sink = logging.StreamHandler(sys.stderr)
    sink.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[_own_fields_only, renderer], foreign_pre_chain=shared)
    )
    root = logging.getLogger()
    root.handlers = [sink]
    root.setLevel(logging.WARNING)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _own_fields_only(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Of a library's line keep who said it and how loudly, not what: its text is out of our hands."""
    record: logging.LogRecord = event["_record"]
    kept = {"level": event.get("level"), "timestamp": event.get("timestamp"), "exception": event.get("exception")}
    return {"event": "library.warned", "logger": record.name, "place": f"{record.filename}:{record.lineno}"} | {
        key: value for key, value in kept.items() if value
    }
