"""What every knowledge store must do. Subclass it and give it an empty store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from connectors.model import Candidate, Chunk, Query, Vector, source_tag, stamp_of
from connectors.ports import KnowledgeStore
from connectors.text.analysis import terms_of

DIMENSIONS = 8


def chunks(
    document: str, *texts: str, version: str = "1", source: str = "wiki", title: str = "Page", tags: Sequence[str] = ()
) -> list[Chunk]:
    """The chunks of one version of a document."""
    return [
        Chunk(
            source=source,
            document_id=f"{source}:{document}",
            version=version,
            pipeline="p",
            ordinal=ordinal,
            title=title,
            headings=("Heading", "Sub"),
            text=text,
            first_line=ordinal + 1,
            last_line=ordinal + 2,
            anchor="sub" if ordinal else None,
            tags=frozenset({source_tag(source), *tags}),
            seal=f"seal {ordinal}",
        )
        for ordinal, text in enumerate(texts)
    ]


def direction(*values: float) -> Vector:
    """A vector of length 1 that begins with these numbers."""
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[: len(values)] = values
    return vector / np.float32(np.linalg.norm(vector))


def asked(text: str, vector: Vector | None = None, tags: Sequence[str] = ("source:wiki",), limit: int = 10) -> Query:
    return Query(dict.fromkeys(terms_of(text), 1.0), vector, frozenset(tags), limit)


def texts_of(found: Sequence[Candidate]) -> set[str]:
    return {candidate.chunk.text for candidate in found}


class StoreContract:
    @pytest.fixture
    def store(self) -> KnowledgeStore:
        raise NotImplementedError

    def test_a_chunk_comes_back_as_it_was_put(self, store: KnowledgeStore) -> None:
        put = chunks(
            "a", "The first one.", 'The *second* — with ümlauts.\r\n\tTabs, "quotes" and 検索.', tags=["label:x"]
        )
        store.put(put)
        assert sorted((stored.chunk for stored in store.export("wiki")), key=lambda chunk: chunk.ordinal) == put
        (found,) = store.search(asked("second"))
        assert found.chunk == put[1]

    def test_chunks_are_found_by_their_words_at_once(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "Reset the VPN password.", "Book holidays."))
        (found,) = store.search(asked("vpn"))
        assert found.chunk.text == "Reset the VPN password."
        assert found.keyword_score > 0
        assert found.vector_score is None

    def test_title_and_headings_are_words_too(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "Nothing here.", title="Onboarding checklist"))
        assert texts_of(store.search(asked("onboarding"))) == {"Nothing here."}
        assert texts_of(store.search(asked("heading"))) == {"Nothing here."}

    def test_a_word_that_every_chunk_holds_still_finds_them(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "Deploy the server.", "Deploy the deploy bot.", "Deploy."))
        found = store.search(asked("deploy"))
        assert len(found) == 3
        assert all(candidate.keyword_score > 0 for candidate in found)

    def test_rarer_words_count_more(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", *(f"server number {i}" for i in range(8)), "server zebra"))
        found = {c.chunk.text: c.keyword_score for c in store.search(asked("server zebra", limit=20))}
        assert max(found, key=lambda text: found[text]) == "server zebra"

    def test_the_weight_of_a_word_counts(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "apples only"))
        store.put(chunks("b", "pears only"))
        scores = {
            c.chunk.text: c.keyword_score for c in store.search(Query({"appl": 1.0, "pear": 0.2}, None, _WIKI, 10))
        }
        assert scores["apples only"] == pytest.approx(5 * scores["pears only"])

    def test_words_side_by_side_count_more_where_the_question_has_them_so(self, store: KnowledgeStore) -> None:
        put = [chunks(name, text)[0] for name, text in (("a", "restore backup now"), ("b", "backup restore now"))]
        for chunk in put:
            store.put([chunk])
        alone = {"restor": 1.0, "backup": 1.0}
        plain = {c.chunk.text: c.keyword_score for c in store.search(Query(alone, None, _WIKI, 10))}
        assert plain["restore backup now"] == pytest.approx(plain["backup restore now"])
        pairs = {("restor", "backup"): 1.0, ("backup", "unheard"): 1.0}
        paired = {c.chunk.text: c.keyword_score for c in store.search(Query(alone, None, _WIKI, 10, pairs))}
        assert paired["backup restore now"] == pytest.approx(plain["backup restore now"])
        assert paired["restore backup now"] > plain["restore backup now"]

    def test_vectors_find_what_words_do_not(self, store: KnowledgeStore) -> None:
        near, far = chunks("a", "Reset the VPN password.", "Book holidays.")
        store.put([near, far])
        store.embed({near.chunk_id: direction(1, 0.2), far.chunk_id: direction(0, 1)})
        found = store.search(asked("unrelated", direction(1), limit=1))
        assert texts_of(found) == {near.text}
        assert found[0].vector_score == pytest.approx(float(direction(1, 0.2)[0]), abs=2e-3)
        assert found[0].keyword_score == 0

    def test_every_candidate_has_both_true_scores(self, store: KnowledgeStore) -> None:
        words, meaning, pending = (chunks(text[0], text)[0] for text in ("vpn password", "holidays", "pending vpn"))
        for chunk in (words, meaning, pending):
            store.put([chunk])
        store.embed({words.chunk_id: direction(0.1, 1), meaning.chunk_id: direction(1)})
        for limit in (1, 10):
            found = {c.chunk.text: c for c in store.search(asked("vpn", direction(1), limit=limit))}
            assert found["holidays"].keyword_score == 0
            assert found["holidays"].vector_score == pytest.approx(1, abs=2e-3)
        assert found["vpn password"].vector_score == pytest.approx(float(direction(0.1, 1)[0]), abs=2e-3)
        assert found["vpn password"].keyword_score > 0
        assert found["pending vpn"].vector_score is None

    def test_a_scope_sees_its_own_tags_only(self, store: KnowledgeStore) -> None:
        mine, other = chunks("a", "vpn one"), chunks("a", "vpn two", source="wiki-archive")
        store.put(mine)
        store.put(other)
        store.embed({chunk.chunk_id: direction(1) for chunk in (*mine, *other)})
        assert texts_of(store.search(asked("vpn", direction(1)))) == {"vpn one"}
        assert texts_of(store.search(asked("vpn", direction(1), tags=["source:wiki-archive"]))) == {"vpn two"}
        assert len(store.search(asked("vpn", direction(1), tags=["source:wiki", "source:wiki-archive"]))) == 2
        assert store.search(asked("vpn", direction(1), tags=["source:wik"])) == []
        assert store.search(asked("vpn", direction(1), tags=['source:wiki" OR "x', "*", ""])) == []

    def test_the_scores_of_a_chunk_do_not_depend_on_the_scope(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "vpn one", tags=["label:x"]))
        store.put(chunks("b", "vpn two", source="other"))
        (narrow,) = store.search(asked("vpn one", tags=["label:x"]))
        wide = store.search(asked("vpn one", tags=["source:wiki", "source:other"]))
        assert narrow.keyword_score == pytest.approx(next(c.keyword_score for c in wide if c.chunk.text == "vpn one"))

    def test_a_question_without_terms_and_vector_finds_nothing(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "vpn"))
        assert store.search(Query({}, None, _WIKI, 10)) == []

    def test_hostile_words_are_only_words(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "vpn"))
        for text in (
            '" OR *',
            "vpn) OR (x",
            "NEAR(vpn x)",
            "scope:vpn",
            "-vpn",
            "vpn*",
            "\0",
            "'; DROP TABLE chunks; --",
        ):
            store.search(Query({text: 1.0, "vpn": 1.0}, None, _WIKI, 10))
        assert texts_of(store.search(asked("vpn"))) == {"vpn"}

    def test_a_question_of_thousands_of_words_is_answered(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "the needle is here", "straw only"))
        terms = {f"straw{i}": 1.0 for i in range(5_000)} | {"needl": 1.0}
        assert texts_of(store.search(Query(terms, None, _WIKI, 10))) == {"the needle is here"}

    def test_the_limit_holds_on_each_side(self, store: KnowledgeStore) -> None:
        many = chunks("a", *(f"vpn {'word ' * i}" for i in range(30)))
        store.put(many)
        store.embed({chunk.chunk_id: direction(1, chunk.ordinal) for chunk in many})
        assert len(store.search(asked("vpn", limit=5))) == 5
        assert 5 <= len(store.search(asked("vpn", direction(1), limit=5))) <= 10

    def test_a_new_version_stands_beside_the_old_until_that_is_retired(self, store: KnowledgeStore) -> None:
        old, new = chunks("a", "vpn old"), chunks("a", "vpn new", version="2")
        store.put(old)
        store.embed({old[0].chunk_id: direction(1)})
        store.put(new)
        assert texts_of(store.search(asked("vpn"))) == {"vpn old", "vpn new"}
        assert {(held.version, held.chunks, held.embedded) for held in store.contents("wiki")} == {
            ("1", 1, 1),
            ("2", 1, 0),
        }
        for _ in range(2):
            store.retire("wiki", {"wiki:a": ("2", "p")})
            assert texts_of(store.search(asked("vpn", direction(1)))) == {"vpn new"}

    def test_retiring_keeps_what_it_does_not_name(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "vpn a"))
        store.put(chunks("b", "vpn b"))
        store.put(chunks("a", "vpn c", source="other"))
        store.retire("wiki", {"wiki:a": None, "wiki:unknown": None})
        assert texts_of(store.search(asked("vpn", tags=["source:wiki", "source:other"]))) == {"vpn b", "vpn c"}
        assert store.stats("wiki").chunks == 1

    def test_the_same_put_again_changes_nothing(self, store: KnowledgeStore) -> None:
        put = chunks("a", "vpn one", "vpn two")
        store.put(put)
        store.embed({put[0].chunk_id: direction(1)})
        store.put(put)
        assert (store.stats().chunks, store.stats().embedded) == (2, 1)

    def test_a_put_over_a_torn_one_makes_it_whole(self, store: KnowledgeStore) -> None:
        put = chunks("a", "vpn one", "vpn two")
        store.put(put[:1])
        store.put(put)
        assert texts_of(store.search(asked("vpn"))) == {"vpn one", "vpn two"}

    def test_a_put_leaves_nothing_else_of_its_version(self, store: KnowledgeStore) -> None:
        stray = replace(chunks("a", "vpn stray")[0], ordinal=7)
        other = chunks("a", "vpn other", version="2")
        store.put([stray])
        store.put(other)
        store.put(chunks("a", "vpn one", "vpn two"))
        assert texts_of(store.search(asked("vpn"))) == {"vpn one", "vpn two", "vpn other"}
        store.put(chunks("a", "vpn one"))
        assert texts_of(store.search(asked("vpn"))) == {"vpn one", "vpn other"}

    def test_vectors_stay_where_the_words_did(self, store: KnowledgeStore) -> None:
        one, two = chunks("a", "vpn one", "vpn two")
        store.put([one, two])
        store.embed({one.chunk_id: direction(1), two.chunk_id: direction(0, 1)})
        store.put([replace(one, seal="new"), replace(two, text="vpn three")])
        embedded = {stored.chunk.text: stored.vector is not None for stored in store.export("wiki")}
        assert embedded == {"vpn one": True, "vpn three": False}

    def test_the_digest_tells_which_chunks_are_held(self, store: KnowledgeStore) -> None:
        assert store.stats().digest == 0
        mine, other = chunks("a", "one", "two"), chunks("a", "one", source="other")
        store.put(mine)
        store.put(other)
        assert store.stats("wiki").digest == sum(stamp_of(chunk.chunk_id) for chunk in mine)
        assert store.stats().digest == sum(stamp_of(chunk.chunk_id) for chunk in (*mine, *other))
        store.retire("wiki", {"wiki:a": None})
        store.put(chunks("b", "one", "two"))
        assert store.stats("wiki").chunks == 2
        assert store.stats("wiki").digest != sum(stamp_of(chunk.chunk_id) for chunk in mine)

    def test_every_node_that_is_told_of_is_ready_and_keeps_up(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "one"))
        assert all(node.ready and not node.lagging for node in store.nodes())

    def test_publishing_changes_no_answer(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "vpn one"))
        for _ in range(2):
            store.publish()
            assert texts_of(store.search(asked("vpn"))) == {"vpn one"}

    def test_dropping_twice_is_no_error(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "vpn one"))
        store.publish()
        store.drop()
        store.drop()

    def test_embedding_an_unknown_chunk_does_nothing(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "vpn"))
        store.embed({"6f1c0a8e-0000-5000-8000-000000000000": direction(1)})
        store.embed({})
        assert store.stats().embedded == 0

    def test_what_has_no_vector_yet_is_listed(self, store: KnowledgeStore) -> None:
        put = chunks("a", "one", "two", "three")
        store.put(put)
        store.embed({put[1].chunk_id: direction(1)})
        assert {chunk.text for chunk in store.unembedded(10)} == {"one", "three"}
        assert len(store.unembedded(1)) == 1

    def test_the_sample_is_of_the_index_and_stays(self, store: KnowledgeStore) -> None:
        assert len(store.sample()) == 0
        put = chunks("a", *(f"text {i}" for i in range(600)))
        store.put(put)
        store.embed({chunk.chunk_id: direction(1, chunk.ordinal) for chunk in put})
        sample = store.sample()
        assert len(sample) == 512
        assert np.allclose(np.asarray(sample), np.asarray(store.sample()))

    def test_vectors_come_back_with_their_chunks(self, store: KnowledgeStore) -> None:
        one, two = chunks("a", "one", "two")
        store.put([one, two])
        store.embed({one.chunk_id: direction(1, 2)})
        vectors = {stored.chunk.text: stored.vector for stored in store.export("wiki")}
        assert vectors["two"] is None
        assert np.allclose(vectors["one"], direction(1, 2), atol=1e-3)

    def test_figures_count_one_source_or_all(self, store: KnowledgeStore) -> None:
        store.put(chunks("a", "one", "two"))
        store.put(chunks("b", "three", source="other"))
        assert (store.stats("wiki").documents, store.stats("wiki").chunks) == (1, 2)
        assert (store.stats().documents, store.stats().chunks) == (2, 3)
        assert list(store.contents("nowhere")) == []
        assert list(store.export("nowhere")) == []


_WIKI = frozenset({"source:wiki"})
