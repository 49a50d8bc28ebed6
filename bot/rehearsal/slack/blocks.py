"""What Slack takes as blocks: shapes, lengths and counts, for the block types a bot like ours may send.

Shapes follow @slack/types 3.2.0; lengths docs.slack.dev/reference/block-kit; the message totals are measured figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from bot.rehearsal.slack.refusals import Refused, invalid_blocks
from bot.rehearsal.slack.shapes import Check, by_type, many, of_type, one_of, shape, string
from bot.rehearsal.slack.workspace import Json

MAX_BLOCKS = 50
MAX_VIEW_BLOCKS = 100
MAX_CHARACTERS = 13_200
"""Of all block text of one message (bolt-js#2509)."""

_EXPANDING = re.compile(r"^(#{1,6} |---+\s*$|\|.*\|\s*$\n\|[ :|-]+\|\s*$)", re.MULTILINE)


_flag, _number = of_type(bool), of_type(int, float)
_url, _id = string(3_000, 1), string(255, 1)
_type = of_type(str)


def _plain(longest: int) -> Check:
    return shape({"type": one_of("plain_text"), "text": string(longest, 1), "emoji": _flag}, "type text")


def _text(longest: int) -> Check:
    mrkdwn = shape({"type": _type, "text": string(longest, 1), "verbatim": _flag}, "type text")
    return by_type({"plain_text": _plain(longest), "mrkdwn": mrkdwn})


_style = shape(dict.fromkeys(("bold", "italic", "strike", "code", "underline"), _flag), "")


def _inline(required: str, **fields: Check) -> Check:
    return shape({"type": _type, "style": _style, **fields}, "type " + required)


_INLINE = {
    "text": _inline("text", text=string(12_000, 1)),
    "link": _inline("url", url=_url, text=string(12_000), unsafe=_flag),
    "emoji": _inline("name", name=_id, unicode=string(100), url=_url),
    "user": _inline("user_id", user_id=_id),
    "usergroup": _inline("usergroup_id", usergroup_id=_id),
    "channel": _inline("channel_id", channel_id=_id),
    "broadcast": _inline("range", range=one_of("here", "channel", "everyone")),
    "date": _inline("timestamp format", timestamp=_number, format=string(300), fallback=string(300), url=_url),
}
_inlines = many(by_type(_INLINE), 1_000)
_section = shape({"type": one_of("rich_text_section"), "elements": _inlines}, "type elements")
_LIST = {
    "type": _type,
    "style": one_of("bullet", "ordered"),
    "elements": many(_section, 1_000),
    "indent": _number,
    "offset": _number,
    "border": one_of(0, 1),
}
_code = by_type({"text": _INLINE["text"], "link": _INLINE["link"]})
_PREFORMATTED = {"type": _type, "elements": many(_code, 1_000), "border": one_of(0, 1), "language": string(50)}
_rich_text_element = by_type(
    {
        "rich_text_section": _section,
        "rich_text_list": shape(_LIST, "type style elements"),
        "rich_text_preformatted": shape(_PREFORMATTED, "type elements"),
        "rich_text_quote": shape({"type": _type, "elements": _inlines, "border": one_of(0, 1)}, "type elements"),
    }
)

_confirm = shape(
    {"title": _plain(100), "text": _text(300), "confirm": _plain(30), "deny": _plain(30), "style": _type}, "text"
)
_option = shape({"text": _text(75), "value": string(150), "description": _plain(75), "url": _url}, "text value")
_button = shape(
    {
        "type": _type,
        "text": _plain(75),
        "action_id": _id,
        "value": string(2_000),
        "url": _url,
        "style": one_of("primary", "danger"),
        "confirm": _confirm,
        "accessibility_label": string(75),
    },
    "type text",
)
_feedback = shape({"text": _plain(75), "value": string(2_000), "accessibility_label": string(75)}, "text value")
_feedback_buttons = shape(
    {"type": _type, "action_id": _id, "positive_button": _feedback, "negative_button": _feedback},
    "type positive_button negative_button",
)
_icon_button = shape(
    {
        "type": _type,
        "action_id": _id,
        "icon": one_of("trash"),
        "text": _plain(75),
        "value": string(2_000),
        "confirm": _confirm,
        "accessibility_label": string(75),
        "visible_to_user_ids": many(_id, 10),
    },
    "type icon text",
)


def _choice(most: int) -> Check:
    fields = {"type": _type, "action_id": _id, "options": many(_option, most, 1), "initial_option": _option}
    return shape({**fields, "placeholder": _plain(150), "confirm": _confirm, "focus_on_load": _flag}, "type options")


_INPUT_TEXT = {
    "type": _type,
    "action_id": _id,
    "multiline": _flag,
    "max_length": _number,
    "min_length": _number,
    "initial_value": string(3_000),
    "placeholder": _plain(150),
    "focus_on_load": _flag,
}
_ELEMENTS = {
    "button": _button,
    "static_select": _choice(100),
    "radio_buttons": _choice(10),
    "overflow": _choice(5),
    "plain_text_input": shape(_INPUT_TEXT, "type"),
}
_actions = {kind: _ELEMENTS[kind] for kind in ("button", "static_select", "radio_buttons", "overflow")}
_IMAGE = {"type": _type, "image_url": _url, "alt_text": string(2_000, 1)}
_image = shape(_IMAGE, "type image_url alt_text")
_source = shape({"type": one_of("url"), "url": _url, "text": string(500, 1)}, "type url text")


def _block(required: str, **fields: Check) -> Check:
    return shape({"type": _type, "block_id": string(255), **fields}, "type " + required)


_rich_text = _block("elements", elements=many(_rich_text_element, 1_000))
_task = _block(
    "task_id title status",
    task_id=_id,
    title=string(256, 1),
    status=one_of("pending", "in_progress", "complete", "error"),
    details=_rich_text,
    output=_rich_text,
    sources=many(_source, 20),
)
_raw = shape({"type": _type, "text": string(10_000)}, "type text")
_cell = by_type({"raw_text": _raw, "rich_text": _rich_text})
_CONTAINED: dict[str, Check] = {
    "section": _block(
        "",
        text=_text(3_000),
        fields=many(_text(2_000), 10, 1),
        accessory=by_type(_actions | {"image": _image}),
        expand=_flag,
    ),
    "header": _block("text", text=_plain(150)),
    "context": _block(
        "elements", elements=many(by_type({"image": _image, "mrkdwn": _text(3_000), "plain_text": _text(3_000)}), 10, 1)
    ),
    "actions": _block("elements", elements=many(by_type(_actions), 25, 1)),
    "divider": _block(""),
    "image": _block("image_url alt_text", image_url=_url, alt_text=string(2_000, 1), title=_plain(2_000)),
    "rich_text": _rich_text,
    "table": _block("rows", rows=many(many(_cell, 20, 1), 100, 1), column_settings=many(of_type(dict), 20)),
    "input": _block(
        "label element",
        label=_plain(2_000),
        element=by_type(_ELEMENTS),
        hint=_plain(2_000),
        optional=_flag,
        dispatch_action=_flag,
    ),
}
_container = _block(
    "child_blocks",
    child_blocks=many(by_type(_CONTAINED), 10, 1),
    title=_plain(150),
    subtitle=_text(150),
    rich_text_title=_rich_text,
    icon=_image,
    width=one_of("narrow", "standard", "wide", "full"),
    is_collapsible=_flag,
    default_collapsed=_flag,
    has_header_divider=_flag,
)
_BLOCKS: dict[str, Check] = {
    **_CONTAINED,
    "container": _container,
    "markdown": _block("text", text=string(12_000, 1)),
    "context_actions": _block(
        "elements", elements=many(by_type({"feedback_buttons": _feedback_buttons, "icon_button": _icon_button}), 5, 1)
    ),
    "task_card": _task,
    "plan": _block("title", title=string(256, 1), tasks=many(_task, 50)),
    "alert": _block("text", text=_text(3_000), level=one_of("default", "info", "warning", "error", "success")),
}
_any_block = by_type(_BLOCKS)


def accept_blocks(blocks: object, most: int = MAX_BLOCKS) -> tuple[Json, ...]:
    """The blocks, when Slack would take them.

    Raises:
        Refused: invalid_blocks_format, invalid_blocks with every problem, or msg_blocks_too_long.
    """
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    if problems := list(problems_of(blocks, most)):
        raise invalid_blocks(problems)
    if sum(len(text) for text in texts_of(blocks)) > MAX_CHARACTERS:
        raise Refused("msg_blocks_too_long")
    return tuple(blocks)


def problems_of(blocks: Sequence[Any], most: int = MAX_BLOCKS) -> Iterator[str]:
    """What is wrong with a list of blocks. Headings, rules and tables of Markdown count as blocks of their own."""
    for n, block in enumerate(blocks):
        yield from (f"{problem} [json-pointer:/blocks/{n}]" for problem in _any_block(block))
        if isinstance(block, dict) and block.get("type") == "section" and not block.keys() & {"text", "fields"}:
            yield f"missing 'text' [json-pointer:/blocks/{n}]"
    known = [block for block in blocks if isinstance(block, dict)]
    expanded = len(blocks) + sum(
        len(_EXPANDING.findall(str(b.get("text")))) for b in known if b.get("type") == "markdown"
    )
    if expanded > most:
        yield f"no more than {most} items allowed, {expanded} after expansion [json-pointer:/blocks]"
    if sum(block.get("type") == "table" for block in known) > 1:
        yield "only_one_table_allowed [json-pointer:/blocks]"
    named = [block["block_id"] for block in known if block.get("block_id")]
    if len(named) != len(set(map(str, named))):
        yield "block_id must be unique [json-pointer:/blocks]"


def texts_of(value: Any) -> Iterator[str]:
    """Every text in blocks, as it counts towards the length of a message."""
    if isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in {"text", "title"} and isinstance(item, str):
                yield item
            elif isinstance(item, dict | list):
                yield from texts_of(item)
