"""A mention, from Slack's two events to one answer in its thread: real bot, rehearsal Slack, scripted answerer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rehearsal.slack import RehearsalSlack
from tests.fakes.slack_house import LOGIN_URL, NOT_FOUND, VPN_URL, Scene
from tests.fakes.slack_schemas import wrong_arguments


@pytest.fixture(params=["socket", "http"])
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    async with RehearsalSlack() as slack:
        yield Scene(slack, tmp_path, request.param)


async def test_a_mention_gets_one_streamed_answer_with_sources_and_feedback(scene: Scene) -> None:
    async with scene.desk.open():
        ts = await scene.ask()
        answer = await scene.answer(ts)

    assert scene.bot_messages() == [answer]
    assert answer.thread_ts == ts
    shown = scene.slack.transcript(scene.channel, ts)
    for part in (
        "Open *Settings*",
        "1. Press `Reset`",
        f"VPN handbook ({VPN_URL})",
        f"login.md ({LOGIN_URL})",
        "[ Good answer ]",
    ):
        assert part in shown
    assert {request.method for request in scene.slack.requests} >= {"chat.startStream", "chat.stopStream"}
    assert wrong_arguments(scene.slack.requests) == []


async def test_what_is_live_in_an_answer_are_its_sources_alone(scene: Scene) -> None:
    async with scene.desk.open():
        ts = await scene.ask()
        await scene.answer(ts)

    ours = [m for m in scene.slack.workspace.renditions if m.bot_id]
    live = [scene.slack.live_elements(message) for message in ours]
    assert {link for one in live for link in one.links} == {VPN_URL, LOGIN_URL}
    assert all(not (one.mentions or one.images or one.unfurls) for one in live)


async def test_the_text_of_an_answer_says_all_that_its_blocks_say(scene: Scene) -> None:
    async with scene.desk.open():
        answer = await scene.answer(await scene.ask())
    for part in ("Open Settings, then VPN. [1]", "Log in again. [2]", "VPN handbook", "login.md"):
        assert part in answer.text


@pytest.mark.parametrize("mention_first", [True, False])
async def test_both_events_of_a_mention_in_either_order_are_one_question(scene: Scene, mention_first: bool) -> None:
    scene.slack.mention_first = mention_first
    async with scene.desk.open():
        await scene.answer(await scene.ask())
    assert len(scene.desk.answerer.questions) == 1
    assert len(scene.bot_messages()) == 1


async def test_an_event_delivered_four_times_is_one_question(scene: Scene) -> None:
    async with scene.desk.open():
        ts = await scene.ask()
        again = [scene.slack.deliver_again(delivery) for delivery in list(scene.slack.deliveries) for _ in range(3)]
        await scene.answer(ts)
    assert all(delivery.is_acknowledged for delivery in again)
    assert len(scene.desk.answerer.questions) == 1
    assert len(scene.bot_messages()) == 1


async def test_a_follow_up_in_the_thread_needs_no_mention_and_brings_its_turns(scene: Scene) -> None:
    async with scene.desk.open():
        ts = await scene.ask()
        first = await scene.answer(ts)
        await scene.slack.say(scene.channel, scene.asker, "and on a phone?", ts)
        second = await scene.answer(ts, after=first.ts)

    assert second.thread_ts == ts
    question = scene.desk.answerer.questions[1]
    assert question.text == "and on a phone?"
    assert [turn.speaker for turn in question.turns] == ["user", "agent"]
    assert question.turns[0].text == "how do I reset the VPN?"
    assert "Open" in question.turns[1].text


async def test_an_answer_from_another_knowledge_base_is_no_turn_of_the_thread(scene: Scene) -> None:
    async with scene.desk.open():
        ts = await scene.ask()
        first = await scene.answer(ts)
        scene.bindings[scene.channel] = "people"
        await scene.slack.say(scene.channel, scene.asker, "and on a phone?", ts)
        await scene.answer(ts, after=first.ts)

    question = scene.desk.answerer.questions[1]
    assert question.scope.knowledge_base == "people"
    assert [turn.speaker for turn in question.turns] == ["user"]


async def test_other_threads_and_other_talk_are_left_alone(scene: Scene) -> None:
    async with scene.desk.open():
        foreign = await scene.slack.say(scene.channel, scene.asker, "Lunch?")
        await scene.slack.say(scene.channel, scene.asker, "Yes.", foreign)
        await scene.answer(await scene.ask())
    assert len(scene.desk.answerer.questions) == 1


async def test_another_bot_is_never_answered(scene: Scene) -> None:
    async with scene.desk.open():
        robot = scene.slack.add_bot("deploybot")
        await scene.slack.say(scene.channel, robot, f"<@{scene.slack.bot_user_id}> what is new?")
        await scene.answer(await scene.ask())
    assert [question.text for question in scene.desk.answerer.questions] == ["how do I reset the VPN?"]


async def test_nothing_found_is_said_with_the_nearest_pages(scene: Scene) -> None:
    scene.desk.answerer.answer = NOT_FOUND
    async with scene.desk.open():
        ts = await scene.ask("what is the meaning of life?")
        await scene.answer(ts)
    shown = scene.slack.transcript(scene.channel, ts)
    assert "I did not find this." in shown
    assert f"VPN handbook ({VPN_URL})" in shown


async def test_a_direct_message_is_answered_from_its_knowledge_base(scene: Scene) -> None:
    dm = scene.slack.open_dm(scene.asker)
    async with scene.desk.open():
        ts = await scene.slack.say(dm, scene.asker, "how do I reset the VPN?")
        answer = await scene.slack.answer_in(dm, ts)
        await scene.desk.idle()
    assert answer.thread_ts == ts
    assert [question.scope.knowledge_base for question in scene.desk.answerer.questions] == ["engineering"]


async def test_an_unbound_channel_gets_one_sentence_that_says_how_to_bind_it(scene: Scene) -> None:
    lobby = scene.slack.add_channel("lobby")
    async with scene.desk.open():
        ts = await scene.slack.say(lobby, scene.asker, f"<@{scene.slack.bot_user_id}> hello world?")
        answer = await scene.slack.answer_in(lobby, ts)
    assert lobby in answer.text
    assert "quoth.yaml" in answer.text
    assert scene.desk.answerer.questions == []


async def test_thanks_get_one_short_line(scene: Scene) -> None:
    async with scene.desk.open():
        answer = await scene.answer(await scene.ask("thanks!"))
    assert answer.text == "You're welcome!"
    assert scene.desk.answerer.questions == []


@pytest.mark.parametrize("who", [{"is_restricted": True}, {"is_stranger": True}])
async def test_guests_and_strangers_are_refused(scene: Scene, who: dict[str, bool]) -> None:
    outsider = scene.slack.add_user("Visitor", **who)
    async with scene.desk.open():
        ts = await scene.slack.say(scene.channel, outsider, f"<@{scene.slack.bot_user_id}> where is the safe?")
        await scene.slack.answer_in(scene.channel, ts)
    assert scene.desk.answerer.questions == []


async def test_a_channel_shared_with_another_company_is_refused(scene: Scene) -> None:
    shared = scene.slack.add_channel("with-acme", ext_shared=True)
    scene.bindings[shared] = "engineering"
    async with scene.desk.open():
        ts = await scene.slack.say(shared, scene.asker, f"<@{scene.slack.bot_user_id}> where is the safe?")
        await scene.slack.answer_in(shared, ts)
    assert scene.desk.answerer.questions == []


async def test_a_mention_added_by_an_edit_is_answered_once_and_later_edits_are_ignored(scene: Scene) -> None:
    async with scene.desk.open():
        ts = await scene.slack.say(scene.channel, scene.asker, "how do I reset the VPN?")
        await scene.slack.edit(scene.channel, ts, f"<@{scene.slack.bot_user_id}> how do I reset the VPN?")
        await scene.answer(ts)
        await scene.slack.edit(scene.channel, ts, f"<@{scene.slack.bot_user_id}> how do I reset it?")
        await scene.desk.idle()
    assert len(scene.desk.answerer.questions) == 1
    assert len(scene.bot_messages()) == 1
