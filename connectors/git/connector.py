"""A Git repository as a source of documents."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from connectors.errors import CannotRead, TryLater
from connectors.git.clone import Clone, Remote
from connectors.git.files import format_of, name_title_of, shown
from connectors.git.history import History, changed_since
from connectors.git.markup import Converted, converted
from connectors.git.patterns import Pattern, patterns_of
from connectors.git.permalinks import Permalinks
from connectors.git.repository import Blobs, GitFailed
from connectors.git.tree import Entry, Limits, files_of
from connectors.model import Document, Listing, Unreadable, source_tag

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files are read: those that ``include`` names and ``exclude`` does not. Patterns as in ``patterns.Pattern``.

    Without ``include``, every file of a supported format. With it too, unless a pattern names a kind of file itself
    (``*.py``): then such files are read as plain text.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What one fetch of the repository found."""

    commit: str
    files: dict[str, Entry]
    history: History


class GitConnector:
    """Reads the files of one branch. Versions are blob ids; links are of the commit that a file was read at.

    Every call but ``fetch`` asks the repository what is new. ``fetch`` reads what the last of those calls saw.
    """

    conversion = "git-1"

    def __init__(
        self,
        source: str,
        remote: Remote,
        data_dir: Path,
        *,
        selection: Selection | None = None,
        links: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Check everything that can be checked without a network.

        Raises:
            Misconfigured: The URL, the branch, the token, a pattern or the template of the links is not right.
        """
        selection = selection or Selection()
        self.source = source
        self._clone = Clone(source, remote, data_dir / "git")
        self._include = patterns_of(selection.include)
        self._exclude = patterns_of(selection.exclude)
        self._links = Permalinks(remote.address, links)
        self._limits = limits or Limits()
        self._snapshot: _Snapshot | None = None

    def manifest(self) -> Iterator[Listing]:
        """Every file that is wanted, at the branch as it is now. Complete before the first one is given."""
        snapshot = self._look()
        for entry in snapshot.files.values():
            yield self._listing(snapshot, entry)

    def recent(self, since: datetime) -> Iterator[Listing]:
        """The files that commits dated since then touched. A branch merged late brings older ones: they are missed."""
        snapshot = self._look()
        changed = changed_since(self._clone.repository, snapshot.commit, since, self._limits.dates_seconds)
        for entry in snapshot.files.values():
            if entry.raw_path in changed:
                yield self._listing(snapshot, entry)

    def fetch(self, listings: Sequence[Listing]) -> Iterator[Document | Unreadable]:
        """The files as they were when the repository was last looked at; those that were not there then are left out.

        Raises:
            TryLater: Our copy of the repository is broken. It was thrown away and is cloned anew by the next call.
        """
        snapshot = self._snapshot or self._look()
        wanted = [(listing, entry) for listing in listings if (entry := self._entry_of(snapshot, listing))]
        dates = snapshot.history.dates_of({entry.raw_path for _, entry in wanted})
        try:
            with self._clone.repository.blobs() as blobs:
                for listing, entry in wanted:
                    yield self._read(blobs, snapshot, listing, entry, dates.get(entry.raw_path))
        except GitFailed as failure:
            self._forget()
            raise TryLater(f"source {self.source}: our copy was broken. The next run clones it anew.") from failure

    def gone(self, document_ids: Collection[str]) -> Collection[str]:
        """Those that the branch, as it is now, does not have among the wanted files."""
        snapshot = self._look()
        present = {self._document_id(entry) for entry in snapshot.files.values()}
        return {document_id for document_id in document_ids if document_id not in present}

    def _look(self) -> _Snapshot:
        try:
            commit, files = self._listed()
        except GitFailed:
            self._forget()
            try:
                commit, files = self._listed()
            except GitFailed as failure:
                raise TryLater(f"source {self.source}: its files cannot be listed.") from failure
        if self._snapshot is None or self._snapshot.commit != commit:
            history = History(self._clone.repository, commit, self._limits.dates_seconds)
            self._snapshot = _Snapshot(commit, files, history)
            _log.info("repository.listed", source=self.source, commit=commit, files=len(files))
        return self._snapshot

    def _listed(self) -> tuple[str, dict[str, Entry]]:
        commit = self._clone.refresh()
        return commit, files_of(self._clone.repository, commit, self._is_wanted, self._limits)

    def _forget(self) -> None:
        self._snapshot = None
        self._clone.discard()

    def _is_wanted(self, path: str) -> bool:
        if _covers(self._exclude, path):
            return False
        if format_of(path) is None:
            return any(pattern.names(path) for pattern in self._include)
        return not self._include or _covers(self._include, path)

    def _listing(self, snapshot: _Snapshot, entry: Entry) -> Listing:
        return Listing(
            self._document_id(entry),
            entry.blob,
            name_title_of(entry.path),
            self._links.url(snapshot.commit, entry.raw_path),
            breadcrumbs=_folders_of(entry.path),
        )

    def _document_id(self, entry: Entry) -> str:
        return f"git:{self.source}:{entry.path}"

    def _entry_of(self, snapshot: _Snapshot, listing: Listing) -> Entry | None:
        return snapshot.files.get(listing.document_id.removeprefix(f"git:{self.source}:"))

    def _read(
        self, blobs: Blobs, snapshot: _Snapshot, listing: Listing, entry: Entry, updated_at: datetime | None
    ) -> Document | Unreadable:
        if entry.size > self._limits.file_bytes:
            megabytes = self._limits.file_bytes / 1024 / 1024
            return Unreadable(self._listing(snapshot, entry), f"The file is larger than {megabytes:.0f} MB.")
        body = blobs.read(entry.blob, self._limits.file_bytes)
        try:
            content = converted(format_of(entry.path) or "plain", body)
        except CannotRead as problem:
            return Unreadable(self._listing(snapshot, entry), str(problem))
        return self._document(snapshot, entry, content, updated_at)

    def _document(self, snapshot: _Snapshot, entry: Entry, content: Converted, updated_at: datetime | None) -> Document:
        return Document(
            source=self.source,
            document_id=self._document_id(entry),
            version=entry.blob,
            title=content.title or name_title_of(entry.path),
            text=content.text,
            url=self._links.url(snapshot.commit, entry.raw_path),
            link=self._links.link(snapshot.commit, entry.raw_path),
            breadcrumbs=_folders_of(entry.path),
            updated_at=updated_at,
            tags=frozenset({source_tag(self.source)}),
            markup=content.markup,
            lines=content.lines,
        )


def _covers(patterns: tuple[Pattern, ...], path: str) -> bool:
    return any(pattern.covers(path) for pattern in patterns)


def _folders_of(path: str) -> tuple[str, ...]:
    return tuple(shown(folder) for folder in path.split("/")[:-1])
