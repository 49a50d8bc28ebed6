"""`quoth eval` keeps the contract of the commands."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.evaluation.datasets import write_dataset
from tests.fakes.command_line import Run, command_line

KEYS = (
    "ndcg@10 recall@3 recall@5 recall@10 recall@20 precision@3 precision@5 mrr@3 mrr pass@5 pass@10 pass@20 "
    "latency_ms_p50 latency_ms_p95 documents chunks queries"
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    monkeypatch.chdir(tmp_path)
    Path("quoth.yaml").write_text("data_dir: kept\nreranker: none\n")

    with command_line(monkeypatch, capsys) as typed:
        yield typed


def test_the_figures_are_one_compact_object_and_the_same_next_time(run: Run, tmp_path: Path) -> None:
    write_dataset(tmp_path / "set")
    code, out, err = run("eval", "set", "--json")
    told = json.loads(out)

    assert (code, err, out.count("\n")) == (0, "", 1)
    assert " ".join(told) == KEYS
    assert told["ndcg@10"] == {"value": 1.0, "low": 1.0, "high": 1.0}

    code, out, _ = run("--json", "eval", "./set/")
    again = json.loads(out)
    assert {key: again[key] for key in KEYS.split() if "latency" not in key} == {
        key: told[key] for key in KEYS.split() if "latency" not in key
    }


def test_a_person_gets_a_table(run: Run, tmp_path: Path) -> None:
    write_dataset(tmp_path / "set")
    code, out, _ = run("eval", "set")

    assert code == 0
    assert "ndcg@10         1.000  1.000 – 1.000" in out
    assert "2 queries on 3 documents in 3 chunks" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["eval"], "DATASET"),
        (["eval", "nowhere"], "there is no such folder"),
        (["eval", "--config", "nowhere.yaml", "set"], "nowhere.yaml"),
        (["eval", "broken", "--json"], "line 4: the document “nowhere” is not in corpus.jsonl"),
    ],
)
def test_bad_usage_is_a_sentence_and_exit_2(run: Run, tmp_path: Path, words: list[str], said: str) -> None:
    write_dataset(tmp_path / "set")
    broken = write_dataset(tmp_path / "broken") / "qrels.tsv"
    broken.write_text(broken.read_text() + "q1\tnowhere\t1\n")
    code, out, err = run(*words)

    assert (code, out) == (2, "")
    assert said in err


def test_a_comparison_is_in_the_same_object_and_in_one_table(run: Run, tmp_path: Path) -> None:
    write_dataset(tmp_path / "set")
    code, out, err = run("eval", "set", "--compare", "--json")
    told = json.loads(out)

    assert (code, err, out.count("\n")) == (0, "", 1)
    assert " ".join(told) == f"{KEYS} compare"
    assert list(told["compare"]) == ["bm25", "dense", "ensemble_rrf", "weaviate_relative_score"]
    assert " ".join([*told["compare"]["dense"]["difference"], "documents chunks queries"]) == KEYS
    assert all(set(figure) == {"value", "low", "high"} for figure in told["compare"]["bm25"]["difference"].values())

    code, out, _ = run("eval", "set", "--compare")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "Ours minus theirs, query by query" in out
    assert "With fewer than 6 queries, no difference can be told from chance." in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--compare"], "--compare needs bm25s and langchain_classic, which are not installed"),
        (["--report", "report.html"], "--report needs matplotlib, which is not installed"),
    ],
)
def test_missing_packages_are_named_before_anything_is_done(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.setattr("bot.evaluation.extras.find_spec", lambda _: None)
    write_dataset(tmp_path / "set")
    code, out, err = run("eval", "set", *words)

    assert (code, out) == (2, "")
    assert err == said + ': pip install "quoth[evaluation]"'
    assert not (tmp_path / "kept").exists()


def test_a_report_that_cannot_be_written_takes_no_figure_away(run: Run, tmp_path: Path) -> None:
    write_dataset(tmp_path / "set")
    (tmp_path / "folder" / "report.html").mkdir(parents=True)
    code, out, err = run("eval", "set", "--json", "--report", "folder")

    assert (code, list(json.loads(out))) == (1, KEYS.split())
    assert "The system refused" in err


def test_a_report_is_written_beside_the_figures(run: Run, tmp_path: Path) -> None:
    write_dataset(tmp_path / "set")
    code, out, err = run("eval", "set", "--json", "--report", "report.html")

    assert (code, list(json.loads(out))) == (0, KEYS.split())
    assert err == f"Written: {tmp_path / 'report.html'}"
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "--report", "report.pdf"], "must end in .html or .png"),
        (["set", "--kb", "company"], "--kb goes with --answers"),
        (["set", "--answers", "--compare"], "Leave one out"),
        (["set", "--answers", "--report", "report.html"], "Leave one out"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_done(
    run: Run, tmp_path: Path, words: list[str], said: str
) -> None:
    write_dataset(tmp_path / "set")
    code, out, err = run("eval", *words)

    assert (code, out) == (2, "")
    assert said in err
    assert not (tmp_path / "kept").exists()


def test_answers_are_measured_from_a_file_of_questions(run: Run) -> None:
    code, out, err = run("eval", "nowhere.yaml", "--answers")

    assert (code, out) == (2, "")
    assert "nowhere.yaml" in err
