"""The places between two durable steps where a process may die. Tests kill it at each of them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Boundary(StrEnum):
    """Named after what has just become true; what follows has not begun."""

    DELIVERY_RECEIVED = "delivery.received"
    QUESTION_DELIVERED = "question.delivered"
    QUESTION_CLAIMED = "question.claimed"
    QUESTION_ANSWERED = "question.answered"
    POST_ANNOUNCED = "post.announced"
    POST_SENT = "post.sent"
    POST_RECORDED = "post.recorded"
    STREAM_ANNOUNCED = "stream.announced"
    STREAM_STARTED = "stream.started"
    STREAM_RECORDED = "stream.recorded"
    STREAM_APPENDED = "stream.appended"
    STREAM_STOPPED = "stream.stopped"
    MESSAGE_UPDATED = "message.updated"
    QUESTION_FINISHED = "question.finished"


AtBoundary = Callable[[Boundary], None]


def pass_by(_: Boundary) -> None:
    """What happens at a boundary in a life without tests: nothing."""
