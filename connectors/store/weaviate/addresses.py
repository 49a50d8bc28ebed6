"""Reads the addresses of a Weaviate as people write them. Imports nothing of the client: settings may use it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from connectors.errors import Misconfigured
from connectors.http import is_loopback
from connectors.store.weaviate.place import Node

GRPC_PORT = 50051
"""Where a Weaviate listens for gRPC unless told otherwise ([S] its environment variable GRPC_PORT)."""

_HTTP_PORT = 8080
_SAFE = {"https": True, "grpcs": True, "http": False, "grpc": False}


def http_address_of(text: str) -> str:
    """The REST address of a node, without a slash at its end.

    Raises:
        Misconfigured: It is no address, or holds more than scheme, host and port.
    """
    example = f"Write it as http://host:{_HTTP_PORT} or https://host."
    if not text.strip().lower().startswith(("http://", "https://")):
        raise Misconfigured(f"The address of a Weaviate node begins with http:// or https://. {example}")
    url = _split(text, example)
    return f"{url.scheme}://{url.netloc}"


def grpc_address_of(text: str) -> str:
    """The gRPC address of a node: host and port, with ``grpc://`` or ``grpcs://`` before it where that was said.

    Raises:
        Misconfigured: It is no address, or holds more than scheme, host and port.
    """
    example = f"Write it as host:{GRPC_PORT}."
    url = _split(text if "://" in text else f"//{text}", example)
    if url.scheme not in ("", *_SAFE):
        raise Misconfigured(f"A gRPC address is a host and a port. {example}")
    scheme = "" if not url.scheme else "grpcs://" if _SAFE[url.scheme] else "grpc://"
    return f"{scheme}{_host(url)}:{url.port or GRPC_PORT}"


def nodes_of(urls: Sequence[str], grpc_urls: Sequence[str] = ()) -> tuple[Node, ...]:
    """The nodes at these addresses. Without gRPC addresses it is each node's own host at port 50051.

    Raises:
        Misconfigured: An address cannot be used, is there twice, or there is not one gRPC address for each node.
    """
    https = [http_address_of(url) for url in urls]
    if not https:
        raise Misconfigured("There is no node. Name at least one, such as http://127.0.0.1:8080.")
    if len(set(https)) < len(https):
        raise Misconfigured("A node is there twice. Name each once.")
    if grpc_urls and len(grpc_urls) != len(https):
        raise Misconfigured(
            f"There are {len(https)} nodes and {len(grpc_urls)} gRPC addresses. "
            f"Name one for each node in the same order, or none where all are at port {GRPC_PORT}."
        )
    grpcs = [grpc_address_of(url) for url in grpc_urls] or [f"{_host(urlsplit(url))}:{GRPC_PORT}" for url in https]
    return tuple(Node(http, grpc) for http, grpc in zip(https, grpcs, strict=True))


def unprotected(node: Node) -> str | None:
    """The address of a node that leaves this machine and is not encrypted; None where there is none."""
    http = urlsplit(node.http)
    grpc = urlsplit(node.grpc if "://" in node.grpc else f"{http.scheme}://{node.grpc}")
    for url, written in ((http, node.http), (grpc, node.grpc)):
        if not _SAFE[url.scheme] and not is_loopback(url.hostname or ""):
            return written
    return None


def _split(text: str, example: str) -> SplitResult:
    """The parts of an address that is nothing but scheme, host and port. Never shows what may hold a password."""
    try:
        url = urlsplit(text.strip())
        port = url.port
    except ValueError:
        raise Misconfigured(f"This is not an address. {example}") from None
    if "@" in url.netloc:
        raise Misconfigured("Take the credentials out of the address, and name the key with api_key_env.")
    if not url.hostname or port == 0 or not set(url.netloc) <= _PLAIN:
        raise Misconfigured(f"This is not an address. {example}")
    if url.path not in ("", "/") or url.query or url.fragment or text.rstrip().endswith(("?", "#")):
        raise Misconfigured(f"The address of {url.hostname} must end after host and port. {example}")
    return url


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]%")


def _host(url: SplitResult) -> str:
    host = url.hostname or ""
    return f"[{host}]" if ":" in host else host
