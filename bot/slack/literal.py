"""Text that no Slack client can turn into a link, an image, a mention or a ping."""

from __future__ import annotations

import re
import unicodedata

_WORD_JOINER = "\u2060"
_JOINERS = frozenset("\u200c\u200d")
"""They shape letters and emoji, so they stay between such signs; between two ASCII signs they only hide something."""
_VARIATION = range(0xFE00, 0xFE10)
_ADDRESS = re.compile(
    r"""(?ix)
    (?:
        [a-z][a-z0-9+.-]*: (?=//|\\\\)                         # https://x, \\x
      | [a-z][a-z0-9+.-]+: (?=[/\\])                           # javascript:/x; a single letter is a drive
      | (?:https?|ftp|mailto|tel|sms|callto|javascript|vbscript|data|slack|file|skype|about|blob) : (?=\S)
      | (?<!\w) // (?=[\w\[%.-]+\.)                          # //host.example/
      | \bwww\.
      | (?<![\w/\\-]) (?:[\w-]+\.)+ (?=[a-z]{2,63} (?:[/?] | :\d) )   # host.example/path
    )
    [^\s<>|"'`]*
    """
)
_PING = re.compile(r"(?i)(?<=[!@＠﹫])(?=[\W_]*(?:channel|here|everyone|group|subteam|date)\b)")
_CONTROL = re.compile(r"(?i)(?<=<)(?=[!@#＠﹫])|(?<=&lt;)(?=[!@#])")
_SCHEME = re.compile(r"(?<=[A-Za-z0-9+.-]):(?!\d)")
_HOST = re.compile(r"(?<=[\w\]])[.。．｡](?=[\w\[])")


def literal(text: str) -> str:
    """The text as it may stand in rich_text and plain_text: read by people, opened by nobody.

    Addresses are written apart (``https[:]//host[.]example``), mentions get an invisible sign that takes their power,
    and signs that cannot be seen or that turn the direction of reading are left out.
    """
    shown = _visible(text)
    shown = _ADDRESS.sub(_apart, shown)
    shown = _PING.sub(_WORD_JOINER, shown)
    return _CONTROL.sub(_WORD_JOINER, shown)


def escaped(text: str) -> str:
    """The text as it may stand in a message's ``text``, where ``&``, ``<`` and ``>`` are Slack's own signs."""
    return literal(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    """What a person had typed, of a message's ``text``."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _apart(match: re.Match[str]) -> str:
    return _HOST.sub("[.]", _SCHEME.sub("[:]", match.group()))


def _visible(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(sign for at, sign in enumerate(text) if _is_shown(text, at, sign))


def _is_shown(text: str, at: int, sign: str) -> bool:
    if sign in "\n\t":
        return True
    if sign in _JOINERS or ord(sign) in _VARIATION:
        return _beside_letters(text, at)
    return unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def _beside_letters(text: str, at: int) -> bool:
    before = text[at - 1] if at else " "
    return not before.isascii() or before in "0123456789#*"
