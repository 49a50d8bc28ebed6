"""What helm makes of Quoth's chart, where helm is on PATH."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.manifests import CHART, NAMES_A_SECRET, SEVERAL_PODS, VERSIONED, settings_in
from tests.deploy.test_readme import unknown

KUBERNETES = "1.32.0"
Given = Mapping[str, object]
Objects = dict[str, list[dict[str, Any]]]


def rendered(folder: Path, given: Given) -> Objects:
    """The objects that helm makes of the chart with these values, by kind."""
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("helm is not on PATH")
    (folder / "given.yaml").write_text(yaml.safe_dump(dict(given)), encoding="utf-8")
    made = subprocess.run(
        [helm, "template", "q", CHART, "--values", folder / "given.yaml", "--kube-version", KUBERNETES],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    objects: Objects = defaultdict(list)
    for each in yaml.safe_load_all(made.stdout):
        objects[each["kind"]].append(each)
    return objects


def test_helm_finds_nothing_wrong_with_the_chart() -> None:
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("helm is not on PATH")
    looked = subprocess.run([helm, "lint", "--strict", CHART], capture_output=True, text=True, check=False)
    assert looked.returncode == 0, looked.stdout


def test_a_chart_of_one_pod_has_no_budget_that_would_keep_its_node_from_being_drained(tmp_path: Path) -> None:
    assert "PodDisruptionBudget" not in rendered(tmp_path, {})


def test_a_chart_of_several_pods_keeps_one_of_them_up_and_spreads_them(tmp_path: Path) -> None:
    objects = rendered(tmp_path, SEVERAL_PODS)
    assert [budget["spec"]["maxUnavailable"] for budget in objects["PodDisruptionBudget"]] == [1]
    (quoth,) = objects["StatefulSet"]
    assert quoth["spec"]["replicas"] == 2
    assert quoth["spec"]["template"]["spec"]["topologySpreadConstraints"]


@pytest.mark.parametrize("given", [{}, SEVERAL_PODS], ids=["one pod", "two pods"])
def test_a_rendered_pod_is_limited_watched_and_without_rights(given: Given, tmp_path: Path) -> None:
    (quoth,) = rendered(tmp_path, given)["StatefulSet"]
    pod = quoth["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["resources"]["limits"]["memory"]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    assert VERSIONED.match(container["image"])
    assert unknown(container["args"]) is None
    assert container["envFrom"] == [{"secretRef": {"name": "quoth"}}]
    assert not [variable for variable in container["env"] if NAMES_A_SECRET.search(variable["name"])]
    assert {mount["name"] for mount in container["volumeMounts"]} == {"config", "data", "tmp"}


def test_the_rendered_configuration_is_one(tmp_path: Path) -> None:
    given = {
        "config": {
            "sources": {"handbook": {"type": "git", "url": "https://github.com/acme/handbook.git"}},
            "knowledge_bases": {"engineering": {"sources": ["handbook"]}},
            "channels": {"C0123ABCD": {"knowledge_base": "engineering"}},
        }
    }
    objects = rendered(tmp_path, given)
    (config,) = objects["ConfigMap"]
    settings = settings_in(config["data"]["quoth.yaml"], tmp_path)
    (quoth,) = objects["StatefulSet"]
    mounts = quoth["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert str(settings.data_dir) in {mount["mountPath"] for mount in mounts}
    assert settings.channels["C0123ABCD"].knowledge_base == "engineering"


def test_nobody_but_quoth_and_its_own_nodes_may_call_weaviate(tmp_path: Path) -> None:
    objects = rendered(tmp_path, {})
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in objects["NetworkPolicy"]}
    (quoth,) = objects["StatefulSet"]
    assert policies["q"]["ingress"] == []
    assert policies["q"]["podSelector"] == {"matchLabels": quoth["spec"]["selector"]["matchLabels"]}
    weaviate = policies["q-weaviate"]
    assert weaviate["podSelector"] == {"matchLabels": {"app": "weaviate"}}
    assert [rule["from"] for rule in weaviate["ingress"]] == [
        [{"podSelector": {"matchLabels": quoth["spec"]["selector"]["matchLabels"]}}],
        [{"podSelector": {"matchLabels": {"app": "weaviate"}}}],
    ]


@pytest.mark.parametrize("given", [{"replicas": 2}, {"image": {"tag": "latest"}}], ids=["SQLite", "latest"])
def test_helm_refuses_what_the_schema_refuses(given: Given, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="don't meet the specifications"):
        rendered(tmp_path, given)
