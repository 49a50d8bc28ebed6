"""The tables of an index file, and how the file says whose it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

APPLICATION = 0x51756F74  # "Quot": how the file says whose it is.
LAYOUT = 1
"""The tables below, numbered. Another number is another file: an index is built again, never converted."""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE versions (
    version_id INTEGER PRIMARY KEY, source TEXT NOT NULL, document_id TEXT NOT NULL, version TEXT NOT NULL,
    pipeline TEXT NOT NULL, UNIQUE (source, document_id, version, pipeline));
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, chunk_id TEXT NOT NULL UNIQUE,
    version_id INTEGER NOT NULL REFERENCES versions, ordinal INTEGER NOT NULL,
    title TEXT NOT NULL, headings TEXT NOT NULL, text TEXT NOT NULL, first_line INTEGER, last_line INTEGER,
    anchor TEXT, tags TEXT NOT NULL, seal TEXT NOT NULL, scope TEXT NOT NULL, head TEXT NOT NULL, body TEXT NOT NULL,
    head_length INTEGER NOT NULL, body_length INTEGER NOT NULL, near_length INTEGER NOT NULL);
CREATE INDEX chunks_by_version ON chunks (version_id, ordinal);
CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER NOT NULL);
CREATE TABLE totals (chunks INTEGER NOT NULL, head INTEGER NOT NULL, body INTEGER NOT NULL, near INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0, 0, 0);
CREATE VIRTUAL TABLE terms USING fts5 (
    scope, head, body, content='chunks', content_rowid='id', tokenize="unicode61 remove_diacritics 0 tokenchars '_'");
INSERT INTO terms (terms, rank) VALUES ('rank', 'bm25(0.0, 2.0, 1.0)');
CREATE VIRTUAL TABLE frequencies USING fts5vocab ('terms', 'row');
CREATE TRIGGER chunk_added AFTER INSERT ON chunks BEGIN
    INSERT INTO terms (rowid, scope, head, body) VALUES (new.id, new.scope, new.head, new.body);
    UPDATE totals SET chunks = chunks + 1, head = head + new.head_length, body = body + new.body_length,
        near = near + new.near_length;
END;
CREATE TRIGGER chunk_dropped AFTER DELETE ON chunks BEGIN
    INSERT INTO terms (terms, rowid, scope, head, body) VALUES ('delete', old.id, old.scope, old.head, old.body);
    DELETE FROM vectors WHERE id = old.id;
    UPDATE totals SET chunks = chunks - 1, head = head - old.head_length, body = body - old.body_length,
        near = near - old.near_length;
END;
CREATE TRIGGER vector_added AFTER INSERT ON vectors BEGIN INSERT INTO changes (id) VALUES (new.id); END;
CREATE TRIGGER vector_changed AFTER UPDATE ON vectors BEGIN INSERT INTO changes (id) VALUES (new.id); END;
CREATE TRIGGER vector_dropped AFTER DELETE ON vectors BEGIN INSERT INTO changes (id) VALUES (old.id); END;
"""


def statements() -> Iterator[str]:
    """Every statement that makes the tables, in order."""
    statement = ""
    for line in _TABLES.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
