"""A Claude that runs on this machine: the Messages API as JSON and as events, well-behaved, failing or hostile."""

from bot.rehearsal.claude.server import RehearsalClaude

__all__ = ["RehearsalClaude"]
