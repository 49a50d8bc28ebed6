"""When the files of a commit were last changed."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Collection, Generator
from datetime import UTC, datetime

from connectors.git.repository import GitFailed, Repository

_COMMIT = re.compile(rb"\n?\x01(-?\d+)")


class History:
    """The commits that lead to one commit, newest first, walked as far as somebody needs and never twice.

    Walking stops for good after ``seconds``; what was not met by then has no date. Dates are those of the commit,
    not of the author: when a change came to this branch is closer to when it became true.
    """

    def __init__(self, repository: Repository, commit: str, seconds: float) -> None:
        self._repository = repository
        self._commit = commit
        self._seconds = seconds
        self._dates: dict[bytes, datetime | None] = {}
        self._walked = 0
        self._is_over = False

    def dates_of(self, paths: Collection[bytes]) -> dict[bytes, datetime]:
        """The date of the last change of each of these paths, as far as it could be found in time."""
        missing = {path for path in paths if path not in self._dates}
        if missing and not self._is_over:
            self._walk(missing)
        return {path: date for path in paths if (date := self._dates.get(path)) is not None}

    def _walk(self, missing: set[bytes]) -> None:
        began = time.monotonic()
        changes = _changes(self._repository, self._commit, self._seconds, skip=self._walked)
        commits = -1
        with contextlib.closing(changes):
            try:
                for path, date in changes:
                    if path is None:
                        commits += 1
                        if not missing:
                            break
                    elif path not in self._dates:
                        self._dates[path] = date
                        missing.discard(path)
                else:
                    self._is_over = True
            except GitFailed:
                self._is_over = True
        self._walked += max(0, commits)
        self._seconds -= time.monotonic() - began
        self._is_over = self._is_over or self._seconds <= 0


def changed_since(repository: Repository, commit: str, since: datetime, seconds: float) -> set[bytes]:
    """The paths that commits since then touched, as far as could be told in time."""
    changed: set[bytes] = set()
    changes = _changes(repository, commit, seconds, skip=0, since=since)
    with contextlib.closing(changes), contextlib.suppress(GitFailed):
        changed.update(path for path, _ in changes if path is not None)
    return changed


def _changes(
    repository: Repository, commit: str, seconds: float, *, skip: int, since: datetime | None = None
) -> Generator[tuple[bytes | None, datetime | None], None, None]:
    """Each commit as (None, date), then each path it touched as (path, date)."""
    arguments = [f"--skip={skip}", *([f"--since=@{int(since.timestamp())} +0000"] if since else [])]
    date = None
    for record in repository.records(
        "log", "-z", "--name-only", "--no-renames", "--format=%x01%ct", *arguments, "--end-of-options", commit, "--",
        timeout_seconds=seconds,
    ):  # fmt: skip
        start = _COMMIT.fullmatch(record)
        if start is not None:
            date = _date_of(int(start[1]))
            yield None, date
        elif record.strip(b"\n"):
            yield record.removeprefix(b"\n"), date


def _date_of(seconds: int) -> datetime | None:
    """A commit may claim any second; one that no calendar has is no date."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (OverflowError, OSError, ValueError):
        return None
