"""Commands, buttons and shortcuts: who may, what they see, and that they alone see it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.slack import reindex
from bot.slack.gate import NO_DIRECT
from bot.slack.reindex import NOT_ADMIN, TOO_SLOW
from tests.fakes.scripted_house import ScriptedAnswerer, ScriptedSyncs
from tests.fakes.slack_desk import Desk, desk


async def told(d: Desk, text: str, user: str = "", command: str = "/quoth", last: str = "", channel: str = "") -> str:
    """What the person sees of a command's reply, once it holds ``last``."""
    who, where = user or d.person, channel or d.channel
    await d.slack.slash_command(where, who, command, text)

    def reply() -> str | None:
        texts = [message.text for message in d.slack.ephemerals(who, where)]
        return texts[-1] if texts and last in texts[-1] else None

    return await d.slack.wait_for(reply)


async def test_help_is_shown_for_help_nothing_and_nonsense(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        for text in ("help", "", "make coffee", "reindex a b c"):
            assert "/quoth reindex [source]" in await told(d, text)


async def test_scope_and_status_say_what_this_channel_sees(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        assert "engineering: handbook, wiki" in await told(d, "scope", last="knowledge base")
        status = await told(d, "status", last="documents")
        assert "handbook (git): 12 documents, read today, 1 unreadable" in status
        assert "policies" not in status


async def test_scope_and_status_of_direct_messages_are_what_these_are_answered_from(tmp_path: Path) -> None:
    async with desk(tmp_path / "one", direct_messages="people") as d:
        direct = d.slack.open_dm(d.person)
        assert "people: policies" in await told(d, "scope", last="knowledge base", channel=direct)
    async with desk(tmp_path / "members", member_channels=True) as d:
        direct = d.slack.open_dm(d.person)
        assert "engineering: handbook, wiki" in await told(d, "scope", last="knowledge base", channel=direct)
        assert "wiki (git): 12 documents" in await told(d, "status", last="documents", channel=direct)
    async with desk(tmp_path / "none") as d:
        assert await told(d, "scope", channel=d.slack.open_dm(d.person)) == NO_DIRECT


async def test_only_admins_reindex_and_a_failed_look_up_is_a_no_said_with_the_acknowledgement(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        refused = await d.slack.slash_command(d.channel, d.person, "/quoth", "reindex")
        assert (refused.ack_text, refused.posts) == (NOT_ADMIN, [])
        admin = d.slack.add_user("root", is_admin=True)
        d.slack.faults.refuse("users.info", "user_not_found", times=1)
        unknown = await d.slack.slash_command(d.channel, admin, "/quoth", "reindex")
        assert "could not check" in unknown.ack_text
        assert d.syncs.requests == []


async def test_a_reindex_is_in_the_queue_before_it_is_acknowledged(tmp_path: Path) -> None:
    queue_opens = asyncio.Event()
    async with desk(tmp_path, syncs=ScriptedSyncs(queue=queue_opens)) as d:
        admin = d.slack.add_user("root", is_admin=True)
        given = asyncio.create_task(d.slack.slash_command(d.channel, admin, "/quoth", "reindex handbook"))
        await d.slack.wait_for(lambda: d.slack.calls("users.info"))
        assert not given.done()
        queue_opens.set()
        await given
        assert d.syncs.requests == [("handbook", admin)]


async def test_a_queue_that_takes_too_long_is_said_in_time_and_nothing_is_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindex, "_QUEUE_SECONDS", 0.2)
    async with desk(tmp_path, syncs=ScriptedSyncs(queue=asyncio.Event())) as d:
        admin = d.slack.add_user("root", is_admin=True)
        given = await d.slack.slash_command(d.channel, admin, "/quoth", "reindex handbook")
        assert given.ack_text == TOO_SLOW


async def test_a_reindex_starts_every_source_of_the_channel_and_reports_in_place(tmp_path: Path) -> None:
    syncs = ScriptedSyncs(done=False)
    async with desk(tmp_path, syncs=syncs) as d:
        admin = d.slack.add_user("root", is_admin=True)
        assert await told(d, "reindex", admin) == "handbook: reading it again now.\nwiki: reading it again now."
        assert syncs.requests == [("handbook", admin), ("wiki", admin)]
        syncs.done = True
        report = await d.slack.wait_for(
            lambda: next((m.text for m in d.slack.ephemerals(admin, d.channel) if "done in" in m.text), None)
        )
        assert report.startswith("handbook: done in 0.4 s. 12 documents seen, 1 added.")


async def test_a_long_reindex_shows_how_far_it_is_in_the_same_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindex, "_PROGRESS_AFTER_SECONDS", (0.0,))
    async with desk(tmp_path, syncs=ScriptedSyncs(done=False)) as d:
        admin = d.slack.add_user("root", is_admin=True)
        given = await d.slack.slash_command(d.channel, admin, "/quoth", "reindex handbook")
        await given.wait_for_posts(2)
        assert [message.text for message in d.slack.ephemerals(admin, d.channel)] == [
            "handbook: 12 documents seen so far …"
        ]


async def test_the_short_form_joins_a_run_names_known_sources_and_shows_failures(tmp_path: Path) -> None:
    syncs = ScriptedSyncs(joined=True, done=False)
    async with desk(tmp_path, syncs=syncs, admins=()) as d:
        admin = d.slack.add_user("root", is_admin=True)
        assert await told(d, "wiki", admin, "/reindex") == "wiki: joined the sync that is under way."
        syncs.done, syncs.failure = True, "The token of wiki may not read ENG."
        await told(d, "nowhere", admin, "/reindex", last="Known sources: handbook, wiki, policies")
        await d.slack.wait_for(lambda: "may not read ENG" in str(d.slack.ephemerals(admin, d.channel)))


async def test_a_source_that_no_knowledge_base_has_is_reindexed_all_the_same(tmp_path: Path) -> None:
    async with desk(tmp_path, syncs=ScriptedSyncs(done=False)) as d:
        admin = d.slack.add_user("root", is_admin=True)
        assert await told(d, "reindex attic", admin) == "attic: reading it again now."


async def test_a_command_cannot_make_us_ping_or_link(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        admin = d.slack.add_user("root", is_admin=True)
        reply = await told(d, "reindex <!channel>", admin, last="no source")
        assert "<!" not in reply
        assert "<!" not in await told(d, "reindex https://exfil.invalid/x", admin, last="exfil")
        assert "https://" not in str(d.slack.ephemerals(admin, d.channel))


async def test_feedback_is_kept_by_person_and_the_last_word_counts(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        bob = d.slack.add_user("bob")
        d.slack.workspace.channels[d.channel].members.append(bob)
        ts = await d.ask()
        await d.idle()
        [answer] = d.said(ts)
        question_id = answer.metadata["event_payload"]["answer_id"]
        good, bad = (json.dumps({"a": question_id, "v": vote}, separators=(",", ":")) for vote in (1, -1))
        await d.slack.press_button(d.person, answer, "answer_feedback", good)
        await d.slack.press_button(bob, answer, "answer_feedback", good)
        await d.slack.press_button(d.person, answer, "answer_feedback", bad)
        assert await d.inbox.votes(question_id) == {d.person: -1, bob: 1}
        await d.slack.wait_for(lambda: d.slack.ephemerals(bob, d.channel))


async def test_forged_feedback_is_rejected(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        ts = await d.ask()
        await d.idle()
        [answer] = d.said(ts)
        question_id = answer.metadata["event_payload"]["answer_id"]
        values = [
            "",
            "x",
            "[]",
            '{"a":"other","v":1}',
            f'{{"a":"{question_id}","v":99}}',
            f'{{"a":"{question_id}","v":true}}',
        ]
        for value in values:
            action = {"type": "feedback_buttons", "action_id": "answer_feedback", "value": value}
            await d.slack.act(d.person, answer, action)
        assert await d.inbox.votes(question_id) == {}


async def test_ask_quoth_about_this_answers_a_message_in_its_thread_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        ts = await d.slack.say(d.channel, d.person, "how does one reset the VPN?")
        message = d.slack.workspace.message(d.channel, ts)
        await d.slack.shortcut(d.person, message, "ask_quoth")
        await d.idle()
        assert len(d.said(ts)) == 1
        await d.slack.shortcut(d.person, message, "ask_quoth")
        await d.slack.wait_for(lambda: d.slack.ephemerals(d.person, d.channel))
        await d.idle()
        assert len(d.said(ts)) == 1


async def test_why_this_answer_shows_passages_and_scores_to_the_asker_alone(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        ts = await d.ask()
        await d.idle()
        [answer] = d.said(ts)
        await d.slack.shortcut(d.person, answer, "why_answer")
        view = await d.slack.wait_for(lambda: d.slack.calls("views.open"))
        shown = str(view[0].args)
        assert "VPN handbook › Access › Reset" in shown
        assert "score 0.910 · words 7.200 · meaning 0.830" in shown
        assert "superseded version" in shown
        assert "Salaries" not in shown, "what was kept out is not named"
        assert len(d.said(ts)) == 1


async def test_with_no_words_kept_nothing_readable_stays(tmp_path: Path) -> None:
    async with desk(tmp_path, keep_words=timedelta(0)) as d:
        ts = await d.ask("is the moon made of cheese?")
        await d.idle()
        [answer] = d.said(ts)
        assert await d.inbox.explanation(d.slack.team_id, d.channel, answer.ts) is None
        # While it runs: the log beside the database would keep deleted words until it is full.
        assert [path.name for path in tmp_path.glob("inbox.db*") if b"cheese" in path.read_bytes()] == []
    assert [path.name for path in tmp_path.glob("inbox.db*") if b"cheese" in path.read_bytes()] == []


async def test_the_home_tab_says_how_to_ask(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        await d.slack.open_home(d.person)
        await d.slack.wait_for(lambda: d.slack.calls("views.publish"))
        assert "Ask me anything" in str(d.slack.calls("views.publish")[0].args)


async def test_whoever_opens_their_messages_gets_a_few_first_questions(tmp_path: Path) -> None:
    async with desk(tmp_path, direct_messages="people") as d:
        await d.slack.open_home(d.person, "messages")
        prompts = await d.slack.wait_for(lambda: d.slack.workspace.prompts.get(d.slack.open_dm(d.person)))
        assert 1 <= len(prompts) <= 4
        assert d.slack.calls("views.publish") == []


async def test_a_slack_that_takes_no_suggestions_is_answered_all_the_same(tmp_path: Path) -> None:
    async with desk(tmp_path, direct_messages="people") as d:
        d.slack.faults.refuse("assistant.*", "unknown_method")
        await d.slack.open_home(d.person, "messages")
        ts = await d.slack.say(d.slack.open_dm(d.person), d.person, "how many days of leave?")
        await d.idle()
        assert len(d.said(ts, d.slack.open_dm(d.person))) == 1


async def test_nothing_is_suggested_where_direct_messages_are_not_answered(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        await d.slack.open_home(d.person, "messages")
        await d.idle()
        assert d.slack.calls("assistant.threads.setSuggestedPrompts") == []


async def test_an_app_that_is_removed_forgets_all_words(tmp_path: Path) -> None:
    async with desk(tmp_path, answerer=ScriptedAnswerer()) as d:
        ts = await d.ask()
        await d.idle()
        [answer] = d.said(ts)
        place = d.slack.workspace.channels[d.channel]
        d.slack.stage.tell({"type": "app_uninstalled", "event_ts": d.slack.workspace.new_ts()}, place)
        await d.slack.settle()
        assert await d.inbox.explanation(d.slack.team_id, d.channel, answer.ts) is None
