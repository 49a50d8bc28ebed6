"""Questions in bad weather: Slack slow, forgetful, limited, cut off or old. Still one answer, whole, and never two."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answering.model import Piece
from bot.rehearsal.slack import Limits, Pace, RehearsalSlack
from bot.rehearsal.slack.stage import BOT_SCOPES
from bot.slack import limits
from bot.slack.app import Connection
from connectors.errors import Misconfigured, TryLater
from tests.fakes.slack_house import ANSWERED, Scene
from tests.fakes.slack_schemas import wrong_arguments

QUICK = Pace(ack_seconds=1.0, retry_seconds=(0.05, 0.2, 0.5))
WHOLE = "Log in again. [2]"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with RehearsalSlack(pace=QUICK) as slack:
        yield Scene(slack, tmp_path, "socket")


async def test_a_slack_without_streams_gets_one_post(scene: Scene) -> None:
    scene.slack.faults.no_streaming()
    async with scene.desk.open():
        answer = await scene.answer(await scene.ask())
    assert scene.bot_messages() == [answer]
    assert WHOLE in answer.text
    assert len(scene.slack.calls("chat.postMessage")) == 1
    assert wrong_arguments(scene.slack.requests) == []


@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update"])
async def test_a_lost_reply_makes_no_second_answer(scene: Scene, method: str) -> None:
    scene.slack.faults.lose_reply(method)
    async with scene.desk.open():
        answer = await scene.answer(await scene.ask())
    assert scene.bot_messages() == [answer]
    assert WHOLE in answer.text


@pytest.mark.parametrize("keeps_metadata", [True, False])
async def test_a_post_whose_reply_is_lost_is_found_again(scene: Scene, keeps_metadata: bool) -> None:
    scene.slack.faults.no_streaming()
    scene.slack.faults.drop_metadata = not keeps_metadata
    scene.slack.faults.lose_reply("chat.postMessage")
    async with scene.desk.open():
        answer = await scene.answer(await scene.ask())
    assert scene.bot_messages() == [answer]
    assert WHOLE in answer.text


@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update"])
async def test_a_server_error_while_streaming_loses_no_word(scene: Scene, method: str) -> None:
    scene.slack.faults.fail(method, status=502)
    async with scene.desk.open():
        answer = await scene.answer(await scene.ask())
    assert scene.bot_messages() == [answer]
    assert WHOLE in answer.text


@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update"])
async def test_a_storm_of_429_is_waited_out(scene: Scene, method: str) -> None:
    scene.slack.faults.storm(method, seconds=0, times=2)
    async with scene.desk.open():
        answer = await scene.answer(await scene.ask())
    assert scene.bot_messages() == [answer]
    assert WHOLE in answer.text


async def test_a_thread_that_cannot_be_read_is_answered_without_its_turns(scene: Scene) -> None:
    async with scene.desk.open():
        ts = await scene.ask()
        first = await scene.answer(ts)
        scene.slack.faults.refuse("conversations.replies", "ratelimited")
        await scene.slack.say(scene.channel, scene.asker, "and on a phone?", ts)
        await scene.slack.wait_for(lambda: len(scene.desk.answerer.questions) > 1, timeout=15)
        second = await scene.answer(ts, after=first.ts)
    assert WHOLE in second.text


async def test_a_stream_that_expired_is_mended_with_the_whole_answer(tmp_path: Path) -> None:
    async with RehearsalSlack(pace=replace(QUICK, stream_seconds=0.2)) as slack:
        scene = Scene(slack, tmp_path, "socket")
        scene.desk.answerer.pause_seconds = 0.3
        async with scene.desk.open():
            ts = await scene.ask()
            await slack.wait_for(lambda: slack.calls("chat.update"))
            answer = await scene.answer(ts)
    assert scene.bot_messages() == [answer]
    assert WHOLE in answer.text
    assert "[ Good answer ]" in slack.transcript(scene.channel, ts)


async def test_somebody_who_cannot_be_looked_up_is_not_answered_and_may_ask_again(scene: Scene) -> None:
    scene.slack.faults.refuse("users.info", "fatal_error")
    async with scene.desk.open():
        ts = await scene.ask()
        no = await scene.answer(ts)
        assert scene.desk.answerer.questions == []
        scene.slack.faults.clear()
        await scene.slack.press_button(scene.asker, no, "answer_retry")
        await scene.desk.idle()
    assert [m.ts for m in scene.bot_messages()] == [no.ts]
    assert WHOLE in scene.bot_messages()[0].text


async def test_an_answer_that_fails_says_so_and_can_be_asked_again(scene: Scene) -> None:
    scene.desk.answerer.failure = RuntimeError("secret path /etc/quoth")
    async with scene.desk.open():
        ts = await scene.ask()
        sorry = await scene.answer(ts)
        assert "secret" not in str(scene.slack.workspace.renditions)
        scene.desk.answerer.failure = None
        await scene.slack.press_button(scene.asker, sorry, "answer_retry")
        await scene.desk.idle()
    assert [m.ts for m in scene.bot_messages()] == [sorry.ts]
    assert WHOLE in scene.bot_messages()[0].text


async def test_refreshed_connections_lose_no_question(scene: Scene) -> None:
    asked = []
    async with scene.desk.open():
        for channel in scene.bound_channels(4):
            asked.append((channel, await scene.slack.say(channel, scene.asker, f"<@{scene.slack.bot_user_id}> how?")))
            await scene.slack.sockets.refresh()
            await scene.slack.connected()
        await scene.desk.idle()
    assert [len(scene.answers_in(*place)) for place in asked] == [1] * 4


@pytest.mark.chaos
async def test_a_cut_connection_loses_no_question(tmp_path: Path) -> None:
    """Slack's own client looks after its connection every ten seconds; Slack asks again for longer than that."""
    async with RehearsalSlack(pace=Pace(ack_seconds=1.0, retry_seconds=(0.0, 15.0, 30.0))) as slack:
        scene = Scene(slack, tmp_path, "socket")
        async with scene.desk.open():
            await slack.sockets.drop()
            ts = await scene.ask()
            await slack.answer_in(scene.channel, ts, timeout=40)
            await scene.desk.idle(60)
    assert len(scene.answers_in(scene.channel, ts)) == 1


async def test_an_acknowledgement_that_is_lost_makes_no_second_question(scene: Scene) -> None:
    scene.slack.sockets.lose_acks = 2
    async with scene.desk.open():
        await scene.answer(await scene.ask())
    assert len(scene.desk.answerer.questions) == 1
    assert max(len(delivery.attempts) for delivery in scene.slack.deliveries) > 1


async def test_stop_ends_an_answer_within_a_second_and_leaves_a_word(scene: Scene) -> None:
    scene.desk.answerer.gate = asyncio.Event()
    async with scene.desk.open():
        ts = await scene.ask()
        await scene.slack.wait_for(scene.bot_messages)
        began = time.monotonic()
        await scene.slack.stop(scene.channel, ts, scene.asker)
        await scene.desk.idle()
        took = time.monotonic() - began
    assert [m.text for m in scene.bot_messages()] == ["Stopped."]
    assert scene.slack.workspace.sessions[(scene.channel, ts)] == "active"
    assert took < 2.0


async def test_a_question_deleted_while_it_is_answered_leaves_nothing(scene: Scene) -> None:
    scene.desk.answerer.gate = asyncio.Event()
    async with scene.desk.open():
        ts = await scene.ask()
        await scene.slack.wait_for(scene.bot_messages)
        await scene.slack.delete(scene.channel, ts)
        await scene.desk.idle()
    assert scene.bot_messages() == []


async def test_a_bot_that_was_drained_mid_answer_ends_it_when_it_is_back(scene: Scene) -> None:
    scene.desk.answerer.gate = asyncio.Event()
    async with scene.desk.open() as app:
        ts = await scene.ask()
        await scene.slack.wait_for(scene.bot_messages)
        await app.drain(0.1)
    scene.desk.answerer.gate = None
    async with scene.desk.open():
        await scene.desk.idle()
    assert len(scene.bot_messages()) == 1
    assert scene.bot_messages()[0].is_finished
    assert WHOLE in scene.bot_messages()[0].text
    assert scene.bot_messages()[0].thread_ts == ts


async def test_a_source_that_went_away_meanwhile_is_not_cited(scene: Scene) -> None:
    scene.desk.still_vouched = False
    async with scene.desk.open():
        answer = await scene.answer(await scene.ask())
    assert "VPN" not in answer.text
    assert scene.slack.live_elements(answer).links == ()


@pytest.mark.chaos
async def test_thirty_questions_at_once_are_all_answered_within_slacks_limits(tmp_path: Path) -> None:
    async with RehearsalSlack(limits=Limits(channel_burst=1)) as slack:
        scene = Scene(slack, tmp_path, "socket")
        scene.desk.limits = limits.Limits()
        channels = scene.bound_channels(30)
        async with scene.desk.open():
            askers = [slack.add_user(f"asker {n}") for n in range(30)]
            words = f"<@{slack.bot_user_id}> how?"
            asked = [(c, await slack.say(c, asker, words)) for c, asker in zip(channels, askers, strict=True)]
            await scene.desk.idle(90)
    answers = [scene.answers_in(*place) for place in asked]
    assert [len(found) for found in answers] == [1] * 30
    assert all(WHOLE in found[0].text and found[0].is_finished for found in answers)
    assert [request.method for request in slack.requests if request.status == 429] == []


@pytest.mark.parametrize("has_streams", [True, False])
async def test_a_hostile_answer_becomes_nothing_but_words(scene: Scene, has_streams: bool) -> None:
    if not has_streams:
        scene.slack.faults.no_streaming()
    evil = (
        "<!channel> <@U123> @here [click](https://evil.example) ![x](https://evil.example/p.png) https://evil.example"
    )
    text = f"{evil} [1]\n\n{'# heading' + chr(10) * 2}" + "x" * 100
    scene.desk.answerer.pieces = [Piece(text, ANSWERED.citations[:1])]
    scene.desk.answerer.answer = replace(ANSWERED, text=text, citations=ANSWERED.citations[:1])
    async with scene.desk.open():
        await scene.answer(await scene.ask())
    live = [scene.slack.live_elements(m) for m in scene.slack.workspace.renditions if m.bot_id]
    assert {link for one in live for link in one.links} == {ANSWERED.citations[0].url}
    assert [one for one in live if one.mentions or one.images or one.unfurls] == []


async def test_an_answer_of_twenty_thousand_characters_arrives_cut_and_says_so(scene: Scene) -> None:
    text = "\n\n".join(["A long paragraph. [1]" + " word" * 100] * 40)
    scene.desk.answerer.pieces = [Piece(part, ANSWERED.citations[:1]) for part in text.split("\n\n")]
    scene.desk.answerer.answer = replace(ANSWERED, text=text, citations=ANSWERED.citations[:1])
    async with scene.desk.open():
        ts = await scene.ask()
        await scene.answer(ts)
    assert len(scene.bot_messages()) == 1
    assert "longer than a Slack message" in scene.slack.transcript(scene.channel, ts)
    assert wrong_arguments(scene.slack.requests) == []


async def test_a_missing_scope_stops_the_start_with_its_name(tmp_path: Path) -> None:
    async with RehearsalSlack(scopes=BOT_SCOPES - {"channels:history"}) as slack:
        scene = Scene(slack, tmp_path, "socket")
        with pytest.raises(Misconfigured, match="channels:history"):
            async with scene.desk.open():
                pass


async def test_scopes_that_a_server_does_not_name_stop_nothing(scene: Scene) -> None:
    scene.slack.web_api.shows_scopes = False
    async with scene.desk.open():
        await scene.answer(await scene.ask())


async def test_a_slack_that_cannot_be_asked_is_a_clear_failure(scene: Scene) -> None:
    scene.slack.faults.fail("auth.test", times=None)
    with pytest.raises(TryLater):
        async with scene.desk.open():
            pass


def test_a_connection_needs_a_way_in() -> None:
    with pytest.raises(Misconfigured, match="SLACK_APP_TOKEN"):
        Connection("xoxb-token")
