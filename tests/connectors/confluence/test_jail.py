"""A page cannot stop, swell, reach or outlive the process that wants it converted."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from connectors.confluence.jail import Jail
from connectors.confluence.letters import answer_in, answer_letter, page_in, page_letter
from connectors.confluence.storage_format import References, markdown_of
from connectors.errors import CannotRead

ROOT = Path(__file__).parents[3]
BASE = "https://wiki.example.com/wiki"
REFERENCES = References(
    base_url=BASE,
    page_url=f"{BASE}/spaces/ENG/pages/1/Home",
    space_key="ENG",
    pages={("OPS", 'R&D "A"'): f"{BASE}/spaces/OPS/pages/2", ("OPS", "Other"): f"{BASE}/spaces/OPS/pages/3"},
    users={"u-1": "Duty Officer", "u-2": "Somebody Else"},
)
PAGE = (
    "<h1>Home</h1><p><ac:link><ri:page ri:space-key='OPS' ri:content-title='R&amp;D &quot;A&quot;'/></ac:link> by "
    "<ac:link><ri:user ri:account-id='u-1'/></ac:link><ac:link><ri:page ri:content-title='Gone'/></ac:link></p></b>"
    "<ac:structured-macro ac:name='acme'/>"
)


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail() as jail:
        yield jail


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_page_comes_out_as_it_would_without_a_jail(jail: Jail) -> None:
    assert jail.convert(PAGE, REFERENCES) == markdown_of(PAGE, REFERENCES)


def test_letters_keep_everything_and_carry_only_what_the_page_needs() -> None:
    converted = markdown_of(PAGE, REFERENCES)
    assert answer_in(answer_letter(converted)) == converted
    storage, needed = page_in(page_letter(PAGE, REFERENCES))
    assert storage == PAGE
    assert needed.users == {"u-1": "Duty Officer"}
    assert needed.pages == {("OPS", 'R&D "A"'): f"{BASE}/spaces/OPS/pages/2"}


def test_the_child_is_used_again() -> None:
    with Jail() as jail:
        before = children()
        jail.convert("<p>a</p>", REFERENCES)
        (child,) = children() - before
        jail.convert("<p>b</p>", REFERENCES)
        assert children() - before == {child}
    assert child not in children()


def test_a_page_that_takes_too_long_is_given_up_and_the_next_is_converted() -> None:
    with Jail(seconds=1) as jail:
        jail.convert("<p>a</p>", REFERENCES)
        start = time.monotonic()
        with pytest.raises(CannotRead, match=r"longer than 1 seconds"):
            jail.convert("<p><b>a</b><i>b</i></p>" * 300_000, REFERENCES)
        assert time.monotonic() - start < 10
        assert jail.convert("<p>b</p>", REFERENCES).markdown == "b"


def test_a_child_that_hangs_is_killed_and_its_page_tried_once_more() -> None:
    with Jail(seconds=1) as jail:
        before = children()
        jail.convert("<p>a</p>", REFERENCES)
        (child,) = children() - before
        os.kill(child, signal.SIGSTOP)
        assert jail.convert("<p>b</p>", REFERENCES).markdown == "b"
        assert not is_running(child)


def test_a_child_that_died_is_replaced() -> None:
    with Jail() as jail:
        before = children()
        jail.convert("<p>a</p>", REFERENCES)
        (child,) = children() - before
        os.kill(child, signal.SIGKILL)
        psutil.wait_procs([psutil.Process(child)] if psutil.pid_exists(child) else [], timeout=5)
        assert jail.convert("<p>b</p>", REFERENCES).markdown == "b"


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_a_page_that_needs_too_much_memory_is_given_up_and_the_next_is_converted() -> None:
    with Jail(seconds=20, megabytes=160) as jail:
        with pytest.raises(CannotRead, match=r"memory|crashes"):
            jail.convert("<p>a</p>" * 900_000, REFERENCES)
        assert jail.convert("<p>b</p>", REFERENCES).markdown == "b"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_the_child_knows_nothing_of_our_environment_and_opens_no_files() -> None:
    with Jail() as jail:
        before = children()
        jail.convert("<p>a</p>", REFERENCES)
        (child,) = children() - before
        assert Path(f"/proc/{child}/environ").read_bytes() == b""
        limits = Path(f"/proc/{child}/limits").read_text()
        assert [line.split()[3] for line in limits.splitlines() if line.startswith("Max open files")] == ["3"]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<p>" + "x" * 10_000_000 + "</p>", "larger than 10 MB"),
        ("<div>" * 300 + "</div>" * 300, "200 levels"),
        ("</b></b>", "not XML"),
    ],
)
def test_what_cannot_be_read_has_a_reason(jail: Jail, page: str, reason: str) -> None:
    with pytest.raises(CannotRead, match=reason):
        jail.convert(page, REFERENCES)


def test_threads_share_a_jail(jail: Jail) -> None:
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda n: jail.convert(f"<p>page {n}</p>", REFERENCES).markdown, range(40)))
    assert pages == [f"page {n}" for n in range(40)]


def test_a_closed_jail_opens_again(jail: Jail) -> None:
    jail.close()
    jail.close()
    assert jail.convert("<p>a</p>", REFERENCES).markdown == "a"


START = """
import os, sys, signal, psutil
from connectors.confluence.jail import Jail
from connectors.confluence.storage_format import References
references = References(base_url="", page_url="", space_key="")
jail = Jail()
jail.convert("<p>a</p>", references)
child = psutil.Process().children()[0].pid
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START + script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_child_ends_when_we_are_killed() -> None:
    done = run("print(child, flush=True); os.kill(os.getpid(), signal.SIGKILL)")
    deadline = time.monotonic() + 10
    while is_running(int(done.stdout)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(int(done.stdout))


def test_a_jail_that_nobody_closes_ends_with_the_interpreter() -> None:
    done = run("print(child)")
    assert (done.returncode, done.stderr) == (0, "")
    assert not is_running(int(done.stdout))


def test_a_fork_has_a_jail_of_its_own() -> None:
    done = run(
        "pid = os.fork()\n"
        "text = jail.convert(f'<p>{1 if pid else 2}</p>', references).markdown\n"
        "assert text == ('1' if pid else '2')\n"
        "if not pid: jail.close(); os._exit(0)\n"
        "assert os.waitpid(pid, 0)[1] == 0\n"
        "assert jail.convert('<p>c</p>', references).markdown == 'c'\n"
        "assert psutil.Process().children()[0].pid == child\n"
        "jail.close()\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
