"""One thread that owns the inbox's connection and commits many writes at once."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from connectors.errors import TryLater

_T = TypeVar("_T")
_Job = tuple[Callable[[Connection], Any], "Future[Any]"]
_AT_ONCE = 256


class Writer:
    """Runs database work one after another; a caller goes on when its work is on the disk.

    Waiting work shares one transaction, so a thousand questions at once cost a handful of disk flushes. Work that
    fails is undone alone; a commit that fails fails everybody in it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="inbox-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Connection], _T]) -> _T:
        """What the work returned, once it is durable.

        Raises:
            TryLater: The database did not take it; nothing of it was kept.
        """
        future: Future[_T] = Future()
        self._jobs.put((work, future))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Finish what is waiting, then end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            jobs, last = self._waiting(first)
            self._commit(jobs)
            if last:
                return

    def _waiting(self, first: _Job) -> tuple[list[_Job], bool]:
        jobs = [first]
        while len(jobs) < _AT_ONCE:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
        return jobs, False

    def _commit(self, jobs: list[_Job]) -> None:
        wanted = [(work, future) for work, future in jobs if future.set_running_or_notify_cancel()]
        try:
            with self._engine.begin() as connection:
                results = [(future, _attempt(connection, work)) for work, future in wanted]
        except Exception as error:  # noqa: BLE001  # Whatever it was, those who wait must hear of it.
            for _, future in wanted:
                future.set_exception(_named(error))
            return
        for future, (result, failure) in results:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)


def _attempt(connection: Connection, work: Callable[[Connection], Any]) -> tuple[Any, Exception | None]:
    try:
        with connection.begin_nested():
            return work(connection), None
    except Exception as error:  # noqa: BLE001  # One caller's failure is not the others'.
        return None, _named(error)


def _named(error: Exception) -> Exception:
    if isinstance(error, SQLAlchemyError):
        later = TryLater(f"The inbox cannot be written ({type(error).__name__}). Is its disk full or its server down?")
        later.__cause__ = error
        return later
    return error
