"""deploy/helm/weaviate-values.yaml: the three nodes that the official chart makes of it."""

from __future__ import annotations

import json

from connectors.store.weaviate.executable import VERSION
from tests.deploy.manifests import NAMES_A_SECRET, VALUES, WEAVIATE_VALUES, loaded


def test_the_weaviate_is_the_one_that_quoth_is_tested_with() -> None:
    assert loaded(WEAVIATE_VALUES)["image"]["tag"] == VERSION


def test_weaviate_asks_for_keys_of_a_secret_and_knows_who_may_what() -> None:
    values = loaded(WEAVIATE_VALUES)
    assert values["authentication"] == {"anonymous_access": {"enabled": False}}
    assert values["authorization"]["rbac"] == {"enabled": True, "root_users": ["operator"]}
    assert values["env"]["AUTHENTICATION_APIKEY_ENABLED"] == "true"
    assert values["env"]["AUTHENTICATION_APIKEY_USERS"].split(",") == ["operator", "quoth"]
    assert not [name for name in values["env"] if NAMES_A_SECRET.search(name)]
    assert set(values["envSecrets"]) == {"AUTHENTICATION_APIKEY_ALLOWED_KEYS"}


def test_weaviate_makes_up_no_schema_and_calls_nobody_and_is_called_by_nobody_outside() -> None:
    values = loaded(WEAVIATE_VALUES)
    assert values["env"]["AUTOSCHEMA_ENABLED"] == "false"
    assert values["env"]["DISABLE_TELEMETRY"] == values["env"]["API_BASED_MODULES_DISABLED"] == "true"
    assert {values["service"]["type"], values["grpcService"]["type"]} == {"ClusterIP"}
    assert "modules" not in values


def test_one_machine_takes_one_node_with_it_at_most() -> None:
    values = loaded(WEAVIATE_VALUES)
    apart = values["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert [rule["topologyKey"] for rule in apart] == ["kubernetes.io/hostname"]
    budget = values["podDisruptionBudgets"]["weaviate"]
    assert (budget["enabled"], budget["spec"]) == (True, {"minAvailable": None, "maxUnavailable": 1})


def test_weaviate_has_no_right_that_it_does_not_need() -> None:
    values = loaded(WEAVIATE_VALUES)
    assert values["initContainers"]["sysctlInitContainer"]["enabled"] is False
    assert values["containerSecurityContext"]["runAsNonRoot"] is True
    assert values["containerSecurityContext"]["readOnlyRootFilesystem"] is True
    assert values["containerSecurityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {"cpu", "memory"} == set(values["resources"]["limits"]) == set(values["resources"]["requests"])


def test_quoths_role_reaches_its_own_collections_only() -> None:
    role = json.loads((WEAVIATE_VALUES.parent / "weaviate-role.json").read_text(encoding="utf-8"))
    collection = loaded(VALUES)["config"]["store"]["collection"]
    reached = {
        pattern
        for permission in role["permissions"]
        for where in permission.values()
        if isinstance(where, dict)
        for what, pattern in where.items()
        if what != "verbosity"
    }
    assert reached == {f"{collection}*"}
    assert not {permission["action"] for permission in role["permissions"]} & {"manage_backups", "manage_roles"}
    assert role["name"] in loaded(WEAVIATE_VALUES)["env"]["AUTHENTICATION_APIKEY_USERS"].split(",")
