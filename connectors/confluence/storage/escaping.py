"""Keeps words that look like Markdown from becoming Markdown, and leaves all others as they are."""

from __future__ import annotations

import re

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#?\w{1,31};)")
_BACKSLASH = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
_STAR = re.compile(r"(?<=\S)\*|\*(?=\S)")
_STAR_OPENS, _STAR_CLOSES = re.compile(r"\*(?=[^\s*])"), re.compile(r"(?<=[^\s*])\*")
_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_EDGE_OPENS, _EDGE_CLOSES = re.compile(r"(?<![^\W_])_(?=[^\s_])"), re.compile(r"(?<=[^\s_])_(?![^\W_])")
_LINE_START = re.compile(r"#{1,6}(?:\s|$)|>|[*+](?:\s|$)|~~~|```|\[[^\]]*\]:")
_RULERS = (set("-"), set("="), set("_"), set("*"))
_TRAILING_HASHES = re.compile(r"(?<=\s)(#+)$")
_URL_UNSAFE = str.maketrans(
    {" ": "%20", "<": "%3C", ">": "%3E", "\\": "%5C", "|": "%7C", "`": "%60", '"': "%22", "\n": "", "\r": "", "\t": ""}
)
_MARKER = re.compile(r"(?<!\\)[*~]")
_BACKTICKS = re.compile(r"`+")


def words(text: str) -> str:
    """Text within a line: only what would start a link, a tag, an entity, a code span or emphasis is escaped."""
    text = _BACKSLASH.sub(r"\\\\", text)
    text = _TAG.sub(r"\\<", text)
    text = _ENTITY.sub(r"\\&", text)
    text = text.replace("](", "]\\(").replace("![", "!\\[")
    if _is_paired(text, _STAR_OPENS, _STAR_CLOSES):
        text = _STAR.sub(r"\\*", text)
    if _is_paired(text, _EDGE_OPENS, _EDGE_CLOSES):
        text = _EDGE.sub(r"\\_", text)
    if text.count("~~") > 1:
        text = text.replace("~~", "\\~\\~")
    if text.count("`") > 1:
        text = text.replace("`", "\\`")
    return text


def markers(text: str) -> str:
    """Escaped words within emphasis, whose own stars and tildes would run into its markers."""
    return _MARKER.sub(r"\\\g<0>", text)


def line_start(line: str) -> str:
    """A line of words whose beginning would make it a heading, a quote, a rule, a fence or a definition."""
    used = set(line)
    is_ruler = used - {" "} in _RULERS or ("-" in used and used <= set(" |:-"))
    return "\\" + line if line and (is_ruler or _LINE_START.match(line)) else line


def heading_end(line: str) -> str:
    """A heading whose last ``#`` would be taken for its closing."""
    return _TRAILING_HASHES.sub(r"\\\1", line)


def code_span(text: str) -> str:
    """Verbatim words on one line, between more backticks than stand in them."""
    text = " ".join(text.split("\n"))
    ticks = "`" * (max(map(len, _BACKTICKS.findall(text)), default=0) + 1)
    if ticks == "`" and not (text.startswith(" ") and text.endswith(" ")):
        return f"`{text}`"
    return f"{ticks} {text} {ticks}"


def fence_for(text: str) -> str:
    """A line of at least three backticks, longer than any within the text."""
    return "`" * max(3, max(map(len, _BACKTICKS.findall(text)), default=0) + 1)


def url(address: str) -> str:
    """A URL that can stand between parentheses."""
    address = address.translate(_URL_UNSAFE)
    if address.count("(") != address.count(")"):
        address = address.replace("(", "%28").replace(")", "%29")
    return address


def file_name(name: str) -> str:
    """A file name or URL as the target of a picture."""
    return url(name) if "://" in name or not re.search(r"[\s()]", name) else f"<{re.sub(r'[<>]', '', name)}>"


def _is_paired(text: str, opens: re.Pattern[str], closes: re.Pattern[str]) -> bool:
    first = opens.search(text)
    return first is not None and closes.search(text, first.end() + 1) is not None
