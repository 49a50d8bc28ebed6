"""The inside of the jail: a process that converts pages for as long as somebody hands it any."""

from __future__ import annotations

import contextlib
import resource
import socket

from connectors.confluence.letters import Letter, answer_letter, page_in, receive, send
from connectors.confluence.storage_format import References, markdown_of
from connectors.errors import BeyondLimits, CannotRead

_CPU_MARGIN_SECONDS = 2
# Loads whatever is loaded on first use: afterwards no file can be opened.
_FIRST_PAGE = (
    '<h1>&eacute;</h1><p><a href="http://[::1]/">a</a><ac:emoticon ac:emoji-shortname=":rocket_ship:"/></p></b>'
    '<ac:macro ac:name="html"><ac:plain-text-body><![CDATA[<p>a]]></ac:plain-text-body></ac:macro>'
)
_MEGABYTE = 1024 * 1024


def work(most_megabytes: int, most_seconds: int) -> None:
    """Convert the pages that come in on standard input, a socket, until it is closed. Never returns an exception."""
    line = socket.socket(fileno=0)
    markdown_of(_FIRST_PAGE, References(base_url="", page_url="", space_key=""))
    _confine(most_megabytes)
    send(line, {"ready": True})
    while True:
        try:
            letter = receive(line)
        except EOFError:
            return
        _allow_cpu(most_seconds)
        send(line, _answer_to(letter))


def _answer_to(letter: Letter) -> Letter:
    try:
        return answer_letter(markdown_of(*page_in(letter)))
    except BeyondLimits as refusal:
        return {"refused": str(refusal), "beyond": True}
    except CannotRead as refusal:
        return {"refused": str(refusal)}
    except MemoryError:
        return {"refused": "the page needs too much memory", "beyond": True, "exhausted": True}
    except Exception as mistake:  # noqa: BLE001  # one page's surprise is that page's reason, never a source's end
        return {"refused": f"the page cannot be converted ({type(mistake).__name__})"}


def _confine(most_megabytes: int) -> None:
    """No files, no new processes worth the name, no core dumps, and only so much memory."""
    limits = {
        resource.RLIMIT_AS: most_megabytes * _MEGABYTE,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 3,
    }
    for kind, most in limits.items():
        with contextlib.suppress(ValueError, OSError):  # macOS knows no limit on address space.
            resource.setrlimit(kind, (most, most))


def _allow_cpu(most_seconds: int) -> None:
    """Processor time for one more page. The kernel ends a process that goes on when nobody is left to kill it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (used + most_seconds + _CPU_MARGIN_SECONDS, hard))
