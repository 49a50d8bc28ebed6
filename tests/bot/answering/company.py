"""The sample company as a knowledge base, and the questions about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.answering.model import Answer, Turn
from bot.app import Quoth
from bot.rehearsal.company import pages, repository_in, spaces
from bot.rehearsal.confluence import RehearsalConfluence
from bot.rehearsal.confluence.server import EMAIL
from bot.settings import CloudBasicAuth, ConfluenceSource, Environment, GitSource, KnowledgeBase, Settings, Source
from connectors.model import Document

KNOWLEDGE_BASE = "company"
QUESTIONS = Path(__file__).parent / "company.yaml"
_TOKEN = "REHEARSAL_WIKI_TOKEN"  # The name of a variable.


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of the file. Each fact is a tuple of alternatives; without any an honest no is right."""

    id: str
    text: str
    turns: tuple[Turn, ...]
    facts: tuple[tuple[str, ...], ...]
    sources: tuple[str, ...]
    answerable: bool
    kind: str

    def is_right(self, answer: Answer) -> bool:
        """Whether every fact and every source is there; for a question without an answer, whether there is none."""
        if not self.answerable:
            return answer.outcome == "not_found"
        told = plain(answer.text)
        facts = all(any(plain(words) in told for words in fact) for fact in self.facts)
        cited = [citation.document_id for citation in answer.citations]
        return facts and all(any(name.endswith(f":{source}") for name in cited) for source in self.sources)

    @property
    def is_fitted_on(self) -> bool:
        """The half that thresholds may be fitted on; the other is only reported. By the id, so it never moves."""
        return hashlib.sha256(self.id.encode()).digest()[-1] % 2 == 0


def questions_in(file: Path) -> tuple[Asked, ...]:
    """The questions of a file in the form that ``quoth eval --answers`` reads."""
    return tuple(_asked(entry) for entry in yaml.safe_load(file.read_text())["questions"])


def _asked(entry: dict[str, Any]) -> Asked:
    answerable = entry.get("expect") != "nothing"
    return Asked(
        id=entry["id"],
        text=entry["ask"],
        turns=tuple(Turn(speaker, text) for speaker, text in entry.get("turns", ())),
        facts=tuple((fact,) if isinstance(fact, str) else tuple(fact) for fact in entry.get("facts", ())),
        sources=tuple(entry.get("sources", ())),
        answerable=answerable,
        kind="answerable" if answerable else entry["kind"],
    )


@contextmanager
def synced_company(folder: Path, **settings: Any) -> Iterator[Quoth]:
    """The house with the whole company in one knowledge base. What was synced into the folder before is kept."""
    address = folder / "wiki-was-at"
    if address.exists():
        with Quoth(_settings(folder, address.read_text(), settings), _environment("")) as house:
            yield house
        return
    repository_in(folder / "documentation")
    with RehearsalConfluence() as confluence:
        _fill(confluence)
        with Quoth(_settings(folder, confluence.url, settings), _environment(confluence.token)) as house:
            for name in house.settings.sources:
                report = house.sync_now(house.connector(name), full=False, approve_removals=False, verify=False)
                assert report.status == "ok", report
            address.write_text(confluence.url)
            yield house


def company_documents(folder: Path) -> Mapping[str, Document]:
    """Every document that the company's bot may read, by id, straight from its source."""
    repository_in(folder / "documentation")
    with RehearsalConfluence() as confluence:
        _fill(confluence)
        with Quoth(_settings(folder, confluence.url, {}), _environment(confluence.token)) as house:
            connectors = [house.connector(name) for name in house.settings.sources]
            found = [document for connector in connectors for document in connector.fetch(list(connector.manifest()))]
    return {document.document_id: document for document in found if isinstance(document, Document)}


def _environment(token: str) -> Environment:
    return Environment(_env_file=None).with_variables({_TOKEN: token})


def _settings(folder: Path, url: str, more: dict[str, Any]) -> Settings:
    auth = CloudBasicAuth(kind="cloud_basic", email=EMAIL, token_env=_TOKEN)
    wiki = ConfluenceSource(type="confluence", url=url, auth=auth, spaces=tuple(spaces()))
    sources: dict[str, Source] = {"docs": GitSource(type="git", url=str(folder / "documentation")), "wiki": wiki}
    known = {KNOWLEDGE_BASE: KnowledgeBase(sources=tuple(sources))}
    return Settings(data_dir=folder / "quoth", sources=sources, knowledge_bases=known, **more)


def _fill(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    site.add_user("Platform team", "557058:platform-team")
    for key, name in spaces().items():
        site.add_space(key, name)
    for page in pages():
        restricted = (page.restricted_to,) if page.restricted_to else ()
        site.add_page(page.space, page.title, page.storage, page.parent, restricted, page.page_id)


def plain(text: str) -> str:
    """The text as facts are looked for in it: without case, white space and the signs of Markdown."""
    return "".join(character for character in text.casefold() if not character.isspace() and character not in "*`\\")
