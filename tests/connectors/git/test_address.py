"""Which URLs and paths git may see."""

from __future__ import annotations

import json

import pytest

from connectors.errors import Misconfigured
from connectors.git.address import address_of
from tests.fakes.reference_data import reference_path


@pytest.mark.parametrize(
    "url",
    [
        "", " ", "ext::sh -c touch% /tmp/pwned", "EXT::sh -c id", "testgit::x", "-u touch /tmp/x", "--upload-pack=id",
        "git://host/x", "ftp://host/x", "svn+ssh://x", "http://git.corp.test/x", "https:///git.corp.test/x", "https://host",
        "https://git.corp.test/x\n--upload-pack=id", "ssh://-oProxyCommand=touch%20/tmp/x/y", "git@-oProxyCommand=id:x",
        "https://user:secret@host/x", "https://:secret@host/x", "https://a b@host/x", "file://other/x", "https://host:x/y",
        "https://host/x?y", "https://host/x#y", "ssh://-x@host/y", "-x@host:y", "host:-x", "\0", "https://[::1/x",
        "https://ho%00st/x",
    ],
)  # fmt: skip
def test_what_is_no_plain_repository_is_refused_without_showing_secrets(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        address_of(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "given", "protocol", "host", "path"),
    [
        ("https://github.com/acme/docs.git", "https://github.com/acme/docs.git", "https", "github.com", "acme/docs"),
        ("https://bob@git.test:8443/acme/docs/", "https://git.test:8443/acme/docs/", "https", "git.test", "acme/docs"),
        ("ssh://git@git.test:2222/acme/docs", "ssh://git@git.test:2222/acme/docs", "ssh", "git.test", "acme/docs"),
        ("git@github.com:acme/docs.git", "git@github.com:acme/docs.git", "ssh", "github.com", "acme/docs"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x", "http", "127.0.0.1", "x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x", "http", "::1", "x"),
        ("/srv/my docs", "/srv/my docs", "file", "", "/srv/my docs"),
        ("file:///srv/my%20docs", "/srv/my docs", "file", "", "/srv/my docs"),
    ],
)
def test_a_repositorys_place_is_understood(url: str, given: str, protocol: str, host: str, path: str) -> None:
    address = address_of(url)
    assert (address.url, address.protocol, address.host, address.path) == (given, protocol, host, path)


def test_the_collected_urls_are_refused_or_of_a_kind_that_is_allowed() -> None:
    for line in reference_path("security/own/git_urls.txt").read_text().splitlines():
        url = json.loads(line) if line.startswith('"') else line
        try:
            address = address_of(url)
        except Misconfigured:
            continue
        assert address.protocol in ("https", "file"), url
        assert not address.url.startswith("-")
