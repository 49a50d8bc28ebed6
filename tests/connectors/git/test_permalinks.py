"""Where a passage opens on each hosting product."""

from __future__ import annotations

import pytest

from connectors.errors import Misconfigured
from connectors.git.address import address_of
from connectors.git.permalinks import Permalinks


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://github.com/o/r.git", "https://github.com/o/r/blob/c0ffee/a%20b.md#L{start}-L{end}"),
        ("git@github.com:o/r.git", "https://github.com/o/r/blob/c0ffee/a%20b.md#L{start}-L{end}"),
        ("ssh://git@ssh.github.com:443/o/r.git", "https://github.com/o/r/blob/c0ffee/a%20b.md#L{start}-L{end}"),
        ("https://me@github.acme.test/o/r", "https://github.acme.test/o/r/blob/c0ffee/a%20b.md#L{start}-L{end}"),
        ("https://gitlab.com/g/s/r.git", "https://gitlab.com/g/s/r/-/blob/c0ffee/a%20b.md#L{start}-{end}"),
        ("ssh://git@gitlab.acme.test:2222/g/r", "https://gitlab.acme.test/g/r/-/blob/c0ffee/a%20b.md#L{start}-{end}"),
        (
            "https://gitlab.acme.test:8443/g/r",
            "https://gitlab.acme.test:8443/g/r/-/blob/c0ffee/a%20b.md#L{start}-{end}",
        ),
        ("https://bitbucket.org/o/r", "https://bitbucket.org/o/r/src/c0ffee/a%20b.md#lines-{start}:{end}"),
        ("https://codeberg.org/o/r", "https://codeberg.org/o/r/src/commit/c0ffee/a%20b.md#L{start}-L{end}"),
        ("https://gitea.acme.test/o/r", "https://gitea.acme.test/o/r/src/commit/c0ffee/a%20b.md#L{start}-L{end}"),
        ("https://git.acme.test/o/r", "file://git.acme.test/o/r/a%20b.md#L{start}-L{end}"),
        ("https://notgithub.com/o/r", "file://notgithub.com/o/r/a%20b.md#L{start}-L{end}"),
        ("/srv/my docs", "file:///srv/my%20docs/a%20b.md#L{start}-L{end}"),
    ],
)
def test_each_product_has_its_own_links(url: str, link: str) -> None:
    links = Permalinks(address_of(url))
    assert links.link("c0ffee", b"a b.md") == link
    assert links.url("c0ffee", b"a b.md") == link.partition("#")[0]


def test_a_template_overrides_the_host() -> None:
    links = Permalinks(address_of("https://github.com/o/r"), "https://docs.test/{path}?at={commit}&line={start}#l{end}")
    assert links.link("c0ffee", "é/{end}#?.md".encode()) == (
        "https://docs.test/%C3%A9/%7Bend%7D%23%3F.md?at=c0ffee&line={start}#l{end}"
    )
    assert links.url("c0ffee", b"a.md") == "https://docs.test/a.md?at=c0ffee&line=1"


@pytest.mark.parametrize(
    "template",
    ["javascript:{path}", "http://docs.test/{path}", "https://docs.test/", "https://docs.test/{path}/{x}", "{path}"],
)
def test_a_template_that_is_no_safe_link_is_refused(template: str) -> None:
    with pytest.raises(Misconfigured, match="links:"):
        Permalinks(address_of("/srv/x"), template)
