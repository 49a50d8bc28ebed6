"""A real Git repository in a folder, that a test writes to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENVIRONMENT = {
    "PATH": os.defpath,
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Docs team",
    "GIT_AUTHOR_EMAIL": "docs@example.test",
    "GIT_COMMITTER_NAME": "Docs team",
    "GIT_COMMITTER_EMAIL": "docs@example.test",
}


class GitRepository:
    """A repository with a working tree and the branch main. Commits are a minute apart from 2026-01-01."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._minutes = 0
        self.git("init", "--quiet", "--initial-branch=main", *options)

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What git prints."""
        date = f"{1767225600 + 60 * self._minutes} +0000"
        environment = {**_ENVIRONMENT, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, env=environment, input=stdin, capture_output=True, check=True
        ).stdout

    def write(self, path: str, body: str | bytes) -> None:
        """Write one file and commit it."""
        self.write_all({path: body})

    def write_all(self, files: Mapping[str, str | bytes]) -> None:
        """Write files and commit them together."""
        for path, body in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(body if isinstance(body, bytes) else body.encode())
        self.commit()

    def delete(self, path: str) -> None:
        """Delete one file and commit that."""
        (self.folder / path).unlink()
        self.commit()

    def commit(self) -> str:
        """Commit everything that changed; the commit."""
        self._minutes += 1
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Change something")
        return self.head()

    def commit_tree(self, tree: str, branch: str = "main") -> str:
        """Put a tree made by hand on a branch; the commit."""
        commit = self.git("commit-tree", tree, "-m", "A tree made by hand").decode().strip()
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def blob(self, body: bytes) -> str:
        """The id of a blob with this body."""
        return self.git("hash-object", "-w", "--stdin", stdin=body).decode().strip()

    def tree(self, entries: bytes) -> str:
        """The id of a tree of raw entries as `git mktree -z` reads them: mode, type, id, tab, name, NUL."""
        return self.git("mktree", "-z", stdin=entries).decode().strip()

    def head(self) -> str:
        """The commit that is checked out."""
        return self.git("rev-parse", "HEAD").decode().strip()
