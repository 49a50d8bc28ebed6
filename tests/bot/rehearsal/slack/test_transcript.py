"""A transcript reads as a thread looks in Slack."""

from __future__ import annotations

from typing import Any

from bot.rehearsal.slack import Message, transcript_of

Json = dict[str, Any]
NAMES = {"U1": "Support desk", "UBOT": "quoth", "C1": "support"}


def text(words: str, **style: bool) -> Json:
    return {"type": "text", "text": words, **({"style": style} if style else {})}


def message(*blocks: Json, **fields: Any) -> Message:
    return Message(
        **{
            "channel": "C1",
            "ts": "1790000000.000200",
            "user": "UBOT",
            "author": "quoth",
            "team": "T1",
            "blocks": blocks,
            **fields,
        }
    )


def body_of(*blocks: Json, **fields: Any) -> str:
    return transcript_of([message(*blocks, **fields)], NAMES).partition("\n")[2]


def test_a_thread_reads_from_question_to_buttons() -> None:
    question = message(ts="1790000000.000100", user="U1", author="Support desk", text="<@UBOT> how do I reset the VPN?")
    feedback = {
        side: {"text": {"text": label}}
        for side, label in (("positive_button", "Good answer"), ("negative_button", "Bad answer"))
    }
    answer = message(
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": [text("Open "), text("Settings", bold=True), text(". [1]")]}
            ],
        },
        {
            "type": "container",
            "title": {"text": "Sources (1)"},
            "child_blocks": [
                {
                    "type": "section",
                    "text": {"type": "mrkdwn", "text": "1. <https://wiki.example/vpn|VPN &amp; more> – 3 days old"},
                }
            ],
        },
        {"type": "context_actions", "elements": [{"type": "feedback_buttons", **feedback}]},
        ts="1790000005.000200",
        thread_ts=question.ts,
        bot_id="B1",
    )
    assert transcript_of([question, answer], NAMES) == (
        "Support desk  14:13:20\n"
        "@quoth how do I reset the VPN?\n"
        "\n"
        "  │ quoth APP  14:13:25\n"
        "  │ Open *Settings*. [1]\n"
        "  │\n"
        "  │ ▾ Sources (1)\n"
        "  │   1. VPN & more (https://wiki.example/vpn) – 3 days old\n"
        "  │ [ Good answer ]  [ Bad answer ]"
    )


def test_lists_code_and_quotes_keep_their_shape() -> None:
    def items(*words: str) -> list[Json]:
        return [{"type": "rich_text_section", "elements": [text(word)]} for word in words]

    elements = [
        {"type": "rich_text_list", "style": "ordered", "offset": 2, "elements": items("three", "four")},
        {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": items("inner")},
        {"type": "rich_text_preformatted", "elements": [text("if x:\n    go()")]},
        {"type": "rich_text_quote", "elements": [text("said\nso")]},
    ]
    shown = body_of({"type": "rich_text", "elements": elements})
    assert shown == "3. three\n4. four\n  • inner\n    if x:\n        go()\n▏ said\n▏ so"


def test_styles_stand_around_the_words_not_the_blanks() -> None:
    section = {
        "type": "rich_text_section",
        "elements": [text("a "), text("bold ", bold=True), text("x", code=True, italic=True)],
    }
    assert body_of({"type": "rich_text", "elements": [section]}) == "a *bold* _`x`_"


def test_people_and_channels_have_names() -> None:
    shown = [{"type": "user", "user_id": "U1"}, text(" in "), {"type": "channel", "channel_id": "C1"}]
    assert (
        body_of({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": shown}]})
        == "@Support desk in #support"
    )
    assert body_of(text="<@U1> in <#C1> <!here>") == "@Support desk in #support @here"


def test_long_lines_are_broken_between_words_and_hang_under_their_number() -> None:
    words = "1. " + "word " * 30
    lines = body_of(text=words.strip()).split("\n")
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].startswith("   word")


def test_what_only_one_person_sees_and_what_is_not_finished_says_so() -> None:
    assert "(only visible to you)" in transcript_of([message(text="x", only_for="U1")])
    assert "(still writing …)" in transcript_of([message(text="x", streaming=True)])


def test_tables_tasks_and_rules_are_drawn() -> None:
    rows = [[{"type": "raw_text", "text": word} for word in row] for row in (("Name", "Port"), ("db", "5432"))]
    task = {"type": "task_card", "task_id": "t", "title": "Searched 12 passages", "status": "complete"}
    assert body_of({"type": "table", "rows": rows}, task) == "Name │ Port\ndb   │ 5432\n✓ Searched 12 passages"


def test_code_is_never_broken() -> None:
    code = "kubectl get pods " * 10
    element = {"type": "rich_text_preformatted", "elements": [text(code.strip())]}
    assert body_of({"type": "rich_text", "elements": [element]}) == "    " + code.strip()


def test_paragraphs_stand_apart_and_lists_do_not() -> None:
    def paragraph(words: str) -> Json:
        return {"type": "rich_text_section", "elements": [text(words)]}

    bullets = {"type": "rich_text_list", "style": "bullet", "elements": [paragraph("item")]}
    shown = body_of(
        {"type": "rich_text", "elements": [paragraph("one\n"), paragraph("two\n"), bullets, paragraph("three")]}
    )
    assert shown == "one\n\ntwo\n• item\nthree"
