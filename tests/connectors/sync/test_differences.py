"""What follows from comparing listings with the ledger."""

import pytest

from connectors.sync.differences import is_too_many


@pytest.mark.parametrize(
    ("going", "known", "waits"),
    [
        (0, 0, False),
        (0, 50, False),
        (1, 2, False),
        (10, 11, False),
        (11, 50, True),
        (15, 100, False),
        (16, 100, True),
        (150, 1000, False),
        (151, 1000, True),
        (1, 1, True),
        (9, 9, True),
    ],
)
def test_more_than_ten_and_fifteen_percent_or_all_of_a_source_waits(going: int, known: int, waits: bool) -> None:
    assert is_too_many(going, known) is waits
