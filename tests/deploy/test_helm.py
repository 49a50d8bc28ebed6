"""Quoth's own chart as it stands: what its values promise, and what its schema refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.store_settings import WeaviateSettings
from bot.web import web_app
from tests.deploy.manifests import CHART, SEVERAL_PODS, VALUES, VERSIONED, WEAVIATE_VALUES, loaded, merged, settings_in
from tests.deploy.test_readme import unknown

Given = Mapping[str, object]


def complaints(given: Given) -> list[str]:
    """What values.schema.json has against the chart's values with these over them."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(merged(loaded(VALUES), given))]


def test_the_chart_accepts_its_own_values_and_several_pods_on_postgresql() -> None:
    assert complaints({}) == complaints(SEVERAL_PODS) == []


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"replicas": 2}, id="two pods on SQLite"),
        pytest.param(
            merged(SEVERAL_PODS, {"config": {"store": {"backend": "sqlite"}}}), id="two pods with an index each"
        ),
        pytest.param({"image": {"tag": "latest"}}, id="an image that moves"),
        pytest.param({"image": {"tag": "stable"}}, id="an image without a version"),
        pytest.param({"existingSecret": ""}, id="no Secret"),
        pytest.param({"podSecurityContext": {"runAsUser": 0}}, id="root"),
        pytest.param({"resources": {"limits": None}}, id="no limits"),
        pytest.param({"terminationGracePeriodSeconds": 10}, id="no time to finish"),
        pytest.param({"config": {"web": {"host": "127.0.0.1"}}}, id="nobody could ask for its health"),
        pytest.param({"replica": 3}, id="a slip of the pen"),
    ],
)
def test_the_chart_refuses_what_cannot_work(given: Given) -> None:
    assert complaints(given)


def test_the_image_has_a_version() -> None:
    image = loaded(VALUES)["image"]
    assert VERSIONED.match(f"{image['repository']}:{image['tag']}")
    assert loaded(CHART / "Chart.yaml")["appVersion"] == image["tag"]


def test_the_configuration_in_the_chart_names_each_node_of_a_keyed_weaviate(tmp_path: Path) -> None:
    settings = settings_in(yaml.safe_dump(loaded(VALUES)["config"]), tmp_path)
    store = settings.store
    assert isinstance(store, WeaviateSettings)
    weaviate = loaded(WEAVIATE_VALUES)
    nodes = [f"weaviate-{i}.weaviate-headless" for i in range(weaviate["replicas"])]
    assert [(node.http, node.grpc) for node in store.nodes] == [(f"http://{n}:8080", f"{n}:50051") for n in nodes]
    assert store.replicas == 3 <= weaviate["replicas"]
    assert (store.allow_anonymous, store.consistency, store.api_key_env) == (False, "quorum", "WEAVIATE_API_KEY")


def test_pods_have_no_right_that_they_do_not_need() -> None:
    values = loaded(VALUES)
    assert values["podSecurityContext"]["runAsNonRoot"] is True
    assert values["podSecurityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert values["containerSecurityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(values["resources"]) == {"requests", "limits"}


def test_a_store_that_is_down_makes_quoth_unready_and_never_restarts_it() -> None:
    values = loaded(VALUES)
    assert values["startupProbe"]["httpGet"]["path"] == values["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert values["readinessProbe"]["httpGet"]["path"] == "/readyz"


async def nobody(_: Any) -> Any:
    raise AssertionError


def test_probes_ask_addresses_that_there_are() -> None:
    answered = {getattr(route, "path", None) for route in web_app(nobody, {}).routes}
    values = loaded(VALUES)
    assert {values[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")} <= answered


def test_quoth_may_not_ask_the_clouds_metadata() -> None:
    outside = [to for rule in loaded(VALUES)["networkPolicy"]["egress"] for to in rule.get("to", [])]
    assert {to["ipBlock"]["cidr"]: to["ipBlock"]["except"] for to in outside} == {
        "0.0.0.0/0": ["169.254.0.0/16"],
        "::/0": ["fe80::/10"],
    }


def test_the_chart_makes_no_secret_and_prints_none() -> None:
    for path in (CHART / "templates").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "kind: Secret" not in text
        assert not re.search(r"^\s*- \{?name: \w*(KEY|TOKEN|PASSWORD)", text, re.MULTILINE)


def test_notes_name_commands_that_there_are() -> None:
    typed = re.findall(r"-- quoth (.+)", (CHART / "templates" / "NOTES.txt").read_text(encoding="utf-8"))
    assert [unknown(words.split()) for words in typed] == [None] * len(typed) != []
