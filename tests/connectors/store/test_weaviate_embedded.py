"""A Weaviate of one's own: where its executable comes from, who starts it, who ends it, and that it is never open."""

from __future__ import annotations

import http.server
import io
import os
import platform
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import weaviate
from weaviate.embedded import EmbeddedOptions, EmbeddedV4

from connectors.errors import Misconfigured
from connectors.store.weaviate.embedded import EmbeddedWeaviate
from connectors.store.weaviate.executable import VERSION, Download, archive_url, binary_place, executable
from connectors.store.weaviate.place import WeaviatePlace
from tests.weaviate_servers import asked, why_there_is_no_cluster

ROOT = Path(__file__).parents[3]

# Stands in for the executable: takes the same words and variables, is ready at once, and tells what it was given.
PRETENDER = f"""#!{sys.executable} -I
import http.server, json, os, socketserver, sys, threading
port = int(sys.argv[sys.argv.index("--port") + 1])
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())
    def log_message(self, *words):
        print("said aloud", flush=True)
grpc = socketserver.TCPServer(("127.0.0.1", int(os.environ["GRPC_PORT"])), socketserver.BaseRequestHandler)
threading.Thread(target=grpc.serve_forever, daemon=True).start()
http.server.HTTPServer(("127.0.0.1", port), Ready).serve_forever()
"""


def written(place: Path, text: str, mode: int = 0o755) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(mode)
    return place


@pytest.fixture
def pretender(tmp_path: Path) -> Callable[[Callable[[str], None]], Path]:
    place = written(binary_place(tmp_path / "cache"), PRETENDER)
    return lambda _: place


@pytest.fixture(autouse=True)
def light_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lets every process that starts a server import the client's embedded module without the rest of the client."""
    stub = tmp_path / "light"
    written(stub / "weaviate" / "__init__.py", f"__path__ = {weaviate.__path__!r}")
    monkeypatch.syspath_prepend(stub)
    return stub


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "weaviate"
    for process in servers(tmp_path / "weaviate"):
        process.kill()


def servers(folder: Path) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(folder) and p.status() != "zombie"]


def words_of(place: WeaviatePlace) -> dict[str, str]:
    """The environment of the pretender."""
    told = asked(place, "GET", "/v1/.well-known/ready")
    assert isinstance(told, dict)
    return told


# The executable.


def test_the_place_and_the_archive_are_those_of_the_official_client(tmp_path: Path) -> None:
    place = written(binary_place(tmp_path), "")
    client = EmbeddedV4(EmbeddedOptions(str(tmp_path / "data"), str(tmp_path), VERSION))
    client.ensure_weaviate_binary_exists()
    assert client._weaviate_binary_path == place
    assert client._download_url == archive_url(platform.system(), platform.machine())
    assert binary_place().parent == Path(EmbeddedOptions().binary_path)


def test_machines_without_a_server_are_told_what_to_do() -> None:
    for system, machine in (("Windows", "AMD64"), ("Linux", "riscv64")):
        with pytest.raises(Misconfigured, match=r"store\.url.* sqlite"):
            archive_url(system, machine)
    assert archive_url("Darwin", "arm64").endswith("Darwin-all.zip")


def test_what_is_in_its_place_is_not_downloaded(tmp_path: Path) -> None:
    place, told = written(binary_place(tmp_path), PRETENDER), list[str]()
    assert executable(told.append, Download("http://127.0.0.1:9/x.tar.gz", tmp_path)) == place
    assert told == []


def test_a_file_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    place = written(binary_place(tmp_path), PRETENDER, 0o644)
    with pytest.raises(Misconfigured, match=f"chmod \\+x {place}"):
        executable(print, Download(cache=tmp_path))


def test_behind_a_firewall_the_sentence_says_what_to_fetch_and_where_to_put_it(tmp_path: Path) -> None:
    told: list[str] = []
    url = "http://127.0.0.1:9/weaviate.tar.gz"
    with pytest.raises(Misconfigured) as refused:
        executable(told.append, Download(url, tmp_path / "cache"))
    place = str(binary_place(tmp_path / "cache"))
    assert [word in str(refused.value) for word in (url, place, "chmod +x")] == [True] * 3
    assert len(told) == 1
    assert [word in told[0] for word in (url, place, "70 MB")] == [True] * 3
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_publisher_that_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/weaviate.tar.gz"
        began = time.monotonic()
        with pytest.raises(Misconfigured, match="could not be downloaded"):
            executable(lambda _: None, Download(url, tmp_path, seconds=2))
    assert time.monotonic() - began < 15


def test_a_download_arrives_whole_and_can_be_run(tmp_path: Path) -> None:
    with publisher(PRETENDER.encode()) as url:
        place = executable(lambda _: None, Download(url, tmp_path / "cache"))
    assert place == binary_place(tmp_path / "cache")
    assert place.read_text() == PRETENDER
    assert os.access(place, os.X_OK)
    assert list(place.parent.iterdir()) == [place]


class publisher:  # noqa: N801  # reads as a word in a with statement
    """Serves an archive with an executable in it."""

    def __init__(self, content: bytes) -> None:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            entry = tarfile.TarInfo("weaviate")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))

        class Archive(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(packed.getvalue())))
                self.end_headers()
                self.wfile.write(packed.getvalue())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Archive)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}/weaviate.tar.gz"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


# Who starts it, who ends it.


def test_one_process_starts_it_and_ends_it(folder: Path, pretender: Callable[..., Path]) -> None:
    told: list[str] = []
    embedded = EmbeddedWeaviate(folder, told.append, pretender)
    place = embedded.start()
    assert words_of(place)["CLUSTER_HOSTNAME"] == "quoth"
    assert len(servers(folder)) == 1
    embedded.close()
    assert servers(folder) == []
    assert len(told) == 1


def test_the_next_start_is_where_the_last_one_was(folder: Path, pretender: Callable[..., Path]) -> None:
    places = []
    for _ in range(2):
        embedded = EmbeddedWeaviate(folder, lambda _: None, pretender)
        places.append(embedded.start())
        embedded.close()
    assert places[0] == places[1]
    assert places[0].api_key
    assert len(places[0].api_key) > 30


def test_ports_that_somebody_else_took_are_given_up(folder: Path, pretender: Callable[..., Path]) -> None:
    first = EmbeddedWeaviate(folder, lambda _: None, pretender)
    taken = first.start().nodes[0].http
    first.close()
    with socket.create_server(("127.0.0.1", int(taken.rpartition(":")[2]))):
        second = EmbeddedWeaviate(folder, lambda _: None, pretender)
        place = second.start()
        second.close()
    assert place.nodes[0].http != taken


def test_the_last_of_several_ends_it(folder: Path, pretender: Callable[..., Path]) -> None:
    told: list[str] = []
    users = [EmbeddedWeaviate(folder, told.append, pretender) for _ in range(3)]
    places = [user.start() for user in users]
    (process,) = servers(folder)
    assert len(set(places)) == 1
    assert len(told) == 1
    users.pop(0).close()
    users.pop().close()
    assert servers(folder) == [process]
    users.pop().close()
    assert servers(folder) == []


def test_several_that_begin_at_once_start_one(folder: Path, pretender: Callable[..., Path]) -> None:
    users = [EmbeddedWeaviate(folder, lambda _: None, pretender) for _ in range(4)]
    threads = [threading.Thread(target=user.start) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(servers(folder)) == 1
    for user in users:
        user.close()
    assert servers(folder) == []


def test_other_folders_have_other_servers(tmp_path: Path, pretender: Callable[..., Path]) -> None:
    users = [EmbeddedWeaviate(tmp_path / name, lambda _: None, pretender) for name in ("one", "two")]
    places = [user.start() for user in users]
    assert places[0].nodes != places[1].nodes
    assert places[0].api_key != places[1].api_key
    users[0].close()
    assert words_of(places[1])
    users[1].close()
    assert servers(tmp_path / "two") == []


USER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # Shells start what runs in the background deaf to it.
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from connectors.store.weaviate.embedded import EmbeddedWeaviate
embedded = EmbeddedWeaviate(Path(sys.argv[1]), lambda _: None, lambda _: Path(sys.argv[2]))
try:
    print(embedded.start().nodes[0].http, flush=True)
    time.sleep(60)
finally:
    embedded.close()
"""


def user_process(folder: Path, binary: Path) -> subprocess.Popen[str]:
    user = subprocess.Popen(
        [sys.executable, "-c", USER, str(folder), str(binary), str(folder.with_name("light"))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert user.stdout is not None
    assert user.stdout.readline().startswith("http://127.0.0.1:")
    return user


def test_a_killed_user_leaves_a_server_that_the_next_one_takes_over(
    folder: Path, pretender: Callable[..., Path]
) -> None:
    with user_process(folder, pretender(print)) as user:
        (process,) = servers(folder)
        user.kill()
    assert servers(folder) == [process]
    embedded = EmbeddedWeaviate(folder, pytest.fail, pretender)
    embedded.start()
    assert servers(folder) == [process]
    embedded.close()
    assert servers(folder) == []


def test_an_interrupted_user_ends_it(folder: Path, pretender: Callable[..., Path]) -> None:
    with user_process(folder, pretender(print)) as user:
        os.kill(user.pid, signal.SIGINT)
    assert servers(folder) == []


def test_a_server_of_another_executable_is_replaced(folder: Path, tmp_path: Path) -> None:
    old = written(binary_place(tmp_path / "old"), PRETENDER)
    new = written(binary_place(tmp_path / "new"), PRETENDER)
    with user_process(folder, old) as user:
        user.kill()
    embedded = EmbeddedWeaviate(folder, lambda _: None, lambda _: new)
    embedded.start()
    (process,) = servers(folder)
    assert str(new) in process.cmdline()
    embedded.close()


def test_a_server_that_dies_is_started_again_where_it_was(folder: Path, pretender: Callable[..., Path]) -> None:
    embedded = EmbeddedWeaviate(folder, lambda _: None, pretender)
    place = embedded.start()
    (process,) = servers(folder)
    process.kill()
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        try:
            words_of(place)
            break
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    assert servers(folder) != [process]
    embedded.close()
    assert servers(folder) == []


def test_what_does_not_run_is_said_with_its_log(folder: Path, tmp_path: Path) -> None:
    broken = written(binary_place(tmp_path / "cache"), "not a program of this machine")
    embedded = EmbeddedWeaviate(folder, lambda _: None, lambda _: broken)
    with pytest.raises(Misconfigured, match=str(folder / "log")):
        embedded.start()
    embedded.close()


def test_it_knows_nothing_of_its_users_and_says_nothing_to_them(
    folder: Path,
    pretender: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    monkeypatch.setenv("AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED", "true")
    embedded = EmbeddedWeaviate(folder, lambda _: None, pretender)
    place = embedded.start()
    told = words_of(place)
    embedded.close()
    assert "SLACK_BOT_TOKEN" not in told
    assert told["AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED"] == "false"
    assert told["AUTHENTICATION_APIKEY_ALLOWED_KEYS"] == place.api_key == (folder / "key").read_text()
    assert told["PERSISTENCE_DATA_PATH"] == str(folder / "data")
    assert (told["DISABLE_TELEMETRY"], told["AUTOSCHEMA_ENABLED"], told["ENABLE_MODULES"]) == ("true", "false", "")
    assert (folder / "key").stat().st_mode & 0o077 == 0
    assert tuple(capfd.readouterr()) == ("", "")
    assert "said aloud" in (folder / "log").read_text()


# The real one.


@pytest.mark.weaviate
def test_the_real_one_is_not_open(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if reason := why_there_is_no_cluster():
        pytest.skip(reason)
    embedded = EmbeddedWeaviate(folder, lambda _: None)
    place = embedded.start()
    try:
        port = int(place.nodes[0].http.rpartition(":")[2])
        assert asked(place, "GET", "/v1/schema") == {"classes": []}
        assert asked(place, "GET", "/v1/meta")["version"] == VERSION  # type: ignore[index]
        for url in (f"{place.nodes[0].http}/v1/schema", f"http://127.0.0.1:{port + 3}/nodes/status"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(url, timeout=10)
            refused.value.close()
            assert refused.value.code == 401
        assert (folder / "data").is_dir()
    finally:
        embedded.close()
    assert servers(folder) == []
    assert tuple(capfd.readouterr()) == ("", "")
