"""A dataset keeps the promises of every source of documents."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.evaluation.connector import DatasetConnector, name_of
from bot.evaluation.dataset import corpus_in
from connectors.errors import TryLater
from connectors.model import Document
from connectors.ports import Connector
from tests.bot.evaluation.datasets import lines_of
from tests.contracts.connector_contract import ChangeableSource, ConnectorContract


@dataclass
class CorpusFile:
    """A corpus that a test writes."""

    path: Path
    pages: dict[str, tuple[str, str]] = field(default_factory=dict)

    def connector(self) -> Connector:
        return DatasetConnector(corpus_in(self.path))

    def write(self, name: str, title: str, text: str) -> str:
        self.pages[name] = (title, text)
        self._save()
        return f"beir:dataset:{name}"

    def delete(self, name: str) -> None:
        del self.pages[name]
        self._save()

    def break_down(self) -> None:
        self.path.unlink()

    def _save(self) -> None:
        pages = self.pages.items()
        self.path.write_text(lines_of({"_id": name, "title": title, "text": text} for name, (title, text) in pages))


class TestDatasetConnector(ConnectorContract):
    def source_in(self, folder: Path) -> ChangeableSource:
        (folder / "corpus.jsonl").touch()
        return CorpusFile(folder / "corpus.jsonl")


def test_a_file_that_changed_since_it_was_read_is_not_believed(tmp_path: Path) -> None:
    corpus = CorpusFile(tmp_path / "corpus.jsonl")
    corpus.write("a", "Alpha", "One.")
    connector = corpus.connector()
    corpus.write("a", "Alpha", "Two.")

    with pytest.raises(TryLater, match="changed while it was read"):
        list(connector.fetch(list(connector.manifest())))


def test_a_file_that_was_cut_off_since_it_was_read_is_not_believed(tmp_path: Path) -> None:
    corpus = CorpusFile(tmp_path / "corpus.jsonl")
    corpus.write("a", "Alpha", "One.")
    connector = corpus.connector()
    corpus.path.write_text("")

    with pytest.raises(TryLater, match="changed while it was read"):
        list(connector.fetch(list(connector.manifest())))


def test_a_title_alone_can_be_found(tmp_path: Path) -> None:
    corpus = CorpusFile(tmp_path / "corpus.jsonl")
    corpus.write("a", "Alpha", " ")
    (document,) = corpus.connector().fetch(list(corpus.connector().manifest()))

    assert isinstance(document, Document)
    assert document.text == "Alpha"


def test_other_fields_make_no_other_version(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    versions = []
    for extra in ({}, {"metadata": {"year": 1998}}):
        path.write_text(lines_of([{"_id": "a", "text": "One."} | extra]))
        versions += [listing.version for listing in DatasetConnector(corpus_in(path)).manifest()]

    assert versions[0] == versions[1]


def test_a_document_gets_its_name_back(tmp_path: Path) -> None:
    corpus = CorpusFile(tmp_path / "corpus.jsonl")
    assert name_of(corpus.write("https://a.test/b:c#d", "", "One.")) == "https://a.test/b:c#d"
