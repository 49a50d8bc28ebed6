"""What is compared: the stores of Quoth behind their port, and langchain-weaviate with its own schema."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from langchain_core.embeddings import Embeddings

from bot.answering.weighting import Part, pairs_in, terms_in
from connectors.fusion import fused
from connectors.model import Query, Vector
from connectors.ports import KnowledgeStore
from connectors.text.chunking import embedding_text_of
from tests.bench.store.replicas import Asked, Replica

if TYPE_CHECKING:
    from connectors.store.weaviate.index import Index


class Contender(Protocol):
    """Something that keeps chunks and finds them."""

    def holds(self) -> int:
        """How many chunks are there, with their vectors."""

    def write(self, replicas: Sequence[Replica]) -> None:
        """Add these documents with their vectors."""

    def replace(self, replicas: Sequence[Replica]) -> None:
        """Put these versions in the place of those that are there."""

    def find(self, asked: Asked, limit: int) -> list[str]:
        """The ids of the chunks that answer best, best first."""

    def close(self) -> None:
        """Let go of files and connections."""


class QuothContender:
    """A store behind Quoth's port, used as syncs and questions use it."""

    def __init__(self, store: KnowledgeStore) -> None:
        self.store = store

    def holds(self) -> int:
        """How many chunks are there, with their vectors."""
        return self.store.stats().embedded

    def write(self, replicas: Sequence[Replica]) -> None:
        """Analyse and put each document, then embed all of them."""
        self._put(replicas)
        self._embed(replicas)

    def replace(self, replicas: Sequence[Replica]) -> None:
        """Put each new version beside the old one, retire the old one, then embed."""
        self._put(replicas)
        for replica in replicas:
            first = replica.chunks[0]
            self.store.retire(first.source, {first.document_id: (first.version, first.pipeline)})
        self._embed(replicas)

    def find(self, asked: Asked, limit: int) -> list[str]:
        """Analyse the question, search, and fuse both scores."""
        parts = [Part(asked.text, 1.0)]
        query = Query(terms_in(parts), asked.vector, asked.tags, limit, pairs_in(parts))
        ranked = fused(self.store.search(query), asked.vector, self.store.sample())
        return [candidate.chunk.chunk_id for candidate, _ in ranked[:limit]]

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def _put(self, replicas: Sequence[Replica]) -> None:
        for replica in replicas:
            self.store.put(replica.chunks)

    def _embed(self, replicas: Sequence[Replica]) -> None:
        self.store.embed(
            {
                chunk.chunk_id: vector
                for replica in replicas
                for chunk, vector in zip(replica.chunks, replica.vectors, strict=True)
            }
        )


class BulkContender(QuothContender):
    """The same store, filled with the same objects without asking what is there: for sizes that would take hours."""

    def __init__(self, store: KnowledgeStore, index: Index) -> None:
        super().__init__(store)
        self._index = index
        self._index.make()

    def write(self, replicas: Sequence[Replica]) -> None:
        """Write every chunk once, with its vector."""
        from connectors.store.weaviate.objects import fields_of, object_of  # noqa: PLC0415  # The client is slow to import.

        objects = {}
        for replica in replicas:
            fields = fields_of(replica.chunks)
            for (uuid, values), vector in zip(fields.items(), replica.vectors, strict=True):
                objects[uuid] = object_of(self._index.name, uuid, values, vector)
        self._index.write(objects)

    def close(self) -> None:
        """Close the store and the connections of our own."""
        self._index.close()
        super().close()


class GivenVectors(Embeddings):
    """Embeddings that were made before: langchain-weaviate gets the same vectors as everybody else."""

    def __init__(self) -> None:
        self.of: Mapping[str, Vector] = {}

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vectors of texts."""
        return [self.of[text].tolist() for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        found: list[float] = self.of[text].tolist()
        return found


class LangChainContender:
    """``WeaviateVectorStore`` as its documentation uses it: its schema, its insertion, its hybrid search.

    The text of a chunk is what was embedded (title, headings, text). Metadata are the chunk's source and document;
    their properties are made as the server's auto-schema would make them, for servers that have it off. It searches
    them as well, so the document is named by a number that says nothing: Quoth sees no words of its id either.
    """

    def __init__(self, client: Any, collection: str) -> None:
        from langchain_weaviate import WeaviateVectorStore  # noqa: PLC0415  # A development dependency, slow to import.

        logging.getLogger("langchain_weaviate").setLevel(logging.WARNING)
        self.vectors = GivenVectors()
        self._client = client
        self._store = WeaviateVectorStore(client, collection, "text", self.vectors, _schema(collection))
        self._collection = client.collections.get(collection)

    def holds(self) -> int:
        """How many chunks are there, with their vectors."""
        return int(self._collection.aggregate.over_all(total_count=True).total_count)

    def write(self, replicas: Sequence[Replica]) -> None:
        """Add all of these documents' chunks in one call."""
        chunks = [chunk for replica in replicas for chunk in replica.chunks]
        vectors = [vector for replica in replicas for vector in replica.vectors]
        texts = [embedding_text_of(chunk) for chunk in chunks]
        self.vectors.of = dict(zip(texts, vectors, strict=True))
        self._store.add_texts(
            texts,
            [{"source": chunk.source, "document": name_of(chunk.document_id)} for chunk in chunks],
            ids=[chunk.chunk_id for chunk in chunks],
        )
        if self._client.batch.failed_objects:
            raise RuntimeError(f"{len(self._client.batch.failed_objects)} objects were not written")

    def replace(self, replicas: Sequence[Replica]) -> None:
        """Add the new versions, then delete what else stands under their documents."""
        from weaviate.classes.query import Filter  # noqa: PLC0415  # Slow to import.

        self.write(replicas)
        kept = {chunk.chunk_id for replica in replicas for chunk in replica.chunks}
        for replica in replicas:
            ours = Filter.by_property("document").equal(name_of(replica.chunks[0].document_id))
            held = self._collection.query.fetch_objects(filters=ours, limit=1_000, return_properties=[])
            self._store.delete([str(found.uuid) for found in held.objects if str(found.uuid) not in kept])

    def find(self, asked: Asked, limit: int) -> list[str]:
        """Its hybrid search, with the weight that Quoth gives words and vectors."""
        found = self.documents(asked.text, asked.vector, limit, asked.sources, alpha=0.5, return_uuids=True)
        return [document.metadata["uuid"] for document in found]

    def documents(self, text: str, vector: Vector, limit: int, sources: Sequence[str], **search: Any) -> list[Any]:
        """What its hybrid search finds within these sources, as LangChain's documents."""
        from weaviate.classes.query import Filter  # noqa: PLC0415  # Slow to import.

        self.vectors.of = {text: vector}
        scope = Filter.any_of([Filter.by_property("source").equal(source) for source in sources])
        return self._store.similarity_search(text, k=limit, filters=scope, **search)

    def close(self) -> None:
        """Close the client."""
        self._client.close()


def name_of(document_id: str) -> str:
    """What a document is called in metadata."""
    return hashlib.sha256(document_id.encode()).hexdigest()


def _schema(collection: str) -> dict[str, Any]:
    texts = ("text", "source", "document")
    return {"class": collection, "properties": [{"name": name, "dataType": ["text"]} for name in texts]}
