"""deploy/node.sh for real: head, a node for symbols and the account's node; a SIGTERM withdraws the orders first."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

from tests.live_control import VenueControl, still_venue
from tests.ports import free_ports
from tests.ray.gridmesh_shell import ROOT, Shell
from tests.ray.own_ray import end_family

NODE = ROOT / "deploy" / "node.sh"
PATIENCE_S = 240.0
SYMBOL: dict[str, Any] = {
    "symbol": "ETHUSDT",
    "interval": 2,
    "anchor": 3000,
    "amount": 60,
    "buy_window": 3,
    "max_lots": 10,
    "leverage": 5,
    "place": "gridmesh_symbols",
}
SECTIONS: dict[str, dict[str, Any]] = {
    "account": {"max_notional": 2000, "daily_loss": 500},
    "risk": {"enabled": False, "required_positions": 10},
}
ASK = """
import json, sys, ray
ray.init(address=sys.argv[1], namespace="trial", log_to_driver=False)
offers = {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}
from ray._private.state import actors
living = [one for one in actors().values() if one["State"] == "ALIVE"]
places = {one["Name"]: sorted(offers[one["Address"]["NodeID"]].keys() & set(sys.argv[2:])) for one in living}
print(json.dumps(places))
"""

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


class Nodes:
    """The nodes of one cluster on loopback, each a process group of its own."""

    def __init__(self, shell: Shell, stack: ExitStack) -> None:
        (self.port,) = free_ports(1)
        self.address = f"127.0.0.1:{self.port}"
        self.folder = Path(tempfile.mkdtemp(prefix="gmnode", dir="/tmp"))
        self._stack = stack
        self._shell = shell
        token = shell.home / "token"
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(32))
        programs = Path(sys.executable).parent
        self.environment = {
            **shell.environment,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "GRIDMESH_HEAD": self.address,
            "GRIDMESH_NODE_ADDRESS": "127.0.0.1",
            "GRIDMESH_RAY_FOLDER": str(self.folder),
            "GRIDMESH_DASHBOARD": "false",
            "RAY_AUTH_TOKEN_PATH": str(token),
        }
        shell.environment["RAY_AUTH_TOKEN_PATH"] = str(token)

    def start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        (metrics_port,) = free_ports(1)
        own = {**self.environment, "GRIDMESH_METRICS_PORT": str(metrics_port), **environment}
        out = self._stack.enter_context((self.folder / f"{words[0]}.out").open("wb"))
        started = subprocess.Popen(
            [str(NODE), *words], env=own, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
        self._stack.callback(end_family, started)
        return started

    def words(self) -> str:
        said = "\n".join(f"{file.name}: {file.read_text()[-1000:]}" for file in self.folder.glob("*.out"))
        return f"{said}\n{self._shell.run('status').out}"

    def said_by(self, role: str) -> str:
        return (self.folder / f"{role}.out").read_text()

    def places(self) -> dict[str, list[str]]:
        """Return, by actor, the resources that its node offers."""
        command = [sys.executable, "-c", ASK, self.address, "gridmesh_symbols", "gridmesh_account"]
        own = {**self.environment, "RAY_AUTH_MODE": "token"}
        ended = subprocess.run(command, env=own, capture_output=True, timeout=PATIENCE_S, check=False)
        assert ended.returncode == 0, ended.stderr.decode()[-2000:]
        found: dict[str, list[str]] = orjson.loads(ended.stdout.splitlines()[-1])
        return found

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"it is not so that {what}\n{self.words()}"
            time.sleep(0.5)


@contextmanager
def cluster(shell: Shell) -> Iterator[Nodes]:
    shell.home.mkdir(mode=0o700)
    with ExitStack() as stack:
        yield Nodes(shell, stack)


def resting(venue: VenueControl) -> int:
    return len(venue.own_orders("ETHUSDT", is_open=True))


def test_the_account_s_node_launches_and_a_sigterm_withdraws_before_it_ends(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    with still_venue() as venue, cluster(shell) as nodes:
        runtime = {"address": nodes.address, "slots_per_actor": 8, "account_place": "gridmesh_account"}
        config = shell.write_config(venue, [SYMBOL], runtime=runtime, **SECTIONS)
        (client_port,) = free_ports(1)
        nodes.start("head", f"--ray-client-server-port={client_port}", "--num-cpus=1")
        nodes.start("worker", "--num-cpus=1", GRIDMESH_RESOURCES='{"gridmesh_symbols": 1}')
        # one after the other: nodes of one address that start at once get into each other's way
        nodes.until(lambda: "Ray runtime started" in nodes.said_by("worker"), "the worker is up")
        account = nodes.start("account", str(config), "--num-cpus=1", GRIDMESH_RESOURCES='{"gridmesh_account": 1}')
        nodes.until(lambda: resting(venue) == 3 or account.poll() is not None, "the deployment quotes")
        assert account.poll() is None, nodes.words()

        places = nodes.places()
        assert {name: place for name, place in places.items() if name.startswith(("slot/", "feed/"))} == {
            "slot/ETHUSDT/00": ["gridmesh_symbols"],
            "feed/ETHUSDT": ["gridmesh_symbols"],
        }
        assert places["gateway/binanceusdm/main"] == places["coordinator"] == ["gridmesh_account"]
        joined = subprocess.run(
            [str(NODE), "launch", str(config)],
            env=nodes.environment,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert joined.returncode == 0, joined.stderr.decode()
        assert b'"attached":true' in joined.stdout.replace(b" ", b"")

        account.send_signal(signal.SIGTERM)
        assert account.wait(PATIENCE_S) == 0, nodes.words()
        assert resting(venue) == 0
        assert '"done":true' in (nodes.folder / "account.out").read_text().replace(" ", "")
        nodes.until(
            lambda: not [one for one in psutil.pids() if _session(one) == account.pid], "its Ray node is gone too"
        )


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def test_a_configuration_that_is_refused_ends_the_node_with_its_code(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    with still_venue() as venue, cluster(shell) as nodes:
        config = shell.write_config(venue, [SYMBOL], runtime={"address": nodes.address}, **SECTIONS)
        config.write_text(config.read_text().replace("max_notional", "max_notion"))
        (client_port,) = free_ports(1)
        nodes.start("head", f"--ray-client-server-port={client_port}", "--num-cpus=1")
        account = nodes.start("account", str(config), "--num-cpus=1")

        assert account.wait(PATIENCE_S) == 4, nodes.words()
