"""PostgreSQL needs only another URL: says aloud when that was not tried."""

import pytest

from tests.databases import POSTGRES


@pytest.mark.postgres
def test_ledger_runs_and_sync_are_tested_on_postgresql_too() -> None:
    if POSTGRES is None:
        pytest.skip("QUOTH_TEST_POSTGRES is not set: ledger, runs and sync were tested on SQLite only")
    assert POSTGRES.startswith("postgresql")
