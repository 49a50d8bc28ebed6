"""One process that answers in Slack, keeps the sources in sync, and says how it is, until it is told to end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.answering.model import Passage, Scope
from bot.answering.smalltalk import small_talk_of
from bot.app import Quoth
from bot.console import err
from bot.inbox.inbox import Inbox
from bot.metrics import WAITING
from bot.scheduler import Plan, Scheduler
from bot.slack.app import Connection, House, SlackApp
from bot.slack.ports import SourceStatus
from bot.slack.rules import Identity, SlackRules
from bot.syncing import BackfillWorker, IndexWatch, Perform, QueuedSyncs, SyncWorkers
from bot.web import Check, WebServer, web_app
from connectors.errors import Misconfigured, QuothError
from connectors.ledger.leases import Lease
from connectors.sync.errands import perform_next

log = structlog.get_logger()

_DRAIN_SECONDS = 20.0
_SYNC_STOP_SECONDS = 8.0
_TEND_SECONDS = 60.0
_WATCH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Serving:
    """What is up: who we are in Slack, and the port of /healthz and its neighbours."""

    identity: Identity
    port: int


async def serve_until_told(house: Quoth) -> None:
    """Serve until SIGTERM or SIGINT, then take nothing more in and finish what is under way, within 30 s."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, told.set)
    async with serving(house) as up:
        err.print(
            f"Quoth is in workspace {up.identity.team} and serves http://{house.settings.web.host}:{up.port}. "
            "Ctrl-C ends it.",
            markup=False,
        )
        await told.wait()
        log.info("process.draining")


@asynccontextmanager
async def serving(house: Quoth) -> AsyncIterator[Serving]:
    """Everything up and running inside, drained at the end.

    Raises:
        Misconfigured: A token, a scope or an address is wrong.
        TryLater: Slack or the database cannot be reached.
    """
    slack = SlackApp(slack_connection_of(house), _rules_of(house), house.inbox, _house_of(house))
    web = WebServer(web_app(slack.receive, _checks_of(house, slack)), house.settings.web.host, house.settings.web.port)
    backfill = _backfill_of(house)
    workers = SyncWorkers(_performing(house), house.stopping, done=backfill.wake)
    scheduler = _scheduler_of(house)
    tending = [
        asyncio.create_task(_tend(house.inbox), name="tend"),
        asyncio.create_task(_watch(house), name="watch"),
    ]
    try:
        await house.look(house.warm_up)
        identity = await slack.start()
        await web.start()
        workers.start()
        backfill.start()
        scheduler.start()
        yield Serving(identity, web.port)
    finally:
        scheduler.stop()
        for task in tending:
            task.cancel()
        await asyncio.gather(
            slack.drain(_DRAIN_SECONDS),
            house.look(lambda: workers.stop(_SYNC_STOP_SECONDS)),
            house.look(lambda: backfill.stop(_SYNC_STOP_SECONDS)),
        )
        await web.stop()
        await house.answerer.aclose()


def slack_connection_of(house: Quoth) -> Connection:
    """How Slack is reached.

    Raises:
        Misconfigured: A token that the mode needs is not in the environment.
    """
    environment, mode = house.environment, house.settings.slack.mode
    needed = {"SLACK_BOT_TOKEN": environment.slack_bot_token} | (
        {"SLACK_APP_TOKEN": environment.slack_app_token}
        if mode == "socket"
        else {"SLACK_SIGNING_SECRET": environment.slack_signing_secret}
    )
    if missing := [name for name, value in needed.items() if value is None]:
        raise Misconfigured(f"Not set in the environment: {', '.join(missing)}. deploy/README.md tells where they are.")
    bot_token, second = (value.get_secret_value() for value in needed.values() if value is not None)
    if mode == "socket":
        return Connection(bot_token, app_token=second, api_url=environment.slack_api_url)
    return Connection(bot_token, signing_secret=second, api_url=environment.slack_api_url)


def _rules_of(house: Quoth) -> SlackRules:
    settings = house.settings
    direct = settings.direct_messages
    return SlackRules(
        channels={channel: binding.knowledge_base for channel, binding in settings.channels.items()},
        scope_of=house.scope_of,
        sources_of={name: base.sources for name, base in settings.knowledge_bases.items()},
        sources=tuple(settings.sources),
        direct_messages=direct.knowledge_base if direct else None,
        member_channels=direct.member_channels if direct else False,
        command=settings.slack.command,
        reindex_command=settings.slack.reindex_command,
        admins=settings.slack.admins,
        allow_guests=settings.slack.allow_guests,
        allow_external=settings.slack.allow_external,
    )


def _house_of(house: Quoth) -> House:
    async def still_vouched(passages: Sequence[Passage], scope: Scope) -> bool:
        # Uncited ones too: a model that was sent a page may repeat it, and the pages that came close are shown.
        versions = {passage.document_id: passage.version for passage in passages}
        return not versions or await house.look(lambda: house.ledger.still_stand(versions, scope.tags))

    async def statuses(sources: Sequence[str]) -> Sequence[SourceStatus]:
        return await house.look(lambda: _statuses(house, sources))

    return House(house.answerer, still_vouched, small_talk_of, QueuedSyncs(house.runs, house.looks), statuses)


def _statuses(house: Quoth, sources: Sequence[str]) -> list[SourceStatus]:
    told = {figures.source: figures for figures in house.ledger.figures()}
    return [
        SourceStatus(
            figures.source,
            figures.kind,
            figures.last_success,
            figures.documents,
            figures.unreadable,
            figures.held,
            running=house.runs.active(figures.source) is not None,
        )
        for figures in (told[name] for name in sources if name in told)
    ]


def _checks_of(house: Quoth, slack: SlackApp) -> dict[str, Check]:
    async def inbox() -> str | None:
        await house.inbox.waiting()
        return None

    async def ledger() -> str | None:
        await house.look(house.ledger.figures)
        return None

    async def store() -> str | None:
        await house.look(house.store.stats)
        return None

    return {"inbox": inbox, "ledger": ledger, "store": store, "slack": slack.unreadiness}


def _performing(house: Quoth) -> Perform:
    connectors = {name: house.connector(name) for name in house.settings.sources}
    return lambda stop: perform_next(house.runs, house.sync, connectors, stop)


def _backfill_of(house: Quoth) -> BackfillWorker:
    backfill = house.sync.backfill
    return BackfillWorker(lambda stop: backfill.run(stop=stop), backfill.is_due, house.stopping)


def _scheduler_of(house: Quoth) -> Scheduler:
    plans = {name: Plan(source.every, source.refresh) for name, source in house.settings.sources.items()}

    def last_successes() -> dict[str, datetime | None]:
        # To be compared at once, whenever they last were: what was lost, and everything that a new index lacks yet.
        due = set(plans) if house.ledger.indexes.building() else set(house.lost())
        return {told.source: None if told.source in due else told.last_success for told in house.ledger.figures()}

    lease = Lease(house.ledger.database, "timer")
    return Scheduler(plans, lease, lambda source, kind: house.runs.request(source, kind=kind), last_successes)


async def _tend(inbox: Inbox) -> None:
    """Forget what was kept long enough, and show how much waits."""
    while True:
        try:
            await inbox.purge()
            WAITING.set(await inbox.waiting())
        except QuothError as error:
            log.warning("inbox.not_tended", reason=type(error).__name__)
        await asyncio.sleep(_TEND_SECONDS)


async def _watch(house: Quoth) -> None:
    """Look now and then whether the index still holds what the ledger says."""
    watch = IndexWatch(house.lost, house.runs.request)
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        try:
            await house.look(watch.look)
        except QuothError as error:
            log.warning("index.not_looked_at", reason=type(error).__name__)
