"""The store of an index is built from what the configuration says, or said when the index was made."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.settings import Environment, Settings
from bot.store_settings import WeaviateSettings
from bot.stores import index_of, owner_of, place_of, share_ledger, store_of, twin_of
from connectors.errors import Misconfigured
from connectors.store.sqlite_store import SqliteStore
from connectors.store.weaviate.place import Node, WeaviatePlace
from connectors.store.weaviate_store import WeaviateStore

WEAVIATE = {"backend": "weaviate", "url": "http://127.0.0.1:1", "api_key_env": "WEAVIATE_API_KEY"}

POSTGRES = "postgresql+psycopg://quoth@db.example/quoth"


def settings(**store: object) -> Settings:
    return Settings.model_validate({"store": store})


@pytest.mark.parametrize(
    ("store", "name"),
    [
        ({}, "f1"),
        (WEAVIATE, "weaviate:Quoth:f1"),
        (WEAVIATE | {"collection": "Acme"}, "weaviate:Acme:f1"),
        ({"backend": "weaviate", "url": "embedded"}, "embedded:Quoth:f1"),
    ],
)
def test_an_index_is_named_by_where_it_is_kept(store: dict[str, object], name: str) -> None:
    spec = index_of(settings(**store), "f1")

    assert (spec.name, spec.fingerprint, spec.embeddings) == (name, "f1", "local")


def test_moving_a_weaviate_to_another_address_changes_no_name() -> None:
    moved = WEAVIATE | {"url": ["https://one.example", "https://two.example"], "replicas": 2}

    assert index_of(settings(**moved), "f1").name == index_of(settings(**WEAVIATE), "f1").name


def test_an_index_remembers_the_name_of_a_secret_and_not_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEAVIATE_API_KEY", "hush")

    spec = index_of(settings(**WEAVIATE), "f1")

    assert "WEAVIATE_API_KEY" in spec.store
    assert "hush" not in spec.store


def test_a_file_is_opened_by_its_fingerprint(tmp_path: Path) -> None:
    with ExitStack() as open_:
        store = store_of(index_of(settings(), "f1"), tmp_path, Environment(), "owner", open_)

        assert isinstance(store, SqliteStore)
        assert (tmp_path / "index-f1.db").exists()


def test_a_secret_that_is_not_set_is_named(tmp_path: Path) -> None:
    spec = index_of(settings(**WEAVIATE), "f1")

    with ExitStack() as open_, pytest.raises(Misconfigured, match="WEAVIATE_API_KEY is not set"):
        store_of(spec, tmp_path, Environment(), "owner", open_)


@pytest.mark.parametrize(("told", "variable", "allowed"), [(False, "", False), (True, "", True), (False, "1", True)])
def test_a_weaviate_is_used_as_it_was_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: bool, variable: str, allowed: bool
) -> None:
    monkeypatch.setenv("WEAVIATE_API_KEY", "hush")
    monkeypatch.setenv("WEAVIATE_ALLOW_ANONYMOUS", variable)
    store = settings(**WEAVIATE, replicas=3, consistency="all", collection="Acme", allow_anonymous=told).store
    assert isinstance(store, WeaviateSettings)

    with ExitStack() as open_:
        place = place_of(store, tmp_path, Environment(), open_)

    nodes = (Node("http://127.0.0.1:1", "127.0.0.1:50051"),)
    assert place == WeaviatePlace(nodes, "hush", 3, "all", "Acme", allow_anonymous=allowed)


def test_a_weaviate_is_not_asked_for_anything_before_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEAVIATE_API_KEY", "hush")

    with ExitStack() as open_:
        store = store_of(index_of(settings(**WEAVIATE), "f1"), tmp_path, Environment(), "owner", open_)

        assert isinstance(store, WeaviateStore)


def test_an_index_can_be_kept_as_another_configuration_says(tmp_path: Path) -> None:
    here, there = (Settings.model_validate({"data_dir": tmp_path, "store": store}) for store in ({}, WEAVIATE))
    index = index_of(here, "f1", "e1")

    twin = twin_of(index, here, there)

    assert twin == index_of(there, "f1", "e1")
    assert share_ledger(here, there)
    assert twin_of(twin, there, here) == index


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({}, {}),
        (WEAVIATE, WEAVIATE | {"url": ["http://127.0.0.1:2", "http://127.0.0.1:1"], "replicas": 2}),
        ({"backend": "weaviate", "url": "embedded"}, {"backend": "weaviate", "url": "embedded"}),
    ],
)
def test_a_store_is_not_copied_onto_itself(here: dict[str, object], there: dict[str, object]) -> None:
    index = index_of(settings(**here), "f1")

    with pytest.raises(Misconfigured, match="the very store that answers now"):
        twin_of(index, settings(**here), settings(**there))


@pytest.mark.parametrize("there", [{"url": "http://127.0.0.1:2"}, {"collection": "Acme"}])
def test_one_weaviate_can_be_copied_to_another(there: dict[str, object]) -> None:
    index = index_of(settings(**WEAVIATE), "f1")

    assert twin_of(index, settings(**WEAVIATE), settings(**WEAVIATE | there)).store != index.store


def test_an_index_of_other_vectors_is_no_twin() -> None:
    other = Settings.model_validate({"embeddings": "openai:text-embedding-3-small"})

    with pytest.raises(Misconfigured, match="A copy keeps the vectors"):
        twin_of(index_of(settings(), "f1"), settings(), other)


def test_an_owner_tells_nothing_of_the_key() -> None:
    assert owner_of(b"key") == owner_of(b"key") != owner_of(b"other")
    assert len(owner_of(b"key")) == 16


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ({"data_dir": "/a"}, {"data_dir": "/a"}, True),
        ({"data_dir": "/a"}, {"data_dir": "/b"}, False),
        ({"data_dir": "/a", "database": POSTGRES}, {"data_dir": "/b", "database": POSTGRES}, True),
        ({"data_dir": "/a"}, {"data_dir": "/a", "database": POSTGRES}, False),
    ],
)
def test_who_shares_a_ledger(one: dict[str, object], other: dict[str, object], shared: bool) -> None:
    assert share_ledger(Settings.model_validate(one), Settings.model_validate(other)) == shared


def test_a_variable_that_cannot_be_used_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEAVIATE_ALLOW_ANONYMOUS", "perhaps")

    with pytest.raises(Misconfigured, match="WEAVIATE_ALLOW_ANONYMOUS cannot be used") as caught:
        Environment()

    assert "perhaps" not in str(caught.value)
