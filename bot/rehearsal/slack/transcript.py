"""A thread as a person in Slack sees it, as plain text for a terminal."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.rehearsal.slack.workspace import Json, Message

Names = Mapping[str, str]
WIDTH = 80
_ANGLE = re.compile(r"<([^<>]+)>")
_NUMBER = re.compile(r"\[\d+\]")
_MARKS = (("code", "`"), ("strike", "~"), ("italic", "_"), ("bold", "*"))
_INSET = re.compile(r"(?! {4,}(?![ •]|\d+\.)) *(?:[•✓]|\d+\.)? *")
"""The beginning of a line that may be broken: not of code, which is set in by four."""
_APART = {"rich_text", "section", "container", "header", "markdown", "table"}
"""Blocks with some room above them."""
_TASK_SIGNS = {"pending": "·", "in_progress": "…", "complete": "✓", "error": "✗"}


def transcript_of(messages: Sequence[Message], names: Names | None = None, width: int = WIDTH) -> str:
    """The messages below each other: author, time, then what is to be seen. Replies are set in."""
    return "\n\n".join("\n".join(_lines_of(message, names or {}, width)) for message in messages)


def _lines_of(message: Message, names: Names, width: int) -> Iterator[str]:
    margin = "  │ " if message.thread_ts and message.thread_ts != message.ts else ""
    yield margin + _heading(message)
    for line in _body(message, names):
        yield from _wrapped(line, margin, width)


def _heading(message: Message) -> str:
    time = datetime.fromtimestamp(float(message.ts), UTC).strftime("%H:%M:%S")
    signs = [" APP" if message.bot_id else "", f"  {time}"]
    if message.only_for:
        signs.append("  (only visible to you)")
    if message.edited_ts and not message.bot_id:
        signs.append("  (edited)")
    if message.streaming:
        signs.append("  (still writing …)")
    return message.author + "".join(signs)


def _body(message: Message, names: Names) -> Iterator[str]:
    if not message.blocks:
        yield from mrkdwn_lines(message.text, names)
    for n, block in enumerate(message.blocks):
        if n and block["type"] in _APART:
            yield ""
        yield from _block_lines(block, names)


def _wrapped(line: str, margin: str, width: int) -> list[str]:
    """The line, broken at blanks; what is set in stays set in. Code and addresses are never broken."""
    inset = _INSET.match(line)
    if inset is None:
        return [margin + line]
    hang = " " * inset.end()
    room = width - len(margin)
    pieces = textwrap.wrap(
        line, room, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return [margin + piece if piece else margin.rstrip() for piece in pieces or [""]]


def _block_lines(block: Json, names: Names) -> Iterator[str]:
    draw = _DRAWN.get(block["type"])
    if draw is not None:
        yield from draw(block, names)


def _rich_text(block: Json, names: Names) -> Iterator[str]:
    elements = block["elements"]
    for element, following in zip(elements, [*elements[1:], {}], strict=True):
        match element["type"]:
            case "rich_text_list":
                yield from _list(element, names)
            case "rich_text_preformatted":
                yield from (f"    {line}" for line in _inline(element["elements"], names).splitlines())
            case "rich_text_quote":
                yield from (f"▏ {line}" for line in _inline(element["elements"], names).splitlines())
            case _:
                # A line break at the end shows only where more text follows; a list or code begins anew anyway.
                text = _inline(element["elements"], names)
                yield from (text if following.get("type") == "rich_text_section" else text.removesuffix("\n")).split(
                    "\n"
                )


def _list(element: Json, names: Names) -> Iterator[str]:
    indent = "  " * int(element.get("indent", 0))
    first = int(element.get("offset", 0)) + 1
    for n, item in enumerate(element["elements"], first):
        sign = f"{n}." if element["style"] == "ordered" else "•"
        head, *rest = _inline(item["elements"], names).split("\n")
        yield f"{indent}{sign} {head}"
        yield from (f"{indent}{' ' * len(sign)} {line}" for line in rest)


def _inline(elements: Sequence[Json], names: Names) -> str:
    return "".join(_styled(_inline_text(element, names), element.get("style") or {}) for element in elements)


def _inline_text(element: Json, names: Names) -> str:
    match element["type"]:
        case "text":
            return str(element["text"])
        case "link":
            return _link(element["url"], element.get("text", ""))
        case "emoji":
            return f":{element['name']}:"
        case "user" | "channel" | "usergroup" as kind:
            named = element[f"{kind}_id"]
            return f"{'#' if kind == 'channel' else '@'}{names.get(named, named)}"
        case "broadcast":
            return f"@{element['range']}"
        case _:
            return str(element.get("fallback", ""))


def _styled(text: str, style: Json) -> str:
    """The text between the marks of its styles, which keep off its outer blanks."""
    core = text.strip()
    if not core:
        return text
    marked = core
    for name, mark in _MARKS:
        if style.get(name):
            marked = mark + marked + mark
    return text.replace(core, marked, 1)


def _link(url: str, label: str) -> str:
    if _NUMBER.fullmatch(label):
        return label  # Its address stands once more beside the source of that number.
    return f"{label} ({url})" if label and label != url else url


def mrkdwn_lines(text: str, names: Names) -> list[str]:
    """Slack's own markup as it looks: links with their address, people and channels by name."""

    def shown(match: re.Match[str]) -> str:
        target, _, label = match.group(1).partition("|")
        if target[0] in "@#":
            return target[0] + (label or names.get(target[1:], target[1:]))
        if target[0] == "!":
            return label or "@" + target[1:]
        return _link(target, label)

    return html.unescape(_ANGLE.sub(shown, text)).split("\n")


def _text_object(value: Json, names: Names) -> list[str]:
    text = str(value["text"])
    return mrkdwn_lines(text, names) if value["type"] == "mrkdwn" else text.split("\n")


def _section(block: Json, names: Names) -> Iterator[str]:
    for value in [block.get("text"), *block.get("fields", [])]:
        if value:
            yield from _text_object(value, names)
    if accessory := block.get("accessory"):
        yield from _buttons([accessory])


def _context(block: Json, names: Names) -> Iterator[str]:
    parts = [e.get("alt_text") or "\n".join(_text_object(e, names)) for e in block["elements"]]
    yield from "  ".join(map(str, parts)).split("\n")


def _actions(block: Json, _names: Names) -> Iterator[str]:
    yield from _buttons(block["elements"])


def _buttons(elements: Sequence[Json]) -> Iterator[str]:
    labels: list[str] = []
    for element in elements:
        if element["type"] == "feedback_buttons":
            labels += [element[side]["text"]["text"] for side in ("positive_button", "negative_button")]
        elif "text" in element:
            labels.append(element["text"]["text"])
        elif "placeholder" in element:
            labels.append(element["placeholder"]["text"] + " ▾")
    yield "  ".join(f"[ {label} ]" for label in labels)


def _container(block: Json, names: Names) -> Iterator[str]:
    title: Any = block.get("title")
    if title:
        yield f"{'▸' if block.get('default_collapsed') else '▾'} {title['text']}"
    elif rich := block.get("rich_text_title"):
        yield from _rich_text(rich, names)
    for child in block["child_blocks"]:
        yield from (f"  {line}" for line in _block_lines(child, names))


def _table(block: Json, names: Names) -> Iterator[str]:
    def cell(value: Json) -> str:
        return str(value["text"]) if value["type"] == "raw_text" else " ".join(_rich_text(value, names))

    rows = [[cell(value) for value in row] for row in block["rows"]]
    widths = [max(len(row[n]) for row in rows if n < len(row)) for n in range(max(map(len, rows)))]
    for row in rows:
        yield " │ ".join(text.ljust(widths[n]) for n, text in enumerate(row)).rstrip()


def _task(block: Json, _names: Names) -> Iterator[str]:
    yield f"{_TASK_SIGNS[block['status']]} {block['title']}"
    yield from (f"    {_link(source['url'], source['text'])}" for source in block.get("sources", []))


def _plan(block: Json, names: Names) -> Iterator[str]:
    yield str(block["title"])
    for task in block.get("tasks", []):
        yield from _task(task, names)


_DRAWN: dict[str, Callable[[Json, Names], Iterator[str]]] = {
    "rich_text": _rich_text,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "context_actions": _actions,
    "container": _container,
    "table": _table,
    "task_card": _task,
    "plan": _plan,
    "header": lambda block, _: iter((f"*{block['text']['text']}*",)),
    "markdown": lambda block, _: iter(str(block["text"]).split("\n")),
    "divider": lambda *_: iter(("─" * 40,)),
    "image": lambda block, _: iter((f"[image: {block['alt_text']}]",)),
    "alert": lambda block, names: iter([f"! {line}" for line in _text_object(block["text"], names)]),
}
