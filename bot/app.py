"""Builds every object once, from Settings, when it is first needed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.answering.model import Scope
from bot.settings import ConfluenceSource, Environment, GitSource, Settings
from bot.stores import index_of, owner_of, store_of
from connectors.errors import Misconfigured, QuothError, TryLater
from connectors.ledger.indexes import IndexSpec
from connectors.ledger.ledger import Ledger
from connectors.ports import Connector, KnowledgeStore
from connectors.sync.course import Questions
from connectors.sync.errands import perform
from connectors.sync.inspection import Parts, untrue_parts
from connectors.sync.moving import settle_in
from connectors.sync.opening import Index, OpenIndexes
from connectors.sync.reports import FilledWatcher, SyncReport, Watcher
from connectors.sync.runs import Runs
from connectors.sync.sync import Sync, fingerprint_of

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from bot.answering.chain import Answerer
    from bot.answering.retriever import Search
    from bot.inbox.inbox import Inbox
    from connectors.confluence.jail import Jail
    from connectors.embedding import CrossEncoder
    from connectors.ports import Embedder

log = structlog.get_logger()

T = TypeVar("T")

_QUESTIONS_AT_ONCE = 4
_LOOKS_AT_ONCE = 4


class Quoth:
    """Everything that one configuration makes. A context: what was built is closed at its end."""

    def __init__(self, settings: Settings, environment: Environment) -> None:
        self.settings = settings
        self.environment = environment
        self.stopping = threading.Event()
        """Set when the process ends: whatever waits for a source stops waiting."""
        self._open = ExitStack()

    def __enter__(self) -> Quoth:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @cached_property
    def data_dir(self) -> Path:
        """The folder of everything that Quoth keeps. Nobody else on the machine may read it."""
        folder = self.settings.data_dir
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(f"data_dir {folder} cannot be made ({error.strerror}). Choose another.") from error
        return folder

    @cached_property
    def embedder(self) -> Embedder:
        """What turns text into vectors, as it is configured now."""
        from connectors.embedding import embedder_of  # noqa: PLC0415  # models are slow to import

        return embedder_of(self.settings.embeddings)

    @cached_property
    def cross_encoder(self) -> CrossEncoder | None:
        """What judges a passage against a question; None where reranking is off."""
        from connectors.embedding import CrossEncoder  # noqa: PLC0415  # models are slow to import

        return CrossEncoder(self.questions.asked) if self.settings.reranker == "local" else None

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, told which sources count, and which index is to answer. Other sources do not from now on."""
        ledger = Ledger(self._database("ledger.db"))
        self._open.callback(ledger.close)
        ledger.indexes.want(index_of(self.settings, fingerprint_of(self.embedder), self.embedder.fingerprint))
        for name, source in self.settings.sources.items():
            ledger.register(name, source.type, _identity_of(source))
        ledger.keep_sources(self.settings.sources)
        return ledger

    @cached_property
    def indexes(self) -> OpenIndexes:
        """The indexes, each opened when it is first asked for: the one that answers, and one in building."""
        indexes = OpenIndexes(self.ledger.indexes, self._index)
        self._open.callback(indexes.close)
        settle_in(self.ledger, indexes)
        return indexes

    @property
    def store(self) -> KnowledgeStore:
        """The store of the index that answers at this moment."""
        return self.indexes.live().store

    @cached_property
    def runs(self) -> Runs:
        """The syncs that were asked for."""
        return Runs(self.ledger.database, self.data_dir / "locks")

    @cached_property
    def sync(self) -> Sync:
        """What moves documents into the store."""
        return Sync(self.ledger, self.indexes, self.data_dir / "locks")

    @cached_property
    def questions(self) -> Questions:
        """Where every process of the machine sees that somebody asks: the backfill rests then."""
        return Questions(self.data_dir / "locks")

    @cached_property
    def search(self) -> Search:
        """What finds passages."""
        from bot.answering.retriever import Search  # noqa: PLC0415  # LangChain is slow to import

        return Search(self.questions.before(self.indexes.live), self.ledger, self.cross_encoder)

    @cached_property
    def answerer(self) -> Answerer:
        """What answers questions."""
        for load in _loads_of(self.indexes.live, self.cross_encoder):
            self.pool.submit(load)  # while LangChain is imported
        from bot.answering.chain import Answerer  # noqa: PLC0415  # LangChain is slow to import

        model, name = self._model(self.settings.model)
        fallback, _ = self._model("quotes")
        return Answerer(self.search, model, fallback=fallback, model_name=name, pool=self.pool)

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """The threads of questions; syncs have their own."""
        pool = ThreadPoolExecutor(_QUESTIONS_AT_ONCE, thread_name_prefix="question")
        self._open.callback(pool.shutdown, cancel_futures=True)
        return pool

    @cached_property
    def inbox(self) -> Inbox:
        """The questions that came in."""
        from bot.inbox.inbox import Inbox  # noqa: PLC0415
        from bot.inbox.presence import Presence  # noqa: PLC0415

        presence = Presence(self.data_dir / "locks")
        inbox = Inbox(self._database("inbox.db"), presence, keep_words=self.settings.keep_words)
        self._open.callback(inbox.close)
        return inbox

    def warm_up(self) -> None:
        """Load the models now, so that nobody's first question waits for them.

        Raises:
            Misconfigured: A model is missing or altered.
        """
        for load in _loads_of(self.indexes.live, self.cross_encoder):
            load()

    def lost(self) -> Parts:
        """Sources of which the index that answers has lost something, or holds what it should not, and what it holds.

        Their next reconcile puts it right. One that is being synced is not among them.
        """
        untrue = untrue_parts(self.ledger, self.indexes.live())
        return {source: held for source, held in untrue.items() if self.runs.active(source) is None}

    def check_index(self, sources: Collection[str]) -> None:
        """Make sure that nothing of these sources was lost from the index.

        Raises:
            TryLater: Something was: silence about it would pass for an honest no.
        """
        if lost := [name for name in self.lost() if name in sources]:
            raise TryLater(
                f"The index has lost chunks of {', '.join(lost)}, or somebody else wrote to it. `quoth sync` puts them "
                "right from the source; nothing that is wrong is shown meanwhile."
            )

    @cached_property
    def looks(self) -> ThreadPoolExecutor:
        """The threads of short looks at the ledger and its neighbours: none of them waits for somebody's search."""
        pool = ThreadPoolExecutor(_LOOKS_AT_ONCE, thread_name_prefix="look")
        self._open.callback(pool.shutdown, cancel_futures=True)
        return pool

    async def look(self, work: Callable[[], T]) -> T:
        """Do something short that blocks."""
        return await asyncio.get_running_loop().run_in_executor(self.looks, work)

    def sync_now(
        self, connector: Connector, *, full: bool, approve_removals: bool, verify: bool, watch: Watcher | None = None
    ) -> SyncReport:
        """Read a source, then give vectors to whatever has none. It failed where either did."""
        report = self.read_now(connector, full=full, approve_removals=approve_removals, verify=verify, watch=watch)
        try:
            if report.status == "ok":
                self.embed_all(None if watch is None else lambda filled: watch(report.progress(filled.embedded)))
        except (TryLater, Misconfigured) as error:
            return replace(report, status="failed", error=str(error))
        return report

    def embed_all(self, watch: FilledWatcher | None = None) -> None:
        """Give vectors to whatever has none, or wait for who is at it. Raises what :meth:`Backfill.run` does."""
        self.sync.backfill.run(watch=watch, stop=self.stopping)

    def read_now(
        self, connector: Connector, *, full: bool, approve_removals: bool, verify: bool, watch: Watcher | None = None
    ) -> SyncReport:
        """Ask for a run of a source and see it through, here or wherever one is under way. Its words answer then.

        Where not even the run could be written down (a full disk, a database that is down), that is its failure.
        """
        try:
            ticket = self.runs.request(connector.source, full=full, approve_removals=approve_removals, verify=verify)
            return perform(self.runs, self.sync, connector, ticket, progress=watch)
        except TryLater as error:
            return SyncReport(connector.source, "failed", error=str(error))

    @property
    def model_name(self) -> str:
        """What writes the answers."""
        return self._model(self.settings.model)[1]

    def questions_waiting(self) -> int:
        """How many questions have no outcome yet."""
        return asyncio.run(self.inbox.waiting())

    def scope_of(self, knowledge_base: str) -> Scope:
        """What a knowledge base holds now.

        Raises:
            Misconfigured: There is no such knowledge base.
        """
        return Scope(knowledge_base, self.settings.tags_of(knowledge_base))

    def connector(self, name: str) -> Connector:
        """The connector of a source.

        Raises:
            Misconfigured: There is no such source, or its settings or secrets cannot be used.
        """
        source = self.settings.source(name)
        return self._git(name, source) if isinstance(source, GitSource) else self._confluence(name, source)

    def _index(self, spec: IndexSpec, open: ExitStack) -> Index:  # what will be closed
        store = store_of(spec, self.data_dir, self.environment, owner_of(self.ledger.key), open)
        return Index(spec, store, self._embedder_of(spec))

    def _embedder_of(self, spec: IndexSpec) -> Embedder | None:
        """What embeds for an index, also for one that is no longer configured; None where that cannot be had now."""
        if _embeds_for(spec, self.embedder):
            return self.embedder
        from connectors.embedding import embedder_of  # noqa: PLC0415  # models are slow to import

        try:
            earlier = embedder_of(spec.embeddings)
        except QuothError as error:
            log.warning("embedder.not_to_be_had", index=spec.name, kind=type(error).__name__)
            return None
        return earlier if _embeds_for(spec, earlier) else None

    def _git(self, name: str, source: GitSource) -> Connector:
        from connectors.git.clone import Remote  # noqa: PLC0415
        from connectors.git.connector import GitConnector, Selection  # noqa: PLC0415

        remote = Remote(
            source.url,
            source.branch,
            token=self._secret(source.auth.token_env) if source.auth else None,
            username=source.auth.username if source.auth else None,
            environment=self.environment.of_this_process(),
        )
        selection = Selection(source.include, source.exclude)
        return GitConnector(name, remote, self.data_dir, selection=selection, links=source.links)

    def _confluence(self, name: str, source: ConfluenceSource) -> Connector:
        from connectors.confluence.client import ConfluenceClient  # noqa: PLC0415
        from connectors.confluence.connector import ConfluenceConnector  # noqa: PLC0415

        client = ConfluenceClient(
            source.url, source.auth.email, self._secret(source.auth.token_env), stop=self.stopping
        )
        self._open.callback(client.close)
        return ConfluenceConnector(name, client, source.spaces, convert=self.jail.convert)

    @cached_property
    def jail(self) -> Jail:
        """Where storage format is converted: a child process that may not live or grow for long."""
        from connectors.confluence.jail import Jail  # noqa: PLC0415

        jail = Jail()
        self._open.callback(jail.close)
        return jail

    def _model(self, name: str) -> tuple[BaseChatModel, str]:
        from bot.answering.models import model_of  # noqa: PLC0415  # LangChain is slow to import

        key = self.environment.anthropic_api_key
        return model_of(
            name,
            anthropic_api_key=key.get_secret_value() if key else None,
            anthropic_base_url=self.environment.anthropic_base_url,
            cross_encoder=self.cross_encoder,
        )

    def _secret(self, variable: str) -> str:
        return self.environment.secret(variable).get_secret_value()

    def _database(self, file: str) -> str:
        """The SQLAlchemy URL of a database: one file for each of ours, or the one PostgreSQL for all."""
        if self.settings.database != "sqlite":
            return self.settings.database
        return f"sqlite:///{self.data_dir / file}"


def _loads_of(live: Callable[[], Index], cross_encoder: CrossEncoder | None) -> Iterator[Callable[[], object]]:
    """What makes the models of questions ready, each to be called."""
    if (embedder := live().embedder) is not None:
        yield partial(embedder.embed_question, "ready?")
    if cross_encoder is not None:
        yield partial(cross_encoder.scores, "ready?", ["ready"])


def _embeds_for(spec: IndexSpec, embedder: Embedder) -> bool:
    """Whether an embedder's vectors can be compared with those of an index."""
    if spec.embedder:
        return spec.embedder == embedder.fingerprint
    return spec.fingerprint == fingerprint_of(embedder)


def _identity_of(source: GitSource | ConfluenceSource) -> str:
    """What a source reads, whatever filters or intervals it has."""
    branch = source.branch if isinstance(source, GitSource) else None
    return "\n".join((source.type, source.url, branch or ""))  # no NUL: PostgreSQL takes none
