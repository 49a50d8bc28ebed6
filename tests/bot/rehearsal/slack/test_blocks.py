"""What the rehearsal takes as blocks is what Slack takes; what it refuses, Slack refuses."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest
from slack_sdk.models.blocks import Block

from bot.rehearsal.slack.blocks import accept_blocks, problems_of
from bot.rehearsal.slack.refusals import Refused
from tests.fakes.reference_data import reference

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def rich(*elements: Json) -> Json:
    return {"type": "rich_text", "elements": list(elements)}


def section(*inline: Json) -> Json:
    return {"type": "rich_text_section", "elements": list(inline)}


WORDS: Json = {"type": "text", "text": "Open the settings", "style": {"bold": True, "code": True}}
LINK: Json = {"type": "link", "url": "https://wiki.example/vpn", "text": "VPN"}
BUTTON: Json = {"type": "button", "text": plain("Try again"), "action_id": "retry", "value": "1", "style": "primary"}
SIDE: Json = {"text": plain("Good answer"), "value": "up", "accessibility_label": "Mark as helpful"}
FEEDBACK: Json = {"type": "feedback_buttons", "action_id": "f", "positive_button": SIDE, "negative_button": SIDE}
TRASH: Json = {"type": "icon_button", "action_id": "d", "icon": "trash", "text": plain("Delete"), "value": "1"}

GOOD: dict[str, Json] = {
    "rich_text": rich(
        section(WORDS, LINK, {"type": "user", "user_id": "U1"}, {"type": "emoji", "name": "wave"}),
        {"type": "rich_text_list", "style": "ordered", "indent": 1, "border": 0, "elements": [section(WORDS)]},
        {"type": "rich_text_preformatted", "border": 0, "elements": [{"type": "text", "text": "pip install"}]},
        {"type": "rich_text_quote", "elements": [WORDS]},
    ),
    "section": {"type": "section", "text": mrkdwn("*hi*"), "fields": [plain("a")], "accessory": BUTTON, "expand": True},
    "header": {"type": "header", "text": plain("Sources")},
    "context": {"type": "context", "elements": [mrkdwn("updated yesterday"), plain("x")]},
    "actions": {"type": "actions", "elements": [BUTTON]},
    "context_actions": {"type": "context_actions", "elements": [FEEDBACK, TRASH]},
    "divider": {"type": "divider", "block_id": "line"},
    "markdown": {"type": "markdown", "text": "**hi**"},
    "container": {
        "type": "container",
        "title": plain("Sources (1)"),
        "is_collapsible": True,
        "default_collapsed": True,
        "child_blocks": [{"type": "section", "text": mrkdwn("1. VPN")}],
    },
    "table": {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}, rich(section(WORDS))]]},
    "task_card": {
        "type": "task_card",
        "task_id": "t",
        "title": "Searching",
        "status": "in_progress",
        "sources": [{"type": "url", "url": "https://wiki.example", "text": "Wiki"}],
    },
    "alert": {"type": "alert", "text": plain("Careful"), "level": "warning"},
    "image": {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "a"},
}
"""A good one of each block that we know, with most of its fields."""


@pytest.mark.parametrize("name", GOOD)
def test_a_good_block_is_taken(name: str) -> None:
    assert accept_blocks([GOOD[name]]) == (GOOD[name],)


@pytest.mark.parametrize("name", GOOD)
def test_slacks_types_agree_that_it_is_good(name: str) -> None:
    jsonschema.Draft7Validator(reference("slack/schemas/Blocks.schema.json")).validate([GOOD[name]])


@pytest.mark.parametrize("name", GOOD)
def test_an_unknown_key_is_refused_here_and_there(name: str) -> None:
    block = {**GOOD[name], "onclick": "x"}
    assert list(problems_of([block]))
    assert not jsonschema.Draft7Validator(reference("slack/schemas/Blocks.schema.json")).is_valid([block])


@pytest.mark.parametrize("name", sorted(GOOD.keys() - {"divider"}))
def test_a_block_without_its_content_is_refused_here_and_there(name: str) -> None:
    bare = {"type": name}
    assert list(problems_of([bare]))
    if name != "section":
        assert not jsonschema.Draft7Validator(reference("slack/schemas/Blocks.schema.json")).is_valid([bare])


@pytest.mark.parametrize("name", ["section", "header", "context", "actions", "context_actions", "divider", "markdown"])
def test_slacks_own_classes_agree_that_it_is_good(name: str) -> None:
    block = Block.parse(copy.deepcopy(GOOD[name]))
    assert block is not None
    assert block.to_dict()["type"] == name


TOO_MUCH: dict[str, list[Json]] = {
    "a section of 3,001 characters": [{"type": "section", "text": mrkdwn("x" * 3_001)}],
    "a header of 151": [{"type": "header", "text": plain("x" * 151)}],
    "a button of 76": [{"type": "actions", "elements": [{**BUTTON, "text": plain("x" * 76)}]}],
    "a value of 2,001": [{"type": "actions", "elements": [{**BUTTON, "value": "x" * 2_001}]}],
    "a button of another style": [{"type": "actions", "elements": [{**BUTTON, "style": "loud"}]}],
    "26 buttons": [{"type": "actions", "elements": [BUTTON] * 26}],
    "11 elements of context": [{"type": "context", "elements": [mrkdwn("x")] * 11}],
    "11 blocks in a container": [{**GOOD["container"], "child_blocks": [GOOD["divider"]] * 11}],
    "a button in feedback": [{"type": "context_actions", "elements": [BUTTON]}],
    "empty text": [rich(section({"type": "text", "text": ""}))],
    "a mention in code": [rich({"type": "rich_text_preformatted", "elements": [{"type": "user", "user_id": "U1"}]})],
    "an address of 3,001": [rich(section({**LINK, "url": "https://" + "x" * 2_993}))],
    "51 blocks": [{"type": "divider"}] * 51,
    "a markdown block that expands to 52": [{"type": "markdown", "text": "# a\n\nb\n\n" * 51}],
    "two tables": [GOOD["table"]] * 2,
    "one block_id twice": [GOOD["divider"]] * 2,
    "no object": ["text"],  # type: ignore[list-item]
    "text where an object belongs": [{"type": "section", "text": "hi"}],
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_too_much_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(Refused) as refused:
        accept_blocks(TOO_MUCH[name])
    assert refused.value.error == "invalid_blocks"
    assert refused.value.body["response_metadata"]["messages"]


def test_a_message_has_13200_characters_in_its_blocks() -> None:
    blocks = [{"type": "section", "text": mrkdwn("x" * 2_640)}] * 5
    assert accept_blocks(blocks)
    with pytest.raises(Refused, match="msg_blocks_too_long"):
        accept_blocks([*blocks, {"type": "section", "text": mrkdwn("x")}])


def test_blocks_that_are_no_list_are_of_the_wrong_format() -> None:
    with pytest.raises(Refused, match="invalid_blocks_format"):
        accept_blocks({"type": "divider"})
