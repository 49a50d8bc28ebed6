"""What becomes live in Slack is found, whichever way it came in."""

from __future__ import annotations

from typing import Any

import pytest

from bot.rehearsal.slack import Live, Message, live_elements

EVIL = "https://evil.example/x"
Json = dict[str, Any]


def message(*blocks: Json, **fields: Any) -> Message:
    quiet = {"unfurl_links": False, "unfurl_media": False, **fields}
    return Message(channel="C1", ts="1.000001", user="UBOT", author="quoth", team="T1", blocks=blocks, **quiet)


def rich(*inline: Json) -> Json:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(inline)}]}


def mrkdwn(text: str, verbatim: bool = False) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, **({"verbatim": True} if verbatim else {})}}


DEAD: dict[str, Message] = {
    "text of rich text": message(rich({"type": "text", "text": f"<!channel> @here {EVIL} ![x]({EVIL}) <@U1>"})),
    "escaped mrkdwn": message(mrkdwn("&lt;!channel&gt; @here #general https://evil.example", verbatim=True)),
    "plain text": message({"type": "header", "text": {"type": "plain_text", "text": f"<!here> {EVIL}"}}),
    "an address in text behind blocks": message({"type": "divider"}, text=f"see {EVIL}"),
}

LIVE: dict[str, tuple[Message, Live]] = {
    "a link of rich text": (message(rich({"type": "link", "url": EVIL})), Live(links=(EVIL,))),
    "a mention of rich text": (message(rich({"type": "user", "user_id": "U1"})), Live(mentions=("U1",))),
    "a broadcast of rich text": (message(rich({"type": "broadcast", "range": "here"})), Live(mentions=("here",))),
    "a ping in verbatim mrkdwn": (message(mrkdwn("<!channel>", verbatim=True)), Live(mentions=("!channel",))),
    "a link in verbatim mrkdwn": (message(mrkdwn(f"<{EVIL}|nice>", verbatim=True)), Live(links=(EVIL,))),
    "a bare address": (message(mrkdwn(f"see {EVIL}")), Live(links=(EVIL,))),
    "a bare domain": (message(mrkdwn("see README.md")), Live(links=("README.md",))),
    "a bare ping": (message(mrkdwn("hey @here")), Live(mentions=("@here",))),
    "a bare channel": (message(mrkdwn("in #general")), Live(mentions=("#general",))),
    "a ping in text behind blocks": (message({"type": "divider"}, text="<!everyone>"), Live(mentions=("!everyone",))),
    "a bare ping in an update": (message(text="@channel", parse="client"), Live(mentions=("@channel",))),
    "a bare address in text alone": (message(text=f"see {EVIL}"), Live(links=(EVIL,))),
    "a markdown link": (message({"type": "markdown", "text": f"[a]({EVIL})"}), Live(links=(EVIL,))),
    "a markdown image": (message({"type": "markdown", "text": f"![a]({EVIL})"}), Live(images=(EVIL,))),
    "a markdown reference": (message({"type": "markdown", "text": f"[a][1]\n\n[1]: {EVIL}"}), Live(links=(EVIL,))),
    "a ping in markdown": (message({"type": "markdown", "text": "<!here>"}), Live(mentions=("!here",))),
    "a button": (
        message({"type": "actions", "elements": [{"type": "button", "url": EVIL}]}),
        Live(links=(EVIL,)),
    ),
    "an image": (message({"type": "image", "image_url": EVIL, "alt_text": "a"}), Live(images=(EVIL,))),
    "a date with a link": (message(mrkdwn(f"<!date^1^{{date}}^{EVIL}|x>", verbatim=True)), Live(links=(EVIL,))),
}


@pytest.mark.parametrize("name", DEAD)
def test_what_slack_leaves_alone_is_dead(name: str) -> None:
    assert live_elements(DEAD[name], ["general"]) == Live()


@pytest.mark.parametrize("name", LIVE)
def test_what_slack_makes_live_is_found(name: str) -> None:
    found, expected = LIVE[name]
    assert live_elements(found, ["general"]) == expected


def test_a_link_unfurls_unless_both_kinds_are_forbidden() -> None:
    link = rich({"type": "link", "url": EVIL})
    assert live_elements(message(link)).unfurls == ()
    assert live_elements(message(link, unfurl_media=None)).unfurls == (EVIL,)
    assert live_elements(message(link, unfurl_links=True)).unfurls == (EVIL,)
