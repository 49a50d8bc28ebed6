"""The REST side of a node: what the client and the project ask of it, and nothing more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from tests.fakes.weaviate.cluster import Cluster, now, verbose_nodes
from tests.fakes.weaviate.faults import Call
from tests.fakes.weaviate.refusals import Refused, forbidden
from tests.fakes.weaviate.shard import Stored
from tests.fakes.weaviate.values import checked

GRPC_MESSAGE = 104_858_000
"""The largest message in bytes, told in ``/v1/meta``."""


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any


Answer = tuple[int, Any]
"""A status, and what is told in JSON; None for no body."""


class Rest:
    """One node's answers."""

    def __init__(self, cluster: Cluster, node: int) -> None:
        self._cluster = cluster
        self._node = node
        self._gone = cluster.nodes[node].gone

    def answer(self, asked: Asked, key: str | None) -> Answer:
        """What a request comes to."""
        name = f"{asked.method} {asked.path}"
        call = Call(name, self._node, asked, lambda told: self._carried_out(told, key), self._gone)
        try:
            found: Answer = self._cluster.faults.answer(call)
        except Refused as refused:
            allowed = {"allowed": None} if (asked.method, asked.path) == ("POST", "/v1/schema") else {}
            return refused.status, allowed | {"error": [{"message": refused.said}]} if refused.said else None
        return found

    def _carried_out(self, asked: Asked, key: str | None) -> Answer:
        with self._cluster.lock:
            if refusal := self._unauthorized(asked, key):
                return 401, {"code": 401, "message": refusal}
            for method, pattern, carry_out in _ROUTES:
                found = re.fullmatch(pattern, asked.path)
                if method == asked.method and found:
                    self._check_role(asked, key)
                    return carry_out(self, asked, *found.groups())
        return 404, {"code": 404, "message": f"path {asked.path} was not found"}

    def _unauthorized(self, asked: Asked, key: str | None) -> str | None:
        keys = self._cluster.keys
        if not keys or key in keys or asked.path.endswith(("/ready", "/live")):
            return None
        if key is not None:
            return "unauthorized: invalid api key"
        if asked.path.endswith("openid-configuration"):
            return None
        said = "anonymous access not enabled. Please authenticate through one of the available methods: "
        return said + "[API-keys]"

    def _check_role(self, asked: Asked, key: str | None) -> None:
        if asked.method in ("GET", "HEAD") or self._cluster.keys.get(key or "", "admin") == "admin":
            return
        name = (asked.body or {}).get("class") or asked.path.split("/")[3]
        what = f"schema/collections/{name}/shards/#"
        if asked.path.startswith("/v1/aliases"):
            what = f"aliases/collections/{name}/aliases/{(asked.body or {}).get('alias', '*')}"
        raise forbidden("reader", {"POST": "C", "PUT": "U", "DELETE": "D"}[asked.method], what)

    def _meta(self, asked: Asked) -> Answer:
        told = {"hostname": "http://127.0.0.1", "modules": {}, "version": self._cluster.version}
        return 200, {"grpcMaxMessageSize": GRPC_MESSAGE} | told

    def _ready(self, asked: Asked) -> Answer:
        try:
            self._cluster.check_leader()
        except Refused:
            return 503, None
        return 200, None

    def _schema(self, asked: Asked) -> Answer:
        return 200, {"classes": [one.definition for one in self._cluster.schema.collections.values()]}

    def _create(self, asked: Asked) -> Answer:
        self._cluster.check_leader()
        return 200, self._cluster.schema.create(asked.body)

    def _get(self, asked: Asked, name: str) -> Answer:
        self._cluster.check_leader()
        try:
            return 200, self._cluster.schema.find(name).definition
        except Refused:
            return 404, None

    def _update(self, asked: Asked, name: str) -> Answer:
        self._cluster.check_leader()
        return 200, self._cluster.schema.update(name, asked.body)

    def _drop(self, asked: Asked, name: str) -> Answer:
        self._cluster.check_leader()
        self._cluster.drop(name)
        return 200, None

    def _shards(self, asked: Asked, name: str) -> Answer:
        status = "READONLY" if self._cluster.read_only else "READY"
        return 200, [{"name": self._cluster.schema.find(name).shard, "status": status, "vectorQueueSize": 0}]

    def _set_shard(self, asked: Asked, name: str, shard: str) -> Answer:
        self._cluster.read_only = "manually set by user" if asked.body["status"] == "READONLY" else None
        return 200, {"status": asked.body["status"]}

    def _aliases(self, asked: Asked) -> Answer:
        wanted = asked.query.get("class")
        aliases = self._cluster.schema.aliases.items()
        return 200, {"aliases": [_alias(name, target) for name, target in aliases if wanted in (None, target)]}

    def _alias(self, asked: Asked, name: str) -> Answer:
        target = self._cluster.schema.aliases.get(name)
        return (404, None) if target is None else (200, _alias(name, target))

    def _add_alias(self, asked: Asked) -> Answer:
        self._cluster.check_leader()
        self._cluster.schema.alias(asked.body["alias"], asked.body["class"])
        return 200, asked.body

    def _point_alias(self, asked: Asked, name: str) -> Answer:
        self._cluster.check_leader()
        self._cluster.schema.point(name, asked.body["class"])
        return 200, _alias(name, asked.body["class"])

    def _drop_alias(self, asked: Asked, name: str) -> Answer:
        self._cluster.check_leader()
        return (204, None) if self._cluster.schema.aliases.pop(name, None) else (404, None)

    def _nodes(self, asked: Asked, name: str | None) -> Answer:
        nodes = verbose_nodes(self._cluster, name or "")
        if asked.query.get("output") != "verbose":
            nodes = [{**node, "shards": None} for node in nodes]
            for node in nodes:
                del node["stats"]
        return 200, {"nodes": nodes}

    def _object(self, asked: Asked, name: str, object_id: str) -> Answer:
        collection = self._cluster.schema.find(name)
        stored = self._cluster.shard(self._node, collection).objects.get(object_id)
        if stored is None:
            return 404, None
        told: dict[str, Any] = {"class": collection.name, "id": object_id, "properties": dict(stored.properties)}
        told["vectors"] = {name: vector.tolist() for name, vector in stored.vectors.items()}
        return 200, told

    def _has_object(self, asked: Asked, name: str, object_id: str) -> Answer:
        return (204 if self._object(asked, name, object_id)[0] == 200 else 404), None

    def _add_object(self, asked: Asked) -> Answer:
        collection = self._cluster.schema.find(asked.body["class"])
        if asked.body["id"] in self._cluster.shard(self._node, collection).objects:
            raise Refused(f"id '{asked.body['id']}' already exists")
        return self._put_object(asked, collection.name, asked.body["id"])

    def _put_object(self, asked: Asked, name: str, object_id: str) -> Answer:
        collection = self._cluster.schema.find(name)
        given = (asked.body.get("vectors") or {}).items()
        vectors = {vector: np.asarray(values, np.float32) for vector, values in given}
        stored = Stored(object_id, checked(asked.body["properties"], collection), vectors, now(), now())
        self._cluster.put(collection, stored, 0)
        return 200, asked.body

    def _drop_object(self, asked: Asked, name: str, object_id: str) -> Answer:
        self._cluster.check_writable()
        self._cluster.delete(self._cluster.schema.find(name), [object_id])
        return 204, None


def _alias(name: str, target: str) -> dict[str, str]:
    return {"alias": name, "class": target}


_ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/v1/meta", Rest._meta),
    ("GET", r"/v1/\.well-known/ready", Rest._ready),
    ("GET", r"/v1/\.well-known/live", lambda *_: (200, None)),
    ("GET", r"/v1/\.well-known/openid-configuration", lambda *_: (404, None)),
    ("GET", "/v1/schema", Rest._schema),
    ("POST", "/v1/schema", Rest._create),
    ("GET", "/v1/schema/([^/]+)", Rest._get),
    ("PUT", "/v1/schema/([^/]+)", Rest._update),
    ("DELETE", "/v1/schema/([^/]+)", Rest._drop),
    ("GET", "/v1/schema/([^/]+)/shards", Rest._shards),
    ("PUT", "/v1/schema/([^/]+)/shards/([^/]+)", Rest._set_shard),
    ("GET", "/v1/aliases", Rest._aliases),
    ("POST", "/v1/aliases", Rest._add_alias),
    ("GET", "/v1/aliases/([^/]+)", Rest._alias),
    ("PUT", "/v1/aliases/([^/]+)", Rest._point_alias),
    ("DELETE", "/v1/aliases/([^/]+)", Rest._drop_alias),
    ("GET", "/v1/nodes(?:/([^/]+))?", Rest._nodes),
    ("POST", "/v1/objects", Rest._add_object),
    ("GET", "/v1/objects/([^/]+)/([^/]+)", Rest._object),
    ("HEAD", "/v1/objects/([^/]+)/([^/]+)", Rest._has_object),
    ("PUT", "/v1/objects/([^/]+)/([^/]+)", Rest._put_object),
    ("DELETE", "/v1/objects/([^/]+)/([^/]+)", Rest._drop_object),
)


def listener_of(rest: Rest) -> type[BaseHTTPRequestHandler]:
    """What Python's HTTP server wants: a class that answers one connection."""

    class Listener(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), json.loads(body) if body else None)
            told = self.headers.get("Authorization")
            status, said = rest.answer(asked, told.removeprefix("Bearer ") if told else None)
            packed = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status != 204:
                self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815  # The server's names.

        def log_message(self, format: str, *args: object) -> None: ...

    return Listener
