"""The executable of Weaviate that the official client keeps in its cache: where it is, and how it gets there."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.errors import Misconfigured

VERSION = "1.39.0"
"""The server that is started, and the one that everything here is tested with."""

_SIZE_MB = 70
_TOLD_EVERY_SECONDS = 10.0
_TAG = f"v{VERSION}"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def binary_place(cache: Path | None = None) -> Path:
    """Where the official client keeps the executable of this version, by its own rule: in its cache unless told."""
    if cache is None:
        from weaviate.embedded import EmbeddedOptions  # noqa: PLC0415  # the client is slow to import

        cache = Path(EmbeddedOptions().binary_path)
    return cache / f"weaviate-{_TAG}-{hashlib.sha256(_TAG.encode()).hexdigest()}"


def archive_url(system: str, machine: str) -> str:
    """Where the archive for a machine is published, by the client's own rule.

    Raises:
        Misconfigured: There is none for it.
    """
    if system not in {"Linux", "Darwin"} or machine not in _MACHINES:
        raise Misconfigured(
            f"Weaviate Embedded does not run on {system} {machine}. Name a server in store.url, or set store.backend "
            "to sqlite."
        )
    name = "all.zip" if system == "Darwin" else f"{_MACHINES[machine]}.tar.gz"
    return f"https://github.com/weaviate/weaviate/releases/download/{_TAG}/weaviate-{_TAG}-{system}-{name}"


@dataclass(frozen=True, slots=True)
class Download:
    """Where the executable comes from and goes to: from its publisher to the client's cache unless told otherwise."""

    archive: str | None = None
    cache: Path | None = None
    seconds: float = 900.0


def executable(tell: Callable[[str], None], download: Download = Download()) -> Path:  # it is frozen
    """The executable, downloaded at its first use.

    Raises:
        Misconfigured: It cannot be had, or not be run. The sentence says where a person may put it.
    """
    url = download.archive or archive_url(platform.system(), platform.machine())
    place = binary_place(download.cache)
    if not place.exists():
        tell(f"Downloading Weaviate {VERSION} once, about {_SIZE_MB} MB, from {url} to {place}")
        try:
            _download(download.archive or VERSION, place, tell, time.monotonic() + download.seconds)
        except OSError as error:
            raise Misconfigured(
                f"Weaviate {VERSION} could not be downloaded ({error}). Behind a firewall, fetch {url} elsewhere, put "
                f"the file `weaviate` of that archive to {place} and make it executable: chmod +x {place}"
            ) from None
    if not place.is_file() or not os.access(place, os.X_OK):
        raise Misconfigured(f"{place} is not executable. Run: chmod +x {place}")
    return place


def client_at_work(
    task: str, options: Mapping[str, object], folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """The official client in a process and a session of its own, in a folder where its output goes to ``log``."""
    path = [str(Path(entry).resolve()) for entry in sys.path]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # a script of ours; the arguments are a list
            [sys.executable, "-I", str(Path(__file__).with_name("launching.py"))],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    assert process.stdin is not None  # noqa: S101  # it is a pipe
    with process.stdin as job:
        job.write(json.dumps({"task": task, "options": options, "path": path}).encode())
    return process


def _download(version: str, place: Path, tell: Callable[[str], None], ends: float) -> None:
    """Let the client fetch into a folder beside the place, so that nobody ever sees half a file there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=place.parent) as name:
        folder = Path(name)
        options = {"version": version, "binary_path": name, "persistence_data_path": name}
        process = client_at_work("fetch", options, folder)
        try:
            _wait(process, folder, tell, ends)
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            raise OSError(_last_line(folder / "log") or "it took too long")
        (fetched,) = folder.glob("weaviate-*")
        fetched.chmod(0o755)  # Another user of this machine may have the same cache.
        fetched.replace(place)


def _wait(process: subprocess.Popen[bytes], folder: Path, tell: Callable[[str], None], ends: float) -> None:
    told = time.monotonic()
    while process.poll() is None and time.monotonic() < ends:
        time.sleep(0.1)
        if time.monotonic() - told > _TOLD_EVERY_SECONDS:
            told = time.monotonic()
            size = sum(file.stat().st_size for file in folder.glob("tmp_weaviate.*"))
            tell(f"Downloading Weaviate: {size // 1_000_000} MB of about {_SIZE_MB} MB")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""
