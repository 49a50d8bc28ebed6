"""A model's words made inert: its links, images, references and addresses become plain text or code."""

from __future__ import annotations

import re
from collections.abc import Callable

_CODE = re.compile(
    r"(?ms)^[ \t]*(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?<![\\`])(?P<tick>`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)(?P=tick)(?!`)"
)
_TARGET = r"\((?:[^()\\\n]|\\.|\((?:[^()\\\n]|\\.)*\))*\)"
_INLINE = re.compile(r"!?\[((?:[^\[\]\\]|\\.)*)\]" + _TARGET)
_OF_CODE = re.compile(
    r"(?ms)(?P<block>^[ \t]*(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z))"
    r"|(?<![\\`!])\[(?P<words>[^\[\]`\\\n]*(?<!`)`(?!`)[^`\n]+`(?!`)[^\[\]`\\\n]*)\]" + _TARGET
)
"""A link whose words are code: the code would hide the link from what looks at everything else. Or a code block."""
_REFERENCE = re.compile(r"!?\[((?:[^\[\]\\]|\\.)+)\]\s?\[[^\[\]\n]*\]")
_DEFINITION = re.compile(r"(?m)^[ \t>]*\[[^\[\]\n]+\]:[ \t]*\n?[ \t]*\S.*$\n?")
_SLACK = re.compile(r"<([a-zA-Z][a-zA-Z0-9+.-]{1,31}:[^<>|\s]*)\|([^<>]*)>")
_AUTOLINK = re.compile(r"<((?:[a-zA-Z][a-zA-Z0-9+.-]{1,31}:|//|www\.)[^<>]*|[^<>@\s]+@[^<>@\s]+)>")
_TAG = re.compile(
    r"</?(?:a|img|image|iframe|script|link|video|audio|source|object|embed|form|input|button|svg|style|base|meta|area|map|picture|track|frame)\b[^<>]*>?",
    re.I,
)
_ANGLED = re.compile(r"</?[a-zA-Z][^<>\n`]*>|<[!?@#][^<>\n`]*>")
_OPEN_ANGLE = re.compile(r"(?m)^([ \t>*+\-\d.)]*<)(?=[a-zA-Z/!?])")
_ADDRESS = re.compile(
    r"(?:\b[a-zA-Z][a-zA-Z0-9+.-]{1,31}://|\bwww\.|\b(?:mailto|tel|javascript|data|vbscript|slack|file):(?=\S))[^\s<>`\ue000-\uf8ff]*"
)
_TRAILING = ".,;:!?)]}'\"*_"
_PASSES = 5


def inert(text: str) -> str:
    """The text with links reduced to their words and bare addresses set as code. Code is left as it is.

    Works on whole paragraphs: a link that is cut in two is not seen. Rendering does more; this is so that the plain
    Markdown, too, can be opened anywhere without a link that a page or a model made.
    """
    return outside_code(_OF_CODE.sub(lambda found: found["block"] or found["words"], text), _without_links)


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text with everything but its code spans and fenced code changed."""
    parts: list[str] = []
    at = 0
    for code in _CODE.finditer(text):
        parts += [change(text[at : code.start()]), code.group()]
        at = code.end()
    return "".join([*parts, change(text[at:])])


def _without_links(text: str) -> str:
    for _ in range(_PASSES):
        bare = _without_outer_links(text)
        if bare == text:
            break
        text = bare
    # A bracket that could still close over a target, however deeply nested, must not; nor may HTML begin.
    text = re.sub(r"\](?=[(\[:])", "] ", text)
    text = outside_code(_ADDRESS.sub(_as_code, text), lambda part: _ANGLED.sub(r"`\g<0>`", part))
    return outside_code(text, lambda part: _OPEN_ANGLE.sub(r"\1 ", part))


def _without_outer_links(text: str) -> str:
    text = _DEFINITION.sub("", text)
    text = _INLINE.sub(r"\1", text)
    text = _REFERENCE.sub(r"\1", text)
    text = _SLACK.sub(r"\2", text)
    text = _AUTOLINK.sub(r"\1", text)
    return _TAG.sub("", text)


def _as_code(match: re.Match[str]) -> str:
    address = match.group()
    bare = address.rstrip(_TRAILING)
    return f"`{bare}`{address[len(bare) :]}"
