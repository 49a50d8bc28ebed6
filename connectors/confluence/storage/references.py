"""What a page may refer to, and the URLs that stand for it. Look-ups only, no network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from urllib.parse import quote, urljoin, urlsplit

_PAGE_ID = re.compile(r"(?:/pages/|[?&]pageId=)(\d+)")
_USER = re.compile(r"""ri:(?:account-id|userkey)\s*=\s*["']([^"'<>]{1,200})["']""")
_PAGE = re.compile(r"<ri:(?:page|blog-post)\s[^<>]*")
_SPACE_KEY = re.compile(r"""ri:space-key\s*=\s*["']([^"'<>]{1,255})["']""")
_TITLE = re.compile(r"""ri:content-title\s*=\s*(?:"([^"<>]{1,2000})"|'([^'<>]{1,2000})')""")
_FORBIDDEN = frozenset({"javascript", "vbscript", "data", "blob", "about", "filesystem", "view-source"})
_WITHOUT_SLASHES = frozenset({"mailto", "tel", "sms"})
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0]+")


@dataclass(frozen=True, slots=True)
class References:
    """What the converter may look up: plain data, so that it can cross into the jail.

    ``pages`` maps (space key, title) to a URL, ``users`` an account id or user key to a display name, ``spaces``
    a key to a name. ``page_url`` is where the page itself can be opened; relative links start at ``base_url``.
    """

    base_url: str
    page_url: str
    space_key: str
    pages: Mapping[tuple[str, str], str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    jira_url: str | None = None
    spaces: Mapping[str, str] = field(default_factory=dict)

    def page(self, space_key: str, title: str) -> str | None:
        """The URL of a page by its title, of this very page for ``@self``."""
        if title == "@self":
            return self.page_url
        return self.pages.get((space_key or self.space_key, title))

    def space(self, key: str) -> str:
        """The URL of a space."""
        return f"{self.base_url.rstrip('/')}/spaces/{quote(key, safe='~')}"

    def content(self, content_id: str) -> str:
        """The URL of a page whose id alone is known."""
        return f"{self.base_url.rstrip('/')}/pages/viewpage.action?pageId={quote(content_id, safe='')}"

    def attachment(self, file_name: str, page_url: str | None = None) -> str | None:
        """The URL of a file attached to a page, None when the page's id cannot be told from its URL."""
        found = _PAGE_ID.search(page_url or self.page_url)
        if found is None:
            return None
        return f"{self.base_url.rstrip('/')}/download/attachments/{found.group(1)}/{quote(file_name, safe='')}"

    def absolute(self, raw: str) -> str | None:
        """The URL with everything in it that a page may leave out, None when nobody should be led there."""
        url = _UNSAFE.sub(lambda found: "%20" if found.group().strip("\t\r\n") else "", raw.strip())
        try:
            scheme = urlsplit(_UNSAFE.sub("", raw)).scheme.lower()
            if scheme in _FORBIDDEN or (scheme and "://" not in url and scheme not in _WITHOUT_SLASHES):
                return None
            return urljoin(self.page_url if url.startswith("#") else self.base_url.rstrip("/") + "/", url) or None
        except ValueError:
            return None

    def needed_by(self, storage: str) -> References:
        """The same look-ups with only what this page mentions: small enough to be sent with it."""
        pages = {key: url for key in _pages_in(storage, self.space_key) if (url := self.pages.get(key)) is not None}
        users = {user: name for user in user_ids_in(storage) if (name := self.users.get(user)) is not None}
        keys = {unescape(key) for key in _SPACE_KEY.findall(storage)}
        spaces = {key: name for key in keys if (name := self.spaces.get(key)) is not None}
        return replace(self, pages=pages, users=users, spaces=spaces)


def anchor_of(heading: str) -> str:
    """The fragment under which Confluence Cloud opens a heading. Not percent-encoded."""
    return "-".join(heading.split())


def user_ids_in(storage: str) -> frozenset[str]:
    """Every account id and user key that a page mentions, so that their names can be looked up in bulk."""
    return frozenset(unescape(user) for user in _USER.findall(storage))


def _pages_in(storage: str, space_key: str) -> set[tuple[str, str]]:
    found = set()
    for tag in _PAGE.findall(storage):
        title, space = _TITLE.search(tag), _SPACE_KEY.search(tag)
        if title is not None:
            found.add((unescape(space.group(1)) if space else space_key, unescape(title.group(1) or title.group(2))))
    return found
