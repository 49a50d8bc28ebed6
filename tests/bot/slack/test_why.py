"""/quoth why LINK: how an answer came about, for people who may read that answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.slack.explain import NOT_AN_ANSWER
from bot.slack.why import NOT_YOURS, place_of
from tests.fakes.slack_desk import Desk, desk

COPY_LINK = "Copy link"


async def answer_in(d: Desk, channel: str = "") -> str:
    """The link that Slack copies for an answer."""
    ts = await d.slack.say(channel or d.channel, d.person, f"<@{d.slack.bot_user_id}> how do I reset the VPN?")
    await d.idle()
    [answer] = d.said(ts, channel or d.channel)
    return link_to(channel or d.channel, answer.ts, ts)


def link_to(channel: str, ts: str, thread_ts: str = "") -> str:
    thread = f"?thread_ts={thread_ts}&cid={channel}" if thread_ts else ""
    return f"https://acme.slack.com/archives/{channel}/p{ts.replace('.', '')}{thread}"


async def told(d: Desk, link: str, user: str = "", channel: str = "") -> str:
    who, where = user or d.person, channel or d.channel
    before = len(d.slack.ephemerals(who, where))
    await d.slack.slash_command(where, who, "/quoth", f"why {link}".strip())
    return await d.slack.wait_for(lambda: [seen.text for seen in d.slack.ephemerals(who, where)][before:][-1:]) and (
        d.slack.ephemerals(who, where)[-1].text
    )


async def test_the_link_of_an_answer_is_explained_with_scores_scope_and_reason(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        said = await told(d, await answer_in(d))
        assert "VPN handbook › Access › Reset" in said
        assert "score 0.910 · words 7.200 · meaning 0.830" in said
        assert "superseded version" in said
        assert "the knowledge base engineering: engineering." in said
        assert "Salaries" not in said, "what was kept out is not named"


async def test_the_link_of_a_question_explains_the_answer_to_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        ts = await d.ask()
        await d.idle()
        assert "VPN handbook" in await told(d, link_to(d.channel, ts))


async def test_an_answer_elsewhere_is_explained_to_members_of_that_channel_only(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        link = await answer_in(d)
        elsewhere = d.slack.add_channel("lobby")
        stranger = d.slack.add_user("newcomer")
        d.slack.workspace.channels[elsewhere].members.append(stranger)
        assert "VPN handbook" in await told(d, link, channel=elsewhere)
        assert await told(d, link, stranger, elsewhere) == NOT_YOURS


async def test_a_membership_that_cannot_be_looked_up_is_a_no(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        link, elsewhere = await answer_in(d), d.slack.add_channel("lobby")
        d.slack.faults.refuse("users.conversations", "missing_scope")
        assert await told(d, link, channel=elsewhere) == NOT_YOURS


async def test_a_direct_message_is_explained_there_and_nowhere_else(tmp_path: Path) -> None:
    async with desk(tmp_path, direct_messages="people") as d:
        direct = d.slack.open_dm(d.person)
        link = await answer_in(d, direct)
        assert "VPN handbook" in await told(d, link, channel=direct)
        assert await told(d, link) == NOT_YOURS


@pytest.mark.parametrize(
    "link",
    ["", "vpn", "https://acme.slack.com/archives/C1", "https://evil.invalid/archives/C012345/p1700000000000001", "a b"],
)
async def test_what_is_no_link_gets_a_sentence_that_says_how(tmp_path: Path, link: str) -> None:
    async with desk(tmp_path) as d:
        assert COPY_LINK in await told(d, link)


async def test_a_message_that_is_no_answer_is_said_to_be_none(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        ts = await d.slack.say(d.channel, d.person, "good morning")
        assert await told(d, link_to(d.channel, ts)) == NOT_AN_ANSWER


def test_links_are_read_as_slack_writes_them() -> None:
    assert place_of("https://acme.slack.com/archives/C0123ABCD/p1700000000123456") == ("C0123ABCD", "1700000000.123456")
    assert place_of("<https://a.enterprise.slack.com/archives/C0123ABCD/p1700000000123456?thread_ts=1.2&cid=C0123ABCD>")
    assert place_of("<https://acme.slack.com/archives/D0123ABCD/p1700000000123456|here>") is not None
    assert place_of("http://[broken") is None
