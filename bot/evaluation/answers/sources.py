"""Whether an answer cites the documents that it should."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from bot.answering.model import Citation, Passage


@dataclass(frozen=True, slots=True)
class Sources:
    """``missing``: expected and not cited, in the file's words. ``cited``: documents by id, by first use.

    ``unexpected``: those among them that were not expected.
    """

    missing: tuple[str, ...]
    cited: tuple[str, ...]
    unexpected: tuple[str, ...]


def sources_of(citations: Sequence[Citation], expected: Sequence[str]) -> Sources:
    """The cited documents beside the expected ones."""
    cited = dict.fromkeys(citation.document_id for citation in citations)
    fitting = {citation.document_id for citation in citations if any(is_meant(citation, one) for one in expected)}
    missing = [one for one in expected if not any(is_meant(citation, one) for citation in citations)]
    return Sources(tuple(missing), tuple(cited), tuple(name for name in cited if name not in fitting))


def is_meant(cited: Citation | Passage, expected: str) -> bool:
    """Whether these words name the document: its id, an end of it (a path, a page id), its URL or its title."""
    document_id, wanted = cited.document_id, expected.strip()
    if document_id == wanted or document_id.endswith((f":{wanted}", f"/{wanted}")):
        return True
    if cited.title.casefold() == wanted.casefold():
        return True
    url = cited.url if "#" in wanted else cited.url.partition("#")[0]
    return "://" in wanted and unquote(url).rstrip("/") == unquote(wanted).rstrip("/")
