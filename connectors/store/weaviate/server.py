"""The process of a Weaviate on this machine: started through the official client, found again, ended."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import psutil

from connectors.errors import Misconfigured, TryLater
from connectors.store.weaviate.executable import VERSION, client_at_work
from connectors.store.weaviate.place import Node, WeaviatePlace

READY_SECONDS = 120.0
_LAUNCH_SECONDS = 60.0
_STOP_SECONDS = 15.0
_CLEAR_SECONDS = 1.0
_NAME = "quoth"
_EXECUTABLE = "/weaviate-v"
_BLOCKS = range(20_000, 32_000, 10)
"""Below the ports that systems give to outgoing connections: those of a server stay free while it is away."""
_PORTS_USED = 6  # http, gRPC, gossip and data, raft and its own gRPC: the server wants these pairs beside each other.
_MEMORY_SHARE = 2
_MIB = 1 << 20


class WeaviateServer:
    """The server whose data is in a folder, together with its key, its ports and its log.

    It belongs to no process: it has a session of its own and is known by its working directory. For one caller at a
    time. Only who can read the folder can use it: Weaviate listens on every network interface for gRPC and for its
    other nodes, so both ask for the key.
    """

    def __init__(self, folder: Path, executable: Path) -> None:
        self._folder = folder
        self._executable = executable

    def place(self) -> WeaviatePlace:
        """Where it is, if it runs."""
        first = self._recorded()
        return WeaviatePlace((Node(f"http://127.0.0.1:{first}", f"127.0.0.1:{first + 1}"),), self._key())

    def process(self) -> psutil.Process | None:
        """The process, whoever started it."""
        for process in psutil.process_iter(["cmdline", "cwd"]):
            named = any(_EXECUTABLE in word for word in process.info["cmdline"] or ())
            if named and process.info["cwd"] == str(self._folder) and is_alive(process):
                return process
        return None

    def is_current(self, process: psutil.Process) -> bool:
        """Whether a process is of the version that is wanted, where it was meant to be."""
        try:
            return {str(self._executable), str(self._recorded())} <= set(process.cmdline())
        except psutil.Error:
            return False

    def launch(self) -> psutil.Process:
        """Start it, on the ports that it had if they are still free.

        Raises:
            Misconfigured: It does not run.
        """
        first = self._recorded()
        if not first or not _come_free(first):
            first = _free_ports()
            self._write("ports.json", json.dumps({"http": first, "grpc": first + 1}))
        if (log := self._folder / "log").exists():
            log.replace(log.with_name("log.before"))
        launching = client_at_work("start", self._options(first), self._folder, {"PATH": os.defpath})
        try:
            failed = launching.wait(_LAUNCH_SECONDS) != 0
        except subprocess.TimeoutExpired:
            launching.kill()
            failed = launching.wait() != 0
        process = self.process()
        if failed or process is None:
            raise self._broken()
        return process

    def wait_until_ready(self, process: psutil.Process, stop: Callable[[float], bool]) -> None:
        """Wait until it takes requests.

        Raises:
            Misconfigured: It ended instead.
            TryLater: It takes too long, or nobody wants it any more.
        """
        first, ends = self._recorded(), time.monotonic() + READY_SECONDS
        while not (_is_ready(first) and _listens(first + 1)):
            if not is_alive(process):
                raise self._broken()
            if time.monotonic() > ends or stop(0.2):
                raise TryLater(f"Weaviate was not ready in {READY_SECONDS:.0f} s. {self._folder / 'log'} may say why.")

    def _options(self, first: int) -> dict[str, object]:
        return {
            "version": VERSION,
            "binary_path": str(self._executable.parent),
            "persistence_data_path": str(self._folder / "data"),
            "port": first,
            "grpc_port": first + 1,
            "additional_env_vars": self._settings() | _ports(first),
        }

    def _settings(self) -> dict[str, str]:
        key = self._key()
        return {
            "API_BASED_MODULES_DISABLED": "true",
            "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
            "AUTHENTICATION_APIKEY_ALLOWED_KEYS": key,
            "AUTHENTICATION_APIKEY_ENABLED": "true",
            "AUTHENTICATION_APIKEY_USERS": _NAME,
            "AUTOSCHEMA_ENABLED": "false",
            "CLUSTER_ADVERTISE_ADDR": "127.0.0.1",
            "CLUSTER_BASIC_AUTH_PASSWORD": key,
            "CLUSTER_BASIC_AUTH_USERNAME": _NAME,
            "CLUSTER_BIND_ADDR": "127.0.0.1",
            "CLUSTER_HOSTNAME": _NAME,  # what its data belongs to: never another
            "DEFAULT_VECTORIZER_MODULE": "none",
            "DISABLE_TELEMETRY": "true",
            "DISK_USE_READONLY_PERCENTAGE": "98",  # 90 would stop most laptops
            "DISK_USE_WARNING_PERCENTAGE": "97",
            "ENABLE_MODULES": "",
            "GOMEMLIMIT": f"{psutil.virtual_memory().total // _MEMORY_SHARE // _MIB}MiB",
            "GO_PROFILING_DISABLE": "true",
            "LOG_LEVEL": "warning",
            "PERSISTENCE_DATA_PATH": str(self._folder / "data"),
        }

    def _key(self) -> str:
        path = self._folder / "key"
        if not path.exists():
            self._write("key", secrets.token_urlsafe(32))
        return path.read_text()

    def _recorded(self) -> int:
        """The first of its ports, 0 if it never had any."""
        try:
            return int(json.loads((self._folder / "ports.json").read_text())["http"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def _write(self, name: str, text: str) -> None:
        """Whole or not at all, and for this user alone."""
        draft = self._folder / f".{name}.new"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        draft.replace(self._folder / name)

    def _broken(self) -> Misconfigured:
        return Misconfigured(
            f"Weaviate {VERSION} ended while it was starting. {self._folder / 'log'} says why. What it keeps is a "
            f"copy; if nothing else helps, move {self._folder} away and run `quoth sync`."
        )


def is_alive(process: psutil.Process) -> bool:
    """Whether a process is there and has not ended already, waiting for somebody to take notice."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end(process: psutil.Process) -> None:
    """End a server, so that it writes what it has in memory; by force if it takes too long."""
    try:
        process.terminate()
        process.wait(_STOP_SECONDS)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(_STOP_SECONDS)
    except psutil.NoSuchProcess:
        return


def _ports(first: int) -> dict[str, str]:
    return {
        "CLUSTER_GOSSIP_BIND_PORT": str(first + 2),
        "CLUSTER_DATA_BIND_PORT": str(first + 3),
        "RAFT_PORT": str(first + 4),
        "RAFT_INTERNAL_RPC_PORT": str(first + 5),
        "RAFT_JOIN": f"{_NAME}:{first + 4}",
    }


def _free_ports() -> int:
    for first in secrets.SystemRandom().sample(_BLOCKS, len(_BLOCKS)):
        if _are_free(first):
            return first
    raise TryLater("There are no six free ports in a row between 20000 and 32000 for Weaviate.")


def _come_free(first: int) -> bool:
    """Whether its ports are free, or soon are: a system may take a moment to clear up after a server."""
    ends = time.monotonic() + _CLEAR_SECONDS
    while not _are_free(first):
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True


def _are_free(first: int) -> bool:
    return all(_is_free(first + offset) for offset in range(_PORTS_USED))


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


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/v1/.well-known/ready")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
