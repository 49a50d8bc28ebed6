"""Nothing that a page or a model says can become a link, a mention or a ping, on any surface."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answering.model import Answer, Failure, Nearest, Scope
from bot.rehearsal.slack.live import live_elements
from bot.rehearsal.slack.workspace import Message as Seen
from bot.slack.explain import explanation_of, explanation_text, explanation_view
from bot.slack.literal import escaped, literal
from bot.slack.render import Message, answer_message, apology, line_message, piece_block
from connectors.model import source_tag
from tests.fakes.reference_data import reference_path
from tests.fakes.scripted_house import ANSWER, FOUND, VPN

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OWN = (
    "[click](https://exfil.invalid/?d=x)", "![i](https://exfil.invalid/p.png)", "<https://exfil.invalid|read me>",
    "<https://exfil.invalid>", "https://exfil.invalid/a", "[a][b]\n\n[b]: https://exfil.invalid", "www.exfil.invalid/a",
    "`https://exfil.invalid/`", "```\nhttps://exfil.invalid/\n```", "| a |\n|---|\n| https://exfil.invalid |",
    "<!channel>", "<!here|here>", "<@U0123ABCD>", "<#C0123ABCD|general>", "<!subteam^S0123>", "@here", "@channel",
    "<!date^1^{date}^https://exfil.invalid|x>", "&lt;!channel&gt;", "&#60;!everyone&#62;", "<\u200b!channel>",
    "[1](https://exfil.invalid) [1]", "ht\u200btps://exfil.invalid", "\u202ehttps://exfil.invalid", "//exfil.invalid/a",
    "> <!everyone>\n> https://exfil.invalid", "1. <!here>\n2. [x](javascript:alert(1))", 
    "# https://exfil.invalid <!here>",
)  # fmt: skip
_ALIVE = re.compile(r"(?i)https?://|(?<![\w./-])exfil\.invalid/|<[!@#]|(?<!\w)@(?:here|channel|everyone)\b")


def reference_forms() -> list[str]:
    """142 forms of a link and 40 of a mention, as they were collected; both files hold half of them doubled."""
    paths = [reference_path(f"security/own/{name}.jsonl") for name in ("exfil_markup", "mention_injection")]
    return [json.loads(line)["text"] for path in paths for line in path.read_text().splitlines()]


def surfaces(text: str) -> list[Message]:
    """Every message in which words of a page or a model stand."""
    cited = replace(VPN, title=text, headings=(text,))
    return [
        answer_message("q", replace(ANSWER, text=f"{text} [1]\n\n{text}", notes=(text,)), NOW),
        answer_message("q", replace(ANSWER, citations=(cited,)), NOW),
        answer_message("q", Answer("not_found", text, nearest=(Nearest(text, VPN.url, "d"),)), NOW),
        answer_message("q", Answer("error", "", failure=Failure("x", text, "ref")), NOW),
        apology("q", text),
        line_message(text),
        Message(escaped(text)),
    ]


def check_is_dead(message: Message) -> None:
    seen = Seen(
        "C1", "1.0", "U1", "quoth", "T1", message.text, tuple(message.blocks), parse="none", link_names=False,
        unfurl_links=False, unfurl_media=False,
    )  # fmt: skip
    live = live_elements(seen)
    assert set(live.links) <= {VPN.url}
    assert (live.mentions, live.images, live.unfurls) == ((), (), ())
    for words in [message.text, *words_in(list(message.blocks))]:
        assert _ALIVE.search(words) is None, words


def words_in(value: Any) -> list[str]:
    """Every string that a client shows."""
    if isinstance(value, list):
        return [words for one in value for words in words_in(one)]
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + words_in(list(value.values()))
    return []


def check_is_dead_everywhere(text: str, step: int = 1) -> None:
    for message in surfaces(text):
        check_is_dead(message)
    for at in range(0, len(text) + 1, step):
        for piece in (text[:at], text[at:]):
            block = piece_block(piece, (VPN,))
            check_is_dead(Message("", () if block is None else (block,)))
    answer = replace(ANSWER, passages=(replace(FOUND, title=text),), model=text, because=text)
    explanation = explanation_of(answer, Scope(text, frozenset({source_tag(text)})))
    check_is_dead(Message("", tuple(explanation_view(explanation)["blocks"])))
    check_is_dead(Message(escaped(explanation_text(explanation))))


@pytest.mark.parametrize("text", OWN)
def test_no_hostile_form_is_alive_on_any_surface_or_in_a_stream_however_it_is_cut(text: str) -> None:
    check_is_dead_everywhere(text)


def test_no_collected_form_is_alive_on_any_surface() -> None:
    for text in reference_forms():
        check_is_dead_everywhere(text, step=9)


@pytest.mark.fuzz
def test_no_collected_form_is_alive_in_a_stream_however_it_is_cut() -> None:
    for text in reference_forms():
        check_is_dead_everywhere(text)


FRAGMENTS = st.sampled_from(
    ["https://", "http:/", "//", "exfil.invalid", "/p?d=x", "<", ">", "|", "!", "@", "#", "here", "channel", "[", "]",
     "(", ")", "`", "```", "\n", "\n\n", "&lt;", "&amp;", "\\", "*", "_", "~", "- ", "1. ", "> ", "U0123ABCD", "\u200b",
     "www.", "mailto:", "a", " ", "[1]", "!["]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(FRAGMENTS, st.text(max_size=4)), max_size=20).map("".join))
def test_no_text_at_all_is_alive(text: str) -> None:
    check_is_dead(answer_message("q", replace(ANSWER, text=text, notes=(text,)), NOW))
    check_is_dead(answer_message("q", replace(ANSWER, citations=(replace(VPN, title=text),)), NOW))
    check_is_dead(line_message(text))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_literal_words_stay_as_they_are_when_made_literal_again(text: str) -> None:
    assert literal(literal(text)) == literal(text)


@pytest.mark.parametrize(
    "text",
    [
        "See README.md, config.yaml and docs/setup.md", "version 1.2.3 of os.path.join", "write to help@acme.example",
        "C:\\Users\\x and std::vector", "at 12:30, ratio 3:4, key: value", "👩‍💻 naïve ❤️ 日本語", "a < b && c > d",
        "@hereafter",
    ],
)  # fmt: skip
def test_ordinary_words_are_left_as_they_are(text: str) -> None:
    assert literal(text) == text


def test_addresses_can_still_be_read() -> None:
    assert literal("https://api.acme.example/v1?x=1") == "https[:]//api[.]acme[.]example/v1?x=1"


def test_a_scheme_without_slashes_is_written_apart_too() -> None:
    assert literal("http:exfil.invalid and FTP:exfil.invalid/x") == "http[:]exfil[.]invalid and FTP[:]exfil[.]invalid/x"
    assert literal("use http: or port http:8080") == "use http: or port http:8080"
