"""Commands, buttons, shortcuts and the home tab of the real bot, as people use them in a rehearsal Slack."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rehearsal.slack import Message, RehearsalSlack, transcript_of
from tests.fakes.slack_house import LOGIN_URL, Scene
from tests.fakes.slack_schemas import wrong_arguments


@pytest.fixture(params=["socket", "http"])
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    async with RehearsalSlack() as slack:
        yield Scene(slack, tmp_path, request.param)


def seen_by(scene: Scene, user: str, channel: str) -> list[str]:
    return [message.text for message in scene.slack.ephemerals(user, channel)]


async def answered(scene: Scene) -> Message:
    return await scene.answer(await scene.ask())


async def test_an_admin_reindexes_and_sees_how_it_went_in_one_place(scene: Scene) -> None:
    admin = scene.slack.add_user("Docs lead", is_admin=True)
    async with scene.desk.open():
        run = await scene.slack.slash_command(scene.channel, admin, "/quoth", "reindex handbook")
        await run.wait_for_posts(2)
    assert scene.desk.syncs.requests == [("handbook", admin)]
    assert "reading it again now" in run.posts[0]["text"]
    assert "done in 1.5 s" in run.posts[-1]["text"]
    assert seen_by(scene, admin, scene.channel) == [run.posts[-1]["text"]]


async def test_the_short_form_reindexes_what_the_channel_is_answered_from(scene: Scene) -> None:
    admin = scene.slack.add_user("Docs lead", is_admin=True)
    async with scene.desk.open():
        run = await scene.slack.slash_command(scene.channel, admin, "/reindex")
        await run.wait_for_posts(2)
    assert [source for source, _ in scene.desk.syncs.requests] == ["handbook", "wiki"]


async def test_others_may_not_reindex(scene: Scene) -> None:
    async with scene.desk.open():
        run = await scene.slack.slash_command(scene.channel, scene.asker, "/quoth", "reindex")
    assert scene.desk.syncs.requests == []
    assert "Only admins" in run.ack_text
    assert seen_by(scene, scene.asker, scene.channel) == [run.ack_text]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("help", "/quoth reindex"),
        ("", "/quoth status"),
        ("sing <!channel>", "/quoth help"),
        ("status", "handbook (git): 41 documents"),
        ("scope", "knowledge base engineering"),
    ],
)
async def test_a_command_is_answered_to_the_one_who_gave_it(scene: Scene, words: str, said: str) -> None:
    async with scene.desk.open():
        run = await scene.slack.slash_command(scene.channel, scene.asker, "/quoth", words)
        await run.wait_for_posts(1)
    assert said in run.posts[0]["text"]
    assert scene.bot_messages() == []
    (shown,) = scene.slack.ephemerals(scene.asker, scene.channel)
    assert scene.slack.live_elements(shown).mentions == ()


async def test_an_unknown_source_is_named_beside_the_known_ones(scene: Scene) -> None:
    admin = scene.slack.add_user("Docs lead", is_admin=True)
    async with scene.desk.open():
        run = await scene.slack.slash_command(scene.channel, admin, "/quoth", "reindex attic")
    assert "attic" in run.ack_text
    assert "handbook" in run.ack_text


async def test_a_command_works_where_the_bot_is_not(scene: Scene) -> None:
    elsewhere = scene.slack.add_channel("sales", with_bot=False)
    async with scene.desk.open():
        run = await scene.slack.slash_command(elsewhere, scene.asker, "/quoth", "scope")
        await run.wait_for_posts(1)
    assert elsewhere in run.posts[0]["text"]
    assert await run.acknowledged()


async def test_feedback_counts_once_a_person_and_forged_feedback_not_at_all(scene: Scene) -> None:
    other = scene.slack.add_user("Support desk")
    async with scene.desk.open():
        answer = await answered(scene)
        good, bad = feedback_values(answer)
        await scene.slack.press_button(scene.asker, answer, "answer_feedback", good)
        await scene.slack.press_button(scene.asker, answer, "answer_feedback", bad)
        await scene.slack.press_button(other, answer, "answer_feedback", good)
        for value in (
            "",
            "nonsense",
            json.dumps({"a": "another", "v": 1}),
            json.dumps({"a": json.loads(good)["a"], "v": 7}),
        ):
            action = {"type": "feedback_buttons", "action_id": "answer_feedback", "value": value}
            assert await (await scene.slack.act(other, answer, action)).acknowledged()
        votes = await scene.desk.votes(json.loads(good)["a"])
    assert votes == {scene.asker: -1, other: 1}


def feedback_values(answer: Message) -> tuple[str, str]:
    (buttons,) = [b["elements"][0] for b in answer.blocks if b["type"] == "context_actions"]
    return buttons["positive_button"]["value"], buttons["negative_button"]["value"]


async def test_why_this_answer_shows_what_was_found_to_the_asker_alone(scene: Scene) -> None:
    async with scene.desk.open():
        answer = await answered(scene)
        before = len(scene.bot_messages())
        await scene.slack.shortcut(scene.asker, answer, "why_answer")
        (view,) = await scene.slack.wait_for(lambda: list(scene.slack.workspace.views.values()))
    shown = transcript_of([message_of(view)])
    assert view["opened_for"] == scene.asker
    assert "VPN handbook" in shown
    assert "out of scope" in shown
    assert "Board minutes" not in shown
    assert len(scene.bot_messages()) == before


def message_of(view: dict[str, object]) -> Message:
    blocks: list[dict[str, object]] = view["blocks"]  # type: ignore[assignment]  # A modal's, as the server keeps it.
    return Message("D1", "1790000000.000001", "U1", "quoth", "T1", blocks=tuple(blocks))


async def test_why_asked_too_late_for_a_modal_is_whispered(scene: Scene) -> None:
    async with scene.desk.open():
        answer = await answered(scene)
        scene.slack.faults.refuse("views.open", "expired_trigger_id")
        await scene.slack.shortcut(scene.asker, answer, "why_answer")
        (whisper,) = await scene.slack.wait_for(lambda: scene.slack.ephemerals(scene.asker, scene.channel))
    assert "VPN handbook" in whisper.text


async def test_ask_quoth_answers_a_message_in_its_thread_once(scene: Scene) -> None:
    async with scene.desk.open():
        ts = await scene.slack.say(scene.channel, scene.asker, "How do I reset the VPN?")
        message = scene.slack.workspace.message(scene.channel, ts)
        await scene.slack.shortcut(scene.asker, message, "ask_quoth")
        answer = await scene.answer(ts)
        await scene.slack.shortcut(scene.asker, message, "ask_quoth")
        await scene.slack.wait_for(lambda: scene.slack.ephemerals(scene.asker, scene.channel))
        await scene.desk.idle()
    assert scene.bot_messages() == [answer]
    assert LOGIN_URL in scene.slack.transcript(scene.channel, ts)


async def test_the_home_tab_says_how_to_ask(scene: Scene) -> None:
    async with scene.desk.open():
        await scene.slack.open_home(scene.asker)
        home = await scene.slack.wait_for(lambda: scene.slack.workspace.homes.get(scene.asker))
    assert "Mention me" in transcript_of([message_of(home)])


async def test_everything_that_was_sent_is_of_slacks_types(scene: Scene) -> None:
    async with scene.desk.open():
        answer = await answered(scene)
        await scene.slack.shortcut(scene.asker, answer, "why_answer")
        await scene.slack.open_home(scene.asker)
        await scene.slack.press_button(scene.asker, answer, "answer_feedback")
        await scene.slack.wait_for(lambda: scene.slack.calls("chat.postEphemeral"))
        await scene.slack.wait_for(lambda: scene.slack.calls("views.open") and scene.slack.calls("views.publish"))
    assert wrong_arguments(scene.slack.requests) == []
    assert [request.answer for request in scene.slack.requests if not request.answer.get("ok")] == []
