"""A dataset's corpus as a source of documents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from bot.evaluation.dataset import Corpus, Entry, version_of
from bot.evaluation.records import BadDataset, Line, Record, record_of
from connectors.errors import TryLater
from connectors.model import Document, Listing, source_tag

SOURCE = "dataset"

_PREFIX = f"beir:{SOURCE}:"


def name_of(document_id: str) -> str:
    """What the dataset calls a document."""
    return document_id.removeprefix(_PREFIX)


def texts_of(corpus: Corpus, names: Iterable[str]) -> dict[str, str]:
    """What these documents of a corpus say, by name.

    Raises:
        TryLater: The file is no longer the one that was read.
    """
    connector = DatasetConnector(corpus)
    listings = [Listing(_PREFIX + name, corpus.entries[name].version, "", "") for name in names]
    return {name_of(document.document_id): document.text for document in connector.fetch(listings)}


class DatasetConnector:
    """Gives the documents of a corpus file as they stood when it was read. Their texts are plain."""

    source = SOURCE
    conversion = "beir-1"

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._url = corpus.path.as_uri()

    def manifest(self) -> Iterator[Listing]:
        """Every document."""
        for name, entry in self._corpus.entries.items():
            yield Listing(_PREFIX + name, entry.version, entry.title, self._url)

    def recent(self, since: datetime) -> Iterator[Listing]:
        """Every document: a corpus knows no dates."""
        return self.manifest()

    def fetch(self, listings: Sequence[Listing]) -> Iterator[Document]:
        """The documents with their texts.

        Raises:
            TryLater: The file is no longer the one that was read.
        """
        try:
            with self._corpus.path.open("rb") as file:
                for listing in listings:
                    entry = self._corpus.entries[name_of(listing.document_id)]
                    file.seek(entry.offset)
                    yield self._document(listing, entry, file.read(entry.size))
        except OSError as error:
            raise TryLater(f"{self._corpus.path} cannot be read any more ({error.strerror}).") from error

    def gone(self, document_ids: Collection[str]) -> Collection[str]:
        """Those that the corpus does not have."""
        return {document_id for document_id in document_ids if name_of(document_id) not in self._corpus.entries}

    def _document(self, listing: Listing, entry: Entry, raw: bytes) -> Document:
        record = self._record(entry, raw)
        text = record.words("text")
        return Document(
            source=self.source,
            document_id=listing.document_id,
            version=entry.version,
            title=entry.title,
            text=text if text.strip() else entry.title,  # BEIR searches title and text as one
            url=self._url,
            link=self._url,
            tags=frozenset({source_tag(self.source)}),
            markup="plain",
            lines=(),
        )

    def _record(self, entry: Entry, raw: bytes) -> Record:
        try:
            record = record_of(Line(self._corpus.path, 0, entry.offset, raw))
            if version_of(record) == entry.version:
                return record
        except BadDataset:
            pass  # Some of another line: the file was fine when it was read.
        raise TryLater(f"{self._corpus.path} was changed while it was read. Run the same command again.")
