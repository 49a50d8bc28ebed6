"""What is answered over HTTP: to Slack what it asks, to others that they are not Slack, to operators how it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.rehearsal.slack.rehearsal import RehearsalSlack
from bot.slack.app import Connection
from bot.web import WebServer, web_app
from connectors.errors import Misconfigured
from tests.fakes.slack_desk import seated

SIGNED = {"x-slack-request-timestamp": "1", "x-slack-signature": "v0=" + "0" * 64}


async def ready() -> str | None:
    return None


async def broken() -> str | None:
    raise OSError("secret path")


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    async with RehearsalSlack() as slack:
        channel = slack.add_channel("eng")
        connection = Connection(slack.bot_token, signing_secret=slack.signing_secret, api_url=slack.api_url)
        async with seated(tmp_path, slack, channel, connection=connection) as (app, *_):
            server = WebServer(web_app(app.receive, {"inbox": ready}), "127.0.0.1", 0)
            await server.start()
            yield f"http://127.0.0.1:{server.port}"
            await server.stop()


@pytest.mark.parametrize(
    "headers",
    [
        {}, SIGNED, SIGNED | {"x-slack-request-timestamp": "abc"}, SIGNED | {"x-slack-request-timestamp": "9" * 5000},
        SIGNED | {"x-slack-signature": "v0="}, SIGNED | {"x-slack-signature": "v0=é"}, {"x-slack-signature": "x"},
    ],
)  # fmt: skip
async def test_who_is_not_slack_is_told_so_and_never_stumbled_over(url: str, headers: dict[str, str]) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/slack/events", data=b"{}", headers=headers) as r,
    ):
        assert r.status == 401


async def test_too_large_a_body_is_refused(url: str) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{url}/slack/events", data=b"x" * 1_000_001) as r:
        assert r.status == 413


async def test_health_readiness_and_figures_are_there(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("healthz", "readyz", "metrics"):
            async with session.get(f"{url}/{path}") as response:
                assert response.status == 200
                text = await response.text()
        assert "quoth_questions_total" in text


async def test_readiness_names_what_is_wrong_and_no_secret() -> None:
    async def never(request: object) -> None:
        return None

    server = WebServer(web_app(never, {"inbox": ready, "store": broken}), "127.0.0.1", 0)  # type: ignore[arg-type]
    await server.start()
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{server.port}/readyz") as response:
        assert response.status == 503
        assert await response.json() == {"ready": False, "reasons": {"store": "OSError"}}
    with pytest.raises(Misconfigured, match=r"web\.port"):
        WebServer(web_app(never, {}), "127.0.0.1", server.port)  # type: ignore[arg-type]
    await server.stop()
