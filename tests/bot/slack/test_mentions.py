"""A mention's whole way, through real sockets: asked, kept, answered once, in its thread."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot import metrics
from bot.answering.model import Answer, Failure, Nearest, Passage
from bot.rehearsal.slack.rehearsal import RehearsalSlack
from bot.slack.gate import NO_DIRECT, OUTSIDE
from tests.fakes.scripted_house import ANSWER, ScriptedAnswerer, rules
from tests.fakes.slack_desk import desk, seated


async def test_a_mention_is_answered_once_in_its_thread_with_sources_and_feedback(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        ts = await d.ask()
        await d.idle()

        [answer] = d.said(ts)
        assert answer.thread_ts == ts
        assert answer.text.startswith("Open Settings and press Reset. [1]\n\nThen sign in again.")
        assert "1. VPN handbook — Access › Reset · updated" in answer.text
        assert d.slack.live_elements(answer).links == ("https://wiki.acme.example/vpn#reset",)
        assert [block["type"] for block in answer.blocks] == ["rich_text", "rich_text", "context_actions"]
        assert (answer.unfurl_links, answer.unfurl_media) == (False, False)
        assert d.answerer.asked[0].text == "how do I reset the VPN?"
        assert d.answerer.asked[0].scope.tags == {"source:engineering"}


async def test_citations_that_pointed_at_nothing_are_counted(tmp_path: Path) -> None:
    before = metrics.DROPPED_CITATIONS._value.get()
    async with desk(tmp_path, answerer=ScriptedAnswerer(replace(ANSWER, dropped_citations=2))) as d:
        await d.ask()
        await d.idle()
    assert metrics.DROPPED_CITATIONS._value.get() == before + 2


async def test_both_events_of_a_mention_in_either_order_make_one_answer(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        for mention_first in (True, False):
            d.slack.mention_first = mention_first
            ts = await d.ask()
            await d.idle()
            assert len(d.said(ts)) == 1
        assert len(d.answerer.asked) == 2


async def test_the_same_delivery_four_times_makes_one_answer(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        ts = await d.ask()
        for delivery in list(d.slack.deliveries):
            for _ in range(3):
                d.slack.deliver_again(delivery)
        await d.idle()
        assert len(d.said(ts)) == 1


async def test_an_answer_is_streamed_where_slack_has_streams_and_posted_where_not(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        await d.ask()
        await d.idle()
        assert len(d.slack.calls("chat.startStream")) == 1
        assert not d.slack.calls("chat.postMessage")

        d.slack.faults.no_streaming()
        for _ in range(2):
            ts = await d.ask()
            await d.idle()
            [answer] = d.said(ts)
            assert "Sources" in answer.text
        assert len(d.slack.calls("chat.postMessage")) == 2
        assert len(d.slack.calls("chat.startStream")) == 2, "once refused, it is not asked again for a while"


async def test_direct_messages_have_their_knowledge_base_or_one_polite_sentence(tmp_path: Path) -> None:
    async with desk(tmp_path / "with", direct_messages="people") as d:
        channel = d.slack.open_dm(d.person)
        ts = await d.slack.say(channel, d.person, "how many days of leave?")
        await d.idle()
        assert len(d.said(ts, channel)) == 1
        assert d.answerer.asked[0].scope.knowledge_base == "people"
    async with desk(tmp_path / "without") as d:
        channel = d.slack.open_dm(d.person)
        ts = await d.slack.say(channel, d.person, "how many days of leave?")
        await d.idle()
        assert [message.text for message in d.said(ts, channel)] == [NO_DIRECT]


async def test_direct_messages_may_see_what_the_writers_channels_see(tmp_path: Path) -> None:
    async with RehearsalSlack() as slack:
        ada, bob = slack.add_user("ada"), slack.add_user("bob")
        eng = slack.add_channel("eng", members=[ada])
        people = slack.add_channel("people", members=[bob], private=True)
        both = rules({eng: "engineering", people: "people"}, member_channels=True)
        async with seated(tmp_path, slack, eng, rules=both) as (_, _inbox, answerer, _syncs):
            await slack.connected()
            await slack.say(slack.open_dm(ada), ada, "what is there?")
            await slack.wait_for(lambda: answerer.asked)
            assert answerer.asked[0].scope.tags == {"source:engineering"}


async def test_a_follow_up_needs_no_mention_in_a_thread_that_was_answered_in(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        ts = await d.ask()
        await d.idle()
        await d.slack.say(d.channel, d.person, "and on Linux?", ts)
        await d.idle()
        assert len(d.said(ts)) == 2
        turns = d.answerer.asked[1].turns
        assert [turn.speaker for turn in turns] == ["user", "agent"]
        assert turns[0].text == "how do I reset the VPN?"
        assert turns[1].text == ANSWER.text, "without the sources"


async def test_of_a_long_thread_the_latest_turns_count(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        ts = await d.slack.say(d.channel, d.person, "the tunnel is slow")
        for number in range(30):
            await d.slack.say(d.channel, d.person, f"note {number}", ts)
        await d.ask("what of that?", ts)
        await d.idle()
        assert [turn.text for turn in d.answerer.asked[0].turns] == [f"note {number}" for number in range(15, 30)]


async def test_a_whisper_is_no_turn_of_its_thread_even_where_it_is_listed(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        d.slack.faults.list_whispers = True
        ts = await d.ask()
        await d.idle()
        [answer] = d.said(ts)
        await d.slack.press_button(d.person, answer, "answer_feedback")
        await d.slack.wait_for(lambda: d.slack.ephemerals(d.person, d.channel))
        await d.ask("and on Linux?", ts)
        await d.idle()
        assert [turn.speaker for turn in d.answerer.asked[1].turns] == ["user", "agent"]


async def test_people_who_talk_to_each_other_are_left_alone(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        bob = d.slack.add_user("bob")
        d.slack.workspace.channels[d.channel].members.append(bob)
        foreign = await d.slack.say(d.channel, d.person, "lunch?")
        await d.slack.say(d.channel, bob, "yes", foreign)
        answered = await d.ask()
        await d.idle()
        await d.slack.say(d.channel, bob, f"<@{d.person}> is that right?", answered)
        await d.idle()
        assert d.said(foreign) == []
        assert len(d.said(answered)) == 1


async def test_bots_never_make_the_bot_talk(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        for marked in (True, False):
            other = d.slack.add_bot("deployer", marked=marked)
            d.slack.workspace.channels[d.channel].members.append(other)
            ts = await d.slack.say(d.channel, other, f"<@{d.slack.bot_user_id}> deployed")
            await d.idle()
            assert d.said(ts) == [], f"marked: {marked}"
        assert d.answerer.asked == []


async def test_an_unbound_channel_is_told_how_to_bind_it_and_gets_no_other_knowledge(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        channel = d.slack.add_channel("random")
        ts = await d.slack.say(channel, d.person, f"<@{d.slack.bot_user_id}> how?")
        await d.idle()
        [answer] = d.said(ts, channel)
        assert f"{channel}: {{knowledge_base: NAME}}" in answer.text
        assert "engineering" not in answer.text
        assert d.answerer.asked == []


async def test_guests_strangers_and_shared_channels_are_refused_unless_the_rules_allow_them(tmp_path: Path) -> None:
    async with desk(tmp_path / "closed") as d:
        guest = d.slack.add_user("guest", is_restricted=True)
        stranger = d.slack.add_user("stranger", is_stranger=True)
        d.slack.workspace.channels[d.channel].members += [guest, stranger]
        for person in (guest, stranger):
            ts = await d.slack.say(d.channel, person, f"<@{d.slack.bot_user_id}> how?")
            await d.idle()
            assert [message.text for message in d.said(ts)] == [OUTSIDE]
        assert d.answerer.asked == []
    async with desk(tmp_path / "open", allow_guests=True) as d:
        guest = d.slack.add_user("guest", is_restricted=True)
        d.slack.workspace.channels[d.channel].members.append(guest)
        await d.slack.say(d.channel, guest, f"<@{d.slack.bot_user_id}> how?")
        await d.idle()
        assert len(d.answerer.asked) == 1


async def test_who_cannot_be_looked_up_is_refused_with_a_way_to_try_again(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        d.slack.faults.refuse("users.info", "internal_error", times=1)
        ts = await d.ask()
        await d.idle()
        [refusal] = d.said(ts)
        assert "could not check who is asking" in refusal.text
        assert d.answerer.asked == []

        await d.slack.press_button(d.person, refusal, "answer_retry")
        await d.idle()
        [answer] = d.said(ts)
        assert answer.ts == refusal.ts
        assert "Open Settings" in answer.text


async def test_a_mention_added_by_an_edit_is_answered_once_and_later_edits_are_not(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        ts = await d.slack.say(d.channel, d.person, "how do I reset it?")
        await d.slack.edit(d.channel, ts, f"<@{d.slack.bot_user_id}> how do I reset it?")
        await d.idle()
        await d.slack.edit(d.channel, ts, f"<@{d.slack.bot_user_id}> how do I reset the VPN?")
        await d.idle()
        assert len(d.said(ts)) == 1
        assert len(d.answerer.asked) == 1


async def test_a_deleted_question_is_taken_back_with_what_was_streamed(tmp_path: Path) -> None:
    async with desk(tmp_path, answerer=ScriptedAnswerer(seconds=30)) as d:
        ts = await d.ask()
        await d.slack.wait_for(lambda: d.said(ts))
        await d.slack.delete(d.channel, ts)
        await d.idle()
        assert d.said(ts) == []


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_an_answer_whose_thread_is_gone_is_given_up_and_posted_nowhere_else(tmp_path: Path, method: str) -> None:
    async with desk(tmp_path) as d:
        if method == "chat.postMessage":
            d.slack.faults.no_streaming()
        d.slack.faults.refuse(method, "thread_not_found" if method == "chat.postMessage" else "message_not_found")
        ts = await d.ask()
        await d.idle()
        assert await d.inbox.waiting() == 0
        assert len(d.slack.calls(method)) == 1
        others = [message for message in d.slack.workspace.history(d.channel) if message.root_ts != ts]
        assert others == []


async def test_stop_ends_the_answer_within_a_second_and_says_so_once(tmp_path: Path) -> None:
    async with desk(tmp_path, answerer=ScriptedAnswerer(seconds=30)) as d:
        ts = await d.ask()
        await d.slack.wait_for(lambda: d.said(ts))
        async with asyncio.timeout(1.0):
            await d.slack.stop(d.channel, ts, d.person)
            await d.idle()
        assert [message.text for message in d.said(ts)] == ["Stopped."]


async def test_nothing_found_is_said_with_the_nearest_pages(tmp_path: Path) -> None:
    near = (Nearest("Remote work", "https://wiki.acme.example/remote", "d"),)
    async with desk(
        tmp_path, answerer=ScriptedAnswerer(Answer("not_found", "I did not find this.", nearest=near))
    ) as d:
        ts = await d.ask()
        await d.idle()
        [answer] = d.said(ts)
        assert answer.text == "I did not find this.\n\nClosest pages\n• Remote work"
        assert d.slack.live_elements(answer).links == ("https://wiki.acme.example/remote",)


async def test_an_error_has_a_button_and_a_reference_and_no_words_of_the_exception(tmp_path: Path) -> None:
    broken = ScriptedAnswerer(failure=RuntimeError("password hunter2 at 10.0.0.1"))
    async with desk(tmp_path, answerer=broken) as d:
        ts = await d.ask()
        await d.idle()
        [failure] = d.said(ts)
        assert "hunter2" not in str(failure)
        assert "(Reference " in failure.text

        broken.failure = None
        await d.slack.press_button(d.person, failure, "answer_retry")
        await d.idle()
        [answer] = d.said(ts)
        assert answer.ts == failure.ts
        assert "Sources" in answer.text


async def test_a_named_failure_is_shown_with_its_own_sentence(tmp_path: Path) -> None:
    failed = Answer("error", "", failure=Failure("search", "The search is unavailable; ask again soon.", "abc123"))
    async with desk(tmp_path, answerer=ScriptedAnswerer(failed)) as d:
        ts = await d.ask()
        await d.idle()
        assert [message.text for message in d.said(ts)] == [
            "The search is unavailable; ask again soon. (Reference abc123)"
        ]


async def test_a_source_that_went_away_while_we_answered_is_not_shown(tmp_path: Path) -> None:
    async def never(passages: Sequence[Passage], scope: object) -> bool:
        return False

    async with desk(tmp_path, still_vouched=never) as d:
        ts = await d.ask()
        await d.idle()
        [answer] = d.said(ts)
        assert "VPN" not in answer.text
        assert d.slack.live_elements(answer).links == ()
        assert len(d.answerer.asked) == 3


async def test_a_binding_that_changes_while_we_answer_is_obeyed(tmp_path: Path) -> None:
    channels: dict[str, str] = {}
    async with desk(tmp_path, answerer=ScriptedAnswerer(seconds=0.2), rules=rules(channels)) as d:
        channels[d.channel] = "engineering"
        ts = await d.ask()
        await d.slack.wait_for(lambda: d.said(ts))
        del channels[d.channel]
        await d.idle()
        [answer] = d.said(ts)
        assert "knowledge_base: NAME" in answer.text
        assert "VPN" not in str(answer.blocks)


async def test_nothing_but_a_mention_or_an_emoji_gets_one_short_line(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        for text in ("", ":", "  "):
            ts = await d.ask(text)
            await d.idle()
            assert [message.text for message in d.said(ts)] == ["Ask me a question."]
        assert d.answerer.asked == []


async def test_a_question_of_forty_thousand_characters_reaches_the_answerer(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        ts = await d.ask("why " * 9_990)
        await d.idle()
        assert len(d.answerer.asked[0].text) > 39_000
        assert len(d.said(ts)) == 1


async def test_a_long_answer_is_cut_at_a_paragraph_and_says_so(tmp_path: Path) -> None:
    long = replace(ANSWER, text="\n\n".join([f"Paragraph {n} [1] " + "words " * 60 for n in range(60)]))
    async with desk(tmp_path, answerer=ScriptedAnswerer(long)) as d:
        ts = await d.ask()
        await d.idle(15)
        [answer] = d.said(ts)
        assert "longer than a Slack message may be" in answer.text
        assert len(answer.text) <= 4_000
        assert len(str(answer.blocks)) < 40_000


async def test_pieces_show_before_the_answer_is_finished(tmp_path: Path) -> None:
    async with desk(tmp_path, answerer=ScriptedAnswerer(seconds=0.3)) as d:
        ts = await d.ask()
        first = await d.slack.wait_for(lambda: d.said(ts))
        assert first[0].streaming
        assert "Then sign in" not in str(first[0].blocks)
        await d.idle()
        assert not d.said(ts)[0].streaming
