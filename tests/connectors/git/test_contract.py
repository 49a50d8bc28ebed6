"""A Git repository keeps the promises of every source."""

from __future__ import annotations

import shutil
from pathlib import Path

from connectors.git.clone import Remote
from connectors.git.connector import GitConnector
from tests.contracts.connector_contract import ChangeableSource, ConnectorContract
from tests.fakes.git_repository import GitRepository


class WrittenRepository:
    """A repository whose documents a test writes by name."""

    def __init__(self, folder: Path) -> None:
        self._repository = GitRepository(folder / "handbook")
        self._repository.commit()
        self._data = folder / "data"

    def connector(self) -> GitConnector:
        return GitConnector("handbook", Remote(str(self._repository.folder)), self._data)

    def write(self, name: str, title: str, text: str) -> str:
        self._repository.write(f"docs/{name}.md", f"# {title}\n\n{text}\n")
        return f"git:handbook:docs/{name}.md"

    def delete(self, name: str) -> None:
        self._repository.delete(f"docs/{name}.md")

    def break_down(self) -> None:
        shutil.rmtree(self._repository.folder / ".git")


class TestGitConnector(ConnectorContract):
    def source_in(self, folder: Path) -> ChangeableSource:
        return WrittenRepository(folder)
