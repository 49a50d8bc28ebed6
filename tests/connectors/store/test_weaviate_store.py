from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.store.weaviate.place import WeaviatePlace
from connectors.store.weaviate_store import WeaviateStore
from tests.contracts.store_contract import StoreContract

OWNER = "5f0c1d"


@pytest.mark.weaviate
class TestWeaviateStore(StoreContract):
    @pytest.fixture
    def store(self, weaviate_place: WeaviatePlace) -> Iterator[WeaviateStore]:
        store = WeaviateStore(weaviate_place, "fingerprint", owner=OWNER)
        yield store
        store.close()
