"""Links that open a file at a commit and at its lines, as each hosting product writes them."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from connectors.errors import Misconfigured
from connectors.git.address import Address, is_loopback

_PLACES = frozenset(("commit", "path", "start", "end"))
# Products by what their host names have in them. {base} is https://host/owner/repository.
_PRODUCTS = (
    ("github", "{base}/blob/{commit}/{path}#L{start}-L{end}"),
    ("gitlab", "{base}/-/blob/{commit}/{path}#L{start}-{end}"),
    ("bitbucket", "{base}/src/{commit}/{path}#lines-{start}:{end}"),
    ("gitea", "{base}/src/commit/{commit}/{path}#L{start}-L{end}"),
    ("forgejo", "{base}/src/commit/{commit}/{path}#L{start}-L{end}"),
    ("codeberg", "{base}/src/commit/{commit}/{path}#L{start}-L{end}"),
)
_LOCAL = "{base}/{path}#L{start}-L{end}"


class Permalinks:
    """Makes the links of one repository. ``template`` replaces what the host would suggest.

    Raises:
        Misconfigured: The template is no https URL, or has other places than {commit}, {path}, {start} and {end}.
    """

    def __init__(self, address: Address, template: str | None = None) -> None:
        self._template = _checked(template) if template is not None else _template_of(address)

    def link(self, commit: str, path: bytes) -> str:
        """The link to a passage of a file. ``{start}`` and ``{end}`` are left in it, for the lines."""
        return self._template.replace("{commit}", commit).replace("{path}", quote(path, safe="/-._~"))

    def url(self, commit: str, path: bytes) -> str:
        """The link to the whole file."""
        link, _, _ = self.link(commit, path).partition("#")
        return link.replace("{start}", "1").replace("{end}", "1")


def _template_of(address: Address) -> str:
    if address.protocol == "file":
        return _LOCAL.replace("{base}", "file://" + quote(address.path, safe="/-._~"))
    template = next((template for name, template in _PRODUCTS if _is_named(address.host, name)), None)
    if template is None:
        return _LOCAL.replace("{base}", f"file://{address.authority}/{address.path}")
    # The port of an ssh URL is not the one that pages are served at.
    authority = address.host if address.protocol == "ssh" else address.authority
    return template.replace("{base}", f"https://{authority.removeprefix('ssh.')}/{address.path}")


def _is_named(host: str, product: str) -> bool:
    """Whether a product's name is a word of a host name: gitlab.acme.com is, notgitlab.com is not."""
    return product in re.split(r"[.-]", host.lower())


def _checked(template: str) -> str:
    scheme, host = urlsplit(template).scheme, urlsplit(template).hostname or ""
    if not (scheme == "https" and host) and not (scheme == "http" and is_loopback(host)):
        raise Misconfigured(
            "links: write an https:// address with {path} in it, and {commit}, {start}, {end} if wanted."
        )
    if "{path}" not in template or not set(re.findall(r"\{([^{}]*)\}", template)) <= _PLACES:
        raise Misconfigured("links: needs {path}, and knows {commit}, {start} and {end} besides.")
    return template
