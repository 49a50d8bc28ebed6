"""A few documents in a store on disk, searched with the real store and the real models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.answering.retriever import Search
from connectors.embedding import CrossEncoder, embedder_of
from connectors.model import Chunk, Document, source_tag
from connectors.store.sqlite_store import SqliteStore
from connectors.text.chunking import chunks_of, embedding_text_of
from tests.fakes.indexes import index_of

HANDBOOK = Path(__file__).parent / "handbook"


@dataclass(frozen=True, slots=True)
class Seen:
    """What this test's ledger says of a chunk."""

    title: str
    url: str
    breadcrumbs: tuple[str, ...] = ()
    updated_at: None = None


@dataclass(frozen=True, slots=True)
class AllSeen:
    vouched: dict[str, Seen]
    refused: dict[str, str]


class TrustingLedger:
    """Vouches for everything."""

    def vouch(self, chunks: Sequence[Chunk], tags: frozenset[str]) -> AllSeen:
        return AllSeen(
            {chunk.chunk_id: Seen(chunk.title, f"https://git.example/{chunk.document_id}") for chunk in chunks}, {}
        )


def handbook_search(file: Path, cross_encoder: CrossEncoder | None) -> Search:
    """A search over the handbook that stands beside this file."""
    return search_over(_documents(), file, cross_encoder)


def search_over(documents: Iterable[Document], file: Path, cross_encoder: CrossEncoder | None) -> Search:
    """A search over these documents."""
    embedder = embedder_of("local")
    store = SqliteStore(file, "test")
    for document in documents:
        chunks = chunks_of(document, "test")
        store.put(chunks)
        vectors = embedder.embed_texts([embedding_text_of(chunk) for chunk in chunks])
        store.embed({chunk.chunk_id: vector for chunk, vector in zip(chunks, vectors, strict=True)})
    return Search(lambda: index_of(store, embedder), TrustingLedger(), cross_encoder, rerank_seconds=30.0)


def _documents() -> Iterator[Document]:
    for path in sorted(HANDBOOK.glob("*.md")):
        text = path.read_text()
        yield Document(
            source="handbook",
            document_id=path.stem,
            version="1",
            title=text.splitlines()[0].lstrip("# "),
            text=text,
            url=f"https://git.example/{path.name}",
            link=f"https://git.example/{path.name}#L{{start}}-L{{end}}",
            tags=frozenset({source_tag("handbook")}),
        )
