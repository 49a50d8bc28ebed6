"""A conversation with a Weaviate, and what it says: the same on the fake and on a real one, or the fake is a rumour.

``recorded.json`` is what v1.39.0 said. To record another: ``python -m tests.fakes.weaviate.likeness URL GRPC``.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import weaviate
from weaviate.exceptions import WeaviateBaseError

from tests.fakes.weaviate.probes import NAME, PARTS, Told

RECORDED = Path(__file__).with_name("recorded.json")
_SHARD = re.compile(r"likeness_\w{12}|(?<=shard )\w{12}|(?<=shard \")\w{12}")


def conversation(url: str, grpc: str, api_key: str | None = None) -> Told:
    """All that is asked, by name, and what the server says to it."""
    http, (host, port) = httpx.URL(url), grpc.rpartition("//")[2].rsplit(":", 1)
    client = weaviate.connect_to_custom(
        http_host=http.host,
        http_port=http.port or 80,
        http_secure=http.scheme == "https",
        grpc_host=host,
        grpc_port=int(port),
        grpc_secure=grpc.startswith("grpcs"),
        auth_credentials=weaviate.auth.Auth.api_key(api_key) if api_key else None,
        skip_init_checks=True,
    )
    told: Told = {}
    logging.getLogger("weaviate-client").disabled = True  # It prints whole objects.
    try:
        for part in PARTS:
            told |= {f"{part.__name__}: {name}": _said(ask) for name, ask in part(client).items()}
    finally:
        for name in (NAME, f"{NAME}Other"):
            client.collections.delete(name)
        client.alias.delete(alias_name=f"{NAME}Live")
        client.close()
    return told


def _said(ask: Callable[[], Any]) -> Any:
    try:
        return json.loads(json.dumps(_rounded(ask())))
    except WeaviateBaseError as error:
        said = str(error).partition("details = ")[2].partition("\n")[0] or str(error)
        return _SHARD.sub("…", f"{type(error).__name__}: {said}")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, (list, tuple)) else value


if __name__ == "__main__":
    told = conversation(sys.argv[1], sys.argv[2])
    RECORDED.write_text(json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
