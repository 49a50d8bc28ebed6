"""The numbered sources under an answer: what each is called, where it stands, how old it is, and what opens it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from bot.answering.model import Citation, Nearest
from bot.slack.literal import literal
from bot.slack.rich_text import Element, link, section, words

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_LONGEST_URL = 3_000
_LONGEST_TITLE = 150
_DAYS = ((1, "today"), (2, "yesterday"))


def safe_link(url: str) -> str | None:
    """The address, if it may be opened from Slack: https, or http on this machine; nobody's name or password in it."""
    if len(url) > _LONGEST_URL or any(sign.isspace() or sign in '<>|"`\\' or not sign.isprintable() for sign in url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if host is None or parts.username is not None or parts.password is not None:
        return None
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    return url if is_safe else None


def links_of(citations: Sequence[Citation]) -> dict[int, str]:
    """What each [n] opens, for those that may be opened."""
    return {citation.n: url for citation in citations if (url := safe_link(citation.url)) is not None}


def source_elements(citations: Sequence[Citation], now: datetime) -> list[Element]:
    """One line a source, under a heading."""
    return [section(words("Sources", bold=True))] + [_line(citation, now) for citation in citations]


def nearest_elements(nearest: Sequence[Nearest]) -> list[Element]:
    """The pages that came close, under a heading."""
    lines = [section(words("• "), *_titled(page)) for page in nearest]
    return [section(words("Closest pages", bold=True)), *lines]


def age_of(moment: datetime, now: datetime) -> str:
    """How many days, months or years ago something was, in words; its date where that is in the future."""
    if moment - now >= timedelta(days=1):
        return f"{moment:%Y-%m-%d}"
    days = max(0, (now - moment).days)  # Another machine's clock may be a little ahead.
    for limit, word in _DAYS:
        if days < limit:
            return word
    for length, unit in ((365, "year"), (30, "month"), (1, "day")):
        if days >= 2 * length or (length == 1):
            return f"{days // length} {unit}{'s' if days // length > 1 else ''} ago"
    raise AssertionError("a day is the last unit")


def _line(citation: Citation, now: datetime) -> Element:
    where = " › ".join(citation.headings)
    age = f"updated {age_of(citation.updated_at, now)}" if citation.updated_at is not None else ""
    beside = " · ".join(part for part in (where, age) if part)
    tail = [words(f" — {beside}")] if beside else []
    return section(words(f"{citation.n}. "), *_titled(citation), *tail)


def _titled(page: Citation | Nearest) -> list[Element]:
    """A title that opens its page, or a title and a path where nothing may be opened."""
    shown = _short(" ".join(literal(page.title).split()) or "Untitled")
    address = safe_link(page.url)
    if address is not None:
        return [link(shown, address)]
    path = _path_of(page)
    return [words(shown), *([words(f" ({path})")] if path else [])]


def _path_of(page: Citation | Nearest) -> str:
    """A file's path inside its repository, with its lines. Where the server keeps the repository is its own matter."""
    if not page.url.startswith("file:"):
        return ""
    path, lines = page.document_id.split(":", 2)[-1], page.url.partition("#")[2]
    return _short(f"{path}#{lines}" if lines else path)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TITLE else text[: _LONGEST_TITLE - 1] + "…"
