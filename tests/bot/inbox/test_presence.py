"""A process shows that it lives; what a dead one leaves is cleaned up, and never what a living one holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.inbox.presence import Presence
from connectors.errors import Misconfigured

ENTER_AND_DIE = (
    "import os, signal, sys; from pathlib import Path; from bot.inbox.presence import Presence\n"
    "presence = Presence(Path(sys.argv[1])); presence.enter(); print(presence.name, flush=True)\n"
    "os.kill(os.getpid(), signal.SIGKILL)"
)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("process-*.lock"))


def test_only_a_killed_process_is_dead_and_nothing_stays_of_it(tmp_path: Path) -> None:
    living, looking = Presence(tmp_path), Presence(tmp_path)
    living.enter()
    looking.enter()
    life = subprocess.run(
        [sys.executable, "-c", ENTER_AND_DIE, str(tmp_path)], check=False, capture_output=True, text=True
    )
    killed = life.stdout.strip()
    assert looking.dead() == {killed}
    looking.bury(killed)
    assert names_in(tmp_path) == sorted(f"process-{one.name}.lock" for one in (living, looking))
    living.leave()
    assert looking.dead() == set(), "whoever leaves takes its file along"
    looking.leave()
    assert names_in(tmp_path) == []


def test_a_living_process_cannot_be_buried(tmp_path: Path) -> None:
    living, looking = Presence(tmp_path), Presence(tmp_path)
    living.enter()
    looking.bury(living.name)
    assert names_in(tmp_path) == [f"process-{living.name}.lock"]
    living.leave()


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match="cannot hold locks"):
        Presence(tmp_path / "file" / "locks").enter()
