"""Gives vectors to the chunks that have none yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.errors import Cancelled
from connectors.locks import FileLock
from connectors.ports import Embedder, KnowledgeStore
from connectors.text.chunking import embedding_text_of

LOOK = 512
"""Chunks that are taken from the store at once, to be sorted: texts of one length cost the least padding."""

BATCH = 64
"""Chunks that are embedded and stored at once; what a crash can cost."""

_WAIT_SECONDS = 0.2


def embed_missing(store: KnowledgeStore, embedder: Embedder) -> Iterator[int]:
    """Embed whatever the store holds without a vector. Yields after each batch how many chunks it was.

    What is embedded stays: a later call goes on where this one was interrupted.
    """
    tried: set[str] = set()
    while chunks := [chunk for chunk in store.unembedded(LOOK) if chunk.chunk_id not in tried]:
        chunks.sort(key=lambda chunk: len(chunk.text))
        for start in range(0, len(chunks), BATCH):
            batch = chunks[start : start + BATCH]
            vectors = embedder.embed_texts([embedding_text_of(chunk) for chunk in batch])
            store.embed({chunk.chunk_id: vector for chunk, vector in zip(batch, vectors, strict=True)})
            tried.update(chunk.chunk_id for chunk in batch)
            yield len(batch)


@contextmanager
def embedding_alone(lock_dir: Path, stop: threading.Event) -> Iterator[None]:
    """Hold the machine's embedding lock: two processes at it would embed the same chunks twice, each at half speed.

    Raises:
        Cancelled: ``stop`` was set while another process was at it.
    """
    lock = FileLock(lock_dir / "embedding.lock")
    while not lock.acquire():
        if stop.wait(_WAIT_SECONDS):
            raise Cancelled("Stopped while another sync was embedding.")
    try:
        yield
    finally:
        lock.release()
