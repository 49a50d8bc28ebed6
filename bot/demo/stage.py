"""What a demo plays on: a Slack, a Confluence and a Git repository of this machine, the real bot between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr, ValidationError

from bot.app import Quoth
from bot.demo.scenes import ENGINEERING, PEOPLE
from bot.rehearsal.company import pages, repository_in, spaces
from bot.rehearsal.confluence import RehearsalConfluence
from bot.rehearsal.slack import Limits, RehearsalSlack
from bot.settings import (
    ChannelBinding,
    CloudBasicAuth,
    ConfluenceSource,
    Environment,
    GitSource,
    KnowledgeBase,
    Settings,
    Source,
    WebSettings,
)
from connectors.errors import Misconfigured

_TOKEN = "REHEARSAL_WIKI_TOKEN"  # noqa: S105  # The name of a variable.
_LINKS = "https://git.tideway.example/platform/documentation/blob/{commit}/{path}#L{start}-L{end}"
_SELDOM = timedelta(days=1)
"""Nothing is synced on its own here: a scene says when."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that a scene needs. ``channels`` gives the id of each channel by its name."""

    slack: RehearsalSlack
    confluence: RehearsalConfluence | None
    house: Quoth
    channels: Mapping[str, str]
    asker: str
    admin: str


@asynccontextmanager
async def company_stage(environment: Environment) -> AsyncIterator[Stage]:
    """The sample company: two spaces, a repository, two channels with a knowledge base each."""
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="quoth-demo-", ignore_cleanup_errors=True)))
        confluence = opened.enter_context(_filled_confluence())
        auth = CloudBasicAuth(kind="cloud_basic", email=confluence.email, token_env=_TOKEN)
        repository = repository_in(folder / "documentation")
        sources: dict[str, Source] = {
            "developer-docs": GitSource(type="git", url=str(repository), links=_LINKS, every=_SELDOM),
            "eng-wiki": _space(confluence, auth, "ENG"),
            "people-wiki": _space(confluence, auth, "PEOPLE"),
        }
        bound = {ENGINEERING: ("developer-docs", "eng-wiki"), PEOPLE: ("people-wiki",)}
        knowing = environment.with_variables({_TOKEN: confluence.token})
        yield await _set(opened, folder, knowing, sources, bound, confluence)


@asynccontextmanager
async def repository_stage(environment: Environment, url: str) -> AsyncIterator[Stage]:
    """Somebody's own repository, in one channel.

    Raises:
        Misconfigured: Git is not let near a URL like this.
    """
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="quoth-demo-", ignore_cleanup_errors=True)))
        sources: dict[str, Source] = {"docs": _repository(url)}
        yield await _set(opened, folder, environment, sources, {"docs": ("docs",)}, None)


def _repository(url: str) -> GitSource:
    try:
        return GitSource(type="git", url=url, every=_SELDOM)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise Misconfigured(f"--docs: {reason}") from None


def _space(confluence: RehearsalConfluence, auth: CloudBasicAuth, key: str) -> ConfluenceSource:
    return ConfluenceSource(type="confluence", url=confluence.url, auth=auth, spaces=(key,), every=_SELDOM)


def _filled_confluence() -> RehearsalConfluence:
    confluence = RehearsalConfluence()
    site = confluence.site
    site.add_user("Platform team", "557058:platform-team")
    for key, name in spaces().items():
        site.add_space(key, name)
    for page in pages():
        restricted = (page.restricted_to,) if page.restricted_to else ()
        site.add_page(page.space, page.title, page.storage, page.parent, restricted, page.page_id)
    return confluence


async def _set(  # Everything that two stages differ in.
    opened: AsyncExitStack,
    folder: Path,
    environment: Environment,
    sources: Mapping[str, Source],
    bound: Mapping[str, tuple[str, ...]],
    confluence: RehearsalConfluence | None,
) -> Stage:
    """A workspace with a channel for each knowledge base, and the house that answers there."""
    slack = await opened.enter_async_context(RehearsalSlack(limits=Limits()))
    asker, admin = slack.add_user("you"), slack.add_user("admin", is_admin=True)
    channels = {name: slack.add_channel(name) for name in bound}
    settings = Settings(
        data_dir=folder / "quoth",
        sources=dict(sources),
        knowledge_bases={name: KnowledgeBase(sources=names) for name, names in bound.items()},
        channels={channels[name]: ChannelBinding(knowledge_base=name) for name in bound},
        web=WebSettings(port=0),
    )
    house = opened.enter_context(Quoth(settings, _meeting(environment, slack)))
    return Stage(slack, confluence, house, channels, asker, admin)


def _meeting(environment: Environment, slack: RehearsalSlack) -> Environment:
    tokens = {"slack_bot_token": SecretStr(slack.bot_token), "slack_app_token": SecretStr(slack.app_token)}
    return environment.model_copy(update=tokens | {"slack_api_url": slack.api_url})
