"""What every embedder must do. Subclass it and give it an embedder."""

from __future__ import annotations

import numpy as np
import pytest

from connectors.ports import Embedder

TEXTS = (
    "Reset the password of the VPN.",
    "Holidays are requested in the portal.",
    "x",
    "Ein Satz mit Ümlauten 検索 👍",
)


class EmbedderContract:
    @pytest.fixture
    def embedder(self) -> Embedder:
        raise NotImplementedError

    def test_every_text_gets_a_vector_of_length_1_in_the_same_order(self, embedder: Embedder) -> None:
        vectors = embedder.embed_texts(TEXTS)
        assert len(vectors) == len(TEXTS)
        for text, vector in zip(TEXTS, vectors, strict=True):
            assert vector.shape == (embedder.dimensions,)
            assert vector.dtype == np.float32
            assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
            assert float(vector @ embedder.embed_texts([text])[0]) == pytest.approx(1, abs=1e-3)

    def test_a_question_can_be_compared_with_texts(self, embedder: Embedder) -> None:
        vpn, holidays = embedder.embed_texts(TEXTS[:2])
        question = embedder.embed_question("How do I reset my VPN password?")
        assert question.shape == vpn.shape
        assert float(question @ vpn) > float(question @ holidays)

    def test_no_text_is_no_vector(self, embedder: Embedder) -> None:
        assert embedder.embed_texts([]) == []

    def test_odd_texts_have_vectors_too(self, embedder: Embedder) -> None:
        for vector in embedder.embed_texts(["", " ", "\0", "word " * 2_000, "👍"]):
            assert np.isfinite(vector).all()

    def test_the_model_has_a_name(self, embedder: Embedder) -> None:
        assert embedder.fingerprint
