"""The run file: private, whole, trusted only if it is ours, and honest about a run that has died."""

from __future__ import annotations

import dataclasses
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors import run_file
from actors.errors import NotFound, NotRunning
from actors.run_file import RunFile
from tests.ports import free_port


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"GRIDMESH_HOME": str(tmp_path / "home")}


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def a_run(port: int, deployment: str = "trial", **changes: object) -> RunFile:
    run = RunFile(
        deployment=deployment,
        address=f"127.0.0.1:{port}",
        namespace=deployment,
        pid=os.getpid(),
        pid_started_ms=run_file.process_started_ms(os.getpid()),
        started_ms=1,
        token_path="/nowhere/token",
        configuration_hash="0" * 16,
        version="0.1.0",
    )
    return dataclasses.replace(run, **changes)  # type: ignore[arg-type]


def test_what_is_written_is_read_and_only_its_owner_may(home: dict[str, str], port: int) -> None:
    run = a_run(port)

    path = run_file.write(run, home)

    assert run_file.read("trial", home) == run
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["trial.json"]


def test_a_living_run_is_found_by_name_and_as_the_only_one(home: dict[str, str], port: int) -> None:
    run = a_run(port)
    run_file.write(run, home)

    assert run_file.find("trial", home) == run
    assert run_file.find(None, home) == run


def test_of_several_living_runs_one_has_to_be_chosen(home: dict[str, str], port: int) -> None:
    for name in ("one", "two"):
        run_file.write(a_run(port, name), home)

    with pytest.raises(NotFound, match=r"one, two.*--deployment"):
        run_file.find(None, home)
    assert run_file.find("two", home).deployment == "two"


def test_a_dead_one_beside_a_living_one_is_no_choice(home: dict[str, str], port: int) -> None:
    run_file.write(a_run(port, "alive"), home)
    run_file.write(a_run(free_port(), "dead"), home)

    assert run_file.find(None, home).deployment == "alive"


def test_nothing_running_is_said(home: dict[str, str]) -> None:
    with pytest.raises(NotRunning, match="nothing is running"):
        run_file.find(None, home)
    with pytest.raises(NotRunning, match="trial is not running"):
        run_file.find("trial", home)


def test_a_process_that_ended_is_noticed(home: dict[str, str], port: int) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        run = a_run(port, pid=process.pid, pid_started_ms=run_file.process_started_ms(process.pid))
        run_file.write(run, home)
        assert run_file.find("trial", home) == run
        process.kill()

    with pytest.raises(NotRunning, match=f"process {run.pid} has ended"):
        run_file.find("trial", home)


def test_another_process_with_the_same_number_is_not_the_run(home: dict[str, str], port: int) -> None:
    run_file.write(a_run(port, pid_started_ms=1), home)

    with pytest.raises(NotRunning, match="has ended"):
        run_file.find("trial", home)


def test_on_a_cluster_the_launcher_may_end(home: dict[str, str], port: int) -> None:
    run = a_run(port, pid_started_ms=1, needs_launcher=False)
    run_file.write(run, home)

    assert run_file.find("trial", home) == run


def test_a_port_where_nobody_answers_is_noticed(home: dict[str, str]) -> None:
    run_file.write(a_run(free_port()), home)

    with pytest.raises(NotRunning, match="nothing answers at"):
        run_file.find("trial", home)


def test_a_port_that_accepts_nothing_is_not_waited_for(home: dict[str, str]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        begun = time.monotonic()

        answered = run_file.answers(f"127.0.0.1:{listener.getsockname()[1]}")

        assert not answered
        assert time.monotonic() - begun < 60  # a second, where the kernel alone would try for two minutes
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("address", ["", "auto", "127.0.0.1:", "127.0.0.1:99999", "nonsense:x"])
def test_an_address_that_is_none_answers_nothing(address: str) -> None:
    assert not run_file.answers(address)


@pytest.mark.parametrize("mode", [0o644, 0o620, 0o602])
def test_one_that_others_could_write_or_read_is_not_trusted(home: dict[str, str], port: int, mode: int) -> None:
    run_file.write(a_run(port), home).chmod(mode)

    with pytest.raises(NotRunning, match="not trusted"):
        run_file.read("trial", home)


@pytest.mark.parametrize("content", ["", "[]", "{", "{}", '{"deployment": 3}', '{"deployment": "a", "surprise": 1}'])
def test_a_damaged_one_is_said_with_the_remedy(home: dict[str, str], port: int, content: str) -> None:
    run_file.write(a_run(port), home).write_text(content)

    with pytest.raises(NotRunning, match=r"damaged .*remove it"):
        run_file.read("trial", home)


def test_a_run_removes_only_its_own_file(home: dict[str, str], port: int) -> None:
    older, newer = a_run(port), a_run(port, started_ms=2)
    path = run_file.write(newer, home)

    run_file.remove(older, home)
    assert path.exists()

    run_file.remove(newer, home)
    run_file.remove(newer, home)
    assert not path.exists()


def test_a_token_is_private_random_and_given_to_ray_by_its_path(home: dict[str, str]) -> None:
    first = run_file.make_token("trial", home)
    one = first.read_text()
    two = run_file.make_token("trial", home).read_text()

    assert one != two
    assert len(one) == 64
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert run_file.ray_environment(first) == {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(first)}


def test_it_is_too_late_for_the_environment_once_ray_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", object())

    with pytest.raises(AssertionError, match="set them first"):
        run_file.ray_environment("/t")
