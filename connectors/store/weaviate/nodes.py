"""The nodes of a cluster together: reads that one stale node cannot spoil, writes that one dead node cannot stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from connectors.errors import Misconfigured, QuothError, TryLater
from connectors.store.weaviate.connection import Connection
from connectors.store.weaviate.failures import Missing
from connectors.store.weaviate.place import WeaviatePlace

T = TypeVar("T")

WRITE_SECONDS = 75.0
"""How long a write is tried through one node after the other."""
CALL_SECONDS = 20.0
"""How long one node has for one write: after another one died, its first answer may take a minute."""

_SUSPECT_SECONDS = 5.0
"""A node that failed is asked last for so long."""
_PATIENCE_SECONDS = 1.0
"""A read that takes longer is asked of a further node as well."""
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 5.0
_READS_AT_ONCE = 16


class Cluster:
    """All nodes of a place. Safe to use from many threads.

    Raises:
        TryLater: Too few nodes answer.
        Misconfigured: One of them says that a person must act.
    """

    def __init__(self, place: WeaviatePlace) -> None:
        self.readers = place.readers
        self.writers = min(max(place.readers, place.acknowledgements), len(place.nodes))
        self._nodes = [Connection(node, place) for node in place.nodes]
        self._suspects: dict[str, float] = {}
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def read(self, ask: Callable[[Connection], T], count: int) -> list[T]:
        """The answers of so many different nodes: the first that give one. A failing or slow node is replaced."""
        if len(self._nodes) == 1:
            return [self._patiently(ask)]
        nodes = self._by_health()
        running = {self._submit(ask, node): node for node in nodes[:count]}
        spare, answers, failures = nodes[count:], list[T](), list[QuothError]()
        while running and len(answers) < count:
            done, _ = wait(running, _PATIENCE_SECONDS if spare else None, FIRST_COMPLETED)
            if not done:
                self._suspect(*running.values())
            for future in done:
                self._settle(future, running.pop(future), answers, failures)
            wanted = count - len(answers) - (len(running) if done else 0)
            for node in (spare.pop(0) for _ in range(min(wanted, len(spare)))):
                running[self._submit(ask, node)] = node
        if len(answers) < count:
            raise _too_few(failures, len(answers), count)
        return answers[:count]

    def write(self, act: Callable[[Connection, float], T]) -> T:
        """Have a node act, the next one when it fails, again and again under one deadline. Acting must be repeatable.

        The second argument of ``act`` is how many seconds it has.
        """
        end, pause = time.monotonic() + WRITE_SECONDS, _FIRST_WAIT
        while True:
            failure: TryLater | None = None
            for node in self._by_health():
                try:
                    return act(node, max(1.0, min(CALL_SECONDS, end - time.monotonic())))
                except Missing:
                    raise
                except TryLater as error:
                    self._suspect(node)
                    failure = error
            if time.monotonic() + pause > end:
                raise failure or TryLater("Weaviate has no node.")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_WAIT)

    def manage(self, act: Callable[[Connection], T]) -> T:
        """Have one node act, another one when it cannot be reached."""
        failures = list[QuothError]()
        for node in self._by_health():
            try:
                return act(node)
            except TryLater as error:
                self._suspect(node)
                failures.append(error)
        raise failures[0]

    def each(self, ask: Callable[[Connection], T]) -> list[tuple[str, T | None]]:
        """What every node says, by its address; ``None`` where it says nothing."""
        running = [(node.address, self._submit(ask, node)) for node in self._nodes]
        return [(address, _answer_of(future)) for address, future in running]

    def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            pool, self._pool = self._pool, None
        for node in self._nodes:
            node.close()
        if pool:
            pool.shutdown(wait=True, cancel_futures=True)

    def _patiently(self, ask: Callable[[Connection], T]) -> T:
        try:
            return ask(self._nodes[0])
        except (Missing, Misconfigured):
            raise
        except TryLater:
            time.sleep(_FIRST_WAIT)  # A server that was started again is found at the second try.
            return ask(self._nodes[0])

    def _settle(self, future: Future[T], node: Connection, answers: list[T], failures: list[QuothError]) -> None:
        try:
            answers.append(future.result())
        except QuothError as error:
            self._suspect(node)
            failures.append(error)

    def _submit(self, ask: Callable[[Connection], T], node: Connection) -> Future[T]:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_READS_AT_ONCE, thread_name_prefix="weaviate")
            return self._pool.submit(ask, node)

    def _by_health(self) -> list[Connection]:
        now = time.monotonic()
        return sorted(self._nodes, key=lambda node: self._suspects.get(node.address, 0.0) > now)

    def _suspect(self, *nodes: Connection) -> None:
        end = time.monotonic() + _SUSPECT_SECONDS
        self._suspects.update((node.address, end) for node in nodes)


def _answer_of(future: Future[T]) -> T | None:
    try:
        return future.result()
    except TryLater:
        return None


def _too_few(failures: Sequence[QuothError], answered: int, needed: int) -> QuothError:
    for failure in failures:
        if isinstance(failure, Misconfigured):
            return failure
    return TryLater(
        f"Weaviate has no quorum: {answered} of the {needed} nodes that a read needs answer. Start the others. "
        f"{failures[0] if failures else ''}".rstrip()
    )
