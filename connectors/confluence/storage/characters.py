"""Which characters of a page are kept, and what its entities stand for."""

from __future__ import annotations

import re
from html.entities import html5

_SPACES = dict.fromkeys((*range(0x2000, 0x200B), 0xA0, 0x202F, 0x205F, 0x3000, 0x0C, 0x0B), " ")
_NEWLINES = dict.fromkeys((0x2028, 0x2029, 0x85), "\n")
_INVISIBLE = dict.fromkeys(
    (
        *(code for code in range(0x20) if code not in (0x09, 0x0A, 0x0B, 0x0C, 0x0D)),
        *range(0x7F, 0x85),
        *range(0x86, 0xA0),
        *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x200B, 0x200E, 0x200F, 0x3164, 0xFEFF, 0xFFA0),
        *range(0x180B, 0x1810),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xD800, 0xE000),
        *range(0xFDD0, 0xFDF0),
        *range(0xFE00, 0xFE0E),
        *range(0xFFF0, 0xFFFC),
        *(0xFFFE, 0xFFFF),
        *range(0xE0000, 0xE1000),
    )
)
_TABLE = {**_SPACES, **_NEWLINES, **_INVISIBLE}

# Joiners and emoji selectors spell real words and emoji between non-Latin characters; elsewhere they only hide.
_STRAY_JOINERS = re.compile("(?<![\u0300-\U0003ffff])[\u200c\u200d]|[\u200c\u200d](?![\u0300-\U0003ffff])")
_STRAY_SELECTORS = re.compile("(?<![\u2010-\u3fff\U0001f000-\U0001ffff])[\ufe0e\ufe0f](?!\u20e3)")

_ENTITY = re.compile(r"&(?:#(\d{1,7});|#[xX]([0-9a-fA-F]{1,6});|([A-Za-z][A-Za-z0-9]{1,31});)?")
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_LAST_CODE_POINT = 0x10FFFF


def visible(text: str) -> str:
    """The text without what no reader sees: controls, lone surrogates, zero-width, bidi and tag characters.

    A no-break space becomes a space.
    """
    text = text.translate(_TABLE)
    if not text.isascii():
        text = _STRAY_SELECTORS.sub("", _STRAY_JOINERS.sub("", text))
    return text


def with_entities_resolved(markup: str) -> str:
    """Markup whose only entities are those that XML itself knows; any other ``&`` is text."""
    return _ENTITY.sub(_resolved, markup) if "&" in markup else markup


def escaped(text: str) -> str:
    """Text as it stands in markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _resolved(entity: re.Match[str]) -> str:
    decimal, hexadecimal, name = entity.groups()
    if name is not None:
        characters = html5.get(f"{name};")
        if characters is None:
            return f"&amp;{name};"
    elif decimal is not None or hexadecimal is not None:
        characters = _character_of(int(decimal) if decimal is not None else int(hexadecimal, 16))
    else:
        return "&amp;"
    return "".join(_MARKUP.get(character, character) for character in visible(characters))


def _character_of(code: int) -> str:
    if code == ord("\r"):
        return "\n"
    return chr(code) if 0 < code <= _LAST_CODE_POINT else ""
