"""A Weaviate on this machine that nobody has to install, shared by all processes of one folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import structlog

from connectors.errors import QuothError, TryLater
from connectors.locks import FileLock, SharedLock
from connectors.store.weaviate.executable import VERSION, executable
from connectors.store.weaviate.place import WeaviatePlace
from connectors.store.weaviate.server import WeaviateServer, end, is_alive

log = structlog.get_logger()

_TURN_SECONDS = 60.0
_LEAVE_SECONDS = 5.0
_LOOK_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0


class EmbeddedWeaviate:
    """A server for the processes of one folder: the first one starts it, the last one ends it.

    It outlives a process that is killed, and the next one finds it. While anybody uses it, it is started again
    whenever it is gone, where it was: connections come back to life by themselves.
    """

    def __init__(
        self,
        folder: Path,
        tell: Callable[[str], None],
        fetch: Callable[[Callable[[str], None]], Path] = executable,
    ) -> None:
        self._folder = folder.resolve()
        self._tell = tell
        self._fetch = fetch
        self._turn = FileLock(self._folder / "turn.lock")
        self._users = SharedLock(self._folder / "users.lock")
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="embedded-weaviate", daemon=True)
        self._server: WeaviateServer
        self._process: psutil.Process

    def start(self) -> WeaviatePlace:
        """Where the server is, once it is ready: at once if another process has it running, else after some seconds.

        Raises:
            Misconfigured: The executable cannot be had or does not run here, or the folder cannot be written.
            TryLater: It is not ready in time, or another process has been starting it for long.
        """
        with self._my_turn(_TURN_SECONDS):
            self._server = WeaviateServer(self._folder, self._fetch(self._tell))
            self._users.join()
            try:
                self._process = self._running()
            except BaseException:
                self._leave()
                raise
        self._keeper.start()
        return self._server.place()

    def close(self) -> None:
        """Let go of the server, and end it if nobody else uses it."""
        self._closing.set()
        if self._keeper.is_alive():
            self._keeper.join()
        # Whoever has the turn for that long is starting the server for itself, and will end it.
        with suppress(TryLater), self._my_turn(_LEAVE_SECONDS):
            self._leave()
        self._users.leave()

    def _running(self) -> psutil.Process:
        process = self._server.process()
        if process is not None and not self._server.is_current(process):
            end(process)
            process = None
        if process is None:
            self._tell(f"Starting Weaviate {VERSION}, which takes about ten seconds.")
            process = self._server.launch()
        self._server.wait_until_ready(process, self._closing.wait)
        return process

    def _leave(self) -> None:
        if self._users.leave() and (process := self._server.process()) is not None:
            end(process)

    def _keep(self) -> None:
        pause = _LOOK_SECONDS
        while not self._closing.wait(pause):
            if is_alive(self._process):
                pause = _LOOK_SECONDS
                continue
            try:
                with self._my_turn(0):
                    self._process = self._running()
                log.warning("weaviate.restarted")
            except (QuothError, OSError, psutil.Error) as error:
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                log.warning("weaviate.restart_failed", kind=type(error).__name__)

    @contextmanager
    def _my_turn(self, seconds: float) -> Iterator[None]:
        """Be the only one who starts or ends the server of this folder."""
        ends = time.monotonic() + seconds
        while not self._turn.acquire():
            if time.monotonic() > ends:
                raise TryLater(f"Another process has been starting Weaviate in {self._folder} for long. Try again.")
            time.sleep(0.1)
        try:
            yield
        finally:
            self._turn.release()
