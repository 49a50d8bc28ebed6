"""Slack is called as often as it allows: one message a second in a channel, each method so often a minute."""

from __future__ import annotations

from bot.slack.limits import CALLS_A_MINUTE, Limits


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def limits_on(clock: Clock) -> Limits:
    return Limits(clock, clock.sleep)


async def test_a_channel_gets_one_message_a_second_and_channels_do_not_wait_for_each_other() -> None:
    limits = limits_on(clock := Clock())
    for expected in (0.0, 1.0, 2.0):
        await limits.message_turn("C1")
        assert clock.now == expected
        await limits.message_turn(f"C at {expected}")
        assert clock.now == expected


async def test_a_message_that_slack_refused_takes_no_turn() -> None:
    limits = limits_on(clock := Clock())
    await limits.message_turn("C1")
    limits.return_message_turn("C1")
    await limits.message_turn("C1")
    assert clock.now == 0.0
    await limits.message_turn("C1")
    assert clock.now == 1.0


async def test_a_method_is_called_so_often_a_minute_and_then_waits_for_the_oldest_call() -> None:
    limits = limits_on(clock := Clock())
    calls = CALLS_A_MINUTE["chat.update"]
    for _ in range(calls):
        await limits.turn("chat.update")
    assert clock.now == 0.0
    await limits.turn("chat.update")
    assert clock.now == 60.0


def test_what_can_be_done_without_never_waits() -> None:
    limits = limits_on(Clock())
    turns = [limits.turn_now("chat.startStream") for _ in range(CALLS_A_MINUTE["chat.startStream"] + 1)]
    assert turns == [True] * CALLS_A_MINUTE["chat.startStream"] + [False]
