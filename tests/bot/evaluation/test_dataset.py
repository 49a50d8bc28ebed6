"""A dataset is read whole or refused with a sentence that names file and line."""

import json
from pathlib import Path

import pytest

from bot.answering.model import Turn
from bot.evaluation.dataset import dataset_in
from bot.evaluation.records import BadDataset
from tests.bot.evaluation.datasets import JUDGEMENTS, lines_of, write_dataset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "set")


def test_a_query_keeps_its_words_its_thread_and_its_judgements(tmp_path: Path) -> None:
    said = [["user", "Is there lunch?"], ["agent", "Yes."], ["user", "When?"]]
    query = {"_id": "q2", "text": "When?", "turns": said}
    (case,) = dataset_in(write_dataset(tmp_path, queries=[query], judgements="q2\tlunch\t2\nq2\troof\t0\n")).cases

    assert (case.name, case.text) == ("q2", "When?")
    assert case.turns == (Turn("user", "Is there lunch?"), Turn("agent", "Yes."))
    assert case.judged == {"lunch": 2.0, "roof": 0.0}


def test_queries_without_a_relevant_document_are_left_out(folder: Path) -> None:
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tgate\t0\nq2\tlunch\t1\n")

    assert [case.name for case in dataset_in(folder).cases] == ["q2"]


@pytest.mark.parametrize(
    "judgements",
    [
        JUDGEMENTS,
        JUDGEMENTS.split("\n", 1)[1],
        "q1 0 gate 1\nq2 0 lunch 2\n",
        JUDGEMENTS + "q1\tgate\t1\n",
        "q1\tQ0\tgate\t1\nq2\tQ0\tlunch\t2",
        "\ufeffquery-id\tcorpus-id\tscore\r\nq1\tgate\t1.0\r\n\r\nq2\tlunch\t2\r\n",
    ],
)
def test_judgements_may_have_a_header_or_the_four_columns_of_trec(folder: Path, judgements: str) -> None:
    (folder / "qrels.tsv").write_text(judgements, encoding="utf-8")

    assert {case.name: case.judged for case in dataset_in(folder).cases} == {"q1": {"gate": 1}, "q2": {"lunch": 2}}


def test_judgements_may_lie_where_beir_puts_them(folder: Path) -> None:
    (folder / "qrels").mkdir()
    (folder / "qrels.tsv").rename(folder / "qrels" / "test.tsv")

    assert len(dataset_in(folder).cases) == 2


def test_an_id_may_be_a_number(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path, [{"_id": 7, "text": "x"}], [{"_id": 8, "text": "y"}], "8\t7\t1\n")

    assert dataset_in(folder).cases[0].judged == {"7": 1.0}


GOOD = {"_id": "z", "text": "Fine."}


@pytest.mark.parametrize(
    ("file", "content", "line", "said"),
    [
        ("corpus.jsonl", lines_of([GOOD, GOOD]), 2, "the _id “z” stands in line 1 already"),
        ("corpus.jsonl", lines_of([GOOD]) + '{"_id": "y", "text"', 2, "not JSON"),
        ("corpus.jsonl", lines_of([GOOD]) + "[1, 2]", 2, "not a JSON object"),
        ("corpus.jsonl", "[" * 100_000, 1, "nobody can read"),
        ("corpus.jsonl", '{"_id": ' + "1" * 5_000 + "}", 1, "nobody can read"),
        ("corpus.jsonl", "\n\n" + lines_of([{"text": "x"}]), 3, "needs an “_id”"),
        ("corpus.jsonl", lines_of([{"_id": " ", "text": "x"}]), 1, "needs an “_id”"),
        ("corpus.jsonl", '{"_id": "\\ud800", "text": "x"}', 1, "no database takes"),
        ("corpus.jsonl", lines_of([{"_id": "z", "text": ["x"]}]), 1, "“text” must be a text"),
        ("corpus.jsonl", lines_of([{"_id": "z", "title": 1, "text": "x"}]), 1, "“title” must be a text"),
        ("corpus.jsonl", lines_of([GOOD]) + json.dumps({"_id": "y", "text": "x" * 10_000_000}), 2, "longer than 8 MB"),
        ("corpus.jsonl", lines_of([GOOD]).encode() + b'{"_id": "y", "text": "\xff"}', 2, "not UTF-8"),
        ("corpus.jsonl", "", None, "no documents"),
        ("queries.jsonl", lines_of([GOOD, GOOD]), 2, "the _id “z” stands in line 1 already"),
        ("queries.jsonl", lines_of([GOOD, {"_id": "y", "text": " \n"}]), 2, "the query “y” is empty"),
        ("queries.jsonl", lines_of([{"_id": "y"}]), 1, "the query “y” is empty"),
        ("queries.jsonl", lines_of([GOOD | {"turns": "what?"}]), 1, "“turns” must look like"),
        ("queries.jsonl", lines_of([GOOD | {"turns": [["boss", "Hm."], ["user", "Fine."]]}]), 1, "“turns” must look"),
        ("queries.jsonl", lines_of([GOOD | {"turns": [["user", "Fine?"], ["agent", "Yes."]]}]), 1, "“turns” must look"),
        ("qrels.tsv", JUDGEMENTS + "q9\tgate\t1\n", 4, "the query “q9” is not in queries.jsonl"),
        ("qrels.tsv", JUDGEMENTS + "q1\tnowhere\t1\n", 4, "the document “nowhere” is not in corpus.jsonl"),
        ("qrels.tsv", JUDGEMENTS + "q1\tgate\t0\n", 4, "“gate” is judged otherwise for “q1” in an earlier"),
        ("qrels.tsv", JUDGEMENTS + "q1\troof\tgood\n", 4, "the score “good” is not a number"),
        ("qrels.tsv", "q1\tgate\tgood\nq2\tlunch\t1\n", 1, "the score “good” is not a number"),
        ("qrels.tsv", JUDGEMENTS + "q1\troof\tinf\n", 4, "the score “inf” is not a number"),
        ("qrels.tsv", JUDGEMENTS + "q1\troof\t1e308\n", 4, "the score “1e308” is too high"),
        ("qrels.tsv", JUDGEMENTS + "q1\t0\troof\t1\n", 4, "a line needs a query’s id"),
        ("qrels.tsv", "query\tdocument\n", 1, "a line needs a query’s id"),
        ("qrels.tsv", "q1\tgate\t0\n", None, "nothing to measure"),
        ("qrels.tsv", "", None, "nothing to measure"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_file_and_line(
    folder: Path, file: str, content: str | bytes, line: int | None, said: str
) -> None:
    path = folder / file
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadDataset) as refused:
        dataset_in(folder)

    assert (refused.value.path, refused.value.line) == (path, line)
    assert said in str(refused.value)
    assert str(refused.value).startswith(f"{path}, line {line}: " if line else f"{path}: ")


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(BadDataset, match=f"there is no {file}"):
        dataset_in(folder)


def test_what_is_no_folder_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="there is no such folder"):
        dataset_in(tmp_path / "nowhere")


def test_a_file_is_not_taken_for_a_folder(folder: Path) -> None:
    with pytest.raises(BadDataset, match=r"this is a file .*--answers"):
        dataset_in(folder / "qrels.tsv")


def test_a_folder_is_not_taken_for_a_file(folder: Path) -> None:
    (folder / "qrels.tsv").unlink()
    (folder / "qrels.tsv").mkdir()
    with pytest.raises(BadDataset, match=r"qrels\.tsv: this is not a file"):
        dataset_in(folder)


def test_a_place_that_cannot_be_looked_at_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="this cannot be read"):
        dataset_in(tmp_path / ("x" * 10_000))


def test_what_no_database_takes_is_gone_from_threads_too(tmp_path: Path) -> None:
    query = {"_id": "q1", "text": "x\0", "turns": [["user", "a\0\ud800b"], ["user", "x"]]}
    (case,) = dataset_in(write_dataset(tmp_path, queries=[query], judgements="q1\tgate\t1\n")).cases

    assert (case.text, case.turns) == ("x", (Turn("user", "a���b"),))


def test_a_long_id_is_not_repeated_at_length(folder: Path) -> None:
    (folder / "qrels.tsv").write_text(f"{'q' * 100_000}\tgate\t1\n")
    with pytest.raises(BadDataset) as refused:
        dataset_in(folder)

    assert len(str(refused.value)) < 500
