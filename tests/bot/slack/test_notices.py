"""What a command's giver is told: five times at its own address, and the last word whatever happens."""

from __future__ import annotations

from bot.slack.gateway import Gateway, Refused, Reply
from bot.slack.notices import Notices
from bot.slack.render import Message
from tests.fakes.clock import SetClock

COMMAND = {"response_url": "https://hooks.slack.example/1", "channel_id": "C1", "user_id": "U1"}


class Recording(Gateway):
    """Notes what goes out. Where the bot is not, nothing can be whispered."""

    def __init__(self, *, in_channel: bool = True) -> None:
        super().__init__("xoxb-test", "https://slack.example/api/")
        self.sent: list[tuple[str, str]] = []
        self._in_channel = in_channel

    async def respond(self, response_url: str, text: str, *, replace: bool) -> bool:
        self.sent.append(("in place" if replace else "new", text))
        return True

    async def whisper(self, channel: str, user: str, text: str, thread_ts: str | None = None) -> None:
        if not self._in_channel:
            raise Refused("not_in_channel")
        self.sent.append((f"whispered in {channel} to {user}", text))

    async def post(self, channel: str, thread_ts: str | None, message: Message, metadata: Reply | None = None) -> str:
        self.sent.append((f"written to {channel}", message.text))
        return "1.0"


async def test_progress_never_uses_up_the_place_of_the_last_word() -> None:
    gateway = Recording()
    notices = Notices(gateway, COMMAND)
    await notices.say("begun")
    for seen in range(9):
        await notices.progress(f"{seen} seen")
    await notices.say("done")
    assert [text for _, text in gateway.sent] == ["begun", "0 seen", "1 seen", "2 seen", "done"]
    assert [how for how, _ in gateway.sent] == ["new", *["in place"] * 4]


async def test_after_half_an_hour_the_last_word_is_whispered() -> None:
    gateway, clock = Recording(), SetClock()
    notices = Notices(gateway, COMMAND, clock)
    await notices.say("begun")
    clock.advance(30 * 60)
    await notices.progress("5 seen")
    await notices.say("done")
    assert gateway.sent == [("new", "begun"), ("whispered in C1 to U1", "done")]


async def test_where_the_bot_is_not_the_last_word_is_a_direct_message() -> None:
    gateway, clock = Recording(in_channel=False), SetClock()
    notices = Notices(gateway, COMMAND, clock)
    clock.advance(30 * 60)
    await notices.say("done")
    assert gateway.sent == [("written to U1", "done")]
