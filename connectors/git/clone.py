"""Our own bare copy of one branch of a repository: never checked out, shared by processes, replaceable at any time."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from connectors.errors import Misconfigured, QuothError, TryLater
from connectors.git.address import Address, address_of
from connectors.git.repository import GitFailed, Repository
from connectors.git.trouble import is_damage, trouble_of

HEAD = "refs/quoth/head"
"""Where our copy keeps the branch, whatever it is called over there: renamed or rewritten, nothing changes here."""
MANY_PACKS = 40

_log = structlog.get_logger()
_BRANCH = re.compile(r"(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)|/\.|[./]$))(?![-./@]|@$)[^\x00-\x20\x7f~^:?*\[\\]{1,200}")
# A local repository that another user owns is fine: its path is in our configuration. upload-pack runs no hook of the
# repository it serves, and these words are fixed.
_UPLOAD_PACK = "--upload-pack=git -c safe.directory=* -c core.fsmonitor=false -c core.hooksPath=/dev/null upload-pack"
_USERNAMES = {"github": "x-access-token", "gitlab": "oauth2", "bitbucket": "x-token-auth"}


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository to read: where, which branch, and as whom.

    ``branch`` is a plain name; ``None`` is what the repository itself calls its head. ``environment`` is what git
    and ssh may need of the caller's own (PATH, HOME, SSH_AUTH_SOCK, proxies); everything else in it is ignored.
    """

    url: str
    branch: str | None = None
    token: str | None = field(default=None, repr=False)
    username: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.branch is not None and _BRANCH.fullmatch(self.branch) is None:
            raise Misconfigured("branch: this is not the name of a branch. Write it as `git branch` shows it.")
        if self.token is not None and (not self.token or re.search(r"[^\x21-\x7e]", self.token)):
            raise Misconfigured(
                "The token is empty, or has blanks or line ends in it. Set the variable to the bare token."
            )
        if self.token is not None and self.address.protocol not in ("https", "http"):
            raise Misconfigured("A token works over https only. Use the repository's https:// URL, or leave auth out.")

    @property
    def address(self) -> Address:
        """The place, checked.

        Raises:
            Misconfigured: Git is not let near a URL like this.
        """
        return address_of(self.url)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds things may take."""

    ask_seconds: float = 60
    fetch_seconds: float = 1800
    lock_seconds: float = 1800


class Clone:
    """The copy of one remote's branch under a folder of ours. One process fetches at a time; any number reads."""

    def __init__(self, source: str, remote: Remote, folder: Path, patience: Patience | None = None) -> None:
        address = remote.address
        self.repository = Repository(
            folder / f"{_name_of(source)}-{_digest(address.url, remote.branch or '')}.git",
            address.protocol,
            _secret_of(remote, address),
            remote.environment,
        )
        self._source = source
        self._address = address
        self._remote = remote
        self._patience = patience or Patience()

    def refresh(self) -> str:
        """Fetch what is new, and give the commit that the branch is at.

        Raises:
            TryLater: The remote cannot be reached.
            Misconfigured: The remote, the branch or the token is not what it should be; or there is no commit yet.
        """
        with self._lock() as lock:
            try:
                return self._fetched(lock)
            except GitFailed as failure:
                if not is_damage(failure):
                    raise self._trouble(failure) from failure
            self._discard()
            try:
                return self._fetched(lock)
            except GitFailed as failure:
                raise self._trouble(failure) from failure

    def discard(self) -> None:
        """Throw the copy away, for it is broken. The next refresh clones anew."""
        with self._lock():
            self._discard()

    def _fetched(self, lock: int) -> str:
        self._check_folder()
        self._prepare()
        wanted = self._advertised(lock)
        if wanted != self._held():
            self._fetch(lock)
            _log.info("clone.fetched", source=self._source)
        commit = self._held()
        if commit is None:
            raise GitFailed("bad object: what was fetched is not there")
        return commit

    def _check_folder(self) -> None:
        """Git would take a file for a bundle, and says little about what is missing."""
        if self._address.protocol == "file" and not Path(self._address.path).is_dir():
            raise Misconfigured(f"source {self._source}: there is no folder {self._address.path}.")

    def _prepare(self) -> None:
        """An initialised bare repository without a killed git's leftovers: the lock is ours, nobody else writes."""
        directory = self.repository.directory
        if not (directory / "HEAD").is_file() or not (directory / "objects").is_dir():
            self._discard()
            with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".new-") as made:
                fresh = Repository(Path(made) / "clone.git")
                fresh.run("init", "--quiet", "--bare", "--template=", str(fresh.directory), timeout_seconds=60)
                fresh.directory.rename(directory)
        for pattern in ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/??/tmp_*"):
            for left in directory.glob(pattern):
                left.unlink(missing_ok=True)

    def _advertised(self, lock: int) -> str:
        """The object that the remote's branch is at, by its own word."""
        ref = "HEAD" if self._remote.branch is None else f"refs/heads/{self._remote.branch}"
        for name, commit in self._remote_refs(lock, ref):
            if name == ref:
                return commit
        branches = sorted(name.removeprefix("refs/heads/") for name, _ in self._remote_refs(lock, "refs/heads/*"))
        raise self._no_branch(branches)

    def _remote_refs(self, lock: int, pattern: str) -> list[tuple[str, str]]:
        listed = self.repository.run(
            "ls-remote", "--quiet", *self._serving(), "--end-of-options", self._address.url, pattern,
            timeout_seconds=self._patience.ask_seconds, hold=lock,
        )  # fmt: skip
        lines = listed.decode("utf-8", "replace").splitlines()
        return [(name, commit) for commit, _, name in (line.partition("\t") for line in lines) if name]

    def _no_branch(self, branches: list[str]) -> QuothError:
        place = f"source {self._source}"
        if not branches:
            return Misconfigured(f"{place}: the repository has no commit yet, so there is nothing to read in it.")
        shown = ", ".join(branches[:10]) + (f" and {len(branches) - 10} more" if len(branches) > 10 else "")  # noqa: PLR2004  # few
        if self._remote.branch is None:
            return Misconfigured(
                f"{place}: the repository's head names no branch that exists. Set branch to one of: {shown}."
            )
        return Misconfigured(f"{place}: there is no branch {self._remote.branch}. There are: {shown}.")

    def _fetch(self, lock: int) -> None:
        ref = "HEAD" if self._remote.branch is None else f"refs/heads/{self._remote.branch}"
        self.repository.run(
            "fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
            "--update-shallow", "--recurse-submodules=no", *self._serving(),
            "--end-of-options", self._address.url, f"+{ref}:{HEAD}",
            timeout_seconds=self._patience.fetch_seconds, hold=lock,
        )  # fmt: skip
        self._tidy(lock)

    def _serving(self) -> tuple[str, ...]:
        return (_UPLOAD_PACK,) if self._address.protocol == "file" else ()

    def _tidy(self, lock: int) -> None:
        """Pack together what many small fetches left. Unreachable objects stay two weeks: somebody may read them."""
        if len(list((self.repository.directory / "objects/pack").glob("*.pack"))) < MANY_PACKS:
            return
        try:
            self.repository.run("gc", "--quiet", timeout_seconds=self._patience.fetch_seconds, hold=lock)
        except GitFailed:
            _log.warning("clone.left_untidy", source=self._source)

    def _held(self) -> str | None:
        try:
            found = self.repository.run(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{HEAD}^{{commit}}", timeout_seconds=60
            )
        except GitFailed:
            return None
        return found.decode("ascii").strip()

    def _discard(self) -> None:
        if self.repository.directory.exists():
            _log.warning("clone.discarded", source=self._source)
            shutil.rmtree(self.repository.directory)

    def _trouble(self, failure: GitFailed) -> QuothError:
        return trouble_of(failure, self._source, self._address, has_token=self._remote.token is not None)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[int]:
        """Hold the clone's lock file. Git's processes inherit it: one that outlives us still keeps others away."""
        directory = self.repository.directory
        directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(directory.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._await(handle)
            yield handle
        finally:
            os.close(handle)

    def _await(self, handle: int) -> None:
        deadline = time.monotonic() + self._patience.lock_seconds
        while True:
            try:
                return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise TryLater(
                        f"source {self._source}: another process is fetching it, for too long now."
                    ) from error
                time.sleep(0.1)


def _secret_of(remote: Remote, address: Address) -> tuple[str, str] | None:
    if remote.token is None:
        return None
    username = remote.username or address.username or _username_at(address.host)
    basic = base64.b64encode(f"{username}:{remote.token}".encode()).decode("ascii")
    return f"{address.protocol}://{address.authority}/", f"Authorization: Basic {basic}"


def _username_at(host: str) -> str:
    """The user name that goes with a token, by the host's own documentation. Most hosts ignore it."""
    return next((name for product, name in _USERNAMES.items() if product in host), "x-access-token")


def _name_of(source: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", source)[:40]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
