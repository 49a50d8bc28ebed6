"""A real process that serves: it answers, survives kill -9, and ends when it is told to."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
import yaml

from bot.rehearsal.company import commit_all
from bot.rehearsal.slack import RehearsalSlack
from bot.rehearsal.slack.limits import Pace
from bot.settings import Environment

TEXT = "# Rolling back\n\nRun `shipit rollback` and wait for three minutes.\n"
ASKED = "How do I roll back?"
START_SECONDS = 40.0
_KEPT = ("PATH", "HOME", "LANG")


@dataclass(frozen=True)
class Place:
    slack: RehearsalSlack
    folder: Path
    channel: str
    asker: str
    admin: str

    def environment(self) -> dict[str, str]:
        return {name: value for name, value in Environment().of_this_process().items() if name in _KEPT} | {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_API_URL": self.slack.api_url,
            "QUOTH_LOG": "json",
        }

    async def ask(self, words: str = ASKED) -> str:
        return await self.slack.say(self.channel, self.asker, f"<@{self.slack.bot_user_id}> {words}")

    def text_of(self, ts: str) -> str:
        return self.slack.workspace.message(self.channel, ts).text

    def answers_to(self, ts: str) -> int:
        return sum(message.bot_id == self.slack.workspace.app.bot_id for message in self.slack.thread(self.channel, ts))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    # A busy machine takes its time to acknowledge, as it may; only what Slack repeats comes soon.
    pace = replace(Pace().compressed(20), ack_seconds=3.0, trigger_seconds=3.0)
    async with RehearsalSlack(pace=pace) as slack:
        asker, admin = slack.add_user("you"), slack.add_user("admin", is_admin=True)
        channel = slack.add_channel("engineering")
        documents = tmp_path / "documents"
        documents.mkdir()
        (documents / "rollback.md").write_text(TEXT)
        commit_all(documents, "Write it down")
        yield Place(slack, tmp_path, channel, asker, admin)


def configured(place: Place, mode: str) -> None:
    settings = {
        "sources": {"docs": {"type": "git", "url": "./documents", "every": "1h"}},
        "knowledge_bases": {"engineering": {"sources": ["docs"]}},
        "channels": {place.channel: {"knowledge_base": "engineering"}},
        "slack": {"mode": mode},
        "web": {"port": 0},
        "model": "quotes",
    }
    (place.folder / "quoth.yaml").write_text(yaml.safe_dump(settings))


@asynccontextmanager
async def served(place: Place) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The process, once it serves, and the address of its health."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", "--config", str(place.folder / "quoth.yaml"),
        env=place.environment(), stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stderr is not None
    said: list[str] = []

    async def read(stream: asyncio.StreamReader) -> None:
        async for line in stream:
            said.append(line.decode())

    reading = asyncio.create_task(read(process.stderr))
    try:
        async with asyncio.timeout(START_SECONDS):
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", "".join(said))):
                assert process.returncode is None, "".join(said)
                await asyncio.sleep(0.05)
        yield process, found.group()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading
    assert ASKED not in "".join(said)


@pytest.mark.parametrize("token", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"])
async def test_a_token_that_slack_does_not_take_is_a_sentence_and_exit_2(place: Place, token: str) -> None:
    configured(place, "socket")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", "--config", str(place.folder / "quoth.yaml"),
        env=place.environment() | {token: "xoxb-wrong"}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await asyncio.wait_for(process.communicate(), START_SECONDS)
    assert process.returncode == 2
    assert f"Slack does not take {token}" in said.decode()
    assert "Traceback" not in said.decode()


async def reindexed(place: Place) -> None:
    """The first sync, which the timer has asked for by itself, is over."""
    said = await place.slack.slash_command(place.channel, place.admin, "/quoth", "reindex docs")
    await place.slack.wait_for(lambda: any("done in" in text for text in said.texts), START_SECONDS)


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_a_process_answers_says_how_it_is_and_ends_when_told(place: Place, mode: str) -> None:
    configured(place, mode)
    async with served(place) as (process, address):
        if mode == "http":
            await place.slack.deliver_to(f"{address}/slack/events")
        else:
            await place.slack.connected(timeout=START_SECONDS)
        await reindexed(place)
        ts = await place.ask()
        answer = await place.slack.answer_in(place.channel, ts, timeout=START_SECONDS)
        # The words come by pieces; the last update says them all once more as plain text.
        await place.slack.wait_for(lambda: "shipit rollback" in place.text_of(answer.ts), START_SECONDS)

        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{address}/healthz")).status_code == 200
            assert (await client.get(f"{address}/readyz")).json() == {"ready": True, "reasons": {}}
            assert "quoth_questions_total" in (await client.get(f"{address}/metrics")).text

        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_what_was_acknowledged_before_a_kill_is_answered_once_afterwards(place: Place) -> None:
    configured(place, "socket")
    async with served(place) as (process, _):
        await place.slack.connected(timeout=START_SECONDS)
        await reindexed(place)
        asked = [await place.ask() for _ in range(4)]
        await place.slack.settle()
        process.kill()
        await process.wait()

    async with served(place):
        for ts in asked:
            await place.slack.answer_in(place.channel, ts, timeout=START_SECONDS)
        await place.slack.settle()
        assert [place.answers_to(ts) for ts in asked] == [1, 1, 1, 1]
