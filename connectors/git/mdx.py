"""MDX as Markdown: the program parts are taken out of their lines, and every line stays where it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

MAX_CHARACTERS = 1_000_000
MAX_COMMENTS = 2_000
"""A text that is longer or has more comments is left as it is: looking through it would take too long."""
_MAX_STATEMENT_LINES = 500

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})(.*)")
_STATEMENT = re.compile(
    r"import\s*(?:[\"']|\{|\*|[\w$]+\s*,|[\w$]+\s+from\b)|import\s*$"
    r"|export\s+(?:default|const|let|var|function|async|class|\{|\*|type|interface)"
)
_STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.)*+'|`(?:[^`\\]|\\.)*+`")
# What a tag may hold, bounded so that one that is never closed costs little. {2} is as deep as braces may nest.
_BRACES = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]{0,300}+\}){0,300}+\}){0,500}+\}"
_TOKEN = re.compile(
    r"(?P<code>(?<!`)(?P<ticks>`{1,3})(?!`)(?:(?!\n[ \t]*\n)[^`]|(?!(?P=ticks)(?!`))`){1,500}(?P=ticks)(?!`))"
    r"|(?P<comment>\{/\*.{0,5000}?\*/\}|<!--.{0,5000}?-->)"
    r"|(?P<tag></?(?:[A-Za-z][\w.-]*+(?=[\s/>])|(?=>))"
    rf"(?:[^<>\"'{{}}`]|\"[^\"]{{0,500}}+\"|'[^']{{0,500}}+'|{_BRACES}){{0,300}}+>)",
    re.DOTALL,
)
_SHOWN = re.compile(r"\b(?:title|label|summary|question|header)=(?:\"([^\"]*)\"|'([^']*)')")


def without_jsx(text: str) -> str:
    """The text without imports, exports, comments and tags. What is between tags stays, and so does a tag's title."""
    if len(text) > MAX_CHARACTERS or text.count("{/*") + text.count("<!--") > MAX_COMMENTS:
        return text
    stretches = groupby(_marked(text.split("\n")), key=lambda line: line[0])
    return "\n".join(
        "\n".join(lines) if is_literal else _stripped("\n".join(_without_statements(lines)))
        for is_literal, lines in ((mark, [line for _, line in group]) for mark, group in stretches)
    )


def _marked(lines: list[str]) -> Iterator[tuple[bool, str]]:
    """Each line, and whether it is to be left alone: front matter and fenced code."""
    fence = ""
    end_of_front = lines.index("---", 1) if lines[0] == "---" and "---" in lines[1:] else -1
    for number, line in enumerate(lines):
        if number <= end_of_front:
            yield True, line
            continue
        mark = _FENCE.fullmatch(line)
        if fence:
            if mark is not None and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
            yield True, line
            continue
        if mark is not None and not (mark[1][0] == "`" and "`" in mark[2]):
            fence = mark[1]
        yield bool(fence), line


def _without_statements(lines: list[str]) -> list[str]:
    """Imports and exports blanked. One ends when its brackets close, and starts after a blank line or another one."""
    kept, depth, statement_lines, may_start = [], 0, 0, True
    for line in lines:
        if depth <= 0 and not (may_start and _STATEMENT.match(line)):
            kept.append(line)
            may_start = not line.strip()
            continue
        statement_lines = statement_lines + 1 if depth > 0 else 1
        depth = max(0, depth) + _opened(line)
        if statement_lines > _MAX_STATEMENT_LINES:
            depth = 0
        kept.append("")
        may_start = True
    return kept


def _opened(line: str) -> int:
    """How many more brackets a line opens than it closes."""
    bare = _STRING.sub("", line).split("//")[0]
    return sum(bare.count(c) for c in "([{") - sum(bare.count(c) for c in ")]}")


def _stripped(text: str) -> str:
    """Tags and comments out; a line that had nothing else becomes empty."""
    before = text.split("\n")
    after = _TOKEN.sub(_left_of, text).split("\n")
    return "\n".join(new if new == old else new.rstrip() for old, new in zip(before, after, strict=True))


def _left_of(token: re.Match[str]) -> str:
    if token["code"] is not None:
        return token[0]
    breaks = "\n" * token[0].count("\n")
    if token["tag"] is None:
        return breaks
    if re.match(r"</?(?:br|hr)\b", token[0]):
        return " " + breaks
    title = _SHOWN.search(token[0])
    if title is None:
        return breaks
    words = " ".join((title[1] or title[2] or "").split())
    ahead = token.string[token.end() : token.end() + 1]
    above = "\n" * token[0][: title.start()].count("\n")
    below = "\n" * (len(breaks) - len(above))
    return f"{above}{words}{': ' if words and not below and ahead.strip() else ''}{below}"
