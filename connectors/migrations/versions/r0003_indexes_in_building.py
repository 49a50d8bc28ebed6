"""Indexes that can be opened by what was written down of them, one in building, and which chunks each document has."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_CHUNKS = uuid.UUID("3f6f7a52-5a43-5b0e-9d3e-6f3f1a2b7c11")
_AT_ONCE = 1_000


def upgrade() -> None:
    """Name the indexes, tell how to open them, and fill in the digests of what they hold."""
    op.execute("ALTER TABLE indexes RENAME COLUMN fingerprint TO name")
    op.add_column("indexes", sa.Column("fingerprint", sa.Text, nullable=False, server_default=""))
    op.add_column("indexes", sa.Column("building", sa.Boolean, nullable=False, server_default=sa.false()))
    for name in ("embeddings", "store", "embedder"):
        op.add_column("indexes", sa.Column(name, sa.Text))
    # Until now every index was a file.
    op.execute("""UPDATE indexes SET fingerprint = name, store = '{"backend":"sqlite"}'""")
    op.add_column("holdings", sa.Column("digest", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    _fill_digests(op.get_bind())


def _fill_digests(connection: sa.Connection) -> None:
    names = ("fingerprint", "source", "document_id", "version", "pipeline", "chunks")
    holdings = sa.table("holdings", *map(sa.column, (*names, "digest")))
    rows = connection.execute(sa.select(*(holdings.c[name] for name in names))).all()
    same = sa.and_(*(holdings.c[name] == sa.bindparam(f"its_{name}") for name in names[:3]))
    filled = sa.update(holdings).where(same).values(digest=sa.bindparam("its_digest"))
    for start in range(0, len(rows), _AT_ONCE):
        values = [
            {f"its_{name}": row._mapping[name] for name in names[:3]} | {"its_digest": _digest_of(*row[1:])}
            for row in rows[start : start + _AT_ONCE]
        ]
        connection.execute(filled, values)


def _digest_of(source: str, document_id: str, version: str, pipeline: str, chunks: int) -> int:
    """The sum of the stamps of a document's chunks, whose ids follow from the document."""
    ids = (
        uuid.uuid5(_CHUNKS, "\0".join((source, document_id, version, pipeline, str(ordinal))))
        for ordinal in range(chunks)
    )
    return sum(int(str(chunk_id)[:7], 16) for chunk_id in ids)
