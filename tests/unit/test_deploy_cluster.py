"""The image, the compose file, the file of `ray up` and node.sh: valid by their own tools, and fit for the program."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from actors.commands.verbs import app
from actors.runtime.launch import STOP_PATIENCE_S
from actors.settings.account import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
NODE = DEPLOY / "node.sh"
COMPOSE = DEPLOY / "compose.yaml"
RAY_NODES = ("head", "worker", "account")
HEALTH = re.compile(r"RAY_(?:health_check_(?:period_ms|timeout_ms|failure_threshold)|gcs_rpc\w+_timeout_s)")


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, capture_output=True, text=True, timeout=280, check=False, env={**os.environ, **environment}
    )


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return document


def placed() -> Settings:
    return load_settings(ROOT / "configs" / "cluster.example.yaml", {})


def stages() -> list[list[str]]:
    """Return the Dockerfile's instructions, by stage, lines joined."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found: list[list[str]] = []
    for line in lines:
        if line.startswith("FROM "):
            found.append([])
        found[-1].append(line)
    return found


def test_hadolint_has_nothing_to_say_of_the_image() -> None:
    ended = run(str(BIN / "hadolint"), "--no-color", str(DEPLOY / "Dockerfile"))

    assert ended.returncode == 0, ended.stdout


def test_hadolint_would_see_a_fault(tmp_path: Path) -> None:
    wrong = tmp_path / "Dockerfile"
    wrong.write_text((DEPLOY / "Dockerfile").read_text().replace("python:3.11-slim-bookworm", "python:latest"))

    assert "DL3007" in run(str(BIN / "hadolint"), "--no-color", str(wrong)).stdout


def test_the_image_holds_the_program_and_no_tool_of_the_builder() -> None:
    build, final = stages()
    copied = [word for line in build if line.startswith("COPY ") for word in shlex.split(line)[1:-1]]

    assert [path for path in copied if not (ROOT / path).exists()] == []
    packages = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    )
    assert {f"{path}*" for path in copied} >= packages
    assert "--require-hashes -r deploy/requirements.lock" in " ".join(build)
    assert [line for line in final if line.startswith("COPY ")] == ["COPY --from=build /opt/gridmesh /opt/gridmesh"]
    assert "pip install" not in " ".join(final)
    user = next(line for line in final if line.startswith("USER "))
    assert user == "USER 10001:10001"
    assert final.index(user) > max(n for n, line in enumerate(final) if line.startswith("RUN "))


def test_the_builder_is_given_what_the_image_copies_and_no_more() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {word for line in stages()[0] if line.startswith("COPY ") for word in shlex.split(line)[1:-1]}

    assert next(line for line in lines if not line.startswith("#")) == "*"
    assert let_in == copied


def test_the_compose_file_fits_the_specification() -> None:
    check = (str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec")

    assert run(*check, str(COMPOSE)).returncode == 0


def test_a_compose_file_with_an_unknown_key_would_be_seen(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text().replace("stop_grace_period", "stop_grace"))

    ended = run(str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(wrong))
    assert "stop_grace" in ended.stdout


def test_docker_compose_reads_it() -> None:
    docker = shutil.which("docker")
    if docker is None or run(docker, "compose", "version").returncode != 0:
        pytest.skip("docker compose is not here")
    ended = run(docker, "compose", "-f", str(COMPOSE), "config", "--quiet")

    assert ended.returncode == 0, ended.stderr


def test_services_publish_on_loopback_only_and_have_no_rights() -> None:
    for name, service in compose()["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert "network_mode" not in service, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert "mem_limit" in service, name
        assert not service["image"].endswith(":latest"), name
        assert ":" in service["image"], name


def test_secrets_are_files_and_each_goes_only_where_it_is_read() -> None:
    document = compose()
    holders: dict[str, set[str]] = {}
    for name, service in document["services"].items():
        for secret in service.get("secrets", ()):
            holders.setdefault(secret, set()).add(name)
        for variable, value in service.get("environment", {}).items():
            if any(word in variable for word in ("PASSWORD", "SECRET", "TOKEN", "KEY")):
                assert str(value).startswith("/run/secrets/"), f"{name}: {variable}"

    assert holders["venue_key"] == holders["venue_secret"] == {"account"}
    assert holders["ray_token"] == set(RAY_NODES)
    assert set(holders) == set(document["secrets"])
    assert all(set(one) == {"file"} for one in document["secrets"].values())
    settings = placed()
    assert str(settings.venue.api_key_file) == "/run/secrets/venue_key"
    assert str(settings.venue.api_secret_file) == "/run/secrets/venue_secret"


def test_the_nodes_offer_what_the_example_asks_for_and_join_where_it_says() -> None:
    services, settings = compose()["services"], placed()
    offers = {name: json.loads(services[name]["environment"].get("GRIDMESH_RESOURCES", "{}")) for name in RAY_NODES}

    assert offers["head"] == {}, "no actor of ours is to live there"
    assert settings.runtime.account_place in offers["account"]
    assert {symbol.place for symbol in settings.symbols} <= offers["worker"].keys()
    assert {services[name]["environment"]["GRIDMESH_HEAD"] for name in RAY_NODES} == {settings.runtime.address}


def test_the_account_is_stopped_before_those_that_it_needs_and_has_the_time() -> None:
    account = compose()["services"]["account"]
    stop_s = int(account["environment"]["GRIDMESH_STOP_S"])

    assert {"head", "worker"} <= account["depends_on"].keys()
    assert int(account["stop_grace_period"].removesuffix("s")) > stop_s >= STOP_PATIENCE_S


def test_prometheus_looks_for_every_ray_node_where_it_shows_its_metrics() -> None:
    document = yaml.safe_load((DEPLOY / "prometheus-compose.yml").read_text())
    (job,) = document["scrape_configs"]
    (names,) = job["dns_sd_configs"]

    assert set(names["names"]) == set(RAY_NODES)
    assert f"GRIDMESH_METRICS_PORT:-{names['port']}" in NODE.read_text()


def test_what_compose_mounts_is_there() -> None:
    for name, service in compose()["services"].items():
        for volume in service.get("volumes", ()):
            if isinstance(volume, str) and volume.startswith("./"):
                assert (DEPLOY / volume.split(":")[0]).exists(), f"{name}: {volume}"


def test_ray_accepts_the_file_of_ray_up() -> None:
    # in a process of its own: Ray reads its environment at the first import, which tests of commands set up themselves
    program = (
        "import sys, yaml; from ray.autoscaler._private.util import prepare_config, validate_config; "
        "validate_config(prepare_config(yaml.safe_load(sys.stdin)))"
    )
    text = (DEPLOY / "ray-cluster.yaml").read_text()

    def verdict(given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program], input=given, capture_output=True, text=True, timeout=280, check=False
        )

    assert verdict(text).returncode == 0, verdict(text).stderr
    assert "was unexpected" in verdict(text.replace("head_run_options", "head_options")).stderr


def test_no_file_ends_everybody_s_ray() -> None:
    commands = [line for file in (NODE, COMPOSE, DEPLOY / "kuberay.yaml") for line in file.read_text().splitlines()]
    document = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text())
    commands += [*document["head_start_ray_commands"], *document["worker_start_ray_commands"]]

    assert [line for line in commands if re.search(r"\bray stop\b", line)] == []


def test_health_settings_are_the_same_everywhere() -> None:
    def values(text: str) -> dict[str, str]:
        return dict(re.findall(rf"({HEALTH.pattern})[^0-9\n]*?([0-9]+)", text))

    ours = values(NODE.read_text())
    assert len(ours) == 4
    assert values((DEPLOY / "ray-cluster.yaml").read_text()) == ours
    assert values((DEPLOY / "kuberay.yaml").read_text()) == ours


def commands_in(text: str) -> list[list[str]]:
    """Return each `gridmesh ...` of a text, as words."""
    found = re.findall(r"(?:^|[\s`(\[])gridmesh ((?:--?|[a-z$\"])[^`|;&)\n]*)", text)
    return [[word.strip("\"'],") for word in words.removesuffix("-->").split(">")[0].split()] for words in found]


NAMES = re.compile(r"(?:-[un]|exec|raycluster|start|stop|restart|reset-failed|--now) gridmesh\b")
"""Where `gridmesh` is the name of a user, namespace, container, cluster or unit."""
FILES = (
    "node.sh",
    "compose.yaml",
    "kuberay.yaml",
    "ray-cluster.yaml",
    "gridmesh.service",
    "RUNBOOK.md",
    "../README.md",
)


@pytest.mark.parametrize("name", FILES)
def test_every_command_that_a_file_runs_exists(name: str) -> None:
    group: Any = typer.main.get_command(app)
    text = re.sub(r"<!--|-->", "", (DEPLOY / name).read_text())
    if not name.endswith(".md"):
        text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    text = text.replace("/opt/gridmesh/.venv/bin/gridmesh", " gridmesh").replace("ExecStart=", "")
    text = NAMES.sub("", text)
    for words in commands_in(text):
        if words[0] in ("--help", "$@") or words[0] not in group.commands:
            assert words[0] in ("--help", "$@"), f"{name}: gridmesh {' '.join(words)}"
            continue
        command = group.commands[words[0]]
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert [word for word in words[1:] if word.startswith("--") and word not in options] == [], f"{name}: {words}"


def test_the_words_of_node_sh_that_files_use_are_its_own() -> None:
    verbs = set(re.findall(r"^    ([a-z]+)\)", NODE.read_text(), re.MULTILINE))
    used = {service["command"][0] for name, service in compose()["services"].items() if name in RAY_NODES}
    used |= set(re.findall(r"node\.sh, (\w+)", (DEPLOY / "kuberay.yaml").read_text()))

    assert used == {"head", "worker", "account", "launch", "withdraw"}
    assert used <= verbs


def test_node_sh_is_a_program_and_passes_other_words_on(tmp_path: Path) -> None:
    (tmp_path / "gridmesh").write_text('#!/bin/sh\necho "gridmesh $*"\n')
    (tmp_path / "gridmesh").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"

    assert os.access(NODE, os.X_OK)
    assert run(str(NODE), "status", "--json", PATH=path).stdout == "gridmesh status --json\n"
    assert run(str(NODE), PATH=path).stdout == "gridmesh --help\n"
    assert run(str(NODE), "account", PATH=path).returncode == 1


@pytest.mark.parametrize(("said", "ends"), [(0, 0), (3, 0), (1, 1), (5, 5)])
def test_withdraw_says_so_where_nothing_was_verified(tmp_path: Path, said: int, ends: int) -> None:
    (tmp_path / "gridmesh").write_text(f'#!/bin/sh\necho "gridmesh $*"\nexit {said}\n')
    (tmp_path / "gridmesh").chmod(0o755)
    config = tmp_path / "live.yaml"
    config.write_text("# deployment: no\ndeployment: live-2  # ours\n")
    ended = run(str(NODE), "withdraw", str(config), PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert ended.returncode == ends
    assert ended.stdout == "gridmesh stop --deployment live-2 --timeout 150 --json\n"
    assert ("gridmesh panic" in ended.stderr) == (ends != 0)
