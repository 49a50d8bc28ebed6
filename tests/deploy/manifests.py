"""The files that put Quoth into containers, as data, and what is asked of each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from bot.config_file import settings_of
from bot.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
CHART = DEPLOY / "helm" / "quoth"
VALUES = CHART / "values.yaml"
WEAVIATE_VALUES = DEPLOY / "helm" / "weaviate-values.yaml"
SEVERAL_PODS: Mapping[str, object] = {"replicas": 2, "config": {"database": "postgresql+psycopg://quoth@db/quoth"}}
"""What makes Quoth's chart run it twice."""
VERSIONED = re.compile(r"^[^:@\s]+(/[^:@\s]+)*:(?!latest)[^:@\s]*\d[^:@\s]*(@sha256:[0-9a-f]{64})?$")
"""An image under a tag that has a number in it: one that does not move by itself."""
NAMES_A_SECRET = re.compile(r"(KEY|KEYS|TOKEN|SECRET|PASSWORD)$")
LOOKS_LIKE_A_SECRET = re.compile(
    r"xox[abeprs]-[A-Za-z0-9]{3}|xapp-\d|sk-ant-[A-Za-z0-9]{3}|gh[pousr]_[A-Za-z0-9]{8}|ATATT[A-Za-z0-9]{8}"
    r"|AKIA[A-Z0-9]{12}|BEGIN [A-Z ]*PRIVATE KEY|\b[0-9a-f]{40,}\b|://[^/\s:@]+:[^/\s@]+@"
)


def loaded(path: Path) -> Any:
    """A YAML file as data."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def files() -> list[Path]:
    """Every file under deploy."""
    return sorted(path for path in DEPLOY.rglob("*") if path.is_file())


def variables_named_in(settings: object) -> Iterator[str]:
    """The environment variables that a configuration names: what stands under a key that ends in _env."""
    if isinstance(settings, dict):
        for key, value in settings.items():
            if str(key).endswith("_env"):
                yield value
            yield from variables_named_in(value)
    elif isinstance(settings, list):
        for value in settings:
            yield from variables_named_in(value)


def merged(into: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Values over values, as helm lays them."""
    both = {key: merged(into[key], more[key]) for key in into.keys() & more.keys() if isinstance(more[key], dict)}
    return {**into, **more, **both}


def settings_in(text: str, folder: Path) -> Settings:
    """What a quoth.yaml says, checked as Quoth checks it."""
    (folder / "quoth.yaml").write_text(text, encoding="utf-8")
    return settings_of(folder / "quoth.yaml")
