"""A report on request: one page that opens without a network, pictures, or a folder with both."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bot.evaluation.page import Facts, page_of
from bot.evaluation.plots import Measured, Plot, picture_of, plots_of
from bot.evaluation.worst import worst_of
from bot.settings import Settings
from connectors.errors import Misconfigured

_PACKAGES = ("quoth", "numpy", "onnxruntime", "bm25s", "langchain-classic")
_PAGE, _PICTURE = ".html", ".png"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a report goes: a page, a picture, or (``suffix`` is empty) a folder for both."""

    path: Path
    suffix: str


def place_of(path: Path) -> Place:
    """Where a report is to be written, looked at before anything is measured.

    Raises:
        Misconfigured: Nothing can be written there, or it is neither a page, a picture nor a folder.
    """
    path = path.expanduser().absolute()
    suffix = "" if path.is_dir() else path.suffix.lower()
    if suffix not in ("", _PAGE, _PICTURE):
        raise Misconfigured(f"--report {path}: the path must end in .html or .png, or be a folder for both.")
    if not suffix and path.exists() and not path.is_dir():
        raise Misconfigured(f"--report {path}: this is a file. Name one that ends in .html or .png, or a folder.")
    there = path if not suffix else path.parent
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise Misconfigured(f"--report {path}: nothing can be written to {there}. Choose another place.")
    return Place(path, suffix)


def write_reports(places: Sequence[Place], measured: Measured, facts: Facts) -> list[Path]:
    """Write the reports, each file whole or not at all; what was written."""
    reports = Reports(measured, facts)
    return [_written(path, content) for place in places for path, content in reports.files_of(place)]


def facts_of(settings: Settings, fingerprint: str) -> Facts:
    """What was measured with: models, store and versions. No address and no secret is among it."""
    return (
        ("Measured", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")),
        ("Embeddings", f"{settings.embeddings} ({fingerprint})"),
        ("Reranker", settings.reranker),
        ("Store", settings.store.backend),
        ("Versions", ", ".join(_versions())),
        ("Machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"),
    )


class Reports:
    """What is written, each drawn once however often it is asked for."""

    def __init__(self, measured: Measured, facts: Facts) -> None:
        self._measured = measured
        self._facts = facts

    def files_of(self, place: Place) -> Iterator[tuple[Path, bytes]]:
        """The files of a place, and what they hold."""
        if place.suffix == _PICTURE:
            yield place.path, picture_of(plots_of(self._measured), self._measured)
        elif place.suffix == _PAGE:
            yield place.path, self._page
        else:
            yield place.path / "report.html", self._page
            yield from ((place.path / f"{plot.name}.png", picture) for plot, picture in self._pictures)

    @cached_property
    def _pictures(self) -> Sequence[tuple[Plot, bytes]]:
        return [(plot, picture_of([plot], self._measured)) for plot in plots_of(self._measured)]

    @cached_property
    def _page(self) -> bytes:
        return page_of(self._measured, self._facts, self._pictures, worst_of(self._measured)).encode()


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".quoth-", delete=False) as file:
        try:
            file.write(content)
            file.close()
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return path


def _versions() -> Iterable[str]:
    yield f"Python {platform.python_version()}"
    for package in _PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            continue
