"""`quoth demo`: the main job end to end on this machine, played so that a person can follow it."""

from bot.demo.play import play

__all__ = ["play"]
