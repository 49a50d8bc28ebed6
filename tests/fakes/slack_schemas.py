"""Slack's published types, to hold against what an app sends and what the rehearsal answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema

from bot.rehearsal.slack.web_api import Request
from tests.fakes.reference_data import reference, reference_path

_NOT_ARGUMENTS = {"token"}
_JSON_ARGUMENTS = ("blocks", "chunks", "metadata", "prompts", "view", "loading_messages")


def type_name(method: str) -> str:
    """``chat.postMessage`` as Slack's types call it: ``ChatPostMessage``."""
    return "".join(part[0].upper() + part[1:] for part in method.split("."))


def wrong_arguments(requests: Iterable[Request]) -> list[str]:
    """What is wrong with the arguments of these calls, by Slack's types; methods without a published type pass."""
    return [
        f"{request.method}: {problem}"
        for request in requests
        for problem in _problems(f"slack/schemas/args/{type_name(request.method)}.schema.json", _arguments(request))
    ]


def wrong_answers(requests: Iterable[Request]) -> list[str]:
    """What is wrong with the answers to these calls, by Slack's types, which know no null and lag behind in blocks."""
    return [
        f"{request.method}: {problem}"
        for request in requests
        for problem in _problems(f"slack/schemas/responses/{type_name(request.method)}.schema.json", request.answer)
        if ".blocks[" not in problem and "None is not of type" not in problem
    ]


def _arguments(request: Request) -> dict[str, Any]:
    args = {name: value for name, value in request.args.items() if name not in _NOT_ARGUMENTS}
    for name in _JSON_ARGUMENTS:
        if isinstance(args.get(name), str):
            args[name] = json.loads(args[name])
    return args


def _problems(schema_path: str, value: Any) -> Iterator[str]:
    folder, _, name = schema_path.rpartition("/")
    if not (reference_path(folder) / name).exists():
        return
    for error in jsonschema.Draft7Validator(reference(schema_path)).iter_errors(value):
        worst = jsonschema.exceptions.best_match([error])
        yield f"{worst.json_path}: {worst.message[:200]}" if worst else error.message
