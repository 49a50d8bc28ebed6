"""The indexes that there are: which one answers, and which one is to follow it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """An index by name, and all that it takes to open it again when the configuration says something else by then.

    ``name`` is unique among all stores. ``fingerprint`` names the pipeline: the chunks of two indexes with one
    fingerprint are the same, wherever they are kept. ``embeddings`` is the configuration's string; ``store`` its
    section in JSON, with the names of secrets and not the secrets. ``embedder`` is the fingerprint of what embeds,
    empty where it was never noted.
    """

    name: str
    fingerprint: str
    embeddings: str
    store: str
    embedder: str = ""
