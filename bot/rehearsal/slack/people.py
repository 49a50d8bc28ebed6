"""What people do in the workspace: who they are, what they write, press, edit and delete."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.rehearsal.slack import payloads
from bot.rehearsal.slack.delivery import Delivery, DeliveryKind
from bot.rehearsal.slack.refusals import Refused
from bot.rehearsal.slack.response_urls import Invocation, ResponseUrls
from bot.rehearsal.slack.stage import Stage
from bot.rehearsal.slack.workspace import Channel, Json, Kind, Message, User


class People:
    """Builds the workspace and acts for the people in it.

    Channels, users and messages are named by their ids, as in Slack. Acting for somebody unknown raises KeyError.
    """

    def __init__(self, stage: Stage, response_urls: ResponseUrls) -> None:
        self.stage = stage
        self.workspace = stage.workspace
        self.mention_first = True
        """Of the two events of a mention, app_mention goes out first."""
        self.response_base_url = ""
        self._response_urls = response_urls

    def add_user(
        self,
        name: str,
        *,
        is_admin: bool = False,
        is_restricted: bool = False,
        is_stranger: bool = False,
        team: str = "",
    ) -> str:
        """A new person. Strangers are of another team than ours."""
        team = team or ("T0STRANGE" if is_stranger else self.workspace.app.team_id)
        user = User(self.workspace.new_id("U"), name, team, is_admin, is_restricted, is_stranger)
        self.workspace.users[user.id] = user
        return user.id

    def add_bot(self, name: str, *, marked: bool = True) -> str:
        """Another bot, which can write like a person. Unmarked, only its record in Slack tells that it is one."""
        bot_id = self.workspace.new_id("B") if marked else ""
        user = User(self.workspace.new_id("U"), name, self.workspace.app.team_id, bot_id=bot_id, is_bot=True)
        self.workspace.users[user.id] = user
        return user.id

    def add_channel(
        self,
        name: str,
        *,
        private: bool = False,
        ext_shared: bool = False,
        members: Sequence[str] | None = None,
        with_bot: bool = True,
    ) -> str:
        """A new channel, with everybody in it who is there so far unless members are named. The bot is in it."""
        kind: Kind = "group" if private else "channel"
        people = list(self.workspace.users if members is None else members)
        people += [self.workspace.app.bot_user_id] if with_bot else []
        channel = Channel(self.workspace.new_id("C"), name, kind, ext_shared, members=people)
        self.workspace.channels[channel.id] = channel
        return channel.id

    def open_dm(self, user: str) -> str:
        """The direct message of a person with the bot."""
        return self.workspace.direct_message(user).id

    async def say(self, channel: str, user: str, text: str, thread_ts: str | None = None) -> str:
        """Write a message. Where it names the bot the app gets two events, in channels only; as in Slack."""
        author, place = self.workspace.users[user], self._enter(channel, user)
        root_ts = self.workspace.root_to_reply_to(channel, thread_ts) if thread_ts else ""
        message = Message(
            channel=channel,
            ts=self.workspace.new_ts(),
            user=user,
            author=author.name,
            team=author.team,
            text=text,
            blocks=tuple(payloads.rich_text_of(text)),
            thread_ts=root_ts,
            bot_id=author.bot_id,
        )
        self.workspace.keep(message)
        self._announce(message, place)
        await asyncio.sleep(0)
        return message.ts

    async def edit(self, channel: str, ts: str, text: str) -> None:
        """Change one's message. A mention that comes in by an edit is an app_mention too."""
        old, place = self.workspace.message(channel, ts), self.workspace.channels[channel]
        blocks = tuple(payloads.rich_text_of(text))
        edited_ts = self.workspace.new_ts()
        new = self.workspace.keep(replace(old, text=text, blocks=blocks, edited_by=old.user, edited_ts=edited_ts))
        self.stage.tell(payloads.changed_event(new, old, place, edited_ts, self.workspace.app), place)
        if self._names_bot(new) and not self._names_bot(old) and place.kind != "im":
            self.stage.tell(payloads.mention_event(new, place, self.workspace.app) | {"event_ts": edited_ts}, place)
        await asyncio.sleep(0)

    async def delete(self, channel: str, ts: str) -> None:
        """Delete one's message."""
        old, place = self.workspace.message(channel, ts), self.workspace.channels[channel]
        self.workspace.remove(old)
        self.stage.tell(payloads.deleted_event(old, place, self.workspace.new_ts(), self.workspace.app), place)
        await asyncio.sleep(0)

    async def slash_command(self, channel: str, user: str, command: str, text: str = "") -> Invocation:
        """Run a command and wait for its acknowledgement. It works in channels that the bot is not in."""
        place, person = self.workspace.channels[channel], self.workspace.users[user]
        payload = payloads.slash_command_payload(self.workspace.app, place, person, command, text)
        return await self._invoke("slash_commands", payload, self._invocation(user, channel))

    async def press_button(self, user: str, message: Message, action_id: str, value: str | None = None) -> Invocation:
        """Press a button that the message shows to this person; among several of the same id, the one with the value.

        Raises:
            ValueError: There is no such button.
        """
        for action in _actions_of(message.blocks, user):
            if action["action_id"] == action_id and value in {None, action["value"]}:
                return await self.act(user, message, action)
        raise ValueError(f"no button {action_id!r} with value {value!r} on this message")

    async def act(self, user: str, message: Message, action: Json) -> Invocation:
        """Send an action on a message, true or forged."""
        place, person = self.workspace.channels[message.channel], self.workspace.users[user]
        stamped = {"block_id": "b0", **action, "action_ts": self.workspace.new_ts()}
        payload = payloads.action_payload(self.workspace.app, person, place, message, stamped)
        return await self._invoke("interactive", payload, self._invocation(user, place.id, message))

    async def shortcut(self, user: str, message: Message, callback_id: str) -> Invocation:
        """Use a message shortcut."""
        place, person = self.workspace.channels[message.channel], self.workspace.users[user]
        payload = payloads.shortcut_payload(self.workspace.app, person, place, message, callback_id)
        return await self._invoke("interactive", payload, self._invocation(user, place.id))

    async def submit_view(self, user: str, view_id: str, values: Json) -> Delivery:
        """Send a modal. ``values`` are Slack's: block id, then action id, then the input."""
        view = {key: value for key, value in self.workspace.views[view_id].items() if key != "opened_for"}
        person = self.workspace.users[user]
        payload = payloads.submission_payload(self.workspace.app, person, view, values)
        delivery = self.stage.post_office.send(
            "interactive", payload | {"trigger_id": self._invocation(user, "").trigger_id}
        )
        await delivery.done.wait()
        return delivery

    async def stop(self, channel: str, thread_ts: str, user: str) -> None:
        """Press Stop on whatever the bot is writing in a thread."""
        stopped = self.stage.streams.stop_by_user(channel, thread_ts)
        event = {"channel": channel, "thread_ts": thread_ts, "user": user, "streaming_message_ts": stopped}
        stamp = {"type": "agent_session_stopped", "event_ts": self.workspace.new_ts()}
        self.stage.tell(event | stamp, self.workspace.channels[channel])
        await asyncio.sleep(0)

    async def open_home(self, user: str, tab: str = "home") -> None:
        """Open the app: its home tab or its messages."""
        dm = self.workspace.direct_message(user)
        event = {
            "type": "app_home_opened",
            "user": user,
            "channel": dm.id,
            "tab": tab,
            "event_ts": self.workspace.new_ts(),
        }
        self.stage.tell(event, dm)
        await asyncio.sleep(0)

    async def invite_bot(self, channel: str, user: str) -> None:
        """Take the bot into a channel."""
        place, bot = self.workspace.channels[channel], self.workspace.app.bot_user_id
        place.members.append(bot)
        event = {
            "type": "member_joined_channel",
            "user": bot,
            "inviter": user,
            "channel": channel,
            "team": self.workspace.app.team_id,
        }
        kind = "G" if place.kind == "group" else "C"
        self.stage.tell(event | {"channel_type": kind, "event_ts": self.workspace.new_ts()}, place)
        await asyncio.sleep(0)

    async def archive(self, channel: str, user: str) -> None:
        """Archive a channel: nobody can write there any more."""
        place = self.workspace.channels[channel]
        place.archived = True
        kind = "group_archive" if place.kind == "group" else "channel_archive"
        event = {"type": kind, "channel": channel, "user": user, "event_ts": self.workspace.new_ts()}
        self.stage.tell(event, place)
        await asyncio.sleep(0)

    def _enter(self, channel: str, user: str) -> Channel:
        """The channel, with the person in it: whoever writes in a public channel has joined it."""
        place = self.workspace.channels[channel]
        if user not in place.members:
            if place.kind != "channel":
                raise ValueError(f"{user} is not in {channel}")
            place.members.append(user)
        if place.archived:
            raise Refused("is_archived")
        return place

    def _names_bot(self, message: Message) -> bool:
        return f"<@{self.workspace.app.bot_user_id}" in message.text

    def _announce(self, message: Message, channel: Channel) -> None:
        app = self.workspace.app
        events = [payloads.message_event(message, channel, app)]
        if self._names_bot(message) and channel.kind != "im":
            events.insert(0 if self.mention_first else 1, payloads.mention_event(message, channel, app))
        for n, event in enumerate(events):
            self.stage.tell(event, channel, n * self.stage.pace.double_event_seconds)

    def _invocation(self, user: str, channel: str, original: Message | None = None) -> Invocation:
        key = secrets.token_hex(8)
        clock = self.workspace.clock()
        invocation = Invocation(user, channel, self.response_base_url + key, f"{key}.trigger", clock, original=original)
        self._response_urls.open(key, invocation)
        self.stage.triggers[invocation.trigger_id] = invocation
        return invocation

    async def _invoke(self, kind: DeliveryKind, payload: Json, invocation: Invocation) -> Invocation:
        payload = payload | {"response_url": invocation.url, "trigger_id": invocation.trigger_id}
        invocation.delivery = self.stage.post_office.send(kind, payload)
        await invocation.acknowledged()
        self._response_urls.show_ack(invocation)
        return invocation


def _actions_of(blocks: Sequence[Json], user: str) -> list[Json]:
    """Every button that this person sees, as the action that pressing it would send."""
    found: list[Json] = []
    for block in blocks:
        elements: list[Any] = [*block.get("elements", []), block.get("accessory")]
        for element in filter(None, elements):
            shown_to = element.get("visible_to_user_ids")
            if shown_to is None or user in shown_to:
                found += _actions(element, block)
        found += _actions_of(block.get("child_blocks", []), user)
    return found


def _actions(element: Json, block: Json) -> list[Json]:
    kind = element["type"]
    common = {"type": kind, "action_id": element.get("action_id", ""), "block_id": block.get("block_id", "b0")}
    if kind == "feedback_buttons":
        buttons = [element["positive_button"], element["negative_button"]]
        return [common | {"value": button["value"], "text": button["text"]} for button in buttons]
    if kind in {"button", "icon_button"}:
        return [common | {"value": element.get("value", ""), "text": element["text"]}]
    return []
