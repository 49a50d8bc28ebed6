"""Log lines carry fields, never anybody's words."""

import json
import logging

import pytest
import structlog

from bot.logs import start_logging

SECRET = "how much does the boss earn"


@pytest.fixture(autouse=True)
def _as_it_was() -> object:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_event_is_one_json_line_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("json")
    structlog.get_logger().info("source.synced", source="wiki", added=3)

    (line,) = lines(capsys)
    assert line["event"] == "source.synced"
    assert line["added"] == 3


def test_an_exception_is_named_by_type_and_place_alone(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("json")
    try:
        raise ValueError(SECRET)
    except ValueError:
        structlog.get_logger().exception("question.failed", reference="R1")

    (line,) = lines(capsys)
    assert SECRET not in json.dumps(line)
    assert str(line["exception"]).startswith("['ValueError at test_logs.py:")


@pytest.mark.parametrize("name", ["slack_bolt.App", "anthropic", "some.library"])
def test_what_a_library_says_is_not_passed_on(capsys: pytest.CaptureFixture[str], name: str) -> None:
    start_logging("json")
    logging.getLogger(name).error("body: %s", SECRET)

    assert SECRET not in capsys.readouterr().err


def test_a_quiet_log_leaves_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("text", quiet=True)
    structlog.get_logger().info("source.synced")

    assert capsys.readouterr().err == ""
