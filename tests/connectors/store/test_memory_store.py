"""The store in memory keeps the same promises as the real ones."""

import pytest

from connectors.ports import KnowledgeStore
from tests.contracts.store_contract import StoreContract
from tests.fakes.stores import MemoryStore


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> KnowledgeStore:
        return MemoryStore()
