"""What every test starts from: UTC, no network but loopback, and two processes for the whole default run."""

import pytest

from tests.weaviate_servers import pytest_configure, pytest_terminal_summary, real_server, weaviate_place

__all__ = ["pytest_cmdline_main", "pytest_configure", "pytest_terminal_summary", "real_server", "weaviate_place"]


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Spread the whole run over two processes: much of it is waiting.

    What is chosen by hand runs in one, where ``-s`` shows what a benchmark prints and ``--pdb`` works.
    """
    if hasattr(config, "workerinput"):
        return  # One of the two: it must not start others.
    chosen = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or not config.option.markexpr.startswith(
        "not"
    )
    if not chosen and not config.option.keyword and config.option.numprocesses is None and not config.option.usepdb:
        config.option.numprocesses = 2
