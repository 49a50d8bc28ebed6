"""Where a repository is: a URL or a path that was looked at before git may see it."""

from __future__ import annotations

import ipaddress
import re
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, quote, unquote, urlsplit

from connectors.errors import Misconfigured

Protocol = Literal["https", "http", "ssh", "file"]

_SCP = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^/:\[\]]+):(?P<path>.+)", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_ALLOWED = "Allowed are https://…, ssh://…, git@host:path, file://… and a local path."


@dataclass(frozen=True, slots=True)
class Address:
    """A repository's place. ``url`` is what git is given; it carries no password and, over https, no user."""

    url: str
    protocol: Protocol
    host: str = ""
    port: int | None = None
    path: str = ""
    """On a host without slashes around it and without ``.git``; a local one is absolute."""
    username: str | None = None

    @property
    def authority(self) -> str:
        """Host and port, as a URL writes them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def address_of(url: str) -> Address:
    """The address that a URL or a path means.

    Raises:
        Misconfigured: It is of a kind that git is not let near, or it carries a secret.
    """
    if not url.strip() or any(ord(c) < ord(" ") or ord(c) == 127 for c in url):  # noqa: PLR2004  # DEL
        raise Misconfigured(f"The repository URL is empty or has control characters in it. {_ALLOWED}")
    if url.startswith("-"):
        raise Misconfigured(f"A repository URL may not start with a dash. {_ALLOWED}")
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):(//|:)", url)
    if scheme is None:
        return _scp_address(url) or _local_address(url)
    if scheme[2] == ":":
        raise Misconfigured(f"Remote helpers such as {scheme[1]}:: are never run. {_ALLOWED}")
    return _url_address(url, scheme[1].lower())


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _url_address(url: str, scheme: str) -> Address:
    parts = _split(url)
    if scheme == "file":
        if parts.hostname not in (None, "localhost"):
            raise Misconfigured("A file:// URL names a path on this machine: write file:///path/to/repository.")
        return _local_address(unquote(url.split("://", 1)[1].removeprefix("localhost")))
    if scheme not in ("https", "http", "ssh"):
        raise Misconfigured(f"{scheme}:// is not a way to fetch a repository here. {_ALLOWED}")
    host = _checked_host(parts.hostname or "")
    if scheme == "http" and not is_loopback(host):
        raise Misconfigured(f"http://{host} would send everything unencrypted. Use https:// or ssh://.")
    if parts.query or parts.fragment:
        raise Misconfigured("A repository URL has no ? and no # in it: take off what follows.")
    return _remote_address(parts, scheme, host)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Misconfigured(f"The repository URL cannot be read. {_ALLOWED}") from error
    if parts.password is not None:
        raise Misconfigured(
            "The repository URL carries a password. Take it out, and name the environment variable that holds it: "
            "auth: {kind: token, token_env: …}."
        )
    return parts


def _remote_address(parts: SplitResult, scheme: str, host: str) -> Address:
    if not parts.path.strip("/"):
        raise Misconfigured(f"The repository URL names the host {host} but no repository on it.")
    username = parts.username
    if username is not None and _USER.fullmatch(unquote(username)) is None:
        raise Misconfigured("The user name in the repository URL has characters in it that no user name needs.")
    bare = Address("", "https", host, parts.port).authority
    if scheme == "ssh":
        prefix = f"{username}@" if username else ""
        return Address(f"ssh://{prefix}{bare}{parts.path}", "ssh", host, parts.port, _trimmed(parts.path), username)
    protocol: Protocol = "https" if scheme == "https" else "http"
    return Address(f"{scheme}://{bare}{parts.path}", protocol, host, parts.port, _trimmed(parts.path), username)


def _scp_address(url: str) -> Address | None:
    match = _SCP.fullmatch(url)
    if match is None or (len(match["host"]) == 1 and match["host"] in string.ascii_letters):
        return None
    user, path = match["user"], match["path"]
    if (user is not None and _USER.fullmatch(user) is None) or path.startswith("-"):
        raise Misconfigured(f"The user or the path in the repository URL is not a plain name. {_ALLOWED}")
    host = _checked_host(match["host"].strip("[]"))
    return Address(url, "ssh", host, None, _trimmed(path), user)


def _local_address(text: str) -> Address:
    path = Path(text).absolute()
    return Address(str(path), "file", path=str(path))


def _checked_host(host: str) -> str:
    if _HOST.fullmatch(host) is None:
        raise Misconfigured(f"The repository URL has no host name that could be one. {_ALLOWED}")
    return host


def _trimmed(path: str) -> str:
    return quote(unquote(path).strip("/").removeprefix("~/").removesuffix(".git").rstrip("/"))
