"""What an operator can choose, validated and frozen: quoth.yaml and the environment, which only this module reads."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.store_settings import SECTION, SqliteSettings, StoreSettings, VariableName, must_be_usable
from connectors.errors import Misconfigured
from connectors.git.clone import Remote
from connectors.git.permalinks import Permalinks
from connectors.http import checked_base_url
from connectors.model import source_tag

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=36_500)
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_CHANNEL = r"^[CGD][A-Za-z0-9_]{1,40}$"


def _duration(value: object) -> object:
    """A number with a unit, such as 30s, 10m, 2h or 30d; 0 needs none."""
    if value in (0, "0"):
        return timedelta(0)
    match = re.fullmatch(r"(\d{1,6})\s*([smhd])", value.strip()) if isinstance(value, str) else None
    if match is None and not isinstance(value, timedelta):
        raise ValueError("is not a duration; write a number and a unit, such as 30s, 10m, 2h or 30d")
    length = value if match is None else timedelta(**{_UNITS[match[2]]: int(match[1])})
    if isinstance(length, timedelta) and length > _LONGEST:
        raise ValueError("is longer than a century")
    return length


def _folder_from_its_folder(path: Path, info: ValidationInfo) -> Path:
    """A path in a configuration file starts at the file's folder."""
    folder: Path = (info.context or {}).get("folder", Path())
    return (folder / path.expanduser()).absolute()


def _from_its_folder(url: str, info: ValidationInfo) -> str:
    """A local repository's path likewise; URLs and host:path stay as they are."""
    is_path = "://" not in url and not re.match(r"^[^/]+:", url)
    return str(_folder_from_its_folder(Path(url), info)) if is_path and not url.startswith("-") else url


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema(
        {"type": ["string", "integer"], "pattern": r"^(0|\d{1,6}\s*[smhd])$", "examples": ["30s", "10m", "30d"]}
    ),
]
Name = Annotated[str, Field(pattern=_NAME)]
ChannelId = Annotated[str, Field(pattern=_CHANNEL)]


class _Section(BaseModel):
    model_config = SECTION


class TokenAuth(_Section):
    """A token for a Git host, named by the environment variable that holds it."""

    kind: Literal["token"]
    token_env: VariableName
    username: str | None = None


class GitSource(_Section):
    """A Git repository: any https, ssh or file URL, or a local path."""

    type: Literal["git"]
    url: Annotated[str, AfterValidator(_from_its_folder)] = Field(min_length=1)
    branch: str | None = None
    """The branch to read; the repository's own default when left out."""
    include: tuple[str, ...] = ()
    """Globs of files to read, such as docs/**. None means every supported format."""
    exclude: tuple[str, ...] = ()
    every: Duration = timedelta(minutes=10)
    """How often the whole source is compared."""
    refresh: Duration | None = None
    """How often recent changes are looked for in between."""
    auth: TokenAuth | None = None
    links: str | None = None
    """How a passage is linked on an unknown host: https://…/{commit}/{path}#L{start}-L{end}."""

    @model_validator(mode="after")
    def _can_be_read(self) -> GitSource:
        """What the connector would refuse later is a mistake of the file, to be named with its line."""
        must_be_usable(lambda: Permalinks(Remote(self.url, self.branch).address, self.links))
        return self


class CloudBasicAuth(_Section):
    """An Atlassian account and its API token."""

    kind: Literal["cloud_basic"]
    email: str = Field(min_length=3)
    token_env: VariableName


class ConfluenceSource(_Section):
    """A Confluence Cloud site, or some of its spaces."""

    type: Literal["confluence"]
    url: str = Field(min_length=1)
    auth: CloudBasicAuth
    spaces: tuple[str, ...] = ()
    """Space keys; none means every space that is neither personal nor archived."""
    every: Duration = timedelta(minutes=15)
    refresh: Duration | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> ConfluenceSource:
        must_be_usable(lambda: checked_base_url(self.url))
        return self


Source = Annotated[GitSource | ConfluenceSource, Field(discriminator="type")]


class KnowledgeBase(_Section):
    """A named set of sources."""

    sources: tuple[Name, ...]


class ChannelBinding(_Section):
    """What a channel may be answered from."""

    knowledge_base: Name


class DirectMessages(_Section):
    """What direct messages are answered from: one knowledge base, or those of the channels the writer is in."""

    knowledge_base: Name | None = None
    member_channels: bool = False

    @model_validator(mode="after")
    def _one_of_two(self) -> DirectMessages:
        if (self.knowledge_base is None) == (not self.member_channels):
            raise ValueError("needs either knowledge_base or member_channels: true")
        return self


class SlackSettings(_Section):
    """How Quoth meets Slack."""

    mode: Literal["socket", "http"] = "socket"
    command: str = Field(default="/quoth", pattern=r"^/[a-z0-9_-]{1,31}$")
    reindex_command: str = Field(default="/reindex", pattern=r"^/[a-z0-9_-]{1,31}$")
    admins: tuple[str, ...] = ()
    """User ids that may reindex; none means the workspace's admins."""
    allow_guests: bool = False
    allow_external: bool = False
    """People of other workspaces, in channels shared with them."""


class WebSettings(_Section):
    """Where /slack/events, /healthz, /readyz and /metrics listen. Port 0 is chosen and printed."""

    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=0, le=65535)


class Settings(_Section):
    """Everything an operator can choose. Secrets are named here by environment variable, never written."""

    data_dir: Annotated[Path, AfterValidator(_folder_from_its_folder)] = Field(
        default=Path(".quoth"), validate_default=True
    )
    database: str = Field(default="sqlite", pattern=r"^(sqlite|postgresql\+psycopg://.+)$")
    """sqlite (files in data_dir), or postgresql+psycopg://…"""
    store: StoreSettings = SqliteSettings()
    embeddings: str = "local"
    """local, or any LangChain init_embeddings string."""
    reranker: Literal["local", "none"] = "local"
    model: str = "auto"
    """auto, quotes, or a LangChain model string such as anthropic:claude-sonnet-5-5 or ollama:qwen3."""
    sources: dict[Name, Source] = {}
    knowledge_bases: dict[Name, KnowledgeBase] = {}
    channels: dict[ChannelId, ChannelBinding] = {}
    direct_messages: DirectMessages | None = None
    slack: SlackSettings = SlackSettings()
    web: WebSettings = WebSettings()
    keep_words: Duration = timedelta(days=30)
    """How long questions and answers stay readable in our own database; 0 = gone once answered."""

    @model_validator(mode="after")
    def _names_exist(self) -> Settings:
        for name, base in self.knowledge_bases.items():
            for source in base.sources:
                _must_exist(f"knowledge_bases.{name}.sources", "source", source, self.sources)
        for channel, binding in self.channels.items():
            where = f"channels.{channel}.knowledge_base"
            _must_exist(where, "knowledge base", binding.knowledge_base, self.knowledge_bases)
        if self.direct_messages is not None and self.direct_messages.knowledge_base is not None:
            where = "direct_messages.knowledge_base"
            _must_exist(where, "knowledge base", self.direct_messages.knowledge_base, self.knowledge_bases)
        return self

    def tags_of(self, knowledge_base: str) -> frozenset[str]:
        """The tags of a knowledge base's chunks.

        Raises:
            Misconfigured: There is no such knowledge base.
        """
        base = self.knowledge_bases.get(knowledge_base)
        if base is None:
            raise Misconfigured(_unknown("knowledge base", knowledge_base, self.knowledge_bases))
        return frozenset(source_tag(source) for source in base.sources)

    def source(self, name: str) -> GitSource | ConfluenceSource:
        """The settings of a source.

        Raises:
            Misconfigured: There is no such source.
        """
        if name not in self.sources:
            raise Misconfigured(_unknown("source", name, self.sources))
        return self.sources[name]


def _unknown(what: str, name: str, known: Mapping[str, object]) -> str:
    names = ", ".join(sorted(known)) or "none yet"
    return f"There is no {what} called “{name}” in the configuration. Known: {names}."


def _must_exist(where: str, what: str, name: str, known: Mapping[str, object]) -> None:
    if name not in known:
        raise ValueError(f"{where}: {_unknown(what, name, known)}")


class Environment(BaseSettings):
    """The environment variables that have a fixed name."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: str = "https://slack.com/api/"
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    weaviate_allow_anonymous: bool = False
    quoth_config: Path = Path("quoth.yaml")
    quoth_log: Literal["text", "json"] | None = None
    _variables: Mapping[str, str] = PrivateAttr(default_factory=lambda: dict(os.environ))

    def __init__(self, **values: Any) -> None:
        """Read them.

        Raises:
            Misconfigured: One of them says something that it cannot.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            wrong = error.errors()[0]
            name = str(wrong["loc"][0]).upper()
            raise Misconfigured(f"The environment variable {name} cannot be used: {wrong['msg']}.") from None

    def secret(self, variable: str) -> SecretStr:
        """The value of a variable that the configuration names.

        Raises:
            Misconfigured: It is not set.
        """
        value = self._variables.get(variable)
        if not value:
            raise Misconfigured(f"The environment variable {variable} is not set, but the configuration names it.")
        return SecretStr(value)

    def of_this_process(self) -> Mapping[str, str]:
        """All variables, for a program of ours to choose from what it may know."""
        return self._variables

    def with_variables(self, more: Mapping[str, str]) -> Environment:
        """The same environment, and more."""
        copy = self.model_copy()
        copy._variables = {**self._variables, **more}
        return copy


def schema() -> dict[str, Any]:
    """The JSON Schema of quoth.yaml."""
    return Settings.model_json_schema()
