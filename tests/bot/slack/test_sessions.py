"""Slack's working state is shown while an answer is prepared, ends with it, and never stands in its way."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fakes.scripted_house import ScriptedAnswerer
from tests.fakes.slack_desk import Desk, desk

NEW, OLD = "agents.sessions.setStatus", "assistant.threads.setStatus"


async def state(d: Desk, ts: str, wanted: str) -> str:
    """The thread's state, once it is the wanted one."""
    return await d.slack.wait_for(lambda: wanted if d.slack.workspace.sessions.get((d.channel, ts)) == wanted else None)


def set_by(d: Desk, method: str) -> list[str]:
    return [call.args["status"] for call in d.slack.calls(method)]


async def test_a_thread_is_being_worked_on_until_its_answer_is_posted(tmp_path: Path) -> None:
    async with desk(tmp_path, answerer=ScriptedAnswerer(seconds=0.2)) as d:
        d.slack.faults.refuse("chat.startStream", "unknown_method")
        ts = await d.ask()
        await state(d, ts, "processing")
        assert d.said(ts) == []
        await d.idle()
        await state(d, ts, "active")
        assert (set_by(d, NEW), set_by(d, OLD)) == (["processing", "active"], [])


async def test_a_stream_ends_the_working_state_by_itself(tmp_path: Path) -> None:
    async with desk(tmp_path, answerer=ScriptedAnswerer(seconds=0.2)) as d:
        ts = await d.ask()
        await d.idle()
        await state(d, ts, "active")
        assert set_by(d, NEW) == ["processing"]


async def test_an_answer_that_fails_leaves_no_working_state(tmp_path: Path) -> None:
    async with desk(tmp_path, answerer=ScriptedAnswerer(failure=RuntimeError("no"))) as d:
        ts = await d.ask()
        await d.idle()
        await state(d, ts, "active")


async def test_an_older_slack_is_told_the_older_way_and_never_both_ways(tmp_path: Path) -> None:
    async with desk(tmp_path, answerer=ScriptedAnswerer(seconds=0.1)) as d:
        d.slack.faults.refuse("chat.startStream", "unknown_method")
        d.slack.faults.refuse(NEW, "feature_disabled")
        for times in (1, 2):
            ts = await d.ask()
            await d.idle()
            await state(d, ts, "active")
            assert set_by(d, OLD) == ["is looking it up …", ""] * times
        assert set_by(d, NEW) == ["processing"], "once refused, it is not asked again for a while"


async def test_a_slack_without_sessions_is_left_alone(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        d.slack.faults.no_streaming()
        for _ in range(2):
            ts = await d.ask()
            await d.idle()
            assert len(d.said(ts)) == 1
        assert (len(d.slack.calls(NEW)), len(d.slack.calls(OLD))) == (1, 1)


async def test_a_slow_status_delays_no_answer_and_does_not_outlive_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        d.slack.faults.refuse("chat.startStream", "unknown_method")
        d.slack.faults.delay(NEW, 2.0, times=1)
        async with asyncio.timeout(1.5):
            ts = await d.ask()
            await d.idle()
        assert len(d.said(ts)) == 1
        await state(d, ts, "active")


async def test_small_talk_is_no_work(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        await d.ask("")
        await d.idle()
        assert set_by(d, NEW) == []
