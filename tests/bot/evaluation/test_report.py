"""A report opens without a network, tells what went wrong, and takes nobody's words for markup."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.evaluation import report
from bot.evaluation.comparison import contrast_of
from bot.evaluation.dataset import Dataset, dataset_in
from bot.evaluation.measuring import Outcome, figures_of
from bot.evaluation.metrics import scores_of
from bot.evaluation.page import page_of
from bot.evaluation.plots import Measured, plots_of
from bot.evaluation.running import OURS, Evaluation
from bot.evaluation.worst import worst_of
from bot.settings import Settings
from connectors.errors import Misconfigured, TryLater
from tests.bot.evaluation.datasets import DOCUMENTS, write_dataset

EVIL = '<script src="https://evil.test/x.js"></script></td></table>"\'&\x07\u202e'
FACTS = (("Embeddings", "words <b>"),)
VOID = {"meta", "img", "br", "wbr"}


class Page(HTMLParser):
    """Tags that are opened are closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def measured(dataset: Dataset, *pipelines: Sequence[Sequence[str]]) -> Measured:
    """Rankings of each query by each pipeline, ours first."""
    outcomes = {
        name: [
            Outcome(case.name, scores_of(ranked, case.judged), 10.0 + at, tuple(ranked))
            for at, (case, ranked) in enumerate(zip(dataset.cases, rankings, strict=True))
        ]
        for name, rankings in zip((OURS, "bm25", "dense"), pipelines, strict=False)
    }
    ours = outcomes[OURS]
    contrasts = {name: contrast_of(ours, theirs) for name, theirs in outcomes.items() if name != OURS}
    found = Evaluation(figures_of(ours), 3, 4, len(ours), contrasts, outcomes)
    return Measured(dataset, found)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return dataset_in(write_dataset(tmp_path / "set"))


@pytest.fixture
def found(dataset: Dataset) -> Measured:
    return measured(dataset, [["gate"], ["roof", "gate", "lunch"]], [["gate"], ["lunch"]], [["roof"], []])


def test_the_worst_queries_say_what_was_wanted_and_what_was_found_instead(found: Measured) -> None:
    (one,) = worst_of(found)

    assert one.case.name == "q2"
    assert one.scores == {"quoth": 0.5, "bm25": 1.0, "dense": 0.0}
    assert [(shown.name, shown.title, shown.rank) for shown in one.wanted] == [("lunch", "The kitchen", 3)]
    assert [(shown.name, shown.rank) for shown in one.instead] == [("roof", 1), ("gate", 2)]
    assert one.wanted[0].excerpt == "Lunch is served at noon. Bring a plate."


def test_what_was_never_found_has_no_rank_and_much_that_was_wanted_is_counted(tmp_path: Path) -> None:
    documents = [{"_id": f"d{n}", "text": f"Number {n}. " + "x" * 5_000} for n in range(9)]
    judgements = "".join(f"q1\td{n}\t{1 + (n == 8)}\n" for n in range(9))
    found = measured(dataset_in(write_dataset(tmp_path, documents, judgements=judgements)), [["d0"]])
    (one,) = worst_of(found)

    assert [(shown.name, shown.rank) for shown in one.wanted][:2] == [("d8", None), ("d1", None)]
    assert (len(one.wanted), one.more, one.instead) == (5, 4, [])
    assert len(one.wanted[0].excerpt) < 300


def test_a_corpus_that_changed_meanwhile_is_not_quoted(found: Measured) -> None:
    found.dataset.corpus.path.write_text("{}")
    with pytest.raises(TryLater, match="changed while it was read"):
        worst_of(found)


def test_the_page_is_whole_and_refers_to_nothing_outside(found: Measured) -> None:
    plots = plots_of(found)
    text = page_of(found, FACTS, [(plot, b"\x89PNG") for plot in plots], worst_of(found))
    page = Page()
    page.feed(text)
    page.close()

    assert page.open == []
    assert page.addresses == ["data:image/png;base64,iVBORw=="] * len(plots)
    assert not {"script", "link", "iframe", "a", "object"} & set(page.seen)
    assert "url(" not in text
    assert "default-src 'none'" in text
    for said in (
        "set: what is found",
        "2 queries, on 3 documents in 4 chunks",
        "words <b>",
        "What do I bring to lunch?",
    ):
        assert said in page.words
    assert "-0.250" in page.words


def test_the_words_of_a_dataset_are_no_markup(tmp_path: Path) -> None:
    documents = [{"_id": EVIL, "title": EVIL, "text": EVIL}, *DOCUMENTS]
    queries = [{"_id": "q1", "text": EVIL * 100, "turns": [["user", EVIL], ["user", EVIL]]}]
    folder = tmp_path / "<img src=x onerror=alert(1)>"
    found = measured(dataset_in(write_dataset(folder, documents, queries, "q1\tgate\t1\n")), [[EVIL, "gate"]])
    text = page_of(found, ((EVIL, EVIL),), [], worst_of(found))
    page = Page()
    page.feed(text)

    assert page.open == []
    assert not {"script", "img"} & set(page.seen)
    assert "after 1 earlier turn" in page.words
    assert f"({len(EVIL) * 100:,} characters)" in page.words
    assert re.search("[\x00-\x08\u202e]", text) is None


def test_differences_are_drawn_where_there_is_something_to_differ_from(found: Measured, dataset: Dataset) -> None:
    alone = measured(dataset, [["gate"], ["lunch"]])

    assert [plot.name for plot in plots_of(alone)] == ["metrics", "recall", "latency"]
    assert [plot.name for plot in plots_of(found)] == ["metrics", "differences", "recall", "latency"]


def test_a_report_is_a_page_a_picture_or_a_folder(found: Measured, tmp_path: Path) -> None:
    places = [report.place_of(tmp_path / name) for name in ("deep/er/one.html", "all.PNG", "folder")]
    written = report.write_reports(places, found, FACTS)

    assert [str(path.relative_to(tmp_path)) for path in written] == [
        "deep/er/one.html",
        "all.PNG",
        "folder/report.html",
        *(f"folder/{name}.png" for name in ("metrics", "differences", "recall", "latency")),
    ]
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == sorted(
        path.name for path in written if path.parent.name == "folder"
    )
    assert (tmp_path / "deep/er/one.html").read_bytes() == (tmp_path / "folder/report.html").read_bytes()
    assert (tmp_path / "all.PNG").read_bytes().startswith(b"\x89PNG")


def test_a_folder_with_a_dot_in_its_name_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "v1.html").mkdir()
    assert report.place_of(tmp_path / "v1.html").suffix == ""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("report.pdf", "must end in .html or .png"),
        ("file", "this is a file"),
        ("file/report.html", "nothing can be written to"),
        ("file/deep/folder", "nothing can be written to"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_refused(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match=said):
        report.place_of(tmp_path / path)


def test_the_facts_hold_versions_and_no_address(tmp_path: Path) -> None:
    store = {"backend": "weaviate", "url": "https://somewhere.test:8080", "api_key_env": "KEY"}
    facts = report.facts_of(Settings.model_validate({"data_dir": tmp_path, "store": store}), "local-1-abc")

    assert ("Embeddings", "local (local-1-abc)") in facts
    assert ("Store", "weaviate") in facts
    assert "somewhere" not in str(facts)
    assert re.search(r"Python 3\.\d+\.\d+, .*numpy 2", dict(facts)["Versions"])
