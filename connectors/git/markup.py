"""A file's bytes as the text that is cut, quoted and linked, with its title."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.git.files import Format, text_of
from connectors.git.mdx import without_jsx
from connectors.git.notebooks import markdown_of_notebook
from connectors.git.rst import markdown_of_rst
from connectors.git.titles import title_of
from connectors.model import Markup


@dataclass(frozen=True, slots=True)
class Converted:
    """A file as text. ``lines`` as in Document; ``title`` is None where the text names none."""

    title: str | None
    text: str
    markup: Markup = "markdown"
    lines: tuple[int, ...] | None = None


def converted(form: Format, body: bytes) -> Converted:
    """What a file of this format says. Markdown stays exactly as it is written.

    Raises:
        CannotRead: It is no text, or not what its name says.
    """
    text = text_of(body)
    if form == "plain":
        return Converted(None, text, "plain")
    if form == "rst":
        markdown, lines = markdown_of_rst(text)
        return Converted(title_of(markdown), markdown, lines=lines)
    if form == "notebook":
        markdown = markdown_of_notebook(text)
        return Converted(title_of(markdown), markdown, lines=())
    if form == "mdx":
        plain = without_jsx(text)
        return Converted(title_of(plain), plain)
    return Converted(title_of(text), text)
