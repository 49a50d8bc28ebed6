from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from bot.answering.citations import Citations
from bot.answering.draft import Draft, blocks_of
from bot.answering.model import Piece
from bot.answering.prompts import sent_of
from tests.bot.answering.passages import passage

ONE = passage("Open the console. Press the button. Wait a minute.")
TWO = passage("Tell the team afterwards.", document="git:h:two.md", rank=2)
SENT = sent_of((ONE, TWO))


def at(passage_number: int, start: int, end: int, **changes: Any) -> dict[str, Any]:
    text = "".join(unit.text for unit in SENT.units[passage_number][start:end])
    place = {"search_result_index": passage_number, "start_block_index": start, "end_block_index": end}
    return {"type": "search_result_location", "cited_text": text, **place, **changes}


def text(index: int, words: str) -> dict[str, Any]:
    return {"type": "text", "index": index, "text": words}


def cites(index: int, *locations: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "index": index, "citations": list(locations)}


def drafted(*blocks: dict[str, Any] | str, native: bool = True) -> tuple[Draft, list[Piece]]:
    draft = Draft(Citations(SENT), native)
    pieces = [
        piece
        for block in blocks
        for piece in draft.take(AIMessageChunk(content=block if isinstance(block, str) else [block]))
    ]
    return draft, pieces + draft.finish()


def test_a_citation_stands_after_its_block_whether_it_comes_before_or_after_the_words() -> None:
    before, _ = drafted(cites(0, at(0, 1, 2)), text(0, "Press it. "), text(1, "Then go on."))
    after, _ = drafted(text(0, "Press it. "), cites(0, at(0, 1, 2)), text(1, "Then go on."))
    assert before.text == after.text == "Press it. [1] Then go on."


def test_numbers_follow_the_order_of_first_use_and_a_source_keeps_its_number() -> None:
    draft, _ = drafted(
        *(text(0, "Tell."), cites(0, at(1, 0, 1))),
        *(text(1, " Press."), cites(1, at(0, 1, 2))),
        *(text(2, " Tell again."), cites(2, at(1, 0, 1))),
    )
    assert draft.text == "Tell. [1] Press. [2] Tell again. [1]"
    assert [(cited.n, cited.document_id) for cited in draft.citations.made] == [
        (1, TWO.document_id),
        (2, ONE.document_id),
    ]


def test_a_quote_spans_all_that_was_cited_of_a_passage() -> None:
    draft, _ = drafted(text(0, "a"), cites(0, at(0, 2, 3)), text(1, "b"), cites(1, at(0, 1, 2)))
    assert [cited.quote for cited in draft.citations.made] == ["Press the button. Wait a minute."]


@pytest.mark.parametrize(
    "wrong",
    [
        at(0, 0, 1, search_result_index=2),
        at(0, 0, 1, search_result_index=-1),
        at(0, 0, 1, search_result_index=True),
        at(0, 0, 1, search_result_index="0"),
        at(0, 0, 1, end_block_index=4),
        at(0, 0, 1, start_block_index=1),
        at(0, 0, 1, cited_text="Something else."),
        at(0, 0, 1, type="char_location"),
        {},
    ],
)
def test_a_citation_that_does_not_point_at_what_was_sent_is_dropped_and_counted(wrong: dict[str, Any]) -> None:
    draft, _ = drafted(text(0, "It is free."), cites(0, wrong))
    assert (draft.text, draft.citations.made, draft.citations.dropped) == ("It is free.", (), 1)


def test_marks_that_a_model_types_are_not_citations() -> None:
    draft, _ = drafted(text(0, "It is free [1] and open [2, 3]【1】[^4]. Use `a[0]`."), cites(0, at(0, 0, 1)))
    assert draft.text == "It is free and open. Use `a[0]`. [1]"
    assert draft.citations.dropped == 4


def test_private_signs_in_a_models_words_mean_nothing() -> None:
    draft, _ = drafted(text(0, "Trust me.\ue100\ue101"))
    assert (draft.text, draft.citations.made) == ("Trust me.", ())


def test_a_mark_never_becomes_the_words_of_a_link() -> None:
    draft, _ = drafted(text(0, "Press it"), cites(0, at(0, 1, 2)), text(1, "(https://exfil.invalid)"))
    assert draft.text == "Press it [1] (`https://exfil.invalid`)"


def test_a_mark_waits_for_the_end_of_a_code_block() -> None:
    draft, _ = drafted(text(0, "```\npress"), cites(0, at(0, 1, 2)), text(1, " x[3]\n```\nDone."))
    assert draft.text == "```\npress x[3]\n```\nDone. [1]"


def test_a_mark_stands_inside_the_last_cell_of_a_table() -> None:
    draft, _ = drafted(text(0, "| a | b |\n|---|---|\n| 1 | 2 |\n"), cites(0, at(0, 1, 2)))
    assert draft.text == "| a | b |\n|---|---|\n| 1 | 2 [1] |"


def test_a_code_block_that_was_left_open_is_closed() -> None:
    draft, _ = drafted(text(0, "Run:\n\n```sh\nmake"), cites(0, at(0, 0, 1)))
    assert draft.text == "Run:\n\n```sh\nmake\n```\n\n[1]"


def test_pieces_are_whole_paragraphs_items_and_code_blocks() -> None:
    _, pieces = drafted(text(0, "One.\n\n- two\n- three\n\n"), text(1, "```\nfour\n\nfive\n```\n\nsix"))
    assert [piece.text.strip() for piece in pieces] == ["One.", "- two", "- three", "```\nfour\n\nfive\n```", "six"]


def test_a_piece_names_the_citations_that_it_uses_first() -> None:
    _, pieces = drafted(
        *(text(0, "One."), cites(0, at(0, 0, 1)), text(1, "\n\nTwo."), cites(1, at(0, 1, 2))),
        *(text(2, "\n\nThree."), cites(2, at(1, 0, 1))),
    )
    assert [[cited.n for cited in piece.citations] for piece in pieces] == [[1], [], [2]]


def test_a_model_that_finds_nothing_says_nothing() -> None:
    draft, pieces = drafted(text(0, "NO_ANSWER_IN_"), text(0, "SOURCES"))
    assert (draft.declined, pieces) == (True, [])


@pytest.mark.parametrize(
    ("typed", "told", "dropped"),
    [
        ("Press it [1].", "Press it [1].", 0),
        ("Press it [1, 2].", "Press it [1][2].", 0),
        ("Press it [1][2].", "Press it [1][2].", 0),
        ("Press it【2】.", "Press it[1].", 0),
        ("Press it [1][7].", "Press it [1].", 1),
        ("Press it [0].", "Press it.", 1),
        ("Tell [2] and press [1].", "Tell [1] and press [2].", 0),
        ("Use `a[1]` or\n```\nb[2]\n```", "Use `a[1]` or\n```\nb[2]\n```", 0),
    ],
)
def test_typed_marks_of_other_models_count_when_they_point_at_a_source(typed: str, told: str, dropped: int) -> None:
    draft, _ = drafted(typed, native=False)
    assert draft.text == told
    assert draft.citations.dropped == dropped


def test_a_typed_mark_quotes_the_sentence_that_it_is_closest_to() -> None:
    draft, _ = drafted("You have to press that button. [1]", native=False)
    assert [cited.quote for cited in draft.citations.made] == ["Press the button."]


MARKDOWN = st.text(alphabet="a [1]()`\n-.|*#:h/【】\ue100", max_size=120)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(MARKDOWN, st.booleans()), max_size=6), st.integers(1, 9))
def test_however_it_arrives_every_mark_has_its_citation_and_pieces_join_to_the_text(
    said: list[tuple[str, bool]], step: int
) -> None:
    blocks: list[dict[str, Any] | str] = []
    for index, (words, cited) in enumerate(said):
        blocks += [cites(index, at(index % 2, 0, 1))] if cited else []
        blocks += [text(index, words[start : start + step]) for start in range(0, len(words), step)]
    draft, pieces = drafted(*blocks)
    whole, _ = drafted(
        *(
            part
            for index, (words, cited) in enumerate(said)
            for part in ([cites(index, at(index % 2, 0, 1))] if cited else []) + [text(index, words)]
        )
    )
    assert draft.text == whole.text
    assert "".join(piece.text for piece in pieces).strip() == draft.text
    without_code = re.sub(r"(?s)`+.*?(`+|$)", "", draft.text)
    assert {int(n) for n in re.findall(r"\[(\d+)\]", without_code)} <= {cited.n for cited in draft.citations.made}


@given(st.text(alphabet="a`~-1. \n|", max_size=100), st.integers(0, 100))
def test_blocks_join_to_their_text_and_never_change_once_another_follows(markdown: str, cut: int) -> None:
    whole, part = list(blocks_of(markdown)), list(blocks_of(markdown[:cut]))
    assert "".join(whole) == markdown
    assert part[:-1] == whole[: max(len(part) - 1, 0)]
