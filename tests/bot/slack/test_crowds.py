"""More questions than there are hands: each person has their share, and whoever asks too much is told so."""

from __future__ import annotations

from pathlib import Path

from bot.slack.intake import NOT_TAKEN
from tests.fakes.scripted_house import ScriptedAnswerer
from tests.fakes.slack_desk import desk


async def test_a_sixth_question_of_one_person_is_politely_put_off_and_nobody_elses(tmp_path: Path) -> None:
    slow = ScriptedAnswerer(seconds=0.2)
    async with desk(tmp_path, answerer=slow, share=5) as d:
        bob = d.slack.add_user("bob")
        asked = [await d.ask(f"question {n}?") for n in range(6)]
        others = await d.slack.say(d.channel, bob, f"<@{d.slack.bot_user_id}> mine?")
        await d.slack.wait_for(lambda: d.slack.ephemerals(d.person, d.channel))
        await d.idle(20)
        told = [(message.thread_ts, message.text) for message in d.slack.ephemerals(d.person, d.channel)]
        assert told == [(asked[5], NOT_TAKEN["too_many"])], "once, though a mention comes as two events"
        assert [len(d.said(ts)) for ts in (*asked, others)] == [1, 1, 1, 1, 1, 0, 1]
