"""The Weaviate that is measured: a client for it, and what it takes of the machine."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from connectors.store.weaviate.place import WeaviatePlace


def client_of(place: WeaviatePlace) -> Any:
    """The official client, connected to the first node."""
    import weaviate  # noqa: PLC0415  # Slow to import.
    from weaviate.classes.init import AdditionalConfig, Auth, Timeout  # noqa: PLC0415  # The same.

    (node, *_) = place.nodes
    http, grpc = urlsplit(node.http), urlsplit(node.grpc if "://" in node.grpc else f"//{node.grpc}")
    secure = http.scheme == "https"
    return weaviate.connect_to_custom(
        http_host=http.hostname or "",
        http_port=http.port or (443 if secure else 80),
        http_secure=secure,
        grpc_host=grpc.hostname or "",
        grpc_port=grpc.port or 50051,
        grpc_secure=secure,
        auth_credentials=Auth.api_key(place.api_key) if place.api_key else None,
        additional_config=AdditionalConfig(timeout=Timeout(init=10, query=120, insert=300)),
        skip_init_checks=True,
    )


def memory_bytes(place: WeaviatePlace) -> int | None:
    """What the server holds in memory (RSS); ``None`` for one on another machine."""
    server = _process(place)
    return server.memory_info().rss if server else None


def disk_bytes(place: WeaviatePlace, collection: str) -> int | None:
    """What the collections whose names begin so take on the server's disk; ``None`` on another machine."""
    server = _process(place)
    data = server.environ().get("PERSISTENCE_DATA_PATH") if server else None
    return sum(map(size_of, Path(data).glob(f"{collection.lower()}*"))) if data else None


def size_of(path: Path) -> int:
    """What a file, or all that is in a folder, takes on disk, in bytes."""
    total = 0
    for file in (path, *path.rglob("*")):
        with suppress(FileNotFoundError):  # A server merges its files while we look.
            total += file.stat().st_blocks * 512
    return total


def _process(place: WeaviatePlace) -> psutil.Process | None:
    port = urlsplit(place.nodes[0].http).port
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return psutil.Process(connection.pid)
    return None
