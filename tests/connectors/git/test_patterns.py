"""Which paths include and exclude mean."""

from __future__ import annotations

import pytest

from connectors.errors import Misconfigured
from connectors.git.patterns import patterns_of


@pytest.mark.parametrize(
    ("pattern", "covered", "not_covered"),
    [
        ("docs/**", ["docs/a.md", "docs/b/c.md"], ["a.md", "x/docs/a.md", "docs2/a.md"]),
        ("docs/", ["docs/a.md", "x/docs/a.md"], ["docs", "mydocs/a.md"]),
        ("docs", ["docs", "docs/a.md", "x/docs/y/a.md"], ["docs.md"]),
        ("/docs", ["docs/a.md"], ["x/docs/a.md"]),
        ("*.md", ["a.md", "x/y/a.md"], ["a.mdx", "a.md.txt"]),
        ("**/*.md", ["a.md", "x/y/a.md"], ["a.txt"]),
        ("docs/*.md", ["docs/a.md"], ["docs/x/a.md"]),
        ("docs/**/api/*", ["docs/api/a", "docs/x/y/api/a"], ["docs/api"]),
        ("**/drafts/**", ["drafts/a", "x/drafts/y/a"], ["draft/a"]),
        ("*.{md,mdx}", ["a.md", "a.mdx"], ["a.m"]),
        ("v[0-9]?.md", ["v1a.md"], ["v1.md", "vx1.md"]),
        ("[!a].md", ["b.md"], ["a.md"]),
        ("a+b(c).md", ["a+b(c).md"], ["aab(c).md"]),
        ("./docs/a.md", ["docs/a.md"], ["a.md"]),
    ],
)
def test_patterns_are_those_of_gitignore(pattern: str, covered: list[str], not_covered: list[str]) -> None:
    (made,) = patterns_of([pattern])
    assert [path for path in covered + not_covered if made.covers(path)] == covered


def test_only_a_pattern_that_names_a_kind_of_file_wants_every_format() -> None:
    named = {
        text: patterns_of([text])[0].names("src/tool.py") for text in ("*.py", "src/*", "src/**", "src", "src/tool.py")
    }
    assert named == {"*.py": True, "src/*": False, "src/**": False, "src": False, "src/tool.py": True}


@pytest.mark.parametrize("pattern", ["", "/", "!docs", "  ", "[b-a].md"])
def test_a_pattern_that_means_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(Misconfigured, match="include or exclude"):
        patterns_of([pattern])
