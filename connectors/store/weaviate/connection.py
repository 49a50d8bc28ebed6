"""One node of a Weaviate: the official client for its REST side, the client's own gRPC stubs for its data.

The stubs are called directly, because the client repeats an unavailable call for up to a minute while another node
could answer, and writes whole objects to its log.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, cast
from urllib.parse import SplitResult, urlsplit

import grpc  # type: ignore[import-untyped]
import httpx
import weaviate
from google.protobuf.message import Message  # type: ignore[import-untyped]
from weaviate.classes.init import AdditionalConfig, Auth, Timeout
from weaviate.proto.v1 import weaviate_pb2_grpc

from connectors.errors import Misconfigured, TryLater
from connectors.http import is_loopback
from connectors.store.weaviate.addresses import unprotected
from connectors.store.weaviate.failures import NEWEST, OLDEST, UNTESTED, failure_of_call, failure_of_request, refused
from connectors.store.weaviate.place import Node, WeaviatePlace

_REST_SECONDS = 30
_OPENING_SECONDS = 10
_LARGEST = 100 * 1024 * 1024
"""Bytes of one message: what the server itself takes and gives unless told otherwise."""

_CHANNEL = (
    ("grpc.max_send_message_length", _LARGEST),
    ("grpc.max_receive_message_length", _LARGEST),
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)

logging.getLogger("weaviate-client").disabled = True  # It prints whole objects, text and vector, when one fails.


class Call(Protocol):
    """A request under way."""

    def result(self) -> Message:
        """Its answer; raises grpc.RpcError."""

    def cancel(self) -> None:
        """Give it up."""


class Connection:
    """The ways to one node, opened when they are first needed. Safe to use from many threads.

    A node that comes back is found again by itself.

    Raises:
        Misconfigured: At first use: the node is open to everybody, unencrypted, or of a version that was never tested.
        TryLater: It cannot be reached.
    """

    def __init__(self, node: Node, place: WeaviatePlace) -> None:
        self.address = node.http
        self._node = node
        self._place = place
        self._http = urlsplit(node.http)
        self._grpc = urlsplit(node.grpc if "://" in node.grpc else f"{self._http.scheme}://{node.grpc}")
        self._lock = threading.Lock()
        self._client: weaviate.WeaviateClient | None = None
        self._channel: grpc.Channel | None = None
        self._stub: weaviate_pb2_grpc.WeaviateStub | None = None
        self._closed = False

    def start(self, method: str, request: Message, seconds: float) -> Call:
        """Send a request of the gRPC service; its answer comes later, so that several can be under way."""
        call = getattr(self._opened(), method)
        return cast(Call, call.future(request, timeout=seconds, metadata=self._credentials()))

    def answer(self, call: Call) -> Message:
        """What a request that was sent came to."""
        try:
            return call.result()
        except grpc.RpcError as error:
            raise failure_of_call(error, self.address) from None
        except grpc.FutureCancelledError:
            raise TryLater(f"The connection to Weaviate at {self.address} was closed.") from None

    @contextmanager
    def rest(self) -> Iterator[weaviate.WeaviateClient]:
        """The official client, for schema and aliases. What goes wrong with it inside is named."""
        try:
            yield self._admitted()
        except (Misconfigured, TryLater):
            raise
        except Exception as error:  # noqa: BLE001  # The client raises its own, httpx's and pydantic's.
            raise failure_of_request(error, self.address) from None

    def ready(self) -> bool:
        """Whether the node says that it can work."""
        try:  # The client would print what it meets to standard output.
            answer = httpx.get(f"{self.address}/v1/.well-known/ready", timeout=_OPENING_SECONDS, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.is_success

    def close(self) -> None:
        """Let go of the connections. Requests under way end."""
        with self._lock:
            self._closed = True
            if self._channel:
                self._channel.close()
            if self._client:
                self._client.close()
            self._channel = self._stub = self._client = None

    def _opened(self) -> weaviate_pb2_grpc.WeaviateStub:
        if stub := self._stub:
            return stub
        with self.rest(), self._lock:
            if self._closed:
                raise TryLater(f"The connection to Weaviate at {self.address} was closed.")
            if not self._stub:
                self._channel = _channel(self._grpc)
                self._stub = weaviate_pb2_grpc.WeaviateStub(self._channel)  # type: ignore[no-untyped-call]
            return self._stub

    def _admitted(self) -> weaviate.WeaviateClient:
        """The client, once the node was seen to be one that may be used."""
        if client := self._client:
            return client
        with self._lock:
            if self._closed:
                raise TryLater(f"The connection to Weaviate at {self.address} was closed.")
            if not self._client:
                self._look_at_the_way()
                client = self._connected(self._place.api_key)
                try:
                    self._look_at(client)
                except BaseException:
                    client.close()
                    raise
                self._client = client
            return self._client

    def _connected(self, key: str | None) -> weaviate.WeaviateClient:
        return weaviate.connect_to_custom(
            http_host=self._http.hostname or "",
            http_port=_port(self._http),
            http_secure=_safe(self._http),
            grpc_host=self._grpc.hostname or "",
            grpc_port=_port(self._grpc),
            grpc_secure=_safe(self._grpc),
            auth_credentials=Auth.api_key(key) if key else None,
            skip_init_checks=True,  # They ask the package index for news.
            additional_config=AdditionalConfig(
                timeout=Timeout(init=_OPENING_SECONDS, query=_REST_SECONDS, insert=_REST_SECONDS), trust_env=False
            ),
        )

    def _look_at_the_way(self) -> None:
        plain = None if self._place.allow_plain_http else unprotected(self._node)
        if plain:
            raise Misconfigured(
                f"Weaviate at {plain} is not on this machine and not encrypted: use https (and grpcs), or set "
                "store.allow_plain_http where the network itself is safe."
            )

    def _look_at(self, client: weaviate.WeaviateClient) -> None:
        if not OLDEST <= _numbers(str(client.get_meta().get("version", ""))) < NEWEST:
            raise Misconfigured(UNTESTED.format(place=self.address))
        if not is_loopback(self._http.hostname or "") and not self._place.allow_anonymous and self._open_to_all():
            raise Misconfigured(
                f"Weaviate at {self.address} answers without a key: turn anonymous access off and use a key "
                "(store.api_key_env), or set store.allow_anonymous."
            )

    def _open_to_all(self) -> bool:
        try:
            with self._connected(None) as stranger:
                stranger.collections.exists(self._place.collection)
        except Exception as error:
            if refused(error):
                return False
            raise
        return True

    def _credentials(self) -> tuple[tuple[str, str], ...]:
        key = self._place.api_key
        return (("authorization", f"Bearer {key}"),) if key else ()


def _channel(url: SplitResult) -> grpc.Channel:
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    target = f"{host}:{_port(url)}"
    if _safe(url):
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(), options=_CHANNEL)
    return grpc.insecure_channel(target, options=_CHANNEL)


def _safe(url: SplitResult) -> bool:
    return url.scheme in {"https", "grpcs"}


def _port(url: SplitResult) -> int:
    return url.port or (443 if _safe(url) else 80)


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()
