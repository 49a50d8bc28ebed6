"""Our own pages in Slack: what Quoth is, how it is asked, and what one might begin with."""

from __future__ import annotations

from typing import Any

import structlog

from bot.slack.background import Background
from bot.slack.gateway import Gateway, SlackError
from bot.slack.rich_text import rich_elements, rich_text
from bot.slack.rules import SlackRules

log = structlog.get_logger()
_WELCOME = """**Ask me anything that is written down.**

Mention me in a channel that has a knowledge base, and I answer in the thread with numbered sources. In a thread that
I have answered in, just go on asking.{direct}

`{command} scope` tells what a channel is answered from, `{command} help` what else I understand."""
_PROMPTS = {
    "Getting started": "What should somebody new read first?",
    "Getting access": "How do I ask for access?",
    "Something is broken": "What do I do when something is down?",
    "Who can help": "Who do I ask when I need help?",
}
"""At most four, as Slack has it."""
_DIRECT = " You can also write to me here, under Messages."


class Home:
    """Fills the tabs of our app for whoever opens them. What Slack refuses stays empty."""

    def __init__(self, gateway: Gateway, rules: SlackRules, background: Background) -> None:
        self._gateway = gateway
        self._rules = rules
        self._background = background

    def show(self, user: str) -> None:
        """Show a person the home tab, soon."""
        self._background.start(self._call("views.publish", user_id=user, view=home_view(self._rules)), "home")

    def suggest(self, channel: str) -> None:
        """Suggest first questions in somebody's direct messages, soon, where those are answered at all."""
        if _answers_directly(self._rules):
            prompts = [{"title": title, "message": message} for title, message in _PROMPTS.items()]
            call = self._call("assistant.threads.setSuggestedPrompts", channel_id=channel, prompts=prompts)
            self._background.start(call, "prompts")

    async def _call(self, method: str, **args: Any) -> None:
        try:
            await self._gateway.write(method, **args)
        except SlackError as error:
            log.info("home.unset", method=method, reason=error.reason)


def home_view(rules: SlackRules) -> dict[str, Any]:
    """The home tab. The same for everybody: it names no knowledge base."""
    direct = _DIRECT if _answers_directly(rules) else ""
    text = _WELCOME.format(command=rules.command, direct=direct)
    return {"type": "home", "blocks": [rich_text(rich_elements(text, {}))]}


def _answers_directly(rules: SlackRules) -> bool:
    return rules.direct_messages is not None or rules.member_channels
