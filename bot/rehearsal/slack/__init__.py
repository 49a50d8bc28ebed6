"""A Slack on this machine, for `quoth demo` and for the tests."""

from bot.rehearsal.slack.limits import Limits, Pace
from bot.rehearsal.slack.live import Live, live_elements
from bot.rehearsal.slack.rehearsal import RehearsalSlack
from bot.rehearsal.slack.transcript import transcript_of
from bot.rehearsal.slack.workspace import Message

__all__ = ["Limits", "Live", "Message", "Pace", "RehearsalSlack", "live_elements", "transcript_of"]
