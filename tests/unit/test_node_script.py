"""deploy/node.sh: in which order a node starts and ends, with stand-ins for `ray` and `gridmesh` that write down what
they are told. The real ones run in tests/ray/test_node_script.py."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.ports import free_port

NODE = Path(__file__).resolve().parents[2] / "deploy" / "node.sh"
PATIENCE_S = 180.0
RAY = """#!/bin/bash
echo "ray $*" >> "$LOG"
trap 'echo "ray ends" >> "$LOG"; exit 0' TERM
while true; do sleep 0.1; done
"""
GRIDMESH = """#!/bin/bash
echo "gridmesh $1" >> "$LOG"
[[ $1 != stop ]] || sleep "${STOP_TAKES_S:-0}"
name="CODE_$1"
count=$(grep -c "^gridmesh $1" "$LOG")
if [[ $1 == run && $count -le ${RUN_FAILS:-0} ]]; then exit 5; fi
exit "${!name:-0}"
"""


class Bench:
    """A folder with the two stand-ins, a configuration, and a listener where the head should be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log_file = folder / "log"
        self.log_file.touch()
        for name, text in (("ray", RAY), ("gridmesh", GRIDMESH)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self.config = folder / "live.yaml"
        self.config.write_text("deployment: live\n")
        self.port = free_port()  # the head comes and goes
        self.head = socket.create_server(("127.0.0.1", self.port))
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        own = {
            **os.environ,
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "LOG": str(self.log_file),
            "GRIDMESH_HEAD": f"127.0.0.1:{self.port}",
            **environment,
        }
        with (self.folder / "said").open("ab") as said:
            started = subprocess.Popen(
                [str(NODE), *words], env=own, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
        self._started.append(started)
        return started

    def log(self) -> list[str]:
        return [" ".join(line.split()[:2]) for line in self.log_file.read_text().splitlines()]

    def said(self) -> str:
        return (self.folder / "said").read_text()

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"it is not so that {what}: {self.log()} {self.said()}"
            time.sleep(0.05)

    def is_empty(self, started: subprocess.Popen[bytes]) -> bool:
        """Whether nothing of it runs any more."""
        try:
            os.killpg(started.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def end(self) -> None:
        self.head.close()
        for one in self._started:
            try:
                os.killpg(one.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            one.wait()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.end()


def test_orders_are_withdrawn_before_the_node_ends(bench: Bench) -> None:
    account = bench.start("account", str(bench.config), STOP_TAKES_S="1")
    bench.until(lambda: sorted(bench.log()) == ["gridmesh run", "ray start"], "the deployment is launched")
    account.send_signal(signal.SIGTERM)

    assert account.wait(PATIENCE_S) == 0
    assert bench.log()[2:] == ["gridmesh stop", "ray ends"]


def test_a_signal_that_comes_while_it_launches_is_not_lost(bench: Bench) -> None:
    account = bench.start("account", str(bench.config), RUN_FAILS="1000", CODE_stop="3")
    bench.until(lambda: bench.log().count("gridmesh run") >= 2, "it tries")
    account.send_signal(signal.SIGTERM)

    assert account.wait(PATIENCE_S) == 0, "there was nothing to withdraw"
    assert bench.log()[-2:] == ["gridmesh stop", "ray ends"]


def test_a_stop_that_is_not_verified_is_said_and_is_a_failure(bench: Bench) -> None:
    account = bench.start("account", str(bench.config), CODE_stop="1")
    bench.until(lambda: sorted(bench.log()) == ["gridmesh run", "ray start"], "the deployment is launched")
    account.send_signal(signal.SIGTERM)

    assert account.wait(PATIENCE_S) == 1
    assert "NOT verified (1): gridmesh panic" in bench.said()
    assert bench.log()[-2:] == ["gridmesh stop", "ray ends"]


@pytest.mark.parametrize("code", [4, 7])
def test_a_refusal_is_not_tried_again_and_ends_the_node(bench: Bench, code: int) -> None:
    account = bench.start("account", str(bench.config), CODE_run=str(code))

    assert account.wait(PATIENCE_S) == code
    assert bench.log().count("gridmesh run") == 1
    bench.until(lambda: bench.is_empty(account), "its Ray node has ended too")
    assert "gridmesh stop" not in bench.log(), "nothing was launched"


def test_a_launch_that_finds_no_node_yet_is_tried_again(bench: Bench) -> None:
    account = bench.start("account", str(bench.config), RUN_FAILS="2")
    bench.until(lambda: bench.log().count("gridmesh run") == 3, "it is tried until it works")

    account.send_signal(signal.SIGTERM)
    assert account.wait(PATIENCE_S) == 0


def test_a_node_of_ray_that_dies_ends_the_container(bench: Bench) -> None:
    account = bench.start("account", str(bench.config))
    bench.until(lambda: sorted(bench.log()) == ["gridmesh run", "ray start"], "it runs")
    [ray] = [one for one in psutil.Process(account.pid).children() if one.name() == "ray"]
    ray.kill()

    assert account.wait(PATIENCE_S) != 0, "so that whoever started it starts it again"


def test_nobody_starts_before_the_head_answers(bench: Bench) -> None:
    bench.head.close()
    worker = bench.start("worker", "--num-cpus=1", GRIDMESH_RESOURCES='{"gridmesh_symbols": 1}')
    time.sleep(1.5)
    assert bench.log() == []
    bench.head = socket.create_server(("127.0.0.1", bench.port))
    bench.until(lambda: bench.log() == ["ray start"], "it starts")

    told = bench.log_file.read_text()
    assert f"--address=127.0.0.1:{bench.port}" in told
    assert '--resources={"gridmesh_symbols": 1} --num-cpus=1' in told
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0


def test_a_head_that_never_answers_is_given_up(bench: Bench) -> None:
    bench.head.close()
    worker = bench.start("worker", GRIDMESH_START_S="2")

    assert worker.wait(PATIENCE_S) == 1
    assert "no Ray head answers" in bench.said()


def test_the_head_reads_the_password_of_redis_from_its_file(bench: Bench) -> None:
    secret = bench.folder / "redis_password"
    secret.write_text("abc\n")
    bench.start("head", REDIS_PASSWORD_FILE=str(secret))
    bench.until(bench.log, "it starts")

    told = bench.log_file.read_text()
    assert "--head" in told
    assert "--redis-password=abc " in told
    assert "abc" not in bench.said()
