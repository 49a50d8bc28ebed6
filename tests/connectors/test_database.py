"""A database is opened up to date, or refused in a sentence that says what to do."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.database import Database, failure_of
from connectors.errors import Misconfigured, TryLater
from connectors.ledger.ledger import LINEAGE, Ledger
from connectors.ledger.tables import metadata
from tests.databases import database_url

__all__ = ["database_url"]


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'ledger.sqlite3'}"


def opened(folder: Path) -> Database:
    return Database(url_of(folder), LINEAGE)


def test_the_migrations_end_in_the_tables_that_the_code_expects(database_url: str) -> None:
    database = Database(database_url, LINEAGE)
    with database.read() as connection:
        found = sa.inspect(connection)
        assert set(found.get_table_names()) == {*metadata.tables, "alembic_version_connectors"}
        for name, table in metadata.tables.items():
            dialect = connection.dialect
            columns = {c["name"]: (c["nullable"], c["type"].compile(dialect)) for c in found.get_columns(name)}
            assert columns == {c.name: (c.nullable, c.type.compile(dialect)) for c in table.columns}, name
            assert found.get_pk_constraint(name)["constrained_columns"] == [c.name for c in table.primary_key]
            indexes = {
                (index["name"], tuple(index["column_names"]), bool(index["unique"]))
                for index in found.get_indexes(name)
            }
            assert indexes == {(i.name, tuple(c.name for c in i.columns), i.unique) for i in table.indexes}
    database.close()


def test_a_database_is_opened_again_as_it_was(database_url: str) -> None:
    first = Ledger(database_url)
    key = first.key
    first.close()
    again = Ledger(database_url)
    assert again.key == key
    again.close()


def test_processes_that_start_together_agree_on_one_database(database_url: str) -> None:
    code = "import sys; from connectors.ledger.ledger import Ledger; print(Ledger(sys.argv[1]).key.hex())"
    starts = [
        subprocess.Popen([sys.executable, "-c", code, database_url], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [start.communicate()[0] for start in starts]
    assert [start.returncode for start in starts] == [0, 0]
    assert len(set(told)) == 1


def test_threads_that_start_together_agree_on_one_database(database_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        ledgers = list(pool.map(lambda _: Ledger(database_url), range(8)))
    assert len({ledger.key for ledger in ledgers}) == 1
    for ledger in ledgers:
        ledger.close()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as connection:
        connection.execute("UPDATE alembic_version_connectors SET version_num = '9999'")
    connection.close()
    with pytest.raises(Misconfigured, match="newer Quoth"):
        opened(tmp_path)


def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite3").write_text("This is a shopping list. " * 100)
    with pytest.raises(Misconfigured, match="not a SQLite database"):
        opened(tmp_path)
    assert (tmp_path / "ledger.sqlite3").read_text().startswith("This is a shopping list.")


def test_somebody_elses_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as connection:
        connection.execute("CREATE TABLE documents (anything TEXT)")
    with pytest.raises(Misconfigured, match="database of its own"):
        opened(tmp_path)
    tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    assert tables == [("documents",)]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="Check the folder"):
        opened(tmp_path / "missing")


def test_a_database_that_cannot_be_reached_says_so_without_its_password() -> None:
    with pytest.raises(TryLater) as refused:
        Database("postgresql+psycopg://quoth:secret@127.0.0.1:1/quoth", LINEAGE)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("place", ["quoth:secret@127.0.0.1:secret/quoth", "quoth:sec/ret@[::1/quoth"])
def test_a_url_that_cannot_be_read_says_how_to_write_it_without_its_password(place: str) -> None:
    with pytest.raises(Misconfigured, match="percent-encoded") as refused:
        Database(f"postgresql+psycopg://{place}", LINEAGE)
    assert "sec" not in str(refused.value)


def test_postgresql_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Misconfigured, match="--extra postgres"):
        Database("postgresql+psycopg://quoth@127.0.0.1:1/quoth", LINEAGE)


def test_a_write_is_whole_or_not_at_all(tmp_path: Path) -> None:
    ledger = Ledger(url_of(tmp_path))
    with pytest.raises(TryLater), ledger.database.write() as connection:
        lose_the_key_and_fail(connection)
    with ledger.database.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM keys")).scalar_one() == 1
    ledger.close()


def lose_the_key_and_fail(connection: sa.Connection) -> None:
    connection.execute(sa.text("DELETE FROM keys"))
    connection.execute(sa.text("SELECT nonsense"))


@pytest.mark.parametrize(
    ("words", "kind", "says"),
    [
        ("database or disk is full", TryLater, "Free some space"),
        ("database is locked", TryLater, "cannot be asked now"),
        ("file is not a database", Misconfigured, "not a SQLite database"),
        ("database disk image is malformed", Misconfigured, "restore a copy"),
        ("attempt to write a readonly database", Misconfigured, "permissions"),
        ('password authentication failed for user "q"', Misconfigured, "database URL"),
        ("", TryLater, "OperationalError"),
    ],
)
def test_a_drivers_error_says_what_to_do(words: str, kind: type[Exception], says: str) -> None:
    failure = failure_of("The ledger", sqlite3.OperationalError(words))
    assert isinstance(failure, kind)
    assert says in str(failure)
