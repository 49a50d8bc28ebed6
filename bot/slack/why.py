"""Finds how the answer in a linked message came about, for somebody who may read that message."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from bot.inbox.inbox import Inbox
from bot.slack.explain import NOT_AN_ANSWER, explanation_text
from bot.slack.gate import Gate

NO_LINK = "Give me the link of one of my answers: ⋮ on the message, then “Copy link”, then {command} why LINK."
NOT_YOURS = "I only explain an answer to people who are in its channel."
_HOSTS = (".slack.com", ".slack-gov.com")
_PATH = re.compile(r"/archives/(?P<channel>[CDG][A-Z0-9]{2,})/p(?P<seconds>\d{10})(?P<micros>\d{6})/?")


def place_of(link: str) -> tuple[str, str] | None:
    """Channel and time stamp of the message that a Slack permalink opens; None for anything else.

    A link that was pasted into a command may come as ``<https://…|label>``.
    """
    try:
        address = urlsplit(link.strip("<>").partition("|")[0])
    except ValueError:
        return None
    found = _PATH.fullmatch(address.path)
    if address.scheme != "https" or found is None or not (address.hostname or "").endswith(_HOSTS):
        return None
    channel = parse_qs(address.query).get("cid", [found["channel"]])[0]
    return channel, f"{found['seconds']}.{found['micros']}"


class Why:
    """Explains answers by their links. The link may be that of the question, too."""

    def __init__(self, inbox: Inbox, gate: Gate, command: str) -> None:
        self._inbox = inbox
        self._gate = gate
        self._command = command

    async def said(self, link: str, user: str, channel: str) -> str:
        """What to tell this person, who asks in this channel."""
        place = place_of(link)
        if place is None:
            return NO_LINK.format(command=self._command)
        if place[0] != channel and not await self._gate.is_in(place[0], user):
            return NOT_YOURS
        explanation = await self._inbox.explanation(self._gate.team, *place)
        return explanation_text(explanation) if explanation else NOT_AN_ANSWER
