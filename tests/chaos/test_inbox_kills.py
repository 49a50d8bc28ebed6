"""A process that dies by SIGKILL between any two durable steps loses no question and answers none twice."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.inbox.boundaries import Boundary
from bot.rehearsal.slack.limits import Pace
from bot.rehearsal.slack.rehearsal import RehearsalSlack
from tests.fakes.slack_desk import seated

ROOT = Path(__file__).parents[2]
PACE = Pace(ack_seconds=0.4, retry_seconds=(0.1, 1.0, 3.0))
POSTED = {Boundary.POST_ANNOUNCED, Boundary.POST_SENT, Boundary.POST_RECORDED}


class Nursery:
    """The process that forks the lives that are to end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def let_live(
        self, slack: RehearsalSlack, folder: Path, channel: str, boundary: Boundary
    ) -> asyncio.Task[int]:
        """An app that is connected, and a task that ends with its exit code."""
        order = {
            "bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.api_url,
            "folder": str(folder), "channel": channel, "boundary": boundary.value,
        }  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        ended = asyncio.create_task(self._exit_code())
        await slack.connected()
        return ended

    async def _exit_code(self) -> int:
        assert self._process.stdout is not None
        line = b"info"
        while not line.strip().lstrip(b"-").isdigit():
            line = await self._process.stdout.readline()
        return int(line)


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.inbox_kills", cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    yield Nursery(process)
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()


async def killed_at(boundary: Boundary, nursery: Nursery, folder: Path) -> list[str]:
    """What is visible of one question whose first process died at the boundary, and whose second did not."""
    async with RehearsalSlack(pace=PACE) as slack:
        person, channel = slack.add_user("ada"), slack.add_channel("eng")
        if boundary in POSTED:
            slack.faults.no_streaming()
        ended = await nursery.let_live(slack, folder, channel, boundary)
        ts = await slack.say(channel, person, f"<@{slack.bot_user_id}> how do I reset the VPN?")
        assert await ended == -signal.SIGKILL, f"nobody came by {boundary}"
        async with seated(folder, slack, channel) as (_app, inbox, _answerer, _syncs):
            await slack.connected()
            await slack.settle()
            async with asyncio.timeout(10):
                while await inbox.waiting():
                    await asyncio.sleep(0.02)
        return [message.text for message in slack.thread(channel, ts) if message.bot_id]


async def test_whatever_a_kill_interrupts_there_is_one_whole_answer(nursery: Nursery, tmp_path: Path) -> None:
    seen = {boundary: await killed_at(boundary, nursery, tmp_path / boundary.name) for boundary in Boundary}
    assert {boundary: len(texts) for boundary, texts in seen.items()} == dict.fromkeys(Boundary, 1)
    assert [boundary for boundary, [text] in seen.items() if "sign in again" not in text or "Sources" not in text] == []
    assert len(seen) >= 10


@pytest.mark.chaos
async def test_the_same_holds_again_and_again(nursery: Nursery, tmp_path: Path) -> None:
    for turn in range(15):
        for boundary in Boundary:
            assert len(await killed_at(boundary, nursery, tmp_path / f"{turn}-{boundary.name}")) == 1
