"""What can be made to go wrong: each fault is put around the calls it is meant for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import grpc  # type: ignore[import-untyped]
from weaviate.proto.v1 import batch_pb2

from tests.fakes.weaviate.refusals import Refused, unavailable


@dataclass(frozen=True)
class Call:
    """One call on the wire: ``Search``, ``BatchObjects``, ``GET /v1/meta`` and so on, of the node with this index.

    ``carry_out`` does what was asked for and gives the answer; ``gone`` is set when the node is killed meanwhile.
    """

    name: str
    node: int
    request: Any
    carry_out: Callable[[Any], Any]
    gone: threading.Event


Fault = Callable[[Call], Any]
"""Answers a call in place of the server, or raises."""


def healthy(call: Call) -> Any:
    return call.carry_out(call.request)


def refuse(refused: Refused) -> Fault:
    """The call is refused and not carried out."""

    def fault(call: Call) -> Any:
        raise refused

    return fault


def unreachable() -> Fault:
    """As of a server that is just going away."""
    return refuse(unavailable("Socket closed"))


def too_little_memory() -> Fault:
    return refuse(Refused("cannot process batch: not enough memory", status=500))


def dies(kill: Callable[[], None], *, done: bool) -> Fault:
    """The server is killed while it carries the call out: when it is done, or before it begins."""

    def fault(call: Call) -> Any:
        if done:
            healthy(call)
        threading.Thread(target=kill).start()
        call.gone.wait(10)
        raise unavailable("Socket closed")

    return fault


def slow(seconds: float) -> Fault:
    """The answer takes its time. What was asked for is done when it comes, whether or not anybody still waits."""

    def fault(call: Call) -> Any:
        if call.gone.wait(seconds):
            raise unavailable("Socket closed")
        return healthy(call)

    return fault


def answer_lost() -> Fault:
    """The call is carried out, and its answer never arrives."""

    def fault(call: Call) -> Any:
        healthy(call)
        raise unavailable("Connection reset by peer")

    return fault


def some_objects_refused(*positions: int, said: str = "grpc: the client connection is closing") -> Fault:
    """These objects of a batch are not taken, and the answer says so."""

    def fault(call: Call) -> Any:
        answer = _without(call, positions)
        for position in positions:
            if position < len(call.request.objects):
                answer.errors.append(batch_pb2.BatchObjectsReply.BatchError(index=position, error=said))
        return answer

    return fault


def some_objects_lost(*positions: int) -> Fault:
    """These objects of a batch are acknowledged and not kept."""
    return lambda call: _without(call, positions)


def _without(call: Call, positions: tuple[int, ...]) -> Any:
    kept = [i for i in range(len(call.request.objects)) if i not in positions]
    part = batch_pb2.BatchObjectsRequest(consistency_level=call.request.consistency_level)
    part.objects.extend(call.request.objects[i] for i in kept)
    answer = call.carry_out(part)
    for error in answer.errors:
        error.index = kept[error.index]
    return answer


@dataclass
class _Planned:
    name: str
    fault: Fault
    node: int | None
    skip: int
    times: int


@dataclass
class Faults:
    """Which calls go wrong. ``calls`` are the names of all that came, in order."""

    calls: list[str] = field(default_factory=list)
    around: Fault = healthy
    """Put around every call, whether or not it goes wrong."""
    _planned: list[_Planned] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, name: str, fault: Fault, *, times: int = 1, skip: int = 0, node: int | None = None) -> None:
        """Let the next calls of this name go wrong, so many times, after so many that do not."""
        self._planned.append(_Planned(name, fault, node, skip, times))

    @contextmanager
    def always(self, name: str, fault: Fault, *, node: int | None = None) -> Iterator[None]:
        """Let all calls of this name go wrong, as long as the context lasts."""
        planned = _Planned(name, fault, node, 0, 1_000_000_000)
        self._planned.append(planned)
        try:
            yield
        finally:
            self._planned.remove(planned)

    def count(self, name: str) -> int:
        return self.calls.count(name)

    def answer(self, call: Call) -> Any:
        """What the call comes to."""
        with self._lock:
            self.calls.append(call.name)
            fault = self._fault_of(call)
        return self.around(replace(call, carry_out=lambda request: fault(replace(call, request=request))))

    def _fault_of(self, call: Call) -> Fault:
        for planned in self._planned:
            if planned.name == call.name and planned.node in (None, call.node) and planned.times:
                if planned.skip:
                    planned.skip -= 1
                    continue
                planned.times -= 1
                return planned.fault
        return healthy


DISK_FULL = "disk usage too high. Set to read-only at 90.12%, threshold set to 90.00%"
MEMORY_FULL = "memory usage too high. Set to read-only at 95.40%, threshold set to 95.00%"
DEADLINE = Refused("Deadline Exceeded", grpc.StatusCode.DEADLINE_EXCEEDED, 504)
