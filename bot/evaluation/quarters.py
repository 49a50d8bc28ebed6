"""Where a dataset is kept: with the configured models and kind of store, apart from what answers questions."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.evaluation.connector import SOURCE
from bot.evaluation.dataset import Dataset
from bot.settings import KnowledgeBase, Settings
from bot.store_settings import WeaviateSettings
from connectors.ledger.ledger import Ledger

KNOWLEDGE_BASE = "dataset"


class DatasetSource(BaseModel):
    """A dataset in the place of a configured source. Nobody writes one into quoth.yaml."""

    model_config = ConfigDict(frozen=True)

    type: Literal["beir"] = "beir"
    url: str
    every: timedelta = timedelta(days=1)
    refresh: None = None


def apart(settings: Settings, dataset: Dataset) -> Settings:
    """The settings with the dataset as their only source, and a ledger and an index that hold nothing else.

    The place depends on the dataset's folder, the embeddings and the store: what was built with others stays for the
    next comparison. Where the store is a Weaviate, the collection's name is the ledger's own: no other Quoth fills it.
    """
    data_dir = settings.data_dir / "eval" / _place_of(settings, dataset.folder)
    changes = {
        "data_dir": data_dir,
        "database": "sqlite",
        "sources": {SOURCE: DatasetSource(url=dataset.corpus.path.as_uri())},
        "knowledge_bases": {KNOWLEDGE_BASE: KnowledgeBase(sources=(SOURCE,))},
        "channels": {},
        "direct_messages": None,
    }
    if isinstance(settings.store, WeaviateSettings):
        changes["store"] = settings.store.model_copy(update={"collection": _collection_of(settings.store, data_dir)})
    return settings.model_copy(update=changes)


def _place_of(settings: Settings, folder: Path) -> str:
    """A folder's name, for people as far as possible."""
    store = settings.store
    where = (*store.url, store.collection) if isinstance(store, WeaviateSettings) else ()
    parts = (str(folder), settings.embeddings, store.backend, *where)
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    name = re.sub(r"[^A-Za-z0-9._-]", "", folder.name)[:40].lstrip(".")
    return f"{name or 'dataset'}-{store.backend}-{digest}"


def _collection_of(store: WeaviateSettings, data_dir: Path) -> str:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    ledger = Ledger(f"sqlite:///{data_dir / 'ledger.db'}")
    ledger.close()
    return f"{store.collection[:32]}_Eval_{hashlib.sha256(ledger.key).hexdigest()[:16]}"
