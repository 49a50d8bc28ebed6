"""A response_url takes five posts within half an hour, and shows them to whom they are for."""

from __future__ import annotations

from typing import Any

import aiohttp

from bot.rehearsal.slack import RehearsalSlack
from bot.rehearsal.slack.response_urls import Invocation
from tests.fakes.clock import SetClock


async def post(run: Invocation, **body: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.post(run.url, json=body) as response:
        return response.status, await response.text()


async def command(slack: RehearsalSlack) -> tuple[Invocation, str, str]:
    asker, channel = slack.add_user("Asker"), slack.add_channel("engineering")
    return await slack.slash_command(channel, asker, "/quoth", "reindex"), asker, channel


async def test_the_sixth_post_is_refused() -> None:
    async with RehearsalSlack() as slack:
        run, _, _ = await command(slack)
        answers = [await post(run, text=str(n)) for n in range(6)]
    assert [status for status, _ in answers] == [200] * 5 + [404]
    assert "used_url" in answers[-1][1]
    assert run.texts == ["0", "1", "2", "3", "4"]


async def test_after_half_an_hour_it_is_over() -> None:
    clock = SetClock()
    async with RehearsalSlack(clock=clock) as slack:
        run, _, _ = await command(slack)
        clock.advance(1_801)
        status, text = await post(run, text="late")
    assert status == 404
    assert "expired_url" in text


async def test_a_post_is_for_one_person_unless_it_says_otherwise() -> None:
    async with RehearsalSlack() as slack:
        run, asker, channel = await command(slack)
        await post(run, text="for you")
        await post(run, text="for all", response_type="in_channel")
        assert [m.text for m in slack.ephemerals(asker, channel)] == ["for you"]
        assert [m.text for m in slack.workspace.history(channel)] == ["for all"]


async def test_a_post_can_replace_the_last_or_delete_it() -> None:
    async with RehearsalSlack() as slack:
        run, asker, channel = await command(slack)
        await post(run, text="1 of 3")
        await post(run, text="2 of 3", replace_original=True)
        assert [m.text for m in slack.ephemerals(asker, channel)] == ["2 of 3"]
        await post(run, delete_original=True)
        assert slack.ephemerals(asker, channel) == []


async def test_markdown_text_is_no_text_here() -> None:
    async with RehearsalSlack() as slack:
        run, _, _ = await command(slack)
        status, text = await post(run, markdown_text="**x**")
    assert status == 400
    assert "no_text" in text
