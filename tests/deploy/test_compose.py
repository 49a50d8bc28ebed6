"""deploy/compose.yaml: what every service keeps to, and that Quoth and its Weaviate fit together in it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from bot.config_file import settings_of
from bot.settings import Environment
from bot.store_settings import WeaviateSettings
from connectors.store.weaviate.executable import VERSION
from tests.deploy.manifests import (
    COMPOSE,
    DEPLOY,
    LOOKS_LIKE_A_SECRET,
    NAMES_A_SECRET,
    VERSIONED,
    files,
    loaded,
    variables_named_in,
)
from tests.deploy.test_readme import unknown
from tests.fakes.reference_data import reference

SERVICES: dict[str, dict[str, Any]] = loaded(COMPOSE)["services"]
EXAMPLE = DEPLOY / "quoth.compose.yaml"
OF_LIBPQ = {"PGPASSWORD"}
"""What PostgreSQL's own library reads."""

every_service = pytest.mark.parametrize("name", SERVICES)


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_the_file_is_what_the_compose_specification_asks_for() -> None:
    described = loaded(COMPOSE)
    shape = json.loads((Path(__file__).parent / "compose.schema.json").read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft7Validator(shape).iter_errors(described)] == []


def test_the_file_is_what_the_whole_published_schema_asks_for() -> None:
    validator = jsonschema.Draft7Validator(reference("compose/compose-spec.json"))
    assert [error.message for error in validator.iter_errors(loaded(COMPOSE))] == []


def test_docker_compose_itself_understands_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not on PATH")
    deploy = tmp_path / "deploy"
    deploy.mkdir()
    shutil.copy(COMPOSE, deploy)
    shutil.copy(EXAMPLE, deploy / "quoth.yaml")
    asked = [docker, "compose", "--profile", "postgres", "--file", str(deploy / "compose.yaml"), "config", "--quiet"]
    given = {"PATH": str(Path(docker).parent), "HOME": str(tmp_path)}

    without = subprocess.run(asked, env=given, capture_output=True, text=True, check=False)
    assert without.returncode != 0
    assert "set it in deploy/.env" in without.stderr

    given |= {"SLACK_BOT_TOKEN": "x", "WEAVIATE_API_KEY": "y"}
    understood = subprocess.run(asked, env=given, capture_output=True, text=True, check=False)
    assert (understood.returncode, understood.stderr) == (0, "")


@every_service
def test_every_image_has_a_version(name: str) -> None:
    assert VERSIONED.match(SERVICES[name]["image"])


def test_the_weaviate_is_the_one_that_quoth_is_tested_with() -> None:
    assert SERVICES["weaviate"]["image"] == f"cr.weaviate.io/semitechnologies/weaviate:{VERSION}"


@every_service
def test_every_service_is_watched_limited_and_brought_back(name: str) -> None:
    service = SERVICES[name]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


@every_service
def test_every_service_has_no_right_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "devices", "network_mode", "pid", "ipc"} & set(service)


@every_service
def test_nothing_of_the_machine_is_shared_with_a_service(name: str) -> None:
    assert all(re.fullmatch(r"[a-z-]+:/[a-z/-]+", volume) for volume in SERVICES[name]["volumes"])
    assert {volume.split(":")[0] for volume in SERVICES[name]["volumes"]} <= set(loaded(COMPOSE)["volumes"])


@pytest.mark.parametrize("name", ["weaviate", "postgres"])
def test_the_stores_are_reached_by_quoth_alone(name: str) -> None:
    assert "ports" not in SERVICES[name]
    assert SERVICES[name]["networks"] == ["inside"]
    assert loaded(COMPOSE)["networks"]["inside"] == {"internal": True}


def test_weaviate_asks_for_a_key_and_makes_up_no_schema_and_calls_nobody() -> None:
    said = SERVICES["weaviate"]["environment"]
    assert said["AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED"] == "false"
    assert said["AUTHENTICATION_APIKEY_ENABLED"] == "true"
    assert said["AUTHENTICATION_APIKEY_ALLOWED_KEYS"].startswith("${WEAVIATE_API_KEY:?")
    assert said["CLUSTER_BASIC_AUTH_PASSWORD"].startswith("${WEAVIATE_API_KEY:?")
    assert said["AUTOSCHEMA_ENABLED"] == "false"
    assert said["DISABLE_TELEMETRY"] == said["API_BASED_MODULES_DISABLED"] == "true"
    assert said["ENABLE_MODULES"] == "backup-filesystem"
    assert said["CLUSTER_HOSTNAME"]


def test_what_weaviate_writes_stands_in_volumes() -> None:
    said = SERVICES["weaviate"]["environment"]
    mounted = [volume.split(":")[1] for volume in SERVICES["weaviate"]["volumes"]]
    assert mounted == [said["PERSISTENCE_DATA_PATH"], said["BACKUP_FILESYSTEM_PATH"]]


def test_quoth_starts_after_its_stores_and_has_time_to_finish() -> None:
    quoth = SERVICES["quoth"]
    assert {wanted["condition"] for wanted in quoth["depends_on"].values()} == {"service_healthy"}
    assert quoth["depends_on"]["postgres"]["required"] is False
    assert SERVICES["postgres"]["profiles"] == ["postgres"]
    assert seconds(quoth["stop_grace_period"]) > 30
    assert "/readyz" in quoth["healthcheck"]["test"][-1]


def test_quoth_is_started_with_a_command_that_there_is() -> None:
    assert unknown(SERVICES["quoth"]["command"]) is None


def test_the_example_beside_it_is_a_configuration_and_speaks_to_that_weaviate() -> None:
    settings = settings_of(EXAMPLE)
    store = settings.store
    assert isinstance(store, WeaviateSettings)
    assert [urlsplit(node.http).hostname for node in store.nodes] == ["weaviate"]
    assert [node.grpc for node in store.nodes] == ["weaviate:50051"]
    assert (store.allow_anonymous, store.allow_plain_http) == (False, True)
    assert f"quoth-data:{settings.data_dir}" in SERVICES["quoth"]["volumes"]
    assert f":{settings.web.port}/readyz" in SERVICES["quoth"]["healthcheck"]["test"][-1]
    assert SERVICES["quoth"]["environment"]["QUOTH_CONFIG"] == SERVICES["quoth"]["configs"][0]["target"]


def test_quoth_is_given_every_variable_that_it_reads_and_no_other() -> None:
    given = set(SERVICES["quoth"]["environment"])
    named = set(variables_named_in(loaded(EXAMPLE)))
    known = {name.upper() for name in Environment.model_fields}
    assert named <= given
    assert given <= known | named | OF_LIBPQ


def test_every_variable_that_is_asked_for_stands_in_the_example_and_has_no_value_there() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text(encoding="utf-8")))
    lines = (DEPLOY / "env.example").read_text(encoding="utf-8").splitlines()
    declared = [line for line in lines if line and not line.startswith("#")]
    assert {line.rstrip("=") for line in declared} == asked
    assert all(line.endswith("=") for line in declared)


@every_service
def test_a_secret_is_only_ever_named(name: str) -> None:
    secrets = {key: value for key, value in SERVICES[name]["environment"].items() if NAMES_A_SECRET.search(key)}
    assert secrets
    assert {key: value for key, value in secrets.items() if not re.fullmatch(r"\$\{[A-Z_]+:[?-][^}]*\}", value)} == {}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_no_file_holds_what_looks_like_a_secret(path: Path) -> None:
    assert LOOKS_LIKE_A_SECRET.findall(path.read_text(encoding="utf-8")) == []
