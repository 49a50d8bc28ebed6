"""Our copy of a repository outlives kills, damage, and other processes."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import Misconfigured, TryLater
from connectors.git.clone import MANY_PACKS, Clone, Patience, Remote
from connectors.git.connector import GitConnector
from connectors.model import Document
from tests.fakes.git_repository import GitRepository
from tests.fakes.git_server import GitServer


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    repository = GitRepository(tmp_path / "served")
    repository.write("a.md", "# A\n")
    return repository


@pytest.fixture
def clone(repository: GitRepository, tmp_path: Path) -> Clone:
    return Clone("h", Remote(str(repository.folder)), tmp_path / "git", Patience(lock_seconds=0.3))


@pytest.fixture
def server(tmp_path: Path, repository: GitRepository) -> Iterator[GitServer]:
    with GitServer(tmp_path) as server:
        yield server


def objects_of(clone: Clone) -> list[Path]:
    return [path for path in (clone.repository.directory / "objects").rglob("*") if path.is_file()]


def test_the_copy_has_no_files_checked_out(clone: Clone) -> None:
    clone.refresh()
    assert not list(clone.repository.directory.rglob("a.md"))
    assert not (clone.repository.directory / "hooks").exists()


def test_a_damaged_copy_is_cloned_anew(clone: Clone, repository: GitRepository) -> None:
    commit = clone.refresh()
    for path in objects_of(clone):
        path.chmod(0o600)
        path.write_bytes(b"garbage")
    assert clone.refresh() == commit
    (clone.repository.directory / "HEAD").write_text("nonsense")
    assert clone.refresh() == commit
    (clone.repository.directory / "config").write_text("[nonsense")
    assert clone.refresh() == commit


def test_a_copy_that_lost_a_file_is_replaced_by_the_next_run(repository: GitRepository, tmp_path: Path) -> None:
    connector = GitConnector("h", Remote(str(repository.folder)), tmp_path / "data")
    listings = list(connector.manifest())
    for path in (tmp_path / "data").rglob("objects/pack/*"):
        path.unlink()
    with pytest.raises(TryLater, match="clones it anew"):
        list(connector.fetch(listings))
    assert [type(one) for one in connector.fetch(list(connector.manifest()))] == [Document]


def test_what_a_killed_git_left_is_swept_away(clone: Clone, repository: GitRepository) -> None:
    clone.refresh()
    directory = clone.repository.directory
    left = [
        directory / name
        for name in ("HEAD.lock", "packed-refs.lock", "refs/quoth/head.lock", "objects/pack/tmp_pack_x")
    ]
    for path in left:
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("")
    repository.write("b.md", "# B\n")
    assert clone.refresh() == repository.head()
    assert not any(path.exists() for path in left)


def test_one_process_fetches_at_a_time(clone: Clone) -> None:
    clone.refresh()
    with clone.repository.directory.with_suffix(".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(TryLater, match="another process"):
            clone.refresh()
    clone.refresh()


def test_many_at_once_share_one_copy(repository: GitRepository, tmp_path: Path) -> None:
    found: list[str] = []

    def refresh() -> None:
        found.append(Clone("h", Remote(str(repository.folder)), tmp_path / "git").refresh())

    threads = [threading.Thread(target=refresh) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [repository.head()] * 6
    assert len(list((tmp_path / "git").glob("*.git"))) == 1


def test_a_first_clone_that_was_killed_leaves_nothing_broken(server: GitServer, tmp_path: Path) -> None:
    remote = Remote(f"{server.url}/served")
    program = (
        "import sys; from pathlib import Path; from connectors.git.clone import *; "
        "Clone('h', Remote(sys.argv[1]), Path(sys.argv[2])).refresh()"
    )
    server.hold.clear()
    process = subprocess.Popen([sys.executable, "-c", program, remote.url, str(tmp_path / "git")])
    while not server.seen:
        assert process.poll() is None
    process.kill()
    process.wait()
    server.hold.set()
    assert Clone("h", remote, tmp_path / "git", Patience(lock_seconds=20)).refresh()


def test_a_server_that_never_answers_is_given_up(server: GitServer, tmp_path: Path) -> None:
    server.hold.clear()
    clone = Clone("h", Remote(f"{server.url}/served"), tmp_path / "git", Patience(ask_seconds=0.5))
    with pytest.raises(TryLater, match="took too long"):
        clone.refresh()


def test_many_small_fetches_are_packed_together(clone: Clone, repository: GitRepository) -> None:
    clone.refresh()
    packs = clone.repository.directory / "objects" / "pack"
    (packed,) = [repository.git("pack-objects", "--all", "-q", str(packs / "pack"))]
    name = packed.decode().strip()
    for number in range(MANY_PACKS):
        for ending in ("pack", "idx"):
            (packs / f"pack-{number:040}.{ending}").write_bytes((packs / f"pack-{name}.{ending}").read_bytes())
    repository.write("b.md", "# B\n")
    assert clone.refresh() == repository.head()
    assert len(list(packs.glob("*.pack"))) < MANY_PACKS


def test_ssh_is_run_without_questions_and_with_what_the_caller_gave(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    said = tmp_path / "said"
    (programs / "ssh").write_text(
        f'#!/bin/sh\n(echo "$@"; env) >"{said}"; echo "git@git.test: Permission denied (publickey)." >&2; exit 255\n'
    )
    (programs / "ssh").chmod(0o755)
    given = {
        "PATH": f"{programs}{os.pathsep}{os.defpath}",
        "HOME": "/home/x",
        "SSH_AUTH_SOCK": "/s",
        "SECRET_KEY": "no",
    }
    with pytest.raises(Misconfigured, match="deploy key"):
        Clone("h", Remote("git@git.test:a/b.git", environment=given), tmp_path / "git").refresh()
    lines = said.read_text()
    assert "BatchMode=yes" in lines
    assert "git@git.test" in lines
    assert "SSH_AUTH_SOCK=/s\n" in lines
    assert "SECRET_KEY" not in lines


def test_a_token_that_is_none_is_refused() -> None:
    for token in ("", "two words", "line\nend", "é"):
        with pytest.raises(Misconfigured, match="token"):
            Remote("https://git.test/x", token=token)
    with pytest.raises(Misconfigured, match="https only"):
        Remote("git@git.test:x", token="t")


def test_a_secret_is_not_in_what_is_printed() -> None:
    assert "sesame" not in repr(Remote("https://git.test/x", token="sesame", environment={"A": "sesame"}))
