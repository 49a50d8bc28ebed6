"""The command as a process: how it ends when somebody ends it."""

import signal
import subprocess
import sys
from pathlib import Path

from bot.__main__ import TERMINATED

WAITING = """
import time
from contextlib import ExitStack
import bot.__main__ as command

def wait():
    with ExitStack() as opened:
        opened.callback(print, "closed", flush=True)
        print("waiting", flush=True)
        time.sleep(60)

command.quoth = wait
command.main()
"""


def test_a_command_that_is_told_to_end_closes_what_it_opened() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "closed\n"
    assert process.returncode == TERMINATED
