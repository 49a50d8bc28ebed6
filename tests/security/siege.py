"""The whole house under attack: two channels with a knowledge base each, real connectors, a Claude that obeys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bot.app import Quoth
from bot.rehearsal.claude import RehearsalClaude
from bot.rehearsal.confluence import RehearsalConfluence
from bot.rehearsal.slack import Message, RehearsalSlack
from bot.serve import serving
from bot.settings import (
    ChannelBinding,
    CloudBasicAuth,
    ConfluenceSource,
    Environment,
    GitSource,
    KnowledgeBase,
    Settings,
    WebSettings,
)
from connectors.sync.reports import SyncReport
from tests.fakes.embedders import WordEmbedder
from tests.fakes.git_repository import GitRepository

LINKS = "https://git.tideway.example/{path}#L{start}-L{end}"
SECONDS = 20.0


@dataclass
class Siege:
    """``docs`` is bound to the channel ``engineering``, together with the space ENG; ``secrets`` to ``board``."""

    slack: RehearsalSlack
    claude: RehearsalClaude
    confluence: RehearsalConfluence
    house: Quoth
    docs: GitRepository
    engineering: str
    board: str
    asker: str

    async def sync(self, *sources: str) -> list[SyncReport]:
        """Read these sources, or all, now."""
        return [await asyncio.to_thread(self._sync, name) for name in sources or self.house.settings.sources]

    async def ask(self, channel: str, words: str, thread_ts: str | None = None) -> Message:
        """Ask in a channel, and wait for the answer as it stays."""
        ts = await self.slack.say(channel, self.asker, f"<@{self.slack.bot_user_id}> {words}", thread_ts)
        return await self.slack.wait_for(lambda: self._settled(channel, thread_ts or ts, ts), SECONDS)

    def shown_in(self, channel: str) -> str:
        """Everything of the bot that was ever to be seen in a channel, in passing too."""
        ours = [one for one in self.slack.workspace.renditions if one.channel == channel and one.bot_id]
        return json.dumps([[one.text, one.blocks] for one in ours], ensure_ascii=False)

    def sent_to_the_model(self) -> str:
        """All requests that the model got."""
        return json.dumps([received.body for received in self.claude.requests], ensure_ascii=False)

    def _settled(self, channel: str, root: str, asked: str) -> Message | None:
        thread = self.slack.thread(channel, root)
        ours = [one for one in thread if one.bot_id and one.ts > asked and one.is_finished and one.text]
        return ours[-1] if ours else None

    def _sync(self, source: str) -> SyncReport:
        return self.house.sync_now(self.house.connector(source), full=False, approve_removals=True, verify=False)


@asynccontextmanager
async def siege(
    folder: Path,
    docs: Mapping[str, str | bytes],
    secrets: Mapping[str, str | bytes],
    pages: Sequence[tuple[str, str]] = (),
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[Siege]:
    """Everything synced and served over Socket Mode. ``pages`` are titles and storage format."""
    async with AsyncExitStack() as opened:
        slack = await opened.enter_async_context(RehearsalSlack(limits=None))
        claude = await opened.enter_async_context(RehearsalClaude("evil"))
        confluence = opened.enter_context(RehearsalConfluence())
        confluence.site.add_space("ENG", "Engineering")
        for title, storage in pages:
            confluence.site.add_page("ENG", title, storage)
        repositories = GitRepository(folder / "docs"), GitRepository(folder / "secrets")
        for repository, files in zip(repositories, (docs, secrets), strict=True):
            repository.write_all(files)
        asker = slack.add_user("you")
        channels = slack.add_channel("engineering"), slack.add_channel("board")
        settings = _settings(folder, confluence, channels)
        house = opened.enter_context(Quoth(settings, _environment(slack, claude, confluence, variables or {})))
        house.embedder = WordEmbedder()
        besieged = Siege(slack, claude, confluence, house, repositories[0], *channels, asker)
        assert [report.status for report in await besieged.sync()] == ["ok"] * len(settings.sources)
        await opened.enter_async_context(serving(house))
        await slack.connected()
        yield besieged


def _settings(folder: Path, confluence: RehearsalConfluence, channels: tuple[str, str]) -> Settings:
    auth = CloudBasicAuth(kind="cloud_basic", email=confluence.email, token_env="WIKI_TOKEN")  # A name.
    return Settings(
        data_dir=folder / "quoth",
        sources={
            "docs": GitSource(type="git", url=str(folder / "docs"), links=LINKS),
            "wiki": ConfluenceSource(type="confluence", url=confluence.url, auth=auth, spaces=("ENG",)),
            "secrets": GitSource(type="git", url=str(folder / "secrets"), links=LINKS),
        },
        knowledge_bases={
            "engineering": KnowledgeBase(sources=("docs", "wiki")),
            "board": KnowledgeBase(sources=("secrets",)),
        },
        channels={
            channel: ChannelBinding(knowledge_base=name)
            for channel, name in zip(channels, ("engineering", "board"), strict=True)
        },
        web=WebSettings(port=0),
        reranker="none",
    )


def _environment(
    slack: RehearsalSlack, claude: RehearsalClaude, confluence: RehearsalConfluence, variables: Mapping[str, str]
) -> Environment:
    known = Environment().model_copy(
        update={
            "slack_bot_token": SecretStr(slack.bot_token),
            "slack_app_token": SecretStr(slack.app_token),
            "slack_api_url": slack.api_url,
            "anthropic_api_key": SecretStr("sk-ant-rehearsal-key"),
            "anthropic_base_url": claude.url,
        }
    )
    return known.with_variables({"WIKI_TOKEN": confluence.token, **variables})
