"""What the official client does to fetch and to start its server, run as a script in a process of its own.

In its user's process, the client would hand the server that process's environment and output, end it with an object,
and download without a time-out. Reads its job from standard input; imports nothing of Quoth.
"""

from __future__ import annotations

import json
import os
import socket
import sys

_STALLED_SECONDS = 20


def main() -> None:
    """Fetch the executable, or start the server and leave it running."""
    job = json.load(sys.stdin)
    sys.path[:] = job["path"]
    from weaviate.embedded import EmbeddedOptions, EmbeddedV4  # noqa: PLC0415  # found on the path of the job

    class Detached(EmbeddedV4):
        def wait_till_listening(self) -> None:
            """Whoever gave the job waits, with an eye on the process."""

    server = Detached(EmbeddedOptions(**job["options"]))
    if job["task"] == "fetch":
        import truststore  # noqa: PLC0415

        truststore.inject_into_ssl()  # Company networks sign with authorities of their own.
        socket.setdefaulttimeout(_STALLED_SECONDS)
        server.ensure_weaviate_binary_exists()
    else:
        server.start()
    os._exit(0)  # The client would end the server with its object.


if __name__ == "__main__":
    main()
