"""Messages that are no question: thanks, greetings, nothing at all."""

from __future__ import annotations

import re

from bot.answering.visible import visible

ASK_ME = "Ask me a question about your documentation and I will answer with its sources."
_WELCOME = "You're welcome!"
_HELLO = f"Hello! {ASK_ME}"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_THANKS = _words("thanks thank thx ty tysm cheers danke merci gracias grazie obrigado obrigada tak tack arigato")
_GREETINGS = _words("hi hello hey hiya yo howdy greetings hallo hola bonjour ciao moin morning")
_CLOSERS = _words(
    "ok okay great cool nice perfect awesome brilliant super good got lovely wonderful excellent amazing appreciated"
)
_FILLERS = _CLOSERS | _words(
    """you so much very a lot again all for your the help that this that's it is k works worked now there everyone team
    folks quoth bot and many vielen schön beaucoup muchas afternoon evening day yes yep sure fine np"""
)
_SHORTCODE = re.compile(r":[a-z0-9_+'-]+:")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_MOST_WORDS = 12


def small_talk_of(text: str) -> str | None:
    """The one short line that answers thanks, a greeting or a message without words; ``None`` for a question."""
    bare = _SHORTCODE.sub(" ", visible(text))
    words = frozenset(_WORD.findall(bare.lower().replace("’", "'")))
    if not words:
        return None if _has_code(bare) else ASK_ME
    if len(words) > _MOST_WORDS or "?" in bare or not words <= _THANKS | _GREETINGS | _FILLERS:
        return None
    return _reply_to(words)


def _reply_to(words: frozenset[str]) -> str | None:
    if words & _THANKS:
        return _WELCOME
    if words & _GREETINGS:
        return _HELLO
    return _WELCOME if words & _CLOSERS else None


def _has_code(text: str) -> bool:
    """Signs alone may be a question: what does ``=>`` or ``$?`` mean. A full stop or a row of question marks is not."""
    return any(sign in text for sign in "`$=<>|&%^~{}[]\\/@#*+_")
