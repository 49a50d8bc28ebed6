"""Where quoth.yaml says that chunks are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator, model_validator

from connectors.errors import Misconfigured
from connectors.store.weaviate.addresses import grpc_address_of, nodes_of, unprotected
from connectors.store.weaviate.place import Consistency, Node

SECTION = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
"""How every section of quoth.yaml is read: of nothing but what it knows, and never changed."""

_COLLECTION = r"^[A-Z][A-Za-z0-9_]{0,60}$"

VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


def _one_or_more(value: object) -> object:
    """One address, or a list of them."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise ValueError("must be an address, or a list such as [one, two]")


Addresses = Annotated[
    tuple[str, ...],
    BeforeValidator(_one_or_more),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class MisplacedError(ValueError):
    """A mistake that only shows beside other settings. ``setting`` names the one to change."""

    def __init__(self, setting: str, text: str) -> None:
        super().__init__(text)
        self.setting = setting


class SqliteSettings(BaseModel):
    """Chunks in a file of data_dir: for one machine, up to some hundred thousand chunks."""

    model_config = SECTION

    backend: Literal["sqlite"] = "sqlite"


class WeaviateSettings(BaseModel):
    """Chunks in a Weaviate: one that runs already, or one that Quoth starts itself (url: embedded)."""

    model_config = SECTION

    backend: Literal["weaviate"]
    url: Addresses
    """http(s)://host:8080, a list of the nodes of one cluster, or embedded."""
    grpc_url: Addresses = ()
    """host:50051, one for each url; each url's own host at port 50051 when left out."""
    api_key_env: VariableName | None = None
    """The environment variable that holds the key."""
    replicas: int = Field(default=1, ge=1)
    """How many nodes hold each chunk."""
    consistency: Consistency = "quorum"
    """How many of them acknowledge a write."""
    collection: str = Field(default="Quoth", pattern=_COLLECTION)
    allow_anonymous: bool = False
    """Use a server that asks nobody for a key; the environment variable WEAVIATE_ALLOW_ANONYMOUS=1 does the same."""
    allow_plain_http: bool = False
    """Talk unencrypted to another machine, where the network between is trusted."""

    @property
    def embedded(self) -> bool:
        """Whether Quoth starts the server itself."""
        return self.url == ("embedded",)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The servers at these addresses; none where Quoth starts its own."""
        return () if self.embedded else nodes_of(self.url, self.grpc_url)

    @field_validator("url")
    @classmethod
    def _nodes_can_be_named(cls, url: tuple[str, ...]) -> tuple[str, ...]:
        if "embedded" in url and len(url) > 1:
            raise ValueError("embedded stands alone; it is no node of a cluster")
        if url != ("embedded",):
            must_be_usable(lambda: nodes_of(url))
        return url

    @field_validator("grpc_url")
    @classmethod
    def _grpc_can_be_named(cls, grpc_url: tuple[str, ...]) -> tuple[str, ...]:
        must_be_usable(lambda: [grpc_address_of(address) for address in grpc_url])
        return grpc_url

    @model_validator(mode="after")
    def _fits_together(self) -> WeaviateSettings:
        if self.embedded:
            return self._fits_embedded()
        try:
            nodes = self.nodes
        except Misconfigured as error:
            raise MisplacedError("grpc_url", str(error)) from error
        plain = None if self.allow_plain_http else next(filter(None, map(unprotected, nodes)), None)
        if plain is not None:
            raise MisplacedError(
                "url" if plain in (node.http for node in nodes) else "grpc_url",
                f"{plain} would send the key and every page unencrypted. "
                "Write https://, or set allow_plain_http: true where the network between is trusted.",
            )
        return self

    def _fits_embedded(self) -> WeaviateSettings:
        if self.replicas > 1:
            raise MisplacedError(
                "replicas", "an embedded Weaviate is one node; leave replicas out, or name servers in url"
            )
        for name in ("grpc_url", "api_key_env"):
            if getattr(self, name):
                raise MisplacedError(name, "an embedded Weaviate chooses this itself; leave it out")
        return self


def _with_backend(store: object) -> object:
    """What names no backend means the file."""
    return {"backend": "sqlite", **store} if isinstance(store, dict) else store


StoreSettings = Annotated[
    SqliteSettings | WeaviateSettings, Field(discriminator="backend"), BeforeValidator(_with_backend)
]


def must_be_usable(tried: Callable[[], object]) -> None:
    """Turn what a connector or a store would refuse later into a mistake of the file.

    Raises:
        ValueError: It was refused.
    """
    try:
        tried()
    except Misconfigured as error:
        raise ValueError(str(error)) from error
