from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from bot.answering.picking import excerpt_of, picked, standalone
from bot.answering.prompts import NO_ANSWER, messages_with_blocks, sent_of
from bot.answering.quotes import QuoteModel
from bot.answering.spans import Span
from bot.answering.units import units_of
from tests.bot.answering.passages import passage, question

PAGE = passage(
    "Staging is rebuilt at night.\n\n## Deploy\n\nTo deploy a branch:\n\n1. Push the branch.\n2. Open the pipeline.\n"
    "3. Confirm.\n\nIt takes a minute.\n\nClear the cache with:\n\n```sh\ncachectl clear\n```\n\n"
    "| Plan | Requests |\n|------|----------|\n| Free | 60 |\n| Team | 600 |\n"
)


class Keyword:
    """Likes the texts with a word, the shortest most."""

    def __init__(self, word: str, logit: float = 5.0) -> None:
        self.word = word
        self.logit = logit
        self.pairs = 0

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        self.pairs += len(texts)
        return [self.logit - len(text) / 10_000 if self.word in text else -9.0 for text in texts]


def messages(text: str, *turns: tuple[str, str], page: Any = PAGE) -> list[BaseMessage]:
    return messages_with_blocks(question(text, *turns), sent_of((page,)))


def quoted(scorer: Any, text: str, *turns: tuple[str, str], page: Any = PAGE) -> str:
    reply = QuoteModel(scorer=scorer).invoke(messages(text, *turns, page=page))
    return "".join(block["text"] for block in reply.content if isinstance(block, dict)).strip()


def test_a_question_how_gets_the_whole_list_with_its_lead() -> None:
    assert quoted(Keyword("pipeline"), "How do I deploy?") == (
        "To deploy a branch:\n\n1. Push the branch.\n2. Open the pipeline.\n3. Confirm."
    )


def test_a_code_block_comes_with_the_sentence_that_leads_to_it() -> None:
    assert quoted(Keyword("cachectl"), "clear cache") == "Clear the cache with:\n\n```sh\ncachectl clear\n```"


def test_markup_is_left_out_between_a_sentence_and_its_code() -> None:
    page = passage('It clears the cache:\n\n<div class="termy">\n\n```sh\ncachectl clear\n```\n\n</div>\n')
    reply = QuoteModel(scorer=Keyword("cachectl")).invoke(messages("clear cache", page=page))
    told = [block["text"] for block in reply.content if isinstance(block, dict)]
    assert "".join(told).strip() == "It clears the cache:\n\n```sh\ncachectl clear\n```"


def test_a_box_is_quoted_without_its_marker_and_at_the_margin() -> None:
    page = passage("Before.\n\n!!! tip\n\n    Clear the cache with `cachectl`. It\n    takes a minute.\n\nAfter.\n")
    assert (
        quoted(Keyword("cachectl"), "clear cache", page=page) == "Clear the cache with `cachectl`. It\ntakes a minute."
    )


def test_of_a_list_of_cases_only_the_case_is_quoted() -> None:
    page = passage("It depends:\n\n- If it is a list, it is joined.\n- If it is a stream, it is sent at once.\n")
    assert quoted(Keyword("a stream"), "How do I send?", page=page) == "- If it is a stream, it is sent at once."


def test_what_was_quoted_is_not_said_again() -> None:
    text = "To enable debug mode, use the `--debug` option{}."
    excerpts = [excerpt_of("One", [text.format("")]), excerpt_of("Two", [text.format(" too")])]
    spans = picked("debug mode", excerpts, Keyword("debug"))
    assert [span.passage for span in spans] == [0]


def test_where_nothing_close_can_be_typed_the_same_page_says_how() -> None:
    class Lines:
        def scores(self, question: str, texts: Sequence[str]) -> list[float]:
            return [5.0 if "attached" in text else 0.8 if "add" in text else -9.0 for text in texts]

    about = excerpt_of("Tasks", ["A task is attached to a response."])
    way = excerpt_of("Tasks › Many", ["Signature:\n\n", "```\ntasks.add(one)\n```\n"])
    elsewhere = excerpt_of("Threads › Many", ["Signature:\n\n", "```\nthreads.add(one)\n```\n"])
    assert [span.passage for span in picked("How do I run one?", [about, elsewhere, way], Lines())] == [0, 2]
    assert [span.passage for span in picked("Who runs one?", [about, elsewhere, way], Lines())] == [0]


def test_a_name_at_the_end_of_a_question_of_mine_counts() -> None:
    assert quoted(Keyword("pipeline"), "How do I deploy with Heroku?") == NO_ANSWER


def test_a_name_that_stands_only_in_an_address_is_unknown() -> None:
    page = passage("Open the pipeline, as https://git.example/heroku/pipeline says.")
    assert quoted(Keyword("pipeline", -1.0), "How can we deploy with Heroku?", page=page) == NO_ANSWER


def test_code_that_only_includes_a_file_is_no_quote() -> None:
    page = passage("For example:\n\n```Python\n{!../docs_src/app.py!}\n```\n\nIt prints app.\n")
    spans = picked("app", [excerpt_of("Guide", [unit.text for unit in units_of(page.text)])], Keyword("app"))
    assert spans == [Span(0, ((2, 3),), 2)]


def test_a_row_comes_with_the_head_of_its_table() -> None:
    assert quoted(Keyword("600"), "requests?") == "| Plan | Requests |\n|------|----------|\n| Team | 600 |"


def test_both_rows_come_when_both_are_asked_for() -> None:
    page = passage("| Plan | Requests |\n|---|---|\n| Free | 60 |\n| Team | 600 |\n| Crew | 900 |\n")
    free, team = "| Free | 60 |", "| Team | 600 |"
    head = "| Plan | Requests |\n|---|---|"
    asked = "how many requests do the free and the team plan have"
    assert quoted(Keyword("Requests"), asked, page=page) == f"{head}\n{free}\n{team}"
    assert quoted(Keyword("600"), "how many requests does the team plan have", page=page) == f"{head}\n{team}"


def test_nothing_good_enough_is_declined() -> None:
    assert quoted(Keyword("nowhere"), "How do I fly?") == NO_ANSWER


def test_a_name_that_no_source_knows_makes_it_silent() -> None:
    assert quoted(Keyword("minute"), "How long does it take?") != NO_ANSWER
    assert quoted(Keyword("minute"), "How long does it take on Redis?") == NO_ANSWER
    assert quoted(Keyword("minute"), "What does E5020 mean?") == NO_ANSWER


def test_a_sentence_comes_with_its_paragraph_and_what_this_announces() -> None:
    page = passage("It is small. It is fast. It takes:\n\n| Size | Time |\n|---|---|\n| big | 9 s |\n\nAnd more.\n")
    table = "It is small. It is fast. It takes:\n\n| Size | Time |\n|---|---|\n| big | 9 s |"
    assert quoted(Keyword("fast"), "is it fast", page=page) == table


def test_what_only_repeats_the_title_is_no_answer() -> None:
    page = passage("Meeting template\n\nPurpose: one sentence.\n", title="Meeting template")

    class Titles:
        def scores(self, question: str, texts: Sequence[str]) -> list[float]:
            return [4.0 if text.endswith("template") else 2.0 for text in texts]

    assert quoted(Titles(), "what goes into the meeting template", page=page).endswith("Purpose: one sentence.")


def test_a_row_is_read_by_the_model_as_prose_and_quoted_as_it_stands() -> None:
    asked: list[str] = []

    class Reader:
        def scores(self, question: str, texts: Sequence[str]) -> list[float]:
            asked.extend(texts)
            return [5.0 if "Plan: Team" in text else -9.0 for text in texts]

    assert quoted(Reader(), "requests?") == "| Plan | Requests |\n|------|----------|\n| Team | 600 |"
    assert "Deploys: Plan: Team. Requests: 600" in asked


@pytest.mark.parametrize("text", ["What does the team plan cost?", "what is the price of the team plan"])
def test_a_price_is_not_answered_without_an_amount_of_money(text: str) -> None:
    assert quoted(Keyword("600"), text) == NO_ANSWER
    priced = passage("| Plan | Price |\n|------|----------|\n| Team | 600 euros |\n")
    assert quoted(Keyword("600"), text, page=priced).endswith("| Team | 600 euros |")


def test_the_number_of_scored_spans_is_bounded() -> None:
    page = passage(" ".join(f"Sentence number {n} speaks of deploys." for n in range(400)))
    scorer = Keyword("deploys")
    QuoteModel(scorer=scorer).invoke(messages("deploys?", page=page))
    assert scorer.pairs <= 24


@pytest.mark.parametrize("text", ["How do I deploy a branch?", "What is the capital of France?"])
async def test_all_four_ways_to_ask_agree(text: str) -> None:
    model: BaseChatModel = QuoteModel()
    whole = model.invoke(messages(text))
    assert isinstance(whole, AIMessage)
    streamed = [chunk for chunk in model.stream(messages(text)) if chunk.content]
    awaited = await model.ainvoke(messages(text))
    flowed = [chunk async for chunk in model.astream(messages(text)) if chunk.content]
    assert [chunk.content[0] for chunk in streamed] == whole.content
    assert [chunk.content[0] for chunk in flowed] == whole.content == awaited.content


def test_every_citation_says_what_the_source_says() -> None:
    reply = QuoteModel(scorer=Keyword("600")).invoke(messages("requests?"))
    units = sent_of((PAGE,)).units[0]
    locations = [location for block in reply.content if isinstance(block, dict) for location in block["citations"]]
    assert locations
    for location in locations:
        start, end = location["start_block_index"], location["end_block_index"]
        assert location["cited_text"] == "".join(unit.text for unit in units[start:end])


def test_a_message_without_sources_is_declined() -> None:
    assert QuoteModel().invoke([HumanMessage("hello")]).text == NO_ANSWER


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("and on staging?", "How do I deploy? and on staging?"),
        ("How long does it take?", "How do I deploy? How long does it take?"),
        ("Which plan allows six hundred requests a minute?", "Which plan allows six hundred requests a minute?"),
    ],
)
def test_what_makes_no_sense_alone_is_read_with_the_question_before(text: str, whole: str) -> None:
    assert standalone(text, ["Hello", "How do I deploy?"]) == whole


def test_a_follow_up_is_answered_by_what_it_adds_to_its_thread() -> None:
    rollback = ["Run `shipit rollback` to roll back in production. ", "Roll back ingest with `shipit rollback ingest`."]
    staging = ["There is no train to pause on staging. "]
    excerpts = [excerpt_of("Roll back › Roll back", rollback), excerpt_of("Roll back › On staging", staging)]

    class Even:
        def scores(self, question: str, texts: Sequence[str]) -> list[float]:
            return [1.0] * len(texts)

    (span,) = picked("and on staging?", excerpts, Even(), ["How do I roll back ingest in production?"])

    assert span.passage == 1
