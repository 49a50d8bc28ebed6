"""The fake's sockets: each node listens on loopback for REST and for gRPC, and can be killed and started again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import ThreadingHTTPServer

import grpc  # type: ignore[import-untyped]

from connectors.store.weaviate.place import Consistency, WeaviatePlace
from connectors.store.weaviate.place import Node as Address
from tests.fakes.weaviate import grpc_wire, rest_wire
from tests.fakes.weaviate.cluster import VERSION, Cluster, Node
from tests.fakes.weaviate.schema import Schema

_WORKERS = 8


class FakeWeaviate:
    """A Weaviate on loopback. Enter it to start its nodes; ``cluster`` is its state, ``faults`` what goes wrong."""

    def __init__(self, nodes: int = 1, *, keys: Mapping[str, str] | None = None, version: str = VERSION) -> None:
        self.cluster = Cluster([Node(i) for i in range(nodes)], keys or {}, version, schema=Schema(nodes))
        self.faults = self.cluster.faults
        self.addresses = [
            Address(f"http://127.0.0.1:{_free_port()}", f"127.0.0.1:{_free_port()}") for _ in range(nodes)
        ]
        self._sockets: dict[int, _Sockets] = {}

    def __enter__(self) -> FakeWeaviate:
        with ExitStack() as stack:
            stack.callback(self.close)
            for i in range(len(self.addresses)):
                self._listen(i)
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def place(self, consistency: Consistency = "quorum", api_key: str | None = None) -> WeaviatePlace:
        """Where these nodes are, as configuration would say it."""
        return WeaviatePlace(
            tuple(self.addresses), api_key, replicas=len(self.addresses), consistency=consistency, allow_plain_http=True
        )

    def kill(self, i: int) -> None:
        """Cut a node's connections in the middle of whatever they carry. It hears of nothing from now on."""
        with self.cluster.lock:
            self.cluster.nodes[i].up = self.cluster.nodes[i].hears = False
        self._sockets.pop(i).close()

    def start(self, i: int) -> None:
        """Start a killed node. It says that it is ready, takes new writes, and misses what it missed."""
        with self.cluster.lock:
            self.cluster.nodes[i].up = self.cluster.nodes[i].hears = True
            self.cluster.nodes[i].gone = threading.Event()
        self._listen(i)

    @contextmanager
    def deaf(self, i: int) -> Iterator[None]:
        """A node that answers, and hears of no write."""
        self.cluster.nodes[i].hears = False
        yield
        self.cluster.nodes[i].hears = True

    def close(self) -> None:
        """Stop every node."""
        for i in list(self._sockets):
            self._sockets.pop(i).close()

    def _listen(self, i: int) -> None:
        self._sockets[i] = _Sockets(self.cluster, i, self.addresses[i])


class _Sockets:
    """What one node listens on."""

    def __init__(self, cluster: Cluster, node: int, address: Address) -> None:
        self._gone = cluster.nodes[node].gone
        self._threads = ThreadPoolExecutor(_WORKERS, f"fake-weaviate-{node}")
        self._grpc = grpc.server(
            self._threads,
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", rest_wire.GRPC_MESSAGE),
                ("grpc.max_send_message_length", rest_wire.GRPC_MESSAGE),
            ],
        )
        grpc_wire.add_to(self._grpc, grpc_wire.Servicer(cluster, node))
        self._grpc.add_insecure_port(address.grpc)
        self._grpc.start()
        self._http = _HttpServer(("127.0.0.1", int(address.http.rpartition(":")[2])), rest_wire.Rest(cluster, node))

    def close(self) -> None:
        self._gone.set()
        self._http.close()
        self._grpc.stop(None).wait(5)
        self._threads.shutdown(wait=True)  # gRPC does not survive an answer to a server that is no more.


class _HttpServer(ThreadingHTTPServer):
    """Python's own, which also ends the connections that are kept alive when it is closed."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], rest: rest_wire.Rest) -> None:
        super().__init__(address, rest_wire.listener_of(rest))
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        for connection in list(self._open):
            _cut(connection)
        self.server_close()
        self._thread.join(5)

    def process_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is nobody's trouble."""


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # It was gone already.
        return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
