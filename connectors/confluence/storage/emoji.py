"""The emoji that a page shows as pictures, as characters."""

from __future__ import annotations

import re
import unicodedata

_CODE_POINTS = re.compile(r"[0-9a-f]{2,6}(?:-[0-9a-f]{2,6}){0,9}")
_FIRST_EMOJI = 0xA0
_LAST_CODE_POINT = 0x10FFFF

_BY_NAME = {
    "smile": "🙂", "sad": "🙁", "cheeky": "😛",
    "laugh": "😀", "wink": "😉", "thumbs-up": "👍", "thumbs-down": "👎",
    "information": "ℹ️", "tick": "✅", "cross": "❌",
    "warning": "⚠️", "plus": "➕", "minus": "➖", "question": "❓",
    "light-on": "💡", "light-off": "💡", "yellow-star": "⭐",
    "red-star": "⭐", "green-star": "⭐", "blue-star": "⭐",
    "heart": "❤️", "broken-heart": "💔",
}  # fmt: skip
_BY_SHORT_NAME = {
    "slight_smile": "🙂", "smile": "😄", "smiley": "😃",
    "grinning": "😀", "joy": "😂", "wink": "😉", "blush": "😊",
    "thumbsup": "👍", "thumbsdown": "👎", "+1": "👍", "-1": "👎",
    "tada": "🎉", "rocket": "🚀", "fire": "🔥", "eyes": "👀",
    "check_mark": "✅", "white_check_mark": "✅", "heavy_check_mark": "✔️",
    "cross_mark": "❌", "x": "❌", "plus": "➕",
    "minus": "➖", "warning": "⚠️", "info": "ℹ️",
    "information_source": "ℹ️", "question": "❓", "question_mark": "❓",
    "exclamation": "❗", "bulb": "💡", "light_bulb_on": "💡",
    "star": "⭐", "heart": "❤️", "clap": "👏", "pray": "🙏",
    "wave": "👋", "thinking": "🤔", "calendar": "📅",
    "calendar_spiral": "🗓️", "date": "📅", "dart": "🎯", "goal": "🎯",
    "bell": "🔔", "lock": "🔒", "key": "🔑", "gear": "⚙️",
    "wrench": "🔧", "tools": "🛠️", "bug": "🐛", "package": "📦",
    "memo": "📝", "pencil": "📝", "pencil2": "✏️",
    "books": "📚", "book": "📖", "link": "🔗", "busts_in_silhouette": "👥",
    "no_entry": "⛔", "stop_sign": "🛑", "construction": "🚧", "red_circle": "🔴", "green_circle": "🟢",
    "yellow_circle": "🟡", "face_exhaling": "😮‍💨",
    "partying_face": "🥳", "speech_balloon": "💬", "clock1": "🕐",
}  # fmt: skip


def emoji_of(fallback: str, emoji_id: str, short_name: str, name: str) -> str:
    """The emoji as a character; where none is known its short name between colons."""
    short = short_name.strip(":") or fallback.strip(":")
    return (
        (fallback if fallback and not fallback.isascii() else "")
        or _from_code_points(emoji_id)
        or _BY_SHORT_NAME.get(short, "")
        or _from_unicode_name(short)
        or _BY_NAME.get(name, "")
        or (f":{short or name}:" if short or name else "")
    )


def _from_code_points(emoji_id: str) -> str:
    if not _CODE_POINTS.fullmatch(emoji_id):
        return ""
    codes = [int(code, 16) for code in emoji_id.split("-")]
    return "".join(map(chr, codes)) if all(_FIRST_EMOJI <= code <= _LAST_CODE_POINT for code in codes) else ""


def _from_unicode_name(short: str) -> str:
    for name in (short.replace("_", " "), f"{short.replace('_', ' ')} face"):
        try:
            found = unicodedata.lookup(name)
        except KeyError:
            continue
        if not found.isascii():
            return found
    return ""
