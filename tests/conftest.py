"""What every test starts from: UTC, and no network but loopback."""

from tests.weaviate_servers import pytest_configure, pytest_terminal_summary, real_server, weaviate_place

__all__ = ["pytest_configure", "pytest_terminal_summary", "real_server", "weaviate_place"]
