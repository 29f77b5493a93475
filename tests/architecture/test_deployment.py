"""docker-compose.yml and Dockerfile, read closely: no Docker is needed for that, and none was needed to write this."""

import ast
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from evidence_api.cli import main
from evidence_api.settings import Settings
from evidence_api.stack.deployment import make, secret_files
from tests.architecture.trees import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("dalel:")}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
DESIGNED = {"db", "object-store", "broker", "clamav", "migrate", "api", "portal"} | {
    "worker-fast",
    "worker-media",
    "sequencer",
    "beat",
}


def test_every_designed_process_is_there() -> None:
    assert set(SERVICES) >= DESIGNED
    assert SERVICES["clamav"]["profiles"] == ["clamav"]
    assert [name for name in SERVICES if "profiles" in SERVICES[name]] == ["clamav"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_shut_in(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service
    assert service.get("restart") in {"unless-stopped", "no"}
    assert ":" in service["image"]
    assert not service["image"].endswith(":latest")
    assert "healthcheck" in service or name == "migrate"
    assert not [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]


def test_only_the_web_is_published_and_only_it_leaves_the_inner_network() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"api", "portal"}
    edge = {name for name, service in SERVICES.items() if "edge" in service.get("networks", [])}
    assert edge == {"api", "portal", "clamav"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", OURS)
def test_a_command_of_ours_exists(name: str) -> None:
    command = OURS[name]["command"]
    match command[0]:
        case "dalel":
            found = main.get_command(click.Context(main), command[1])
            assert found is not None, command
            arguments = [p for p in found.params if isinstance(p, click.Argument)]
            assert len(arguments) == len(command) - 2
            for parameter, value in zip(arguments, command[2:], strict=True):
                assert not isinstance(parameter.type, click.Choice) or value in parameter.type.choices
        case "uvicorn":
            module, _, factory = command[1].partition(":")
            path = ROOT / Path(*module.split(".")).with_suffix(".py")
            names = [node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
            assert factory in names
            assert "--factory" in command
        case "sh":
            assert " exec weed " in f" {command[2]}"
        case program:
            assert re.search(rf"apt-get install .*\b{re.escape(program)}\b", DOCKERFILE)


def test_probes_are_ours() -> None:
    tests = [service["healthcheck"].get("test", []) for service in OURS.values() if "healthcheck" in service]
    asked = [test for test in tests if test]
    assert len(asked) == 4
    assert {tuple(test[:4]) for test in asked} == {("CMD", "python", "-m", "evidence_api.stack.probe")}


def test_the_object_store_is_as_private_as_the_embedded_one() -> None:
    words = SERVICES["object-store"]["command"][2].split()
    needed = "-ip=127.0.0.1 -ip.bind=127.0.0.1 -disableHttp -master.telemetry=false -admin.ui=false -webdav=false"
    needed += " -s3.allowDeleteBucketNotEmpty=false -s3.autoCreateBucket=false -s3.iam=false"
    assert set(needed.split()) <= set(words)
    assert SERVICES["object-store-door"]["network_mode"] == "service:object-store"
    door = SERVICES["object-store-door"]["command"]
    assert door[1].startswith("TCP-LISTEN:8333,")
    s3 = next(word.partition("=")[2] for word in words if word.startswith("-s3.port="))
    assert door[2] == f"TCP:127.0.0.1:{s3}"


def test_every_secret_is_declared_made_and_used() -> None:
    declared = {name: Path(secret["file"]).name for name, secret in COMPOSE["secrets"].items()}
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(declared)
    env_files = {Path(file).name for service in SERVICES.values() for file in service.get("env_file", [])}
    assert set(declared.values()) | env_files == set(secret_files())
    for name, service in SERVICES.items():
        mounted = {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
        asked = set(re.findall(r"/run/secrets/\w+", str(service)))
        assert asked == mounted, name


def test_volumes_are_declared_and_the_register_is_the_sequencers_alone() -> None:
    mounts = {name: [mount.split(":")[0] for mount in service.get("volumes", [])] for name, service in SERVICES.items()}
    assert {volume for named in mounts.values() for volume in named} == set(COMPOSE["volumes"])
    assert {name for name, named in mounts.items() if "register" in named} == {"migrate", "sequencer"}
    writers = {name for name, service in SERVICES.items() if "keys:/keys" in service.get("volumes", [])}
    assert writers == {"migrate"}


def test_every_setting_exists_and_is_explained() -> None:
    explained = set(re.findall(r"^#?(DALEL_\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M))
    given = {
        variable
        for service in OURS.values()
        for variable in service.get("environment", {})
        if variable.startswith("DALEL_")
    }
    assert given <= explained
    fields = set(Settings.model_fields)
    for variable in given | explained:
        name = variable.removeprefix("DALEL_").lower()
        assert name in fields or name.removesuffix("_file") in fields, variable
    asked_by_compose = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    assert asked_by_compose <= explained


def test_what_must_run_first_runs_first() -> None:
    for name, service in OURS.items():
        waits = service.get("depends_on", {})
        assert set(waits) <= set(SERVICES)
        if name in {"api", "portal", "worker-fast", "worker-media", "sequencer", "beat"}:
            assert waits["migrate"] == {"condition": "service_completed_successfully"}


def test_the_image_is_built_by_make_and_runs_as_nobody_special() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.M)[1:]
    assert len(stages) == 2
    assert re.findall(r"^RUN make (\w+)", stages[0], re.M) == ["setup", "assets"]
    assert re.search(r"^USER dalel$", stages[1], re.M)
    assert "make " not in stages[1]
    assert not re.search(r"^(ADD|ARG|ENV [A-Z_]*(PASSWORD|SECRET|KEY))", DOCKERFILE, re.M)
    assert all(re.match(r"python:3\.1[12]-slim", stage) for stage in stages)
    sources = [word for line in re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE, re.M) for word in line.split()[:-1]]
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_the_image_holds_what_the_ignore_file_lets_in() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert {"custody", "storage", "transcription", "redaction", "evidence_api", "portal", "Makefile", ".ci"} <= let_in
    assert [name for name in let_in if not (ROOT / name).exists()] == []


def test_secret_files_are_made_once(tmp_path: Path) -> None:
    assert make(tmp_path / "secrets")
    first = (tmp_path / "secrets/database_url").read_text()
    assert not make(tmp_path / "secrets")
    assert (tmp_path / "secrets/database_url").read_text() == first
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    password = (tmp_path / "secrets/app_password").read_text()
    assert first == f"postgresql+psycopg://dalel_app:{password}@db:5432/dalel"
