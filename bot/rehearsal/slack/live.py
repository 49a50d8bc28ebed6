"""What of a message is alive for the people who see it: links, mentions, images, unfurls.

Where it is not documented whether something becomes live, it is taken to be: a security test must not pass by luck.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from bot.rehearsal.slack.workspace import Json, Message

Sort = Literal["link", "mention", "image"]
Found = Iterator[tuple[Sort, str]]

_ANGLE = re.compile(r"<([^<>\s][^<>]*)>")
_URL = re.compile(
    r"\b(?:https?|ftp|mailto|tel|slack|file|javascript|data):[^\s<>|)\]]+|\bwww\.[^\s<>|)\]]+", re.IGNORECASE
)
_BARE_DOMAIN = re.compile(
    r"(?<![\w@/.-])(?:[\w-]+\.)+(?:com|org|net|io|dev|app|ai|co|md|sh|de|uk|eu)\b(?:/[^\s<>|]*)?", re.IGNORECASE
)
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+")
_BROADCAST = re.compile(r"(?<![\w@])@(?:here|channel|everyone)\b", re.IGNORECASE)
_CHANNEL_NAME = re.compile(r"(?<![\w&])#([\w-]+)")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_MARKDOWN_IMAGE = re.compile(r"!\[[^\]]*\]\(\s*<?([^)\s>]+)")
_MARKDOWN_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(\s*<?([^)\s>]+)")
_MARKDOWN_REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Live:
    """What is live in one message. ``unfurls`` are the links that Slack would fetch for a preview."""

    links: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    unfurls: tuple[str, ...] = ()


def live_elements(message: Message, channel_names: Collection[str] = ()) -> Live:
    """What became live of everything in a message, in the order of reading."""
    auto = message.parse in {"client", "full"} or message.link_names
    found = [("mention", text) for sort, text in _mrkdwn(message.text, auto, channel_names) if sort == "mention"]
    if message.blocks:
        found += _in(list(message.blocks), channel_names)
    else:
        found = [*_mrkdwn(message.text, auto, channel_names), *(("link", url) for url in _bare_urls(message.text))]
    sorts = {
        sort: tuple(dict.fromkeys(text for s, text in found if s == sort)) for sort in ("link", "mention", "image")
    }
    quiet = message.unfurl_links is False and message.unfurl_media is False
    return Live(sorts["link"], sorts["mention"], sorts["image"], () if quiet else sorts["link"])


def _in(value: Any, names: Collection[str]) -> Found:
    if isinstance(value, list):
        for item in value:
            yield from _in(item, names)
    elif isinstance(value, dict):
        yield from _in_object(value, names)


def _in_object(block: Json, names: Collection[str]) -> Found:
    kind, text = block.get("type"), block.get("text")
    if kind == "mrkdwn" and isinstance(text, str):
        yield from _mrkdwn(text, not block.get("verbatim"), names)
    elif kind == "markdown" and isinstance(text, str):
        yield from _markdown(text)
    elif kind in {"user", "usergroup", "channel", "broadcast"}:
        yield "mention", str(block.get(f"{kind}_id") or block.get("range"))
    for key, value in block.items():
        if key in {"url", "image_url", "thumbnail_url", "video_url", "title_url"} and isinstance(value, str):
            yield ("link" if key in {"url", "title_url"} else "image"), value
        elif isinstance(value, dict | list):
            yield from _in(value, names)


def _mrkdwn(text: str, auto: bool, names: Collection[str]) -> Found:
    for inner in _ANGLE.findall(text):
        target = inner.partition("|")[0]
        if target[:1] in {"@", "#", "!"}:
            yield from _special(target)
        elif _URL.match(target):
            yield "link", target
    if not auto:
        return
    bare = _CODE.sub(" ", _ANGLE.sub(" ", text))
    yield from (("mention", mention) for mention in _BROADCAST.findall(bare))
    yield from (("mention", f"#{name}") for name in _CHANNEL_NAME.findall(bare) if name in names)
    yield from (("link", url) for url in _bare_urls(bare))


def _special(target: str) -> Found:
    if target.startswith("!date"):
        yield from (("link", url) for url in _URL.findall(target))
    else:
        yield "mention", target


def _bare_urls(text: str) -> list[str]:
    bare = _CODE.sub(" ", _ANGLE.sub(" ", text))
    return [*_URL.findall(bare), *_BARE_DOMAIN.findall(_URL.sub(" ", bare)), *_MAIL.findall(bare)]


def _markdown(text: str) -> Found:
    yield from _mrkdwn(text, False, ())
    shown = _CODE.sub(" ", text)
    yield from (("mention", mention) for mention in _BROADCAST.findall(shown))
    yield from (("image", url) for url in _MARKDOWN_IMAGE.findall(shown))
    yield from (("link", url) for pattern in (_MARKDOWN_LINK, _MARKDOWN_REFERENCE) for url in pattern.findall(shown))
    yield from (("link", url) for url in _URL.findall(_MARKDOWN_LINK.sub(" ", _MARKDOWN_IMAGE.sub(" ", shown))))
