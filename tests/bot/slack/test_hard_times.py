"""A disk that refuses, words that must not be logged, a long absence."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bot.inbox.inbox import Asked
from bot.rehearsal.slack.limits import Pace
from bot.rehearsal.slack.rehearsal import RehearsalSlack
from bot.slack.settle import STALE
from tests.fakes.slack_desk import desk, inbox_in, seated


async def test_what_the_disk_does_not_take_is_not_acknowledged_and_comes_again(tmp_path: Path) -> None:
    patient = RehearsalSlack(pace=Pace(ack_seconds=0.6, retry_seconds=(0.1, 0.5, 1.0)))
    async with desk(tmp_path, slack=patient, busy_seconds=0.2) as d:
        other = sqlite3.connect(tmp_path / "inbox.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        ts = await d.ask()
        await d.slack.wait_for(lambda: any(len(delivery.attempts) > 1 for delivery in d.slack.deliveries), timeout=15)
        other.execute("ROLLBACK")
        other.close()
        await d.idle(15)
        assert len(d.said(ts)) == 1


async def test_no_words_of_anybody_are_logged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with desk(tmp_path) as d:
        await d.ask("is the canary yellow?")
        await d.idle()
        d.answerer.failure = RuntimeError("canary text")
        await d.ask("is the canary blue?")
        await d.idle()
    logged = "".join(capfd.readouterr())
    assert "question.answered" in logged
    assert "question.failed" in logged
    lines = [line for line in logged.splitlines() if "[" in line and "question." in line]
    assert [line for line in lines if "canary" in line or "Settings" in line] == []


async def test_a_question_that_waited_too_long_gets_one_apology_and_a_way_to_ask_again(tmp_path: Path) -> None:
    async with RehearsalSlack() as slack:
        person, channel = slack.add_user("ada"), slack.add_channel("eng")
        ts = await slack.say(channel, person, "before anybody listened")
        early = inbox_in(tmp_path, clock=lambda: 1_000.0)
        await early.deliver("event:1", Asked(slack.team_id, channel, ts, ts, person, "how?", "mention"))
        early.close()
        async with seated(tmp_path, slack, channel) as (_app, inbox, answerer, _syncs):
            await slack.connected()
            sorry = await slack.answer_in(channel, ts)
            assert sorry.text == STALE
            assert answerer.asked == []
            while await inbox.waiting():
                await asyncio.sleep(0.01)
            await slack.press_button(person, sorry, "answer_retry")
            await slack.wait_for(lambda: "Sources" in slack.workspace.message(channel, sorry.ts).text)
