"""Repositories that were made to do harm: each is read as far as it is harmless, or refused with a reason."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from connectors.errors import Misconfigured
from connectors.git.clone import Remote
from connectors.git.connector import GitConnector
from connectors.git.tree import Limits
from connectors.model import Document, Unreadable
from tests.fakes.git_repository import GitRepository

TRAPS = (
    *("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.alternateRefsCommand", "core.gitProxy"),
    *("uploadpack.packObjectsHook", "filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv", "gpg.program"),
    *("credential.helper", "remote.origin.uploadpack", "gc.recentObjectsHook"),
)
"""Settings that name a program."""


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    return GitRepository(tmp_path / "served")


def connector_of(repository: GitRepository, limits: Limits | None = None) -> GitConnector:
    return GitConnector("h", Remote(str(repository.folder)), repository.folder.parent / "data", limits=limits)


def read(connector: GitConnector) -> dict[str, Document | Unreadable]:
    found = connector.fetch(list(connector.manifest()))
    return {(one if isinstance(one, Document) else one.listing).document_id[6:]: one for one in found}


def test_symbolic_links_and_submodules_are_not_followed(repository: GitRepository) -> None:
    (repository.folder / "leak.md").symlink_to("/etc/hostname")
    (repository.folder / "folder").symlink_to("/etc")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    modules = '[submodule "module"]\n\tpath = module\n\turl = ext::touch pwned\n'
    repository.write_all({"good.md": "# Good\n", ".gitmodules.txt": modules})
    assert set(read(connector_of(repository))) == {"good.md", ".gitmodules.txt"}


def test_a_served_repositorys_configuration_and_hooks_run_nothing(repository: GitRepository, tmp_path: Path) -> None:
    repository.write_all({"a.md": "# A\n", ".gitattributes": "*.md filter=evil diff=evil export-subst\n"})
    pwned = tmp_path / "pwned"
    trap = tmp_path / "trap"
    trap.write_text(f'#!/bin/sh\ntouch "{pwned}"\nexec "$@"\n')
    trap.chmod(0o755)
    for name in TRAPS:
        repository.git("config", name, str(trap))
    repository.git("config", "core.hooksPath", str(tmp_path / "hooks"))
    (tmp_path / "hooks").mkdir()
    for hook in ("post-checkout", "pre-auto-gc", "reference-transaction", "post-index-change", "fsmonitor-watchman"):
        (tmp_path / "hooks" / hook).symlink_to(trap)
    assert set(read(connector_of(repository))) == {"a.md"}
    assert not pwned.exists()


def test_a_repository_that_lacks_objects_makes_git_run_nothing(repository: GitRepository, tmp_path: Path) -> None:
    repository.write("a.md", "# A\n")
    pwned = tmp_path / "pwned"
    blob = repository.git("rev-parse", "HEAD:a.md").decode().strip()
    for name, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": f"file://{repository.folder}",
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": f"touch {pwned};",
    }.items():
        repository.git("config", name, value)
    (repository.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(Misconfigured, match="lacks objects"):
        read(connector_of(repository))
    assert not pwned.exists()


def test_a_tree_bomb_ends_the_run_soon(repository: GitRepository) -> None:
    below = repository.tree(f"100644 blob {repository.blob(b'x')}\ta.md\0".encode())
    for _ in range(10):
        below = repository.tree("".join(f"040000 tree {below}\t{n}\0" for n in range(10)).encode())
    repository.commit_tree(below)
    began = time.monotonic()
    with pytest.raises(Misconfigured, match="more than"):
        read(connector_of(repository))
    assert time.monotonic() - began < 20


def test_more_files_than_the_limit_is_an_error_and_not_a_part(repository: GitRepository) -> None:
    repository.write_all({f"{n}.md": "x" for n in range(5)} | {"a.png": "x"})
    with pytest.raises(Misconfigured, match="include"):
        list(connector_of(repository, Limits(entries=4)).manifest())
    with pytest.raises(Misconfigured, match="entries"):
        list(connector_of(repository, Limits(raw_entries=5)).manifest())
    assert len(list(connector_of(repository, Limits(entries=5, raw_entries=6)).manifest())) == 5


def test_odd_names_are_listed_once_each_and_linked_safely(repository: GitRepository) -> None:
    blob = repository.blob(b"# Text\n")
    names = [
        b"\xff\xfe.md", b"-rf.md", b"<script>.md", b"[x](https:__exfil.invalid).md", b"aux.md", b"e\xcc\x81.md",
        b"new\nline.md", b'quote".md', b"trailing .md", b"{start}.md", b"%2e%2e.md", b"x" * 250 + b".md",
    ]  # fmt: skip
    repository.commit_tree(
        repository.tree(b"".join(b"100644 blob %s\t%s\0" % (blob.encode(), n) for n in sorted(names)))
    )
    found = read(connector_of(repository))
    assert len(found) == len(names)
    for one in found.values():
        assert isinstance(one, Document)
        assert one.document_id.encode()  # no lone surrogates
        assert one.url.isascii()
        assert not set(one.url) & set(' <>"[]{}\n')
        assert one.link.count("{start}") == one.link.count("{end}") == 1


def test_a_path_too_long_for_a_database_is_passed_over(repository: GitRepository) -> None:
    below = repository.tree(f"100644 blob {repository.blob(b'x')}\ta.md\0".encode())
    for _ in range(1_500):
        below = repository.tree(f"040000 tree {below}\td\0".encode())
    good = f"100644 blob {repository.blob(b'# Good')}\tgood.md\0"
    repository.commit_tree(repository.tree(f"040000 tree {below}\tdeep\0{good}".encode()))
    assert set(read(connector_of(repository))) == {"good.md"}


@pytest.mark.parametrize("name", [b"..", b".git", b"."])
def test_names_that_lead_elsewhere_are_refused(repository: GitRepository, name: bytes) -> None:
    inner = repository.tree(f"100644 blob {repository.blob(b'x')}\ta.md\0".encode())
    raw = b"40000 " + name + b"\0" + bytes.fromhex(inner)
    tree = repository.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw).decode().strip()
    repository.commit_tree(tree)
    with pytest.raises(Misconfigured, match="malformed or dangerous"):
        read(connector_of(repository))


def test_duplicate_entries_are_refused(repository: GitRepository) -> None:
    entry = b"100644 a.md\0" + bytes.fromhex(repository.blob(b"x"))
    tree = repository.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=entry + entry)
    repository.commit_tree(tree.decode().strip())
    with pytest.raises(Misconfigured, match="malformed or dangerous"):
        read(connector_of(repository))


def test_a_file_of_many_megabytes_is_named_and_not_read(repository: GitRepository) -> None:
    repository.write_all({"huge.md": b"0" * 30_000_000, "good.md": "# Good\n"})
    found = read(connector_of(repository))
    assert isinstance(found["huge.md"], Unreadable)
    assert found["huge.md"].listing.url.endswith("/huge.md")
    assert isinstance(found["good.md"], Document)


@pytest.mark.parametrize(
    "branch",
    ["--upload-pack=touch pwned", "--upload-pack=id", "-q", "--", "main~1", "../x", "HEAD@{0}", "main^{tree}", "@{u}",
     "x.lock", "a b", "a:b", "a*", "", "@", "x/", ".x", "a//b", "a\nb", "\u202emain\n", "x" * 300],
)  # fmt: skip
def test_a_branch_that_is_no_branch_is_refused_before_git_sees_it(branch: str) -> None:
    with pytest.raises(Misconfigured, match="branch"):
        Remote("https://git.example.test/x", branch)


def test_a_remotes_head_with_an_evil_name_runs_nothing(repository: GitRepository, tmp_path: Path) -> None:
    repository.write("a.md", "# A\n")
    evil = f"refs/heads/--upload-pack=touch${{IFS}}{tmp_path.name}"
    repository.git("update-ref", evil, "HEAD")
    repository.git("symbolic-ref", "HEAD", evil)
    assert set(read(connector_of(repository))) == {"a.md"}
    assert not any(path.name == tmp_path.name for path in tmp_path.rglob("*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_repository_of_another_user_is_read(repository: GitRepository) -> None:
    repository.write("a.md", "# A\n")
    for path in [repository.folder, *repository.folder.rglob("*")]:
        os.chown(path, 12345, 12345, follow_symlinks=False)
    assert set(read(connector_of(repository))) == {"a.md"}
