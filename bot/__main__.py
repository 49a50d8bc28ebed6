"""The command `quoth`: runs it, and turns every named failure into a sentence and an exit code."""

from __future__ import annotations

import os
import signal
import sys

from bot.cli import quoth
from bot.console import err
from connectors.errors import Misconfigured, QuothError

FAILED, MISUSED, INTERRUPTED, TERMINATED = 1, 2, 130, 143


def main() -> None:
    """Run the command line and leave with its exit code: 0 done, 1 the work failed, 2 bad usage or configuration."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # What was opened is closed, servers included.
    os.umask(0o077)  # Whatever is written here is for this user alone: pages, questions, the sealing key.
    try:
        quoth()
    except Misconfigured as error:
        _leave(str(error), MISUSED)
    except QuothError as error:
        _leave(str(error), FAILED)
    except SystemExit as left:
        if left.code == INTERRUPTED:
            err.print("Stopped. What was finished is kept.")
        raise
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        _leave(f"The system refused: {error.strerror or type(error).__name__}{place}.", FAILED)


def _leave(words: str, code: int) -> None:
    err.print(words, markup=False, style="red")
    sys.exit(code)


if __name__ == "__main__":
    main()
