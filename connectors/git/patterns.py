"""Which paths are meant: patterns as in .gitignore, without negation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from connectors.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern for paths.

    A pattern with a slash before its end starts at the top folder, another one matches at any depth. ``*`` and ``?``
    stop at a slash, ``**`` does not, ``[ab]`` is one of these, ``{md,mdx}`` is either. What a pattern says of a folder
    holds for everything in it.
    """

    text: str
    inside: re.Pattern[str]
    exact: re.Pattern[str]
    names_files: bool
    """It names files themselves (``*.py``, ``Makefile``), so the files it matches are wanted whatever their format."""

    def covers(self, path: str) -> bool:
        """Whether a path matches, or is in a folder that does."""
        return self.inside.fullmatch(path) is not None

    def names(self, path: str) -> bool:
        """Whether the pattern's last part was written for this very file."""
        return self.names_files and self.exact.fullmatch(path) is not None


def patterns_of(texts: Iterable[str]) -> tuple[Pattern, ...]:
    """The patterns, ready to match.

    Raises:
        Misconfigured: One of them is empty, negated or not closed.
    """
    return tuple(_pattern_of(text) for text in texts)


def _pattern_of(text: str) -> Pattern:
    body = text.strip().removeprefix("./")
    if not body.strip("/") or body.startswith("!"):
        raise Misconfigured(
            f'include or exclude: "{text}" names nothing. Write a path such as docs/** or *.md, without "!".'
        )
    anchored = "/" in body.rstrip("/")
    is_folder = body.endswith("/")
    alternatives = [_regex_of(each) for each in _expanded(body.strip("/"))]
    found = f"{'' if anchored else '(?:.*/)?'}(?:{'|'.join(alternatives)})"
    last = body.strip("/").rsplit("/", 1)[-1]
    try:
        return Pattern(
            text,
            re.compile(f"{found}/.*" if is_folder else f"{found}(?:/.*)?", re.DOTALL),
            re.compile(found, re.DOTALL),
            not is_folder and re.sub(r"[*?]", "", last) != "",
        )
    except re.error as error:
        raise Misconfigured(f'include or exclude: "{text}" is not a pattern. A "[" needs its "]".') from error


def _expanded(body: str) -> list[str]:
    """``a.{md,mdx}`` as its two meanings."""
    match = re.search(r"\{([^{}]*,[^{}]*)\}", body)
    if match is None:
        return [body]
    return [
        whole
        for choice in match[1].split(",")
        for whole in _expanded(body[: match.start()] + choice + body[match.end() :])
    ]


_TOKENS = re.compile(
    r"(?P<any_folders>(?:^|(?<=/))\*\*/)|(?P<rest>\*\*+)|(?P<star>\*)|(?P<one>\?)|(?P<set>\[[!^]?\]?[^\]]*\])"
)


def _regex_of(body: str) -> str:
    parts, end = [], 0
    for token in _TOKENS.finditer(body):
        parts += [re.escape(body[end : token.start()]), _meaning_of(token)]
        end = token.end()
    return "".join([*parts, re.escape(body[end:])])


def _meaning_of(token: re.Match[str]) -> str:
    if token.lastgroup == "set":
        inner = re.sub(r"([\\\[&~|])", r"\\\1", token[0][1:-1])
        return f"(?!/)[{'^' + inner[1:] if inner.startswith('!') else inner}]"
    return {"any_folders": "(?:.*/)?", "rest": ".*", "star": "[^/]*", "one": "[^/]"}[str(token.lastgroup)]
