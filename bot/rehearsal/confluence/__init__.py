"""A Confluence Cloud that runs on this machine, filled by hand, and as moody as the real one."""

from bot.rehearsal.confluence.server import RehearsalConfluence
from bot.rehearsal.confluence.site import Site

__all__ = ["RehearsalConfluence", "Site"]
