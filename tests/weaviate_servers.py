"""Real Weaviate servers for tests: the one that the environment names, or the client's cached binary; and clusters.

Fixtures are here once for all (tests/conftest.py knows them): ``real_server`` is one server for the whole run,
``weaviate_place`` the same with a collection of the test's own, that is gone afterwards.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connectors.store.weaviate.executable import VERSION, binary_place
from connectors.store.weaviate.place import Consistency, Node, WeaviatePlace

URL = os.environ.get("WEAVIATE_TEST_URL")  # noqa: TID251  # tests have no settings of their own
GRPC_URL = os.environ.get("WEAVIATE_TEST_GRPC_URL")  # noqa: TID251
API_KEY = os.environ.get("WEAVIATE_TEST_API_KEY")  # noqa: TID251

READY_SECONDS = 90.0
_PORTS_A_NODE = 6


def why_there_is_none() -> str | None:
    """Why no server can be had here, as a sentence that says how to have one; None where one can."""
    if URL or os.access(binary_place(), os.X_OK):
        return None
    return (
        f"no real Weaviate: set WEAVIATE_TEST_URL and WEAVIATE_TEST_GRPC_URL, or put the executable of {VERSION} to "
        f"{binary_place()}"
    )


def why_there_is_no_cluster() -> str | None:
    """The same for clusters, which are made of the cached binary."""
    if os.access(binary_place(), os.X_OK):
        return None
    return f"no cluster: put the executable of Weaviate {VERSION} to {binary_place()}"


def named_server(url: str, grpc_url: str | None, api_key: str | None) -> WeaviatePlace:
    """The server that somebody else keeps."""
    grpc = (grpc_url or f"{urlsplit(url).hostname}:50051").replace("https://", "grpcs://").replace("http://", "grpc://")
    node = Node(url.rstrip("/"), grpc.rstrip("/"))
    return WeaviatePlace((node,), api_key, allow_anonymous=api_key is None, allow_plain_http=True)


@dataclass(frozen=True)
class Ports:
    """The ports of one node: six in a row, for the server wants some of them beside each other."""

    http: int

    @property
    def grpc(self) -> int:
        return self.http + 1

    @property
    def gossip(self) -> int:
        return self.http + 2

    @property
    def raft(self) -> int:
        return self.http + 4


class WeaviateNodes:
    """Nodes of the cached binary with data of their own, on loopback and with a key. A context that ends them all."""

    def __init__(self, folder: Path, count: int = 1, consistency: Consistency = "quorum") -> None:
        self.folder = folder
        self.api_key = secrets.token_urlsafe(24)
        self._consistency = consistency
        self._ports = [Ports(first) for first in free_ports(count)]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> WeaviateNodes:
        with ExitStack() as stack:
            stack.callback(self.close)
            for i in range(len(self._ports)):
                self._spawn(i)
            for i in range(len(self._ports)):
                self.wait_until_ready(i)
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def place(self, nodes: Sequence[int] | None = None) -> WeaviatePlace:
        """Where these nodes are: all of them, or those named, as many replicas as there are nodes."""
        chosen = range(len(self._ports)) if nodes is None else nodes
        found = [Node(f"http://127.0.0.1:{p.http}", f"127.0.0.1:{p.grpc}") for p in (self._ports[i] for i in chosen)]
        return WeaviatePlace(
            tuple(found), self.api_key, replicas=len(self._ports), consistency=self._consistency, allow_plain_http=True
        )

    def start(self, i: int = 0) -> None:
        """Start a node that was ended, and wait until it says that it is ready."""
        self._spawn(i)
        self.wait_until_ready(i)

    def kill(self, i: int = 0, with_signal: signal.Signals = signal.SIGKILL) -> None:
        """End a node, without a warning unless told otherwise, and wait until it is gone."""
        process = self._processes.pop(i)
        process.send_signal(with_signal)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)

    def wipe(self, i: int = 0) -> None:
        """Delete all that an ended node kept."""
        assert i not in self._processes, "a node is ended before it is wiped"
        shutil.rmtree(self._home(i))

    def data(self, i: int = 0) -> Path:
        """The folder of a node's data."""
        return self._home(i) / "data"

    def is_running(self, i: int = 0) -> bool:
        """Whether a node was started and has not been ended."""
        return i in self._processes

    def log(self, i: int = 0) -> str:
        """What a node said."""
        return (self._home(i) / "log").read_text(errors="replace")

    def wait_until_ready(self, i: int = 0, seconds: float = READY_SECONDS) -> None:
        """Wait until a node takes requests on both of its ports."""
        ports, ends = self._ports[i], time.monotonic() + seconds
        while not (_is_ready(f"http://127.0.0.1:{ports.http}") and _listens(ports.grpc)):
            exit_code = self._processes[i].poll()
            if exit_code is not None or time.monotonic() > ends:
                raise AssertionError(f"node {i} is not ready (exit code {exit_code}): {self.log(i)[-2000:]}")
            time.sleep(0.2)

    def close(self) -> None:
        """End every node."""
        for i in list(self._processes):
            self.kill(i)

    def _home(self, i: int) -> Path:
        return self.folder / f"node{i}"

    def _spawn(self, i: int) -> None:
        ports = self._ports[i]
        self.data(i).mkdir(parents=True, exist_ok=True)
        with (self._home(i) / "log").open("ab") as log:
            self._processes[i] = subprocess.Popen(
                [binary_place(), "--host", "127.0.0.1", "--port", str(ports.http), "--scheme", "http"],
                env=self._environment(i, ports),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _environment(self, i: int, ports: Ports) -> dict[str, str]:
        peers = [f"127.0.0.1:{other.gossip}" for k, other in enumerate(self._ports) if k != i]
        return {
            "PATH": os.defpath,
            "API_BASED_MODULES_DISABLED": "true",
            "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
            "AUTHENTICATION_APIKEY_ENABLED": "true",
            "AUTHENTICATION_APIKEY_ALLOWED_KEYS": self.api_key,
            "AUTHENTICATION_APIKEY_USERS": "quoth",
            "AUTOSCHEMA_ENABLED": "false",
            "BACKUP_FILESYSTEM_PATH": str(self.folder / "backups"),
            "CLUSTER_ADVERTISE_ADDR": "127.0.0.1",
            "CLUSTER_BASIC_AUTH_PASSWORD": self.api_key,
            "CLUSTER_BASIC_AUTH_USERNAME": "quoth",
            "CLUSTER_BIND_ADDR": "127.0.0.1",
            "CLUSTER_DATA_BIND_PORT": str(ports.gossip + 1),
            "CLUSTER_GOSSIP_BIND_PORT": str(ports.gossip),
            "CLUSTER_HOSTNAME": f"node{i}",
            "CLUSTER_IN_LOCALHOST": "true",
            "CLUSTER_JOIN": ",".join(peers),
            "DEFAULT_VECTORIZER_MODULE": "none",
            "DISABLE_TELEMETRY": "true",
            "DISK_USE_READONLY_PERCENTAGE": "99",
            "DISK_USE_WARNING_PERCENTAGE": "98",
            "ENABLE_MODULES": "backup-filesystem",
            "GOMEMLIMIT": "1GiB",
            "GO_PROFILING_DISABLE": "true",
            "GRPC_PORT": str(ports.grpc),
            "LOG_LEVEL": "warning",
            "PERSISTENCE_DATA_PATH": str(self.data(i)),
            "RAFT_BOOTSTRAP_EXPECT": str(len(self._ports)),
            "RAFT_INTERNAL_RPC_PORT": str(ports.raft + 1),
            "RAFT_JOIN": ",".join(f"node{k}:{other.raft}" for k, other in enumerate(self._ports)),
            "RAFT_PORT": str(ports.raft),
        }


def cluster(folder: Path, n: int = 3, consistency: Consistency = "quorum") -> WeaviateNodes:
    """Nodes that hold every chunk each. Enter it to start them."""
    return WeaviateNodes(folder, n, consistency)


def free_ports(blocks: int) -> list[int]:
    """Where that many blocks of ports begin that nobody uses, below those that the system gives to clients."""
    found: list[int] = []
    for first in random.SystemRandom().sample(range(20_000, 32_000, 10), 1_000):
        if all(_is_free(first + offset) for offset in range(_PORTS_A_NODE)):
            found.append(first)
        if len(found) == blocks:
            return found
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/v1/.well-known/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def asked(place: WeaviatePlace, method: str, path: str, body: object = None, node: int = 0) -> object:
    """What a server's REST interface answers, past the client and past Quoth; None for an empty answer."""
    request = urllib.request.Request(f"{place.nodes[node].http}{path}", method=method)
    request.add_header("Content-Type", "application/json")
    if place.api_key:
        request.add_header("Authorization", f"Bearer {place.api_key}")
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(request, data, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def forget(place: WeaviatePlace) -> None:
    """Delete every collection and alias whose name begins with the place's."""
    aliases, schema = asked(place, "GET", "/v1/aliases"), asked(place, "GET", "/v1/schema")
    assert isinstance(aliases, dict)
    assert isinstance(schema, dict)
    for alias in aliases.get("aliases") or []:
        if alias["alias"].startswith(place.collection):
            asked(place, "DELETE", f"/v1/aliases/{alias['alias']}")
    for collection in schema.get("classes") or []:
        if collection["class"].startswith(place.collection):
            asked(place, "DELETE", f"/v1/schema/{collection['class']}")


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WeaviatePlace]:
    """One real server for the whole run. Whoever uses it is marked ``weaviate`` and is skipped aloud without one."""
    if reason := why_there_is_none():
        pytest.skip(reason)
    if URL:
        yield named_server(URL, GRPC_URL, API_KEY)
        return
    with WeaviateNodes(tmp_path_factory.mktemp("weaviate")) as nodes:
        yield nodes.place()


@pytest.fixture
def weaviate_place(real_server: WeaviatePlace) -> Iterator[WeaviatePlace]:
    """The real server with a collection of this test's own."""
    place = replace(real_server, collection=f"Test{secrets.token_hex(6)}")
    yield place
    forget(place)


def pytest_configure(config: pytest.Config) -> None:
    """Let tests reach the server that the environment names, wherever it is."""
    if URL and (host := urlsplit(URL).hostname):
        config.option.allow_hosts = f"{config.option.allow_hosts or ''},{host}".lstrip(",")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud, once, that nothing was tested on a real server."""
    skipped = terminalreporter.stats.get("skipped", [])
    if (reason := why_there_is_none()) and any(reason in str(report.longrepr) for report in skipped):
        terminalreporter.write_sep("=", "NOT tested on a real Weaviate", yellow=True)
        terminalreporter.write_line(reason)
