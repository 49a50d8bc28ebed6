"""Git, run as a program in one bare directory: fixed arguments, an empty environment, bounded time and output."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from connectors.errors import Misconfigured

MAX_SAID = 64 * 1024
"""Bytes of git's error output that are kept: the last ones."""
MAX_RECORD = 1024 * 1024
"""Bytes that one record of git's output may have."""
MAX_OUTPUT = 16 * 1024 * 1024
"""Bytes of output that a run is read for."""
PASSED_ON = frozenset(
    [
        "SSH_AUTH_SOCK",
        "https_proxy",
        "HTTPS_PROXY",
        "http_proxy",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "GIT_SSL_CAINFO",
    ]
)
"""Of what the caller hands over, the variables that git and ssh may see: ways out and what to trust, nothing else."""

# What git would do for a working tree, for hooks, helpers or submodules is off.
_FLAGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.alternateRefsCommand=true",
    "core.bigFileThreshold=16m",
    "credential.helper=",
    "diff.renames=false",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "log.showSignature=false",
    "maintenance.auto=false",
    "protocol.allow=never",
    "submodule.recurse=false",
    "transfer.fsckObjects=true",
    "transfer.bundleURI=false",
)
# Old repositories are full of these, and a reader that never checks out is not harmed by them.
_HARMLESS = [
    "zeroPaddedFilemode",
    "badFilemode",
    "badTimezone",
    "badDate",
    "badDateOverflow",
    "zeroPaddedDate",
    "missingSpaceBeforeDate",
    "missingEmail",
    "missingSpaceBeforeEmail",
    "missingNameBeforeEmail",
    "badEmail",
    "badName",
    "gitmodulesParse",
    "nulInCommit",
]
_SSH = (
    "ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 -o ServerAliveCountMax=3 "
    "-o StrictHostKeyChecking=yes -o ClearAllForwardings=yes -o PermitLocalCommand=no"
)


class GitFailed(Exception):
    """Git ended with an error. ``said`` is the end of what it printed about it."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class GitTimedOut(GitFailed):
    """Git took longer than it was given."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A bare repository that git is run in. ``protocol`` is the only one it may speak, if any.

    ``secret`` is a header for one address as (address, header). It travels in git's environment: never in its
    arguments, never on disk.
    """

    directory: Path
    protocol: str | None = None
    secret: tuple[str, str] | None = field(default=None, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def run(self, *arguments: str, timeout_seconds: float, hold: int | None = None) -> bytes:
        """What git prints. ``hold`` is a file descriptor that it and its children keep open while they live.

        Raises:
            GitFailed: It ended with an error, took too long (GitTimedOut) or printed too much.
        """
        output = bytearray()
        for piece in self._output(arguments, timeout_seconds, hold):
            output += piece
            if len(output) > MAX_OUTPUT:
                raise GitFailed("git printed more than it may")
        return bytes(output)

    def records(self, *arguments: str, timeout_seconds: float) -> Iterator[bytes]:
        """What git prints, cut at NUL bytes, as it comes. Closing the iterator ends git."""
        rest = b""
        pieces = self._output(arguments, timeout_seconds, None)
        with contextlib.closing(pieces):
            for piece in pieces:
                *whole, rest = (rest + piece).split(b"\0")
                yield from whole
                if len(rest) > MAX_RECORD:
                    raise GitFailed("git printed a record longer than it may be")
        if rest:
            yield rest

    @contextlib.contextmanager
    def blobs(self) -> Iterator[Blobs]:
        """A reader of the bodies of blobs: one process, however many are read."""
        process = self._start(("cat-file", "--batch"), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            yield Blobs(process)
        finally:
            _end(process)

    def _output(
        self, arguments: tuple[str, ...], timeout_seconds: float, hold: int | None
    ) -> Generator[bytes, None, None]:
        deadline = time.monotonic() + timeout_seconds
        process = self._start(arguments, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, hold=hold)
        said = bytearray()
        try:
            yield from _pieces(process, deadline, said)
            status = process.wait(max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise GitTimedOut(_text(said)) from error
        finally:
            _end(process)
        if status != 0:
            raise GitFailed(_text(said))

    def _start(
        self, arguments: tuple[str, ...], *, stdin: int, stderr: int, hold: int | None = None
    ) -> subprocess.Popen[bytes]:
        flags = [part for flag in self._flags() for part in ("-c", flag)]
        return subprocess.Popen(
            [self._program("git"), "--no-pager", f"--git-dir={self.directory}", *flags, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            bufsize=0,
            cwd="/",
            env=self._env(),
            start_new_session=True,
            pass_fds=() if hold is None else (hold,),
        )

    def _flags(self) -> Iterator[str]:
        yield from _FLAGS
        yield from (f"fetch.fsck.{problem}=ignore" for problem in _HARMLESS)
        if self.protocol is not None:
            yield f"protocol.{self.protocol}.allow=always"

    def _env(self) -> dict[str, str]:
        passed = {name: value for name, value in self.environment.items() if name in PASSED_ON}
        if "SSL_CERT_FILE" in passed:
            # Not every TLS library that git is built with reads it by itself.
            passed.setdefault("GIT_SSL_CAINFO", passed["SSL_CERT_FILE"])
        env = {
            **passed,
            "PATH": self._path(),
            # A home without a .netrc; ssh looks its own up in the password file.
            "HOME": self.environment.get("HOME", "/nonexistent") if self.protocol == "ssh" else "/nonexistent",
            "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": self.protocol or "none",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_SSH_COMMAND": _SSH,
            "GIT_SSH_VARIANT": "ssh",
        }
        if self.secret is not None:
            address, header = self.secret
            env |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{address}.extraHeader",
                "GIT_CONFIG_VALUE_0": header,
            }
        return env

    def _path(self) -> str:
        return self.environment.get("PATH") or os.pathsep.join(
            dict.fromkeys([str(Path(self._program("git")).parent), "/usr/local/bin", "/usr/bin", "/bin"])
        )

    def _program(self, name: str) -> str:
        found = shutil.which(name, path=self.environment.get("PATH"))
        if found is None:
            raise Misconfigured("The program git is not installed. Install it: git sources need it.")
        return found


class Blobs:
    """Bodies of blobs, one after the other, from one process."""

    def __init__(self, process: subprocess.Popen[bytes], timeout_seconds: float = 60) -> None:
        self._process = process
        self._timeout_seconds = timeout_seconds
        self._buffer = bytearray()

    def read(self, blob: str, limit: int) -> bytes:
        """The body of a blob of at most ``limit`` bytes.

        Raises:
            GitFailed: The repository does not hold it, it is no blob, it is longer, or git stopped.
        """
        try:
            cast("IO[bytes]", self._process.stdin).write(f"{blob}\n".encode())
        except BrokenPipeError as error:
            raise GitFailed("git cat-file stopped") from error
        header = self._line().decode("ascii", "replace").split(" ")
        if len(header) != 3 or header[1] != "blob" or int(header[2]) > limit:  # noqa: PLR2004  # id, type, size
            raise GitFailed(f"unable to read {blob}")
        body = self._bytes(int(header[2]) + 1)
        return body[:-1]

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._more()
        return self._taken(end + 1)[:-1]

    def _bytes(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        return self._taken(count)

    def _taken(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _more(self) -> None:
        stdout = cast("IO[bytes]", self._process.stdout)
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(self._timeout_seconds):
                raise GitTimedOut("git cat-file does not answer")
        data = os.read(stdout.fileno(), 1024 * 1024)
        if not data:
            raise GitFailed("git cat-file stopped")
        self._buffer += data


def _pieces(process: subprocess.Popen[bytes], deadline: float, said: bytearray) -> Iterator[bytes]:
    with selectors.DefaultSelector() as selector:
        for stream in (process.stdout, process.stderr):
            selector.register(cast("IO[bytes]", stream), selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if time.monotonic() >= deadline:
                raise GitTimedOut(_text(said))
            for key, _ in ready:
                data = os.read(key.fd, 64 * 1024)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    said += data
                    del said[:-MAX_SAID]
                else:
                    yield data


def _end(process: subprocess.Popen[Any]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def _text(said: bytearray) -> str:
    return said.decode("utf-8", "replace")
