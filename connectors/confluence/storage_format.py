"""Confluence storage format as Markdown that can be searched, cut and quoted."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.confluence.storage import adf, links, macros, markup
from connectors.confluence.storage.parse import root_of
from connectors.confluence.storage.reader import Reader
from connectors.confluence.storage.references import References, user_ids_in
from connectors.confluence.storage.visibility import without_the_unseen
from connectors.confluence.storage.writer import markdown_of_blocks, without_anchors
from connectors.errors import BeyondLimits, CannotRead

__all__ = ["CONVERSION", "Converted", "References", "markdown_of", "user_ids_in"]

CONVERSION = "storage-1"
"""Changes whenever the same page would come out differently."""

_MOST_CHARACTERS = 2_000_000
_CUT = "*(The page goes on: only its first 2 MB are kept.)*"
_ELEMENTS = {**markup.ELEMENTS, **links.ELEMENTS, **macros.ELEMENTS, **adf.ELEMENTS}


@dataclass(frozen=True, slots=True)
class Converted:
    """A page as Markdown, and what was noticed while it was read.

    ``anchors`` gives for 0-based lines that are headings their anchor in the page's URL, not percent-encoded.
    ``properties`` are those of page-properties macros, and ``language``. ``unknown_macros`` counts, by name, macros
    that were left out. ``degraded`` says that the markup had to be repaired. ``references`` are the (space key,
    title) pairs and the user ids that could not be resolved.
    """

    markdown: str
    anchors: Mapping[int, str]
    properties: Mapping[str, str]
    unknown_macros: Mapping[str, int]
    degraded: bool
    references: frozenset[tuple[str, str] | str]


def markdown_of(storage: str, references: References) -> Converted:
    """The page as Markdown, by the table of 5.2 of the Confluence specification.

    Raises:
        BeyondLimits: The page is too large or nested too deeply.
        CannotRead: It is no markup at all.
    """
    root, degraded = root_of(storage)
    reader = Reader(references, _ELEMENTS)
    try:
        blocks = reader.blocks(without_the_unseen(root))
        markdown = unicodedata.normalize("NFC", markdown_of_blocks(blocks))
    except RecursionError:
        raise BeyondLimits("the page is nested too deeply to be read") from None
    if degraded and storage.strip() and not markdown:
        raise CannotRead("the page is not XML and nothing in it can be read")
    text, anchors = without_anchors(_limited(markdown))
    return Converted(text, anchors, reader.properties, reader.unknown_macros, degraded, frozenset(reader.unresolved))


def _limited(markdown: str) -> str:
    if len(markdown) <= _MOST_CHARACTERS:
        return markdown
    kept = markdown[: markdown.rfind("\n", 0, _MOST_CHARACTERS) + 1] or markdown[:_MOST_CHARACTERS]
    fences = sum(line.lstrip(" >").startswith("```") for line in kept.split("\n"))
    return "\n\n".join((kept.rstrip() + ("\n```" if fences % 2 else ""), _CUT))
