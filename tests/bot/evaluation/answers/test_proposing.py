"""Documents let one ask; what is proposed stands in them word for word."""

from __future__ import annotations

import pytest

from bot.evaluation.answers.facts import missing_from
from bot.evaluation.answers.phrasing import clause_of, defined, looked_up, procedure, short, spoken, with_command
from bot.evaluation.answers.picking import Gathering
from bot.evaluation.answers.proposing import Proposal, proposals_in
from connectors.model import Chunk


def chunk(
    text: str, document: str = "git:docs:a.md", *headings: str, title: str = "A page", source: str = "docs"
) -> Chunk:
    return Chunk(source, document, "1", "p", 0, title, headings, text)


def asked_of(text: str, *headings: str) -> list[tuple[str, str, str]]:
    return [(one.shape, one.ask, one.fact) for one in proposals_in(chunk(text, "git:docs:a.md", *headings))]


def test_a_heading_that_is_a_question_is_asked_as_it_stands() -> None:
    found = asked_of("## Why is it late?\n\nShips. Trains wait for ships in the harbour, always.", "Why is it late?")
    assert found == [("asked heading", "Why is it late?", "Trains wait for ships in the harbour")]


def test_a_task_is_asked_with_its_page_and_its_command() -> None:
    text = (
        "Wait for approval first.\n\n```bash\n# in the console\n$ shipctl rollback payments \\\n  --to previous\n```\n"
    )
    assert asked_of(text, "Deploys", "2. Roll back a release") == [
        ("procedure", "How do I roll back a release (A page)?", "Wait for approval first"),
        ("command", "Which command do I run to roll back a release (A page)?", "shipctl rollback payments"),
    ]


def test_rows_are_asked_by_column_and_first_cell() -> None:
    rows = "| Plan | Requests a minute | What for |\n|---|--:|---|\n| **Team** | 600 | all |\n| | 700 | none |\n"
    found = [one for one in asked_of(rows, "Limits") if one[0] == "table row"]
    assert found == [("table row", "What is the requests a minute for Team?", "600")]


def test_what_is_no_shell_is_no_command() -> None:
    assert [
        one for one in asked_of("```python\nimport os\n```\n\n```\nTraceback x y\n```") if one[0] == "command"
    ] == []


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("A spring tide is a day whose range is large.", ("What is a spring tide?", "a day whose range is large")),
        ("SEV1 means that customers cannot work, at all.", ("What does SEV1 mean?", "that customers cannot work")),
        ("Gauges are the instruments on the quay.", ("What are Gauges?", "the instruments on the quay")),
        ("It is a day.", None),
        ("If this is the case, stop.", None),
        ("Leave is granted by leads.", None),
    ],
)
def test_definitions_are_asked_about(sentence: str, question: tuple[str, str] | None) -> None:
    assert defined(sentence) == question


def test_headings_are_asked_as_people_would() -> None:
    assert procedure("How to file a claim") == "How do I file a claim?"
    assert procedure("Restoring a database") == "What is the procedure for restoring a database?"
    assert [procedure(heading) for heading in ("Meeting template", "Queues", "Install")] == ["", "", ""]
    assert with_command("Backups") == "Which command do I run for backups?"
    assert with_command("SDK") == "Which command do I run for SDK?"
    assert [looked_up(column, "x") for column in ("What it does", "Rotated every", "")] == ["", "", ""]
    assert looked_up("Limits", "x") == "What are the limits for x?"
    assert spoken("1.2 `Roll` back ¶") == "Roll back"


def test_facts_are_a_few_exact_words() -> None:
    assert short("Yes, it takes 90 seconds in the north, as a rule.") == "Yes, it takes 90 seconds in the north, as a"
    assert short("New every night at 01:00 UTC (or later).") == "New every night at 01:00 UTC"
    assert (
        clause_of("Nobody waits for it, since it takes at most 90 seconds, they say.")
        == "since it takes at most 90 seconds"
    )
    long = "one two three four five six seven eight nine ten eleven 12 minutes thirteen"
    assert clause_of(long) == "four five six seven eight nine ten eleven 12 minutes"


DOCUMENTS = [
    chunk(
        "# Deploying\n\nWait for the train.\n\n```sh\nshipit deploy main\n```\n",
        f"git:{source}:{n}.md",
        f"Deploy part {n}",
        source=source,
    )
    for source in ("docs", "wiki")
    for n in range(6)
]


def gathered(chunks: list[Chunk]) -> Gathering:
    gathering = Gathering()
    for one in chunks:
        gathering.take(one)
    return gathering


def test_documents_and_sources_take_turns_and_the_order_of_reading_does_not_matter() -> None:
    chosen = gathered(DOCUMENTS).chosen(6)
    assert len({proposal.document_id for proposal in chosen}) == 6
    assert sum("docs" in proposal.document_id for proposal in chosen) == 3
    assert {proposal.shape for proposal in chosen} == {"command", "procedure"}
    assert gathered(DOCUMENTS[::-1]).chosen(6) == chosen


def test_there_are_no_more_than_there_are_and_no_doubles() -> None:
    assert len(gathered(DOCUMENTS).chosen(100)) == 12  # the same six headings in both sources, each in two shapes
    assert gathered([chunk("", "a")]).chosen(10) == []


def test_every_fact_stands_in_its_document() -> None:
    texts = {one.document_id: one.text for one in DOCUMENTS}
    proposals: list[Proposal] = gathered(DOCUMENTS).chosen(100)
    assert [one for one in proposals if missing_from(texts[one.document_id], [(one.fact,)])] == []


def test_what_is_mentioned_anywhere_is_not_asked_as_unknown() -> None:
    gathering = gathered([chunk("We moved from Salesforce to Okta. The capital of Australia lets it rain in Lisbon.")])
    nothings = gathering.nothings(40)
    assert {"Salesforce", "Okta"} & {nothing.unheard for nothing in nothings} == set()
    assert [nothing.kind for nothing in nothings].count("out_of_scope") == 2
    assert "What is the capital of Australia?" not in [nothing.ask for nothing in nothings]
