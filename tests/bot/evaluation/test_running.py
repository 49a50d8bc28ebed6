"""A dataset is synced beside the knowledge base, kept, and searched by the product's own pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from bot.answering.model import Question, Retrieved, Scope
from bot.app import Quoth
from bot.evaluation.dataset import Dataset, dataset_in
from bot.evaluation.quarters import apart
from bot.evaluation.running import Evaluation, Search, evaluated
from bot.settings import Environment, Settings
from bot.store_settings import WeaviateSettings
from connectors.errors import TryLater
from connectors.ledger.ledger import SourceFigures
from connectors.model import Vector
from connectors.patience import Patience
from connectors.ports import Connector, Embedder
from connectors.sync.reports import FilledWatcher, SyncReport
from tests.bot.evaluation.datasets import DOCUMENTS, write_dataset
from tests.fakes.embedders import WordEmbedder


class Deaf(WordEmbedder):
    """Embeds texts, but no second question."""

    questions = 0

    def embed_texts(self, texts: list[str]) -> list[Vector]:  # type: ignore[override]
        return [WordEmbedder.embed_question(self, text) for text in texts]

    def embed_question(self, text: str) -> Vector:
        self.questions += 1
        if self.questions > 1:
            raise TryLater("the embedder is down")
        return super().embed_question(text)


class WordHouse(Quoth):
    """A house whose embedder needs no model."""

    words: Embedder

    @cached_property
    def embedder(self) -> Embedder:
        return self.words


def measured(settings: Settings, dataset: Dataset, words: Embedder, *, compare: bool = False) -> Evaluation:
    with WordHouse(apart(settings, dataset), Environment()) as house:
        house.words = words
        house.sync.backfill.patience = Patience(attempts=1)
        return evaluated(house, dataset, compare=compare)


@pytest.fixture
def words() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", reranker="none")


def test_every_judged_query_is_searched_and_what_is_found_is_scored(
    tmp_path: Path, settings: Settings, words: WordEmbedder
) -> None:
    told = measured(settings, dataset_in(write_dataset(tmp_path / "set")), words).to_json()

    assert (told["documents"], told["chunks"], told["queries"]) == (3, 3, 2)
    assert told["mrr"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert told["precision@3"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert 0 < told["latency_ms_p50"]["value"] <= told["latency_ms_p95"]["value"]
    assert list(told)[-5:] == ["latency_ms_p50", "latency_ms_p95", "documents", "chunks", "queries"]


def test_a_document_ranks_by_its_best_chunk(tmp_path: Path, settings: Settings, words: WordEmbedder) -> None:
    filler = "\n\n".join(f"Paragraph {n} speaks of nothing but paragraphs. " * 12 for n in range(20))
    long = {"_id": "long", "title": "", "text": filler + "\n\nThe gate opens at seven."}
    told = measured(settings, dataset_in(write_dataset(tmp_path, [long, *DOCUMENTS], judgements="q1\tlong\t1")), words)

    assert told.chunks > 10
    assert told.figures["recall@3"].value == 1.0


def test_a_thread_counts_in_what_is_searched(tmp_path: Path, settings: Settings, words: WordEmbedder) -> None:
    said = [["user", "Is there a rope for the roof?"], ["agent", "Yes."], ["user", "And when?"]]
    query = {"_id": "q1", "text": "And when?", "turns": said}
    told = measured(settings, dataset_in(write_dataset(tmp_path, queries=[query], judgements="q1\troof\t1")), words)

    assert told.figures["mrr"].value == 1.0


def test_a_second_run_embeds_nothing_and_finds_the_same(
    tmp_path: Path, settings: Settings, words: WordEmbedder
) -> None:
    dataset = dataset_in(write_dataset(tmp_path / "set"))
    first = measured(settings, dataset, words)
    once = words.embedded
    again = measured(settings, dataset, words)

    assert words.embedded == once
    assert again.figures["ndcg@10"] == first.figures["ndcg@10"]


def test_another_model_is_measured_by_its_own_vectors(tmp_path: Path, settings: Settings, words: WordEmbedder) -> None:
    dataset = dataset_in(write_dataset(tmp_path / "set"))
    measured(settings, dataset, words)
    other = WordEmbedder(fingerprint="words-16", dimensions=16)
    told = measured(settings, dataset, other)

    assert (other.embedded, told.chunks) == (3, 3)
    assert measured(settings, dataset, other).figures["mrr"] == told.figures["mrr"]
    assert other.embedded == 3


def test_a_changed_dataset_costs_its_difference(tmp_path: Path, settings: Settings, words: WordEmbedder) -> None:
    measured(settings, dataset_in(write_dataset(tmp_path / "set")), words)
    once = words.embedded
    changed = [{"_id": "gate", "text": "A gate."}, *DOCUMENTS[1:2]]
    told = measured(settings, dataset_in(write_dataset(tmp_path / "set", changed)), words)

    assert words.embedded == once + 1
    assert (told.documents, told.chunks) == (2, 2)


def test_another_dataset_in_the_same_folder_replaces_the_first(
    tmp_path: Path, settings: Settings, words: WordEmbedder
) -> None:
    """Nobody is asked to approve the removals: a dataset is what its files say."""
    measured(settings, dataset_in(write_dataset(tmp_path / "set")), words)
    others = [{"_id": f"other-{n}", "text": f"Number {n}."} for n in range(20)]
    dataset = dataset_in(write_dataset(tmp_path / "set", others, judgements="q1\tother-3\t1"))

    assert measured(settings, dataset, words).documents == 20


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, settings: Settings) -> None:
    many = [*DOCUMENTS, *({"_id": f"d{n}", "text": f"Number {n}."} for n in range(150))]
    dataset = dataset_in(write_dataset(tmp_path / "set", many))
    tired = WordEmbedder(patience=100)
    with pytest.raises(TryLater, match="the embedder is down"):
        measured(settings, dataset, tired)
    assert 0 < tired.embedded < len(many)

    rested = WordEmbedder()
    assert measured(settings, dataset, rested).chunks == len(many)
    assert rested.embedded == len(many) - tired.embedded


def test_the_usual_pipelines_are_measured_beside_ours_and_nothing_is_embedded_twice(
    tmp_path: Path, settings: Settings, words: WordEmbedder
) -> None:
    dataset = dataset_in(write_dataset(tmp_path / "set"))
    alone = measured(settings, dataset, words).to_json()
    once = words.embedded
    found = measured(settings, dataset, words, compare=True)
    told = found.to_json()

    assert words.embedded == once
    assert list(told) == [*alone, "compare"]
    assert {name: told[name] for name in alone if "latency" not in name} == {
        name: alone[name] for name in alone if "latency" not in name
    }
    assert list(told["compare"]) == ["bm25", "dense", "ensemble_rrf", "weaviate_relative_score"]
    for name, other in told["compare"].items():
        assert list(other) == [*list(other["difference"]), "difference"]
        assert set(other["difference"]) == set(alone) - {"documents", "chunks", "queries"}
        assert other["difference"]["mrr"]["value"] == pytest.approx(told["mrr"]["value"] - other["mrr"]["value"])
        assert len(found.outcomes[name]) == 2


def test_chunks_of_an_earlier_version_are_in_nobodys_way(
    tmp_path: Path, settings: Settings, words: WordEmbedder
) -> None:
    measured(settings, dataset_in(write_dataset(tmp_path / "set")), words)
    changed = [{"_id": "gate", "text": "A gate."}, *DOCUMENTS[1:]]
    dataset = dataset_in(write_dataset(tmp_path / "set", changed))

    assert measured(settings, dataset, words, compare=True).contrasts["bm25"].figures["recall@3"].value == 1.0


SYNCED = SyncReport("dataset", "ok", seen=3, added=3, chunks=3)


@dataclass
class Halfway:
    """A house that says that all went well, with a vector missing or another index to come."""

    search: Search
    report: SyncReport
    embedded: int = 2
    begun: str | None = None

    @property
    def ledger(self) -> Halfway:
        return self

    def figures(self) -> list[SourceFigures]:
        return [SourceFigures("dataset", "beir", None, None, 3, 3, self.embedded, 0, 0)]

    @property
    def indexes(self) -> Halfway:
        return self

    def building(self) -> str | None:
        return self.begun

    def scope_of(self, knowledge_base: str) -> Scope:
        return Scope(knowledge_base, frozenset({"source:dataset"}))

    def warm_up(self) -> None:
        raise AssertionError("nothing may be measured yet")

    def read_now(self, connector: Connector, **_: object) -> SyncReport:
        return self.report

    def embed_all(self, watch: FilledWatcher | None = None) -> None:
        """Says that all is done, whatever is."""


class Unasked:
    def find(self, question: Question, limit: int) -> Retrieved:
        raise AssertionError("nothing may be measured yet")


@pytest.mark.parametrize("house", [Halfway(Unasked(), SYNCED), Halfway(Unasked(), SYNCED, 3, "another index")])
def test_nothing_is_measured_before_every_chunk_has_its_vector(tmp_path: Path, house: Halfway) -> None:
    with pytest.raises(TryLater, match="no vector yet"):
        evaluated(house, dataset_in(write_dataset(tmp_path)))


def test_nothing_is_measured_after_a_failed_sync(tmp_path: Path) -> None:
    failed = SyncReport("dataset", "failed", error="The disk is full.")
    with pytest.raises(TryLater, match="The disk is full"):
        evaluated(Halfway(Unasked(), failed), dataset_in(write_dataset(tmp_path)))


def test_figures_of_words_alone_never_pass_for_the_whole(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(TryLater, match="did not answer"):
        measured(settings, dataset_in(write_dataset(tmp_path / "set")), Deaf())


def test_nothing_of_it_comes_near_the_knowledge_base(tmp_path: Path, settings: Settings, words: WordEmbedder) -> None:
    measured(settings, dataset_in(write_dataset(tmp_path / "set")), words)

    assert [path.name for path in settings.data_dir.iterdir()] == ["eval"]
    (kept,) = (settings.data_dir / "eval").iterdir()
    assert kept.name.startswith("set-sqlite-")


def test_other_folders_other_models_and_other_stores_are_kept_side_by_side(tmp_path: Path, settings: Settings) -> None:
    one, two = (dataset_in(write_dataset(tmp_path / name)) for name in ("one", "two"))
    weaviate = WeaviateSettings(backend="weaviate", url=("http://127.0.0.1:8080",))
    kept = [
        apart(settings, one),
        apart(settings, two),
        apart(settings.model_copy(update={"embeddings": "ollama:words"}), one),
        apart(settings.model_copy(update={"store": weaviate}), one),
    ]

    assert len({settings.data_dir for settings in kept}) == len(kept)


def test_a_collection_of_weaviate_is_named_for_its_ledger(tmp_path: Path, settings: Settings) -> None:
    dataset = dataset_in(write_dataset(tmp_path / "set"))
    weaviate = WeaviateSettings(backend="weaviate", url=("http://127.0.0.1:8080",), collection="Docs")
    ours = settings.model_copy(update={"store": weaviate})
    theirs = ours.model_copy(update={"data_dir": tmp_path / "theirs"})
    names = [apart(each, dataset).store.model_dump()["collection"] for each in (ours, ours, theirs)]

    assert names[0] == names[1] != names[2]
    assert all(WeaviateSettings.model_validate(weaviate.model_dump() | {"collection": name}) for name in names)
    assert names[0].startswith("Docs_Eval_")
