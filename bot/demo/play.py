"""Plays scenes, shows each thread as a Slack user would see it, and says whether it came out as it must."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence

from rich.markup import escape

from bot.answering.quotes import QUOTES
from bot.app import Quoth
from bot.console import out, progress_of, show_report
from bot.demo.judging import complaint_about
from bot.demo.scenes import COMPANY, Act, Deletion, Edit, Reindex, Scene, scenes_about
from bot.demo.stage import Stage, company_stage, repository_stage
from bot.rehearsal.confluence.site import Content, Site
from bot.rehearsal.slack import Message
from bot.rehearsal.slack.response_urls import Invocation
from bot.serve import serving
from bot.settings import Environment

_ANSWER_SECONDS = 90.0
_OWN_QUESTIONS = 3


async def play(environment: Environment, docs: str | None) -> int:
    """Play the sample company, or somebody's own repository; the exit code: 0 when everything came out as it must."""
    if docs is not None:
        async with repository_stage(environment, docs) as stage:
            return await _play(stage, lambda: scenes_about("docs", _some_titles(stage.house)))
    async with company_stage(environment) as stage:
        return await _play(stage, lambda: COMPANY)


async def _play(stage: Stage, acts: Callable[[], Sequence[Act]]) -> int:
    started = time.monotonic()
    if not await _synced(stage.house):
        return 1
    async with serving(stage.house):
        await stage.slack.connected()
        player = Player(stage)
        for act in acts():
            await player.play(act)
        _sum_up(player, time.monotonic() - started)
        await _take_questions(player)
    return 1 if player.failed else 0


async def _synced(house: Quoth) -> bool:
    """Sync every source through its real connector."""
    out.rule("[bold]First sync")
    good = True
    for name in house.settings.sources:
        connector = house.connector(name)
        with progress_of(name) as watch:
            report = await asyncio.to_thread(
                house.sync_now, connector, full=False, approve_removals=False, verify=False, watch=watch
            )
        show_report(report)
        good = good and report.status == "ok"
    return good


class Player:
    """Plays acts on a stage and remembers what went wrong."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._quotes = stage.house.model_name == QUOTES
        self._threads: dict[str, str] = {}
        self.played = 0
        self.failed: list[str] = []

    @property
    def channels(self) -> list[str]:
        """The names of the channels that questions can be asked in."""
        return list(self._stage.channels)

    async def play(self, act: Act) -> None:
        """Play one act and judge what came of it."""
        out.print()
        out.rule(f"[bold]{escape(act.title)}")
        match act:
            case Scene():
                await self._play_scene(act)
            case Edit():
                self._edit(act)
            case Deletion():
                self._delete(act)
            case Reindex():
                await self._reindex(act)

    async def ask(self, channel: str, words: str, thread: str | None = None) -> tuple[str, Message | None]:
        """Ask in a channel, wait for the answer and show the thread; its root and the answer."""
        slack, channel_id = self._stage.slack, self._stage.channels[channel]
        asked = await slack.say(channel_id, self._stage.asker, f"<@{slack.bot_user_id}> {words}", thread)
        root, started = thread or asked, time.monotonic()
        try:
            answer = await slack.answer_in(channel_id, root, after=asked, timeout=_ANSWER_SECONDS)
        except TimeoutError:
            self.failed.append(words)
            out.print(f"[red]No answer within {_ANSWER_SECONDS:.0f} s.")
            return root, None
        out.print(f"[bold cyan]#{channel}")
        out.print(slack.transcript(channel_id, root), markup=False)
        out.print(f"[dim]answered in {time.monotonic() - started:.1f} s")
        return root, answer

    async def _play_scene(self, scene: Scene) -> None:
        thread = self._threads[scene.follows] if scene.follows else None
        root, answer = await self.ask(scene.channel, scene.asks, thread)
        self._threads[scene.title] = root
        if answer is not None:
            self._judge(scene.title, complaint_about(answer, scene.expects, word_for_word=self._quotes))

    def _judge(self, title: str, complaint: str | None) -> None:
        self.played += 1
        if complaint is None:
            out.print("[green]✓ as it must be")
        else:
            self.failed.append(title)
            out.print(f"[red]✗ {escape(complaint)}")

    def _page(self, title: str) -> Content:
        return self._site.page(title)

    @property
    def _site(self) -> Site:
        if self._stage.confluence is None:
            raise LookupError("there is no Confluence on this stage")
        return self._stage.confluence.site

    def _edit(self, edit: Edit) -> None:
        page = self._page(edit.page)
        self._site.edit(page.id, (page.storage or "").replace(edit.old, edit.new))
        out.print(f"In “{edit.page}” somebody replaces “{edit.old}” by “{edit.new}”.", markup=False)

    def _delete(self, deletion: Deletion) -> None:
        self._site.trash(self._page(deletion.page).id)
        out.print(f"“{deletion.page}” goes into the trash.", markup=False)

    async def _reindex(self, act: Reindex) -> None:
        slack, channel = self._stage.slack, self._stage.channels[act.channel]
        command = self._stage.house.settings.slack.command
        out.print(f"[bold cyan]#{act.channel}[/]  admin: {command} reindex {act.source}")
        said = await slack.slash_command(channel, self._stage.admin, command, f"reindex {act.source}")
        final = await slack.wait_for(lambda: _final_word(said), _ANSWER_SECONDS)
        out.print(final, markup=False)
        self._judge(act.title, None if "failed" not in final else "the sync failed")


def _final_word(said: Invocation) -> str | None:
    last = said.texts[-1] if said.texts else ""
    return last if ": done in" in last or ": failed" in last else None


def _sum_up(player: Player, seconds: float) -> None:
    out.print()
    out.rule()
    if player.failed:
        out.print(f"[red]{len(player.failed)} of {player.played} scenes went wrong: {', '.join(player.failed)}")
    else:
        out.print(f"[green]All {player.played} scenes came out as they must[/], in {seconds:.0f} s.")


def _some_titles(house: Quoth) -> list[str]:
    """Titles of a few documents, to ask about somebody's own repository."""
    held = sorted(house.ledger.titles("docs"), key=len)
    step = max(1, len(held) // _OWN_QUESTIONS)
    return held[::step][:_OWN_QUESTIONS]


async def _take_questions(player: Player) -> None:
    """Questions from the terminal until Ctrl-D; nothing where nobody is there to type."""
    if not sys.stdin.isatty():
        return
    names = ", ".join(f"#{name}" for name in player.channels)
    out.print(f"\nYour turn: type a question; begin it with {names} to choose the channel. Ctrl-D ends.", markup=False)
    channel = player.channels[0]
    while (line := await asyncio.to_thread(_typed, channel)) is not None:
        first, _, rest = line.partition(" ")
        if first.lstrip("#") in player.channels and first.startswith("#"):
            channel, line = first[1:], rest
        if line.strip():
            await player.ask(channel, line.strip())


def _typed(channel: str) -> str | None:
    try:
        return out.input(f"[bold cyan]#{channel}>[/] ")
    except EOFError:
        out.print()
        return None
