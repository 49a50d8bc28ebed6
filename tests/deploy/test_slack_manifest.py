"""The Slack app that deploy/slack-manifest.yaml makes is the one that the bot expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import yaml

from bot.rehearsal.slack.stage import BOT_SCOPES
from tests.fakes.reference_data import reference

MANIFEST = Path(__file__).parents[2] / "deploy" / "slack-manifest.yaml"
NOT_YET_IN_THE_ENUMS = {"assistant:write", "agent_session_stopped"}
"""Slack has them; the published types were a month behind."""


def manifest() -> dict[str, Any]:
    return yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))


def test_the_manifest_is_what_slacks_schema_asks_for() -> None:
    validator = jsonschema.Draft7Validator(reference("slack/schemas/Manifest.schema.json"))
    unknown = {str(error.instance) for error in validator.iter_errors(manifest())}
    assert unknown == NOT_YET_IN_THE_ENUMS


def test_the_manifest_asks_for_the_scopes_that_the_rehearsal_grants() -> None:
    assert frozenset(manifest()["oauth_config"]["scopes"]["bot"]) == BOT_SCOPES


def test_the_manifest_names_the_commands_and_shortcuts_of_the_bot() -> None:
    features = manifest()["features"]
    assert [command["command"] for command in features["slash_commands"]] == ["/quoth", "/reindex"]
    shortcuts = {shortcut["callback_id"]: shortcut["name"] for shortcut in features["shortcuts"]}
    assert shortcuts == {"ask_quoth": "Ask Quoth about this", "why_answer": "Why this answer?"}


def test_the_manifest_is_of_the_agent_era_over_socket_mode() -> None:
    described = manifest()
    assert "agent_view" in described["features"]
    assert "assistant_view" not in described["features"]
    assert described["settings"]["socket_mode_enabled"] is True


def test_texts_keep_within_slacks_lengths() -> None:
    described = manifest()
    assert 174 <= len(described["display_information"]["long_description"]) <= 4_000
    assert len(described["display_information"]["description"]) <= 140
    assert all(len(shortcut["name"]) <= 24 for shortcut in described["features"]["shortcuts"])
