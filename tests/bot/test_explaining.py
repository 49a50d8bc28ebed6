"""quoth search --explain: why a search finds what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.answering.model import Passage, Question, Rejected, Retrieved, Scope
from bot.answering.outcomes import BELOW_FLOOR, NOTHING_FOUND
from bot.commands.explaining import explained
from connectors.model import source_tag

EVERYTHING = frozenset({source_tag("handbook"), source_tag("salaries")})
VPN = Passage(
    rank=1, score=0.9, chunk_id="c1", document_id="git:handbook:vpn.md", source="handbook", version="1", title="VPN",
    headings=("Reset",), url="https://acme.invalid/vpn", text="Reset the VPN with lantern-vpn reset.",
    keyword_score=7.2, vector_score=0.8,
)  # fmt: skip
PAY = replace(VPN, chunk_id="c2", document_id="git:salaries:pay.md", source="salaries", title="Pay", score=0.7)


@dataclass
class Shelf:
    """Finds what of these passages the scope holds."""

    passages: Sequence[Passage] = (VPN, PAY)
    refused: tuple[Rejected, ...] = (Rejected("Old VPN", "git:handbook:old.md", "superseded version", 0.4),)
    logit: float = 5.0
    asked: list[frozenset[str]] = field(default_factory=list)

    def find(self, question: Question, limit: int) -> Retrieved:
        self.asked.append(question.scope.tags)
        held = [passage for passage in self.passages if source_tag(passage.source) in question.scope.tags]
        return Retrieved(tuple(held[:limit]), self.refused)

    def best(self, question: Question, limit: int) -> Retrieved:
        found = self.find(question, limit)
        return Retrieved(tuple(replace(passage, rerank_score=self.logit) for passage in found.passages), found.rejected)


def asked(text: str) -> Question:
    return Question(text, Scope("eng", frozenset({source_tag("handbook")})))


def test_every_passage_is_shown_with_each_signal() -> None:
    told = explained(Shelf(), asked("How do I reset the VPN?"), 10, EVERYTHING, quoting=True)
    (passage,) = told.found.passages
    assert told.signals(passage) == {"words": 7.2, "meaning": 0.8, "reread": 5.0}
    assert told.promising


def test_what_the_filter_and_the_ledger_removed_is_named() -> None:
    removed = explained(Shelf(), asked("How do I reset the VPN?"), 10, EVERYTHING, quoting=True).to_json()["removed"]
    assert [(one["document_id"], one["source"]) for one in removed["by_filter"]] == [
        ("git:salaries:pay.md", "salaries")
    ]
    assert [(one["document_id"], one["reason"]) for one in removed["by_ledger"]] == [
        ("git:handbook:old.md", "superseded version")
    ]


def test_why_there_would_be_no_answer_is_said() -> None:
    far = Shelf((replace(VPN, text="Tea is at four.", vector_score=0.1),), logit=-11.0)
    assert explained(far, asked("Who painted the Mona Lisa?"), 10, EVERYTHING, quoting=True).because == BELOW_FLOOR
    assert (
        explained(Shelf(()), asked("Who painted the Mona Lisa?"), 10, EVERYTHING, quoting=True).because == NOTHING_FOUND
    )
