"""Converts pages in a process of their own, so that no page can stop, swell or reach this one."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import dataclass
from types import TracebackType

import structlog

from connectors.confluence.letters import Letter, answer_in, page_letter, receive, send
from connectors.confluence.storage_format import Converted, References
from connectors.errors import BeyondLimits, CannotRead, TryLater

_log = structlog.get_logger()

# Isolated, without an environment: what this process knows (tokens, proxies, paths) the child does not.
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from connectors.confluence import cell; cell.work({}, {})"
)
_START_SECONDS = 60.0
_PAGES_A_CHILD = 1_000
_MOST_BYTES = 10_000_000


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    line: socket.socket
    owner: int
    pages: int = 0

    def end(self) -> None:
        self.line.close()
        if self.owner == os.getpid():
            self.process.kill()
            self.process.wait()
        else:
            self.process.returncode = 0  # Another process's child: only it can kill and bury it.


class Jail:
    """One child process, started when it is needed, reused, killed when a page hangs it, replaced when it dies.

    Threads may share a jail; they wait for each other. A page has ``seconds`` of wall time; waiting does not count.
    The child ends with this process, however that ends.
    """

    def __init__(self, *, seconds: float = 2.0, megabytes: int = 768) -> None:
        self._seconds = seconds
        self._start = _START.format(megabytes, math.ceil(seconds))
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._children: list[_Child] = []  # None or one; a list, so that the finalizer sees what is there at the end
        self._finalizer = weakref.finalize(self, _end_all, self._children)

    def convert(self, storage: str, references: References) -> Converted:
        """The page as Markdown, as :func:`markdown_of` makes it.

        Raises:
            BeyondLimits: The page is too large, too deep, too slow, or needs too much memory.
            CannotRead: It is no markup, or it crashes its converter.
            TryLater: No child can be started here and now.
        """
        if len(storage) > _MOST_BYTES or len(storage.encode("utf-8", "surrogatepass")) > _MOST_BYTES:
            raise BeyondLimits(f"the page is larger than {_MOST_BYTES // 1_000_000} MB")
        letter = page_letter(storage, references)
        self._settle_after_fork()
        with self._lock:
            answer = self._answered_in_time(letter)
        if "refused" in answer:
            reason = str(answer["refused"])
            raise BeyondLimits(reason) if "beyond" in answer else CannotRead(reason)
        try:
            return answer_in(answer)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise CannotRead("the page made its converter answer nonsense") from None

    def close(self) -> None:
        """End the child. The jail can be used again."""
        self._settle_after_fork()
        with self._lock:
            self._drop()

    def __enter__(self) -> Jail:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answered_in_time(self, letter: Letter) -> Letter:
        """A page that was too slow is tried once more: it may have been the machine that had no time."""
        try:
            return self._answered(letter)
        except BeyondLimits:
            return self._answered(letter)

    def _answered(self, letter: Letter) -> Letter:
        child = self._child()
        deadline = time.monotonic() + self._seconds
        child.pages += 1
        answer: Letter = {}
        try:
            child.line.settimeout(self._seconds)
            send(child.line, letter)
            answer = receive(child.line, deadline)
        except TimeoutError:
            raise _lost(BeyondLimits(f"the page takes longer than {self._seconds:g} seconds")) from None
        except (EOFError, OSError, ValueError, RecursionError):
            raise _lost(_cause_of_death(child)) from None
        finally:
            if not answer or "exhausted" in answer or child.pages >= _PAGES_A_CHILD:
                self._drop()
        return answer

    def _child(self) -> _Child:
        if self._children and self._children[0].process.poll() is not None:
            self._drop()
        if not self._children:
            self._children.append(_started(self._start))
        return self._children[0]

    def _drop(self) -> None:
        _end_all(self._children)

    def _settle_after_fork(self) -> None:
        """A fork has a copy of the lock, perhaps locked for ever, and of a line that is not its own."""
        if self._owner != os.getpid():
            self._owner = os.getpid()
            self._lock = threading.Lock()
            self._drop()


def _lost(reason: CannotRead) -> CannotRead:
    _log.warning("converter.killed", reason=str(reason))
    return reason


def _end_all(children: list[_Child]) -> None:
    while children:
        children.pop().end()


def _started(start: str) -> _Child:
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and code
            [sys.executable, "-I", "-c", start, json.dumps(sys.path)],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,
        )
    except OSError as error:
        ours.close()
        raise TryLater(f"the page converter cannot be started: {error.strerror}") from error
    finally:
        theirs.close()
    child = _Child(process, ours, os.getpid())
    try:
        receive(ours, time.monotonic() + _START_SECONDS)
    except (EOFError, OSError, ValueError):
        child.end()
        raise TryLater("the page converter does not start on this machine") from None
    return child


def _cause_of_death(child: _Child) -> CannotRead:
    with contextlib.suppress(subprocess.TimeoutExpired):
        code = child.process.wait(timeout=1)
        if code == -signal.SIGXCPU:
            return BeyondLimits("the page takes too much processor time")
        return CannotRead(f"the page crashes its converter ({f'signal {-code}' if code < 0 else f'exit {code}'})")
    return CannotRead("the page makes its converter answer nonsense")
