"""One thread that owns the inbox's connection and commits many writes at once."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from connectors.database import Database
from connectors.errors import Misconfigured, QuothError, TryLater

log = structlog.get_logger()
_T = TypeVar("_T")
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Connection], Any]
    future: Future[Any]
    forgets: bool


class Writer:
    """Runs database work one after another; a caller goes on when its work is on the disk.

    Waiting work shares one transaction, so a thousand questions at once cost a handful of disk flushes. Work that
    fails is undone alone; a database that fails, fails everybody who waits for it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._is_forgetting = False
        self._thread = threading.Thread(target=self._work, name="inbox-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Connection], _T], *, forgets: bool = False) -> _T:
        """What the work returned, once it is durable.

        What work that ``forgets`` has deleted is then gone from the disk; where another process reads just then, soon.

        Raises:
            TryLater: The database did not take it; nothing of it was kept.
        """
        future: Future[_T] = Future()
        self._jobs.put(_Job(work, future, forgets))
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
        wanted = [job for job in jobs if job.future.set_running_or_notify_cancel()]
        try:
            with self._database.write() as connection:
                results = [(job.future, _attempt(connection, job.work)) for job in wanted]
        except Exception as error:  # noqa: BLE001  # Whatever it was, those who wait must hear of it.
            for job in wanted:
                job.future.set_exception(_passing(error))
            return
        self._is_forgetting |= any(job.forgets for job in wanted)
        self._forget()
        for future, (result, failure) in results:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)

    def _forget(self) -> None:
        """What was committed stays so: an attempt that comes to nothing is made again after the next commit."""
        if not self._is_forgetting:
            return
        try:
            self._is_forgetting = not self._database.empty_log()
        except QuothError as error:
            log.warning("inbox.log_not_emptied", reason=str(error))


def _attempt(connection: Connection, work: Callable[[Connection], Any]) -> tuple[Any, Exception | None]:
    savepoint = connection.begin_nested()
    try:
        result = work(connection)
        savepoint.commit()
    except OperationalError:
        # A full disk or a lost server has ended the whole transaction; what came after would be kept and not told.
        raise
    except DBAPIError as error:
        savepoint.rollback()
        later = TryLater(f"The database did not take it ({type(error).__name__}). Try again in a moment.")
        later.__cause__ = error
        return None, later
    except Exception as error:  # noqa: BLE001  # One caller's failure is not the others'.
        savepoint.rollback()
        return None, error
    return result, None


def _passing(error: Exception) -> Exception:
    """A database that was opened well and is refused now may be mended while we run, so its callers try again."""
    return TryLater(str(error)) if isinstance(error, Misconfigured) else error
