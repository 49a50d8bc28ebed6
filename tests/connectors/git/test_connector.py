"""What a repository's files are to the rest of the house."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.errors import Misconfigured
from connectors.git.clone import Remote
from connectors.git.connector import GitConnector, Selection
from connectors.git.tree import Limits
from connectors.model import Document, Unreadable
from tests.fakes.git_repository import GitRepository


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    return GitRepository(tmp_path / "the handbook")


def connector_of(repository: GitRepository, *, branch: str | None = None, limits: Limits | None = None) -> GitConnector:
    data = repository.folder.parent / "data"
    return GitConnector("handbook", Remote(str(repository.folder), branch), data, limits=limits)


def paths_of(connector: GitConnector) -> list[str]:
    return [listing.document_id.removeprefix("git:handbook:") for listing in connector.manifest()]


def read(connector: GitConnector) -> dict[str, Document | Unreadable]:
    found = connector.fetch(list(connector.manifest()))
    return {(one if isinstance(one, Document) else one.listing).document_id[13:]: one for one in found}


def document(connector: GitConnector, path: str) -> Document:
    found = read(connector)[path]
    assert isinstance(found, Document)
    return found


def test_a_files_version_is_its_blob_and_its_text_is_the_file(repository: GitRepository) -> None:
    text = "---\ntitle: How we deploy\n---\n\n# Deploying\n\nRun `make ship` — twice.\n"
    repository.write("docs/deploying.md", text)
    found = document(connector_of(repository), "docs/deploying.md")
    assert found.text == text
    assert found.version == repository.git("rev-parse", "HEAD:docs/deploying.md").decode().strip()
    assert found.title == "How we deploy"
    assert found.breadcrumbs == ("docs",)
    assert found.lines is None


def test_a_local_repository_is_linked_by_its_path_and_lines(repository: GitRepository) -> None:
    repository.write("docs/a b.md", "# A\n")
    found = document(connector_of(repository), "docs/a b.md")
    assert found.link == f"file://{repository.folder}/docs/a%20b.md".replace("the handbook", "the%20handbook") + (
        "#L{start}-L{end}"
    )
    assert found.url == found.link.partition("#")[0]


def test_a_file_is_as_old_as_the_last_commit_that_touched_it(repository: GitRepository) -> None:
    repository.write("old.md", "# Old\n")
    repository.write("new.md", "# New\n")
    connector = connector_of(repository)
    assert document(connector, "old.md").updated_at == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert document(connector, "new.md").updated_at == datetime(2026, 1, 1, 0, 2, tzinfo=UTC)


def test_dates_are_found_however_the_fetches_are_cut(repository: GitRepository) -> None:
    for number in range(5):
        repository.write(f"{number}.md", "# Page\n")
    connector = connector_of(repository)
    listings = list(connector.manifest())
    dates = {}
    for listing in [*reversed(listings[2:]), *listings[:2]]:
        (found,) = connector.fetch([listing])
        assert isinstance(found, Document)
        dates[found.document_id[-4]] = found.updated_at
    assert dates == {str(number): datetime(2026, 1, 1, 0, number + 1, tzinfo=UTC) for number in range(5)}


def test_recent_names_what_later_commits_touched(repository: GitRepository) -> None:
    repository.write("old.md", "# Old\n")
    repository.write("new.md", "# New\n")
    recent = list(connector_of(repository).recent(datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)))
    assert [listing.document_id for listing in recent] == ["git:handbook:new.md"]


def test_a_rewritten_history_is_followed(repository: GitRepository) -> None:
    repository.write("a.md", "# A\n")
    connector = connector_of(repository)
    assert paths_of(connector) == ["a.md"]
    repository.git("checkout", "--quiet", "--orphan", "fresh")
    repository.git("rm", "--quiet", "-rf", ".")
    repository.write("b.md", "# B\n")
    repository.git("branch", "--force", "main", "fresh")
    repository.git("checkout", "--quiet", "main")
    assert paths_of(connector) == ["b.md"]


def test_a_renamed_default_branch_is_followed(repository: GitRepository) -> None:
    repository.write("a.md", "# A\n")
    connector = connector_of(repository)
    assert paths_of(connector) == ["a.md"]
    repository.git("branch", "--move", "main", "main/trunk")
    repository.write("b.md", "# B\n")
    assert paths_of(connector) == ["a.md", "b.md"]


def test_a_missing_branch_is_answered_with_those_that_exist(repository: GitRepository) -> None:
    repository.write("a.md", "# A\n")
    repository.git("branch", "release/2")
    with pytest.raises(Misconfigured, match=r"no branch mian\. There are: main, release/2\."):
        paths_of(connector_of(repository, branch="mian"))
    assert paths_of(connector_of(repository, branch="release/2")) == ["a.md"]


def test_a_deleted_branch_is_an_error_and_not_an_empty_source(repository: GitRepository) -> None:
    repository.write("a.md", "# A\n")
    repository.git("branch", "docs")
    connector = connector_of(repository, branch="docs")
    assert paths_of(connector) == ["a.md"]
    repository.git("branch", "--delete", "docs")
    with pytest.raises(Misconfigured, match="no branch docs"):
        paths_of(connector)


def test_an_empty_repository_is_an_error_and_not_an_empty_source(repository: GitRepository) -> None:
    with pytest.raises(Misconfigured, match="no commit yet"):
        paths_of(connector_of(repository))


def test_a_folder_without_a_repository_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    with pytest.raises(Misconfigured, match="not a git repository"):
        paths_of(GitConnector("handbook", Remote(str(tmp_path / "notes")), tmp_path / "data"))
    with pytest.raises(Misconfigured, match="there is no folder"):
        paths_of(GitConnector("handbook", Remote(str(tmp_path / "nowhere")), tmp_path / "data"))


@pytest.mark.parametrize("kind", ["bare", "worktree", "shallow", "file url", "detached"])
def test_every_kind_of_local_repository_is_read(repository: GitRepository, tmp_path: Path, kind: str) -> None:
    repository.write("before.md", "# Before\n")
    repository.write("a.md", "# A\n")
    url = place = str(tmp_path / "other place")
    if kind == "bare":
        repository.git("clone", "--quiet", "--bare", ".", place)
    elif kind == "worktree":
        repository.git("worktree", "add", "--quiet", "--detach", place)
    elif kind == "shallow":
        repository.git("clone", "--quiet", "--depth=1", f"file://{repository.folder}", place)
    else:
        url = f"file://{repository.folder}".replace(" ", "%20")
        repository.git("checkout", "--quiet", "--detach" if kind == "detached" else "main")
    assert paths_of(GitConnector("handbook", Remote(url), tmp_path / "data")) == ["a.md", "before.md"]


def test_include_and_exclude_choose_the_files(repository: GitRepository) -> None:
    names = ["docs/a.md", "docs/deep/b.rst", "docs/logo.png", "src/tool.py", "src/readme.md", "docs/private/c.md"]
    repository.write_all(dict.fromkeys(names, "text\n"))
    data = repository.folder.parent / "data"

    def chosen(include: tuple[str, ...], exclude: tuple[str, ...] = ()) -> list[str]:
        selection = Selection(include, exclude)
        return paths_of(GitConnector("handbook", Remote(str(repository.folder)), data, selection=selection))

    assert chosen(()) == ["docs/a.md", "docs/deep/b.rst", "docs/private/c.md", "src/readme.md"]
    assert chosen(("docs/**",), ("docs/private",)) == ["docs/a.md", "docs/deep/b.rst"]
    assert chosen(("*.py", "docs/*.md")) == ["docs/a.md", "src/tool.py"]


def test_what_exclude_took_away_is_gone(repository: GitRepository) -> None:
    repository.write_all({"a.md": "# A\n", "b.md": "# B\n"})
    connector = GitConnector(
        "handbook",
        Remote(str(repository.folder)),
        repository.folder.parent / "data",
        selection=Selection((), ("b.md",)),
    )
    assert connector.gone(["git:handbook:a.md", "git:handbook:b.md"]) == {"git:handbook:b.md"}


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read(repository: GitRepository) -> None:
    repository.write_all(
        {
            "big.md": "# Big\n" + "x" * 2_000,
            "binary.md": bytes(range(256)),
            "lfs.md": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            "broken.ipynb": "{",
            "good.md": "# Good\n",
        }
    )
    found = read(connector_of(repository, limits=Limits(file_bytes=1_000)))
    reasons = {path: one.reason for path, one in found.items() if isinstance(one, Unreadable)}
    assert set(reasons) == {"big.md", "binary.md", "lfs.md", "broken.ipynb"}
    assert "Git LFS" in reasons["lfs.md"]
    assert "larger than" in reasons["big.md"]


def test_fetch_reads_what_was_listed_even_when_the_branch_has_moved(repository: GitRepository) -> None:
    repository.write("a.md", "# First\n")
    connector = connector_of(repository)
    listings = list(connector.manifest())
    repository.write("a.md", "# Second\n")
    (found,) = connector.fetch(listings)
    assert isinstance(found, Document)
    assert (found.version, found.title) == (listings[0].version, "First")
