"""Typing a command of quoth's: its exit code, what it prints, and what it says beside that."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import structlog

from bot.__main__ import main

Run = Callable[..., tuple[int, str, str]]
"""Takes the words behind ``quoth``; gives code, stdout, and stderr with its line breaks made spaces."""


@contextmanager
def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs commands in this process, without a configuration or a key of the environment; logging is put back."""
    for name in ("ANTHROPIC_API_KEY", "QUOTH_CONFIG"):
        monkeypatch.delenv(name, raising=False)

    def typed(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["quoth", *words])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, " ".join(said.err.split())

    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield typed
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
