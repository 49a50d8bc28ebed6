from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from connectors.errors import Misconfigured, TryLater
from connectors.model import stamp_of
from connectors.store.sqlite_failures import failure_of
from connectors.store.sqlite_layout import LAYOUT
from connectors.store.sqlite_store import SqliteStore
from tests.contracts.store_contract import StoreContract, asked, chunks, direction, texts_of


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqliteStore]:
        store = SqliteStore(tmp_path / "new folder" / "index.db", "fingerprint")
        yield store
        store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path, "fingerprint")
    yield store
    store.close()


def test_what_was_put_is_there_when_the_file_is_opened_again(path: Path, store: SqliteStore) -> None:
    put = chunks("a", "vpn one")
    store.put(put)
    store.embed({put[0].chunk_id: direction(1)})
    store.close()
    again = SqliteStore(path, "fingerprint")
    (found,) = again.search(asked("vpn", direction(1)))
    assert found.chunk == put[0]
    assert found.vector_score == pytest.approx(1, abs=1e-3)
    again.close()


def test_a_search_under_way_outlives_the_closing_of_its_store(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = chunks("a", "vpn one")
    store.put(put)
    store.embed({put[0].chunk_id: direction(1)})
    matrix_of = SqliteStore._matrix

    def closing(self: SqliteStore, connection: sqlite3.Connection) -> object:
        found = matrix_of(self, connection)
        self.close()
        return found

    monkeypatch.setattr(SqliteStore, "_matrix", closing)
    (found,) = store.search(asked("vpn", direction(1)))
    assert found.chunk == put[0]


def test_two_stores_on_one_file_see_each_others_writes(path: Path, store: SqliteStore) -> None:
    other = SqliteStore(path, "fingerprint")
    for number in range(40):
        put = chunks(f"d{number}", f"vpn {number}", f"holiday {number}")
        store.put(put)
        store.embed({chunk.chunk_id: direction(1, number) for chunk in put})
        assert other.stats().embedded == 2 * (number + 1)
        assert f"vpn {number}" in texts_of(other.search(asked("vpn", direction(1, number), limit=50)))
        if number % 3 == 0:
            other.retire("wiki", {f"wiki:d{number}": None})
            found = store.search(asked("vpn", direction(1, number), limit=200))
            assert f"vpn {number}" not in texts_of(found)
            other.put(put)
            other.embed({chunk.chunk_id: direction(1, number) for chunk in put})
    other.close()


def test_searches_are_whole_while_documents_are_replaced(path: Path, store: SqliteStore) -> None:
    store.put(chunks("a", "vpn 0 0", "vpn 0 1", version="0"))
    stop, torn, failures = threading.Event(), [], []

    def read() -> None:
        try:
            while not stop.is_set():
                found = store.search(asked("vpn", direction(1), limit=50))
                held: dict[str, int] = {}
                for candidate in found:
                    held[candidate.chunk.version] = held.get(candidate.chunk.version, 0) + 1
                torn.extend(version for version, count in held.items() if count != 2)
                torn.extend([] if found else ["nothing"])
        except Exception as failure:  # noqa: BLE001  # A thread's failure is the test's.
            failures.append(failure)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    writer = SqliteStore(path, "fingerprint")
    for number in range(1, 40):
        put = chunks("a", f"vpn {number} 0", f"vpn {number} 1", version=str(number))
        writer.put(put)
        writer.embed({chunk.chunk_id: direction(1, number) for chunk in put})
        writer.retire("wiki", {"wiki:a": (str(number), "p")})
    stop.set()
    for reader in readers:
        reader.join()
    writer.close()
    assert (torn, failures) == ([], [])


def test_superseded_versions_do_not_hide_live_ones_for_good(store: SqliteStore) -> None:
    for version in range(60):
        store.put(chunks("a", "vpn vpn vpn", version=str(version)))
    store.put(chunks("b", "vpn and a lot of other words that make it rank lower"))
    assert len(store.search(asked("vpn", limit=100))) == 61


def test_a_small_index_orders_by_true_scores(store: SqliteStore) -> None:
    store.put(chunks("a", *(f"deploy filler{i} text" for i in range(150)), "deploy deploy deploy"))
    best = max(store.search(asked("deploy", limit=1)), key=lambda candidate: candidate.keyword_score)
    assert best.chunk.text == "deploy deploy deploy"


def test_common_words_look_for_nothing_where_rarer_ones_find_enough(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(chunks("a", *(f"zebra server number {i}" for i in range(500))))
    store.put(chunks("b", *(f"server {i}" for i in range(400))))
    store.put(chunks("c", "server alone", source="archive"))
    everywhere = asked("zebra server", tags=("source:wiki", "source:archive"), limit=1_000)
    assert len(store.search(everywhere)) == 901
    monkeypatch.setattr("connectors.store.keywords._AMPLE", 600)
    found = store.search(replace(everywhere, limit=100))
    assert {candidate.chunk.document_id for candidate in found} == {"wiki:a"}
    assert texts_of(store.search(asked("zebra server", tags=("source:archive",)))) == {"server alone"}


def test_a_small_scope_has_the_cosines_of_the_whole(store: SqliteStore) -> None:
    for name, source in (("a", "wiki"), ("b", "archive")):
        put = chunks(name, *(f"{name}{i}" for i in range(20 if source == "wiki" else 3)), source=source)
        store.put(put)
        store.embed({chunk.chunk_id: direction(1, chunk.ordinal) for chunk in put})
    wide = store.search(asked("", direction(1), tags=("source:wiki", "source:archive"), limit=50))
    narrow = store.search(asked("", direction(1), tags=("source:archive",), limit=50))
    assert len(narrow) == 3
    known = {candidate.chunk.chunk_id: candidate.vector_score for candidate in wide}
    assert {c.chunk.chunk_id: pytest.approx(c.vector_score) for c in narrow}.items() <= known.items()


def test_neighbours_lend_a_little(store: SqliteStore) -> None:
    store.put(chunks("a", "zebra crossing", "vpn password", "nothing"))
    store.put(chunks("b", "lonely", "vpn password", "nothing"))
    scores = {
        c.chunk.document_id: c.keyword_score for c in store.search(asked("zebra vpn password")) if c.chunk.ordinal == 1
    }
    assert scores["wiki:a"] > scores["wiki:b"]


def test_vectors_survive_a_put_that_only_renews_seals(store: SqliteStore) -> None:
    put = chunks("a", "vpn one", "vpn two")
    store.put(put)
    store.embed({chunk.chunk_id: direction(1) for chunk in put})
    store.put([replace(chunk, seal="new") for chunk in put])
    assert [stored.chunk.seal for stored in store.export("wiki")] == ["new", "new"]
    assert store.stats().embedded == 2


def test_dropping_leaves_no_file(path: Path, store: SqliteStore) -> None:
    store.put(chunks("a", "vpn one"))
    beside = path.with_name("index-other.db")
    beside.write_text("not ours")
    assert len(list(path.parent.iterdir())) > 2
    store.drop()
    assert list(path.parent.iterdir()) == [beside]
    again = SqliteStore(path, "fingerprint")
    assert again.stats().chunks == 0
    again.close()


def test_a_chunk_id_that_somebody_spoiled_shows_in_the_digest(path: Path, store: SqliteStore) -> None:
    store.put(chunks("a", "vpn one"))
    whole = store.stats().digest
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE chunks SET chunk_id = 'no id at all'")
        connection.commit()
    assert store.stats().digest != whole


def test_a_file_that_was_removed_under_our_hands_is_an_empty_index(path: Path, store: SqliteStore) -> None:
    put = chunks("a", "vpn one")
    store.put(put)
    store.embed({put[0].chunk_id: direction(1)})
    assert store.search(asked("vpn", direction(1)))
    for file in path.parent.iterdir():
        file.unlink()
    assert store.stats().chunks == 0
    assert store.search(asked("vpn", direction(1))) == []
    store.put(put)
    other = SqliteStore(path, "fingerprint")
    assert texts_of(other.search(asked("vpn"))) == {"vpn one"}
    other.close()


def test_an_older_file_that_was_put_back_is_what_is_searched(path: Path, store: SqliteStore, tmp_path: Path) -> None:
    first, second = chunks("a", "vpn first"), chunks("b", "vpn second")
    store.put(first)
    store.embed({first[0].chunk_id: direction(1)})
    with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(tmp_path / "copy")) as copy:
        connection.backup(copy)
    store.put(second)
    store.embed({second[0].chunk_id: direction(0, 1)})
    assert len(store.search(asked("vpn", direction(0, 1)))) == 2
    for file in path.parent.glob("index*"):
        file.unlink()
    (tmp_path / "copy").replace(path)
    found = store.search(asked("vpn", direction(0, 1)))
    assert texts_of(found) == {"vpn first"}
    assert len(store.sample()) == 1
    assert store.stats().digest == sum(stamp_of(chunk.chunk_id) for chunk in first)


def test_an_index_that_another_process_dropped_is_not_made_again(path: Path, store: SqliteStore) -> None:
    store.put(chunks("a", "vpn one"))
    other = SqliteStore(path, "fingerprint")
    other.drop()
    with pytest.raises(TryLater, match="dropped"):
        store.put(chunks("b", "vpn two"))
    with pytest.raises(TryLater, match="dropped"):
        store.search(asked("vpn"))
    assert list(path.parent.glob("index*")) == []


def test_who_opens_an_index_that_was_about_to_go_wants_it_again(path: Path, store: SqliteStore) -> None:
    store.put(chunks("a", "vpn one"))
    store._file._mark()  # A drop that was killed before it removed the file.
    again = SqliteStore(path, "fingerprint")
    path.replace(path.with_name("moved.db"))
    assert again.stats().chunks == 0
    again.close()


def test_a_damaged_file_is_set_aside_and_filled_again(path: Path, store: SqliteStore) -> None:
    put = chunks("a", *(f"vpn {'word ' * 100} {i}" for i in range(200)))
    store.put(put)
    store.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    half = SqliteStore(path, "fingerprint")
    with suppress(TryLater):  # Said once, where the damage is met.
        half.search(asked("vpn", limit=200))
        half.stats()
    assert half.stats().chunks == 0
    half.put(put)
    assert len(half.search(asked("vpn", limit=200))) == 200
    assert path.with_name("index.db.damaged").exists()
    half.close()


def test_thousands_of_rows_that_are_nobodys_hide_nothing(path: Path, store: SqliteStore) -> None:
    (true,) = chunks("a", "vpn and many other words that make it rank lower")
    store.put([true])
    store.embed({true.chunk_id: direction(1, 1)})
    with closing(sqlite3.connect(path)) as connection, connection:
        _copy_rows(connection, "hex(randomblob(16))", "value", 3_000)
        connection.execute("INSERT INTO vectors SELECT id, (SELECT vector FROM vectors) FROM chunks WHERE id > 1")
    for limit in (1, 10):
        found = store.search(asked("vpn", direction(1, 1), limit=limit))
        assert [candidate.chunk for candidate in found] == [true]
    assert [stored.chunk for stored in store.export("wiki")] == [true]
    assert store.stats("wiki").chunks == 3_001


def test_a_row_with_a_copied_identity_does_not_push_out_the_true_one(path: Path, store: SqliteStore) -> None:
    put = chunks("a", "vpn one", "vpn two")
    store.put(put)
    with closing(sqlite3.connect(path)) as connection, connection:
        _copy_rows(connection, "'copy ' || value", "ordinal", 5)
    assert sorted(c.chunk.text for c in store.search(asked("vpn"))) == ["vpn one", "vpn two"]
    assert len(store.unembedded(10)) == 2
    store.put(put)
    assert store.stats("wiki").chunks == 2


def test_a_chunk_id_that_was_given_to_something_else_is_taken_back(path: Path, store: SqliteStore) -> None:
    put = chunks("a", "vpn one", "vpn two")
    store.put(put)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE versions SET source = 'other'")
    store.put(put)
    assert texts_of(store.search(asked("vpn"))) == {"vpn one", "vpn two"}
    assert store.stats("other").chunks == 0


def _copy_rows(connection: sqlite3.Connection, chunk_id: str, ordinal: str, times: int) -> None:
    """Rows that look like the first one but for their ids."""
    kept = "title, headings, text, tags, seal, scope, head, body, head_length, body_length, near_length"
    connection.execute(
        f"INSERT INTO chunks (chunk_id, version_id, ordinal, {kept}) "
        f"SELECT {chunk_id}, version_id, {ordinal}, {kept} FROM chunks, json_each(?) WHERE chunks.id = 1",
        (str(list(range(times))),),
    )


def test_closing_while_others_search_ends_their_searches_in_a_sentence(path: Path, store: SqliteStore) -> None:
    store.put(chunks("a", *(f"vpn {i}" for i in range(300))))
    failures: list[BaseException] = []

    def search() -> None:
        try:
            while True:
                store.search(asked("vpn", limit=300))
        except BaseException as failure:  # noqa: BLE001  # Whatever it is.
            failures.append(failure)

    searchers = [threading.Thread(target=search) for _ in range(3)]
    for searcher in searchers:
        searcher.start()
    time.sleep(0.2)
    store.drop()
    for searcher in searchers:
        searcher.join(20)
    assert [type(failure) for failure in failures] == [TryLater] * 3


def _foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()


def _other_layout(path: Path) -> None:
    SqliteStore(path, "fingerprint").close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {LAYOUT + 1}")
    connection.close()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_bytes(b"not a database at all" * 100), "not a database"),
        (_foreign, "another program"),
        (_other_layout, f"layout {LAYOUT + 1}"),
        (lambda path: SqliteStore(path, "another model").close(), "another embedding model"),
        (lambda path: path.mkdir(), "cannot be opened"),
    ],
)
def test_a_file_that_is_no_index_of_ours_is_refused_in_a_sentence(
    path: Path, make: Callable[[Path], object], says: str
) -> None:
    make(path)
    with pytest.raises(Misconfigured, match=says):
        SqliteStore(path, "fingerprint")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="folder"):
        SqliteStore(tmp_path / "file" / "index.db", "fingerprint")


def test_a_full_disk_is_a_sentence_and_loses_nothing(path: Path, store: SqliteStore) -> None:
    store.put(chunks("a", "vpn one"))
    with store._file.reading() as connection:  # The only way to a small disk.
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    store._file._connection().execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(TryLater, match="disk"):
        store.put(chunks("b", *(f"vpn {'word ' * 400} {i}" for i in range(50))))
    assert texts_of(store.search(asked("vpn"))) == {"vpn one"}


def test_a_read_only_file_is_a_sentence() -> None:
    error = sqlite3.OperationalError("attempt to write a readonly database")
    error.sqlite_errorname = "SQLITE_READONLY"
    assert isinstance(failure_of(error, Path("index.db")), Misconfigured)


def test_a_closed_store_says_so(store: SqliteStore) -> None:
    store.close()
    with pytest.raises(TryLater, match="closed"):
        store.stats()


def test_vectors_of_another_size_are_refused(store: SqliteStore) -> None:
    put = chunks("a", "one", "two")
    store.put(put)
    store.embed({put[0].chunk_id: direction(1)})
    with pytest.raises(Misconfigured, match="dimensions"):
        store.embed({put[1].chunk_id: np.ones(3, np.float32)})
    assert store.stats().embedded == 1


_WRITER = """
import sys
from pathlib import Path
from connectors.store.sqlite_store import SqliteStore
from tests.contracts.store_contract import chunks, direction

store = SqliteStore(Path(sys.argv[1]), "fingerprint")
for number in range(int(sys.argv[2]), 1_000_000):
    put = chunks(f"d{number % 20}", "vpn one", "vpn two", "vpn three", version=str(number))
    store.put(put)
    store.embed({chunk.chunk_id: direction(1, number) for chunk in put})
    store.retire("wiki", {f"wiki:d{number % 20}": (str(number), "p")})
    print(number, flush=True)
"""


def test_a_killed_writer_leaves_whole_documents(path: Path) -> None:
    done = 0
    for _ in range(2):
        command = [sys.executable, "-c", _WRITER, str(path), str(done + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as writer:
            assert writer.stdout
            for line in writer.stdout:
                done = int(line)
                if done % 12 == 0:
                    break
            writer.kill()
            done = max([done, *(int(line) for line in writer.stdout if line.endswith("\n"))])
        store = SqliteStore(path, "fingerprint")
        held = list(store.contents("wiki"))
        assert {one.chunks for one in held} == {3}
        assert str(done) in {one.version for one in held}
        assert len(store.search(asked("vpn", direction(1), limit=1_000))) == store.stats().chunks
        store.close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("INSERT INTO terms (terms, rank) VALUES ('integrity-check', 1)")
