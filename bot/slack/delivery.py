"""The one visible message of a question: streamed, posted or mended, and never a second one."""

from __future__ import annotations

import asyncio

import structlog

from bot.answering.model import Citation, Piece
from bot.inbox.boundaries import AtBoundary, Boundary
from bot.inbox.inbox import Claimed, Inbox
from bot.slack.abilities import Abilities
from bot.slack.gateway import Busy, Gateway, Refused, SlackError, Unsure
from bot.slack.render import Message, line_message, piece_block
from bot.slack.rich_text import Element
from bot.slack.rules import Identity

log = structlog.get_logger()
ANSWER_EVENT = "quoth_answer"
_STREAM = "chat.startStream"
_MOST_STREAMED_BLOCKS = 40
_MOST_STREAMED_SIGNS = 9_000
_TRIES = 3
_LANDING_SECONDS = 1.0
_TOO_MUCH = {"msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format",
             "invalid_metadata_format", "metadata_too_large", "markdown_text_conflict"}  # fmt: skip
_NOT_STREAMING = {"message_not_in_streaming_state", "stopped_by_user", "message_not_found"}
_GONE = {"is_archived", "channel_not_found", "not_in_channel", "thread_not_found", "message_not_found",
         "cannot_reply_to_message", "account_inactive", "token_revoked", "invalid_auth", "cant_update_message",
         "edit_window_closed", "restricted_action", "restricted_action_read_only_channel",
         "restricted_action_thread_only_channel", "restricted_action_thread_locked"}  # fmt: skip


class Undeliverable(Exception):
    """The place where the answer belongs is gone or closed. Nothing is posted anywhere else."""


class Delivery:
    """Brings one question's answer out. After a crash it finds what the process before had sent."""

    def __init__(
        self, gateway: Gateway, inbox: Inbox, identity: Identity, claimed: Claimed, abilities: Abilities, at: AtBoundary
    ) -> None:
        self._gateway = gateway
        self._inbox = inbox
        self._identity = identity
        self._claimed = claimed
        self._asked = claimed.asked
        self._abilities = abilities
        self._at = at
        self._ts = claimed.answer_ts
        self._is_streaming = False
        self.is_ended_by_stream = False
        """A stream was stopped as it should be, and its session with it."""
        self._is_first = True
        self._pending: list[Element] = []
        self._streamed_blocks = 0
        self._streamed_signs = 0
        self._citations: list[Citation] = []
        self._metadata = {"event_type": ANSWER_EVENT, "event_payload": {"answer_id": claimed.question_id}}

    async def find_earlier(self) -> None:
        """Adopt a message that an earlier process may have sent before it could note so.

        Raises:
            SlackError: Slack cannot say; nothing may be posted until it can.
        """
        if self._ts is None and self._claimed.sending is not None:
            self._ts = await self._find()

    async def piece(self, piece: Piece) -> None:
        """Show a finished piece at once, where a stream allows it."""
        self._citations += piece.citations
        block = piece_block(piece.text, self._citations)
        self._streamed_signs += len(piece.text)
        if block is None or self._streamed_signs > _MOST_STREAMED_SIGNS:
            return
        if self._is_streaming:
            self._pending.append(block)
            await self._append()
        elif self._is_first and self._ts is None and self._abilities.has(_STREAM):
            await self._start(block)
        self._is_first = False

    async def end(self, message: Message, tail: list[Element]) -> None:
        """Make this message the one visible outcome. ``tail`` is what a stream still lacks.

        Raises:
            Undeliverable: There is no such place any more.
            SlackError: Not now; the same call may be made again later.
        """
        if self._is_streaming:
            await self._stop(tail)
        if self._ts is None:
            await self._post(message)
        else:
            await self._update(message)

    async def take_back(self, *, was_stopped: bool) -> None:
        """Leave nothing half-said: delete what is visible, or say that it was stopped."""
        try:
            if was_stopped:
                self._is_streaming = False  # Slack ended the stream itself when the button was pressed.
                await self.end(line_message("Stopped."), [])
            elif self._ts is not None:
                await self._stop([])
                await self._gateway.delete(self._asked.channel, self._ts)
        except Undeliverable as error:
            log.info("withdrawal.unseen", reason=str(error))
        except SlackError as error:
            log.info("withdrawal.unseen", reason=error.reason)

    async def _start(self, block: Element) -> None:
        asked = self._asked
        recipient = (asked.asker, asked.asker_team or asked.team)
        await self._inbox.announce(self._claimed.question_id, "stream")
        self._at(Boundary.STREAM_ANNOUNCED)
        try:
            ts = await self._gateway.start_stream(asked.channel, asked.thread_ts, recipient, [block])
        except Refused as refused:
            self._abilities.learn(_STREAM, refused.code)
        except Unsure:
            self._ts = await self._find_after_a_while()
        except Busy:
            pass
        else:
            self._at(Boundary.STREAM_STARTED)
            await self._inbox.record_post(self._claimed.question_id, ts)
            self._ts, self._is_streaming, self._streamed_blocks = ts, True, 1
            self._at(Boundary.STREAM_RECORDED)

    async def _append(self) -> None:
        if self._streamed_blocks + len(self._pending) > _MOST_STREAMED_BLOCKS:
            return
        blocks, self._pending = self._pending, []
        try:
            await self._gateway.append_stream(self._asked.channel, str(self._ts), blocks)
        except Busy:
            self._pending = blocks
            return
        except SlackError as error:
            # The final update shows everything, whatever became of this piece.
            self._is_streaming = not (isinstance(error, Refused) and error.code in _NOT_STREAMING)
        self._streamed_blocks += len(blocks)
        self._at(Boundary.STREAM_APPENDED)

    async def _stop(self, tail: list[Element]) -> None:
        blocks, self._pending = [*self._pending, *tail], []
        self._is_streaming = False
        try:
            await self._gateway.stop_stream(self._asked.channel, str(self._ts), blocks, self._metadata)
        except SlackError as error:
            log.info("stream.lost", reason=error.reason)
        else:
            self.is_ended_by_stream = True
        self._at(Boundary.STREAM_STOPPED)

    async def _post(self, message: Message) -> None:
        for _ in range(_TRIES):
            await self._inbox.announce(self._claimed.question_id, "post")
            self._at(Boundary.POST_ANNOUNCED)
            try:
                self._ts = await self._posted(message)
            except Unsure:
                self._ts = await self._find_after_a_while()
            if self._ts is not None:
                self._at(Boundary.POST_SENT)
                await self._inbox.record_post(self._claimed.question_id, self._ts)
                self._at(Boundary.POST_RECORDED)
                return
        raise Busy("the post never arrived")

    async def _posted(self, message: Message) -> str:
        place = (self._asked.channel, self._asked.thread_ts)
        try:
            return await self._gateway.post(*place, message, self._metadata)
        except Refused as refused:
            if refused.code in _TOO_MUCH:
                return await self._gateway.post(*place, Message(message.text))
            raise _final(refused) from None

    async def _update(self, message: Message) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                await self._updated(message)
            except Unsure:
                # The same update twice is one update.
                if attempt == _TRIES:
                    raise
            else:
                self._at(Boundary.MESSAGE_UPDATED)
                return

    async def _updated(self, message: Message) -> None:
        place = (self._asked.channel, str(self._ts))
        try:
            await self._gateway.update(*place, message, self._metadata)
        except Refused as refused:
            if refused.code == "streaming_state_conflict":
                await self._stop([])
                await self._gateway.update(*place, message, self._metadata)
            elif refused.code in _TOO_MUCH:
                await self._gateway.update(*place, Message(message.text))
            else:
                raise _final(refused) from None

    async def _find_after_a_while(self) -> str | None:
        await asyncio.sleep(_LANDING_SECONDS)
        return await self._find()

    async def _find(self) -> str | None:
        """Our message for this question, if Slack has one: by our mark, else one of ours that no question claims."""
        asked = self._asked
        try:
            messages = await self._gateway.replies(asked.channel, asked.thread_ts, oldest=asked.ts, limit=200)
        except Refused as refused:
            raise _final(refused) from None
        ours = [message for message in messages if self._is_ours(message) and _marked(message) in {None, self._mark}]
        for message in sorted(ours, key=lambda one: (_marked(one) is None, float(one["ts"]))):
            if await self._inbox.record_post(self._claimed.question_id, str(message["ts"])):
                return str(message["ts"])
        return None

    @property
    def _mark(self) -> str:
        return self._claimed.question_id

    def _is_ours(self, message: dict[str, object]) -> bool:
        mine = message.get("user") == self._identity.bot_user or message.get("bot_id") == self._identity.bot
        return mine and float(str(message["ts"])) > float(self._asked.ts)


def _marked(message: dict[str, object]) -> str | None:
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != ANSWER_EVENT:
        return None
    return str((metadata.get("event_payload") or {}).get("answer_id"))


def _final(refused: Refused) -> Exception:
    return Undeliverable(refused.code) if refused.code in _GONE else Busy(f"refused: {refused.code}")
