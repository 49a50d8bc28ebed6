"""The title that a Markdown text gives itself: in its front matter, or as its first heading."""

from __future__ import annotations

import html
import re

import yaml

from connectors.git.files import shown

_FRONT_MATTER = re.compile(
    r"(?P<fence>---|\+\+\+)[ \t]*\n(?P<body>.{0,65536}?)^(?P=fence)[ \t]*$", re.DOTALL | re.MULTILINE
)
_TITLE = re.compile(r"^title[ \t]*[:=](?P<value>.*(?:\n[ \t]+.*){0,5})", re.MULTILINE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_ATX = re.compile(r" {0,3}#{1,6}(?:[ \t]+(?P<text>.*?))?(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*")
_NOT_A_PARAGRAPH = re.compile(r" {0,3}(?:[-*+>|]|\d+[.)][ \t])|\t| {4}|[ \t]*$|[ \t]*:::|[ \t]*<")
_MAX_TITLE = 200


def title_of(text: str) -> str | None:
    """The title, as plain words; ``None`` where the text has none."""
    front = _FRONT_MATTER.match(text)
    if front is not None:
        title = _front_title(front["body"])
        if title:
            return title
    return _first_heading(text[front.end() :] if front else text)


def plain_words(markdown: str) -> str:
    """A line of Markdown without its marks: links as their words, no pictures, no tags."""
    words = re.sub(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])", "", markdown)
    words = re.sub(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", words)
    words = re.sub(r"<!--.*?-->|</?[A-Za-z][^<>]*>", "", words)
    words = re.sub(r"[ \t]*\{(?:/\*.*?\*/|[#.:][^{}]*)\}[ \t]*$", "", words)
    words = re.sub(r"(\*\*|__|``?|~~)(?=\S)(.+?)(?<=\S)\1", r"\2", words)
    words = re.sub(r"(?<!\w)([*_])(?=\S)(.+?)(?<=\S)\1(?!\w)", r"\2", words)
    return shown(html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", words)))[:_MAX_TITLE].strip()


def _front_title(front_matter: str) -> str | None:
    found = _TITLE.search(front_matter)
    if found is None:
        return None
    try:
        value = yaml.safe_load(f"title: {found['value'].strip()[:1000]}")["title"]
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, KeyError):
        value = found["value"].split("\n", 1)[0]
    return shown(str(value))[:_MAX_TITLE] if isinstance(value, str | int | float) else None


def _first_heading(text: str) -> str | None:
    fence, before = "", ""
    for line in text[:200_000].split("\n"):
        if fence:
            fence = "" if _closes(line, fence) else fence
            continue
        opening = _FENCE.fullmatch(line)
        if opening is not None and not (opening[1].startswith("`") and "`" in opening[2]):
            fence, before = opening[1], ""
            continue
        heading = _heading_at(line[:1000], before)
        if heading:
            return heading
        before = "" if _NOT_A_PARAGRAPH.match(line) else line[:1000]
    return None


def _heading_at(line: str, before: str) -> str:
    atx = _ATX.fullmatch(line)
    if atx is not None:
        return plain_words(atx["text"] or "")
    return plain_words(before) if before and _UNDERLINE.fullmatch(line) else ""


def _closes(line: str, fence: str) -> bool:
    mark = line.strip()
    return len(mark) >= len(fence) and set(mark) == {fence[0]} and not line.startswith("    ")
