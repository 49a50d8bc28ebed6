"""Leases in the database: something that only one process of all may do, until it stops saying that it lives."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from connectors.database import Database
from connectors.ledger.tables import leases

LEASE = timedelta(seconds=10)
"""How long a lease lasts without being renewed: the longest time for which nobody holds it."""


class Lease:
    """One process's claim to a name. Renew it well within ``LEASE``."""

    def __init__(
        self, database: Database, name: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._name = name
        self._holder = secrets.token_hex(8)
        self._clock = clock

    def hold(self) -> bool:
        """Take the lease if it is free or ours, for another ``LEASE``; whether it is ours now.

        Raises:
            TryLater: The database cannot be asked; then it is not ours.
        """
        now = self._clock()
        ours_or_free = sa.or_(leases.c.holder == self._holder, leases.c.until < now)
        values = {"holder": self._holder, "until": now + LEASE}
        try:
            with self._database.write() as connection:
                named = leases.c.name == self._name
                if connection.execute(sa.select(leases.c.name).where(named)).one_or_none() is None:
                    connection.execute(sa.insert(leases).values(name=self._name, **values))
                    return True
                return connection.execute(sa.update(leases).where(named, ours_or_free).values(values)).rowcount == 1
        except sa.exc.IntegrityError:  # another process inserted it between our two steps
            return False

    def release(self) -> None:
        """Let the next one have it at once. Nothing happens if it is not ours."""
        mine = sa.and_(leases.c.name == self._name, leases.c.holder == self._holder)
        with self._database.write() as connection:
            connection.execute(sa.delete(leases).where(mine))
