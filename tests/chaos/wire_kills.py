"""Syncs into a Weaviate, each in a child process of its own, that somebody outside kills at a call on the wire.

Run as a script, it takes a sync to run from every line of its standard input, tells the child's process id, lets the
child go at the next line, and tells whether it was killed. Nothing here opens a connection before it forks: gRPC would
not survive it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from connectors.store.weaviate.place import Node, WeaviatePlace
from connectors.store.weaviate_store import WeaviateStore
from connectors.sync.sync import fingerprint_of
from tests.chaos.sync_kills import LONG, House, after, before, emptied
from tests.fakes.connectors import JournalConnector
from tests.fakes.embedders import WordEmbedder


def grown() -> JournalConnector:
    """The source with all changes, and several pages more."""
    source = after()
    for n in range(5):
        source.write(f"more-{n}", f"One page more, number {n}.\n\n{LONG}")
    return source


SOURCES: dict[str, Callable[[], JournalConnector]] = {
    "before": before,
    "after": after,
    "grown": grown,
    "emptied": emptied,
}


def house_of(folder: Path, node: Node) -> House:
    """A ledger on disk, an index on this server, and a sync over them."""
    place = WeaviatePlace((node,), collection="Kills")
    return House(folder, store=WeaviateStore(place, fingerprint_of(WordEmbedder()), owner="kills"))


def sync(folder: Path, node: Node, source: str) -> None:
    house = house_of(folder, node)
    house.synced(SOURCES[source]())
    house.close()


def main() -> None:
    for line in sys.stdin:
        task = json.loads(line)
        gate, opened = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Logs are nobody's answer.
            os.read(gate, 1)
            sync(Path(task["folder"]), Node(task["http"], task["grpc"]), task["source"])
            os._exit(0)
        tell(child)
        sys.stdin.readline()
        os.write(opened, b"!")
        tell(os.waitpid(child, 0)[1] == signal.SIGKILL)
        os.close(gate)
        os.close(opened)


def tell(what: object) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
