"""The files of one commit, without their bodies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from connectors.errors import Misconfigured, TryLater
from connectors.git.repository import GitFailed, GitTimedOut, Repository

MAX_PATH_BYTES = 1_000
"""A longer path is passed over: no database index and no URL takes it."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a repository is read before a run gives up; and, last, how large a file may be that is read."""

    raw_entries: int = 200_000
    entries: int = 50_000
    list_seconds: float = 30
    dates_seconds: float = 30
    file_bytes: int = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file in a commit. ``raw_path`` is the path as git has it; ``path`` is it as text."""

    path: str
    raw_path: bytes
    blob: str
    size: int


def files_of(repository: Repository, commit: str, wanted: Callable[[str], bool], limits: Limits) -> dict[str, Entry]:
    """The wanted regular files of a commit by path. Symbolic links and submodules are none.

    Raises:
        Misconfigured: There are more than the limits allow. Nothing is known then, rather than a part.
        TryLater: Listing them takes too long.
        GitFailed: Our copy cannot be read.
    """
    files: dict[str, Entry] = {}
    passed_over = 0
    for entry in _bounded(_entries(repository, commit, limits), limits):
        if len(entry.raw_path) > MAX_PATH_BYTES or entry.path in files:
            passed_over += 1
        elif wanted(entry.path):
            files[entry.path] = entry
            if len(files) > limits.entries:
                raise Misconfigured(
                    f"There are more than {limits.entries:,} files to read. Narrow include, or add to exclude."
                )
    if passed_over:
        _log.warning("tree.passed_over", repository=repository.directory.name, paths=passed_over)
    return files


def _bounded(entries: Iterator[Entry | None], limits: Limits) -> Iterator[Entry]:
    deadline = time.monotonic() + limits.list_seconds
    for count, entry in enumerate(entries, start=1):
        if count > limits.raw_entries:
            raise Misconfigured(f"The repository has more than {limits.raw_entries:,} entries: too many to list.")
        if time.monotonic() > deadline:
            raise TryLater(f"The repository's files could not be listed in {limits.list_seconds:.0f} s.")
        if entry is not None:
            yield entry


def _entries(repository: Repository, commit: str, limits: Limits) -> Iterator[Entry | None]:
    arguments = ("ls-tree", "-r", "-l", "-z", "--full-tree", "--end-of-options", commit)
    try:
        for record in repository.records(*arguments, timeout_seconds=limits.list_seconds):
            yield _entry_of(record)
    except GitTimedOut as error:
        raise TryLater(f"The repository's files could not be listed in {limits.list_seconds:.0f} s.") from error


def _entry_of(record: bytes) -> Entry | None:
    about, tab, raw_path = record.partition(b"\t")
    fields = about.split()
    if not tab or len(fields) != 4:  # noqa: PLR2004  # mode, type, id, size
        raise GitFailed("git ls-tree printed something else than entries")
    mode, _, blob, size = fields
    if mode not in (b"100644", b"100755", b"100664"):
        return None
    return Entry(raw_path.decode("utf-8", "backslashreplace"), raw_path, blob.decode("ascii"), int(size))
