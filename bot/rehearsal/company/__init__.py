"""Tideway, a company that does not exist, and its documentation: what the demo and the journeys ask about."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Page:
    """One Confluence page of the company. ``storage`` is its body in storage format."""

    page_id: str
    space: str
    title: str
    storage: str
    parent: str | None = None
    restricted_to: str | None = None


def spaces() -> Mapping[str, str]:
    """The company's space keys and their names."""
    return {key: space["name"] for key, space in _index().items()}


def pages() -> Iterator[Page]:
    """Every page of every space, parents before their children."""
    for key, space in _index().items():
        for entry in space["pages"]:
            storage = (_HERE / "confluence" / key / f"{entry['file']}.xml").read_text()
            yield Page(entry["id"], key, entry["title"], storage, entry.get("parent"), entry.get("restricted_to"))


def _index() -> dict[str, Any]:
    index: dict[str, Any] = yaml.safe_load((_HERE / "confluence" / "index.yaml").read_text())
    return index


def repository_in(folder: Path) -> Path:
    """A real Git repository with the company's developer documentation, made in an empty folder."""
    shutil.copytree(_HERE / "repository", folder, dirs_exist_ok=True)
    commit_all(folder, "Publish the developer documentation")
    return folder


def commit_all(folder: Path, subject: str) -> None:
    """Commit whatever stands in the folder, as nobody in particular; makes the repository when there is none."""
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", subject)


def _git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=Tideway", "-c", "user.email=docs@tideway.example", "-c", "core.hooksPath=/dev/null")
    alone = {"PATH": os.defpath, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    command = ["git", "-C", str(folder), *identity, *words]
    subprocess.run(command, check=True, env=alone, capture_output=True, timeout=60)  # noqa: S603  # a fixed list
