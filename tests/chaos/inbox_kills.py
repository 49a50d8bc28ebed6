"""A nursery of Slack apps that die by SIGKILL at a boundary. Run as a script, it is told on stdin whom to let live.

It imports everything once and forks for each, so that a life costs milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from bot.inbox.boundaries import Boundary
from bot.slack.app import Connection, SlackApp
from tests.fakes.scripted_house import ScriptedAnswerer, ScriptedSyncs, house, rules
from tests.fakes.slack_desk import inbox_in

_LIFE_SECONDS = 20.0


def live(order: dict[str, Any]) -> None:
    """One app, from its start to its death. Whoever outlives its boundary ends with 3."""

    def at(boundary: Boundary) -> None:
        if boundary == order["boundary"]:
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(_serve(order, at))


async def _serve(order: dict[str, Any], at: Any) -> None:
    inbox = inbox_in(Path(order["folder"]))
    connection = Connection(order["bot_token"], order["app_token"], api_url=order["api_url"])
    parts = house(ScriptedAnswerer(), ScriptedSyncs())
    app = SlackApp(connection, rules({order["channel"]: "engineering"}), inbox, parts, at=at)
    await app.start()
    await asyncio.sleep(_LIFE_SECONDS)


def main() -> None:
    """Fork one life for each line of orders; answer each line with how it ended."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            live(json.loads(line))
            os._exit(3)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
