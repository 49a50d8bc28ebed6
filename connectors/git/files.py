"""What a file in a repository is by its name, and its bytes as text."""

from __future__ import annotations

import codecs
import re
from typing import Literal

from connectors.errors import CannotRead

Format = Literal["markdown", "mdx", "rst", "notebook", "plain"]

_BY_ENDING: dict[str, Format] = {
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd", ".qmd", ".rmd"), "markdown"),
    ".mdx": "mdx",
    **dict.fromkeys((".rst", ".rest"), "rst"),
    ".ipynb": "notebook",
    **dict.fromkeys((".txt", ".text", ".adoc", ".asciidoc", ".org"), "plain"),
}
_BY_NAME = frozenset(
    [
        "readme",
        "changelog",
        "changes",
        "history",
        "news",
        "contributing",
        "license",
        "licence",
        "copying",
        "notice",
        "authors",
        "install",
        "security",
        "faq",
        "code_of_conduct",
        "governance",
        "support",
        "upgrading",
    ]
)
_INDEX_NAMES = frozenset(("readme", "index", "_index"))
_LFS = b"version https://git-lfs.github.com/spec/"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 8_000
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b")) + b"\x7f"


def format_of(path: str) -> Format | None:
    """The format that a file name stands for; ``None`` for one that is read only when it is asked for."""
    name = path.rsplit("/", 1)[-1].lower()
    stem, dot, ending = name.rpartition(".")
    if stem and dot:
        return _BY_ENDING.get(dot + ending)
    return "plain" if name in _BY_NAME else None


def text_of(body: bytes) -> str:
    """A file's text: UTF-8, or by its byte order mark, or Windows-1252. Every line ends in a line feed.

    Raises:
        CannotRead: It is no text, or its text is kept elsewhere.
    """
    if body.startswith(_LFS) and len(body) < 1024:  # noqa: PLR2004  # the format's own limit for a pointer
        raise CannotRead("The file is stored in Git LFS; the repository itself holds only a pointer to it.")
    text = _decoded(body)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "\ufffd")


def name_title_of(path: str) -> str:
    """A title made from a path: ``docs/getting-started.md`` is "Getting started", ``setup/README.md`` is "Setup"."""
    folders, name = path.split("/")[:-1], path.rsplit("/", 1)[-1]
    stem = re.sub(r"(?<=.)\.[A-Za-z0-9]{1,8}$", "", name)
    if stem.lower() in _INDEX_NAMES and folders:
        stem = folders[-1]
    words = re.sub(r"^\d{1,4}[-_. ]+(?=\D)", "", shown(stem))
    words = " ".join(re.sub(r"[-_]+", " ", words).split()) or shown(name)
    return words[:1].upper() + words[1:200]


def shown(text: str) -> str:
    """A name with whatever cannot be seen made into blanks."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _decoded(body: bytes) -> str:
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            try:
                return body.decode(encoding)
            except UnicodeDecodeError:
                break
    if _is_binary(body[:_SAMPLE]):
        raise CannotRead("The file is not text.")
    for encoding in ("utf-8", "cp1252"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("latin-1")


def _is_binary(sample: bytes) -> bool:
    """More than one control character in a hundred: texts have none; pictures, archives and unmarked UTF-16 do."""
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls * 100 > len(sample)
