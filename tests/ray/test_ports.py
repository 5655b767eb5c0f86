"""Which ports a local run opens, and to whom: ours and the dashboard to this machine alone, Ray's own to everybody."""

from __future__ import annotations

import ipaddress
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live_control import VenueControl, still_venue
from tests.ports import free_ports
from tests.processes import words_of
from tests.ray.gridmesh_shell import ROOT, Launched, Shell

ETH: dict[str, Any] = {
    "symbol": "ETHUSDT",
    "interval": 2,
    "anchor": 3000,
    "amount": 60,
    "buy_window": 3,
    "max_lots": 10,
    "leverage": 5,
    "min_rest_s": "0.5",
}
SECTIONS: dict[str, dict[str, Any]] = {
    "account": {"max_notional": 2000, "daily_loss": 500},
    "risk": {"enabled": False, "required_positions": 10},
    "runtime": {"slots_per_actor": 8, "reconcile_s": 2, "dashboard": True},
}
OPEN_TO_ALL = {
    *("gcs_server", "raylet", "dashboard", "ray::DashboardAgent", "ray::RuntimeEnvAgent", "worker", "run"),
}
"""Ray listens beyond loopback in these: deploy/firewall.nft closes them. One more, or one less, has to be seen."""
FIXED_PORTS = {"AUTOSCALER_METRIC_PORT": 44217, "DASHBOARD_METRIC_PORT": 44227}
"""Where Ray takes one and the same port for each cluster unless told another: who comes second has none. A local run
starts no autoscaler; `ray start` does, and the firewall closes its port too."""
CLOSED = range(44_200, 44_400)
"""Some that the firewall closes too."""
LOOPBACK = {"dashboard", "ray::DashboardAgent"}
"""Ray's page and the agent's own interface; the open ports of these two are metrics and internal."""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueControl]:
    with still_venue() as started:
        yield started


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory, venue: VenueControl) -> Iterator[Launched]:
    shell = Shell(tmp_path_factory.mktemp("ports") / "home")
    # Another Ray of this machine may hold the ports that are Ray's own choice.
    shell.environment.update(zip(FIXED_PORTS, map(str, free_ports(len(FIXED_PORTS), CLOSED)), strict=True))
    with shell.running(shell.write_config(venue, [ETH], **SECTIONS)) as started:
        started.until(lambda: len(venue.own_orders("ETHUSDT", is_open=True)) == 3, "it quotes")
        yield started


def role(process: psutil.Process) -> str:
    """Return what a process of the run is, from its command line."""
    words = words_of(process)
    if words.startswith("ray::"):
        agents = [one for one in ("ray::DashboardAgent", "ray::RuntimeEnvAgent") if words.startswith(one)]
        return agents[0] if agents else "worker"
    known = {
        "gcs/gcs_server": "gcs_server",
        "raylet/raylet": "raylet",
        "runtime_env/agent": "ray::RuntimeEnvAgent",
        "dashboard/agent": "ray::DashboardAgent",
        "dashboard/dashboard": "dashboard",
        "autoscaler/_private/monitor": "monitor",
        "actors.cli": "run",
    }
    return next((name for words_of, name in known.items() if words_of in words), words[:60])


def listening(launched: Launched) -> list[tuple[str, str, int]]:
    """Return role, address and port of every listening TCP socket of the run."""
    return [(who, address, port) for who, _, address, port in listening_by_process(launched)]


def listening_by_process(launched: Launched) -> list[tuple[str, int, str, int]]:
    """Return role, process id, address and port of every listening TCP socket of the run."""
    main = psutil.Process(launched._process.pid)
    found = []
    for process in (main, *main.children(recursive=True)):
        try:
            sockets = process.net_connections(kind="tcp")
            found += [
                (role(process), process.pid, one.laddr.ip, one.laddr.port)
                for one in sockets
                if one.status == psutil.CONN_LISTEN and words_of(process)
            ]
        except psutil.NoSuchProcess:
            continue
    return found


def closed_by_firewall() -> list[range]:
    """Return the ports that the firewall's rules close."""
    rules = (ROOT / "deploy" / "firewall.nft").read_text()
    listed = re.search(r"set ray_ports \{.*?elements = \{([^}]*)\}", rules, re.DOTALL)
    assert listed is not None
    bounds = [part.strip().split("-") for part in listed.group(1).split(",")]
    return [range(int(one[0]), int(one[-1]) + 1) for one in bounds]


def listeners(launched: Launched) -> tuple[set[str], set[str]]:
    """Return who listens beyond loopback, and who on it."""
    found = [(who, ipaddress.ip_address(address)) for who, address, _ in listening(launched)]
    return {who for who, ip in found if not ip.is_loopback}, {who for who, ip in found if ip.is_loopback}


def test_only_ray_s_own_processes_listen_beyond_loopback(launched: Launched) -> None:
    deadline = time.monotonic() + 120
    while True:
        beyond, within = listeners(launched)
        if (beyond == OPEN_TO_ALL and {"dashboard"} <= within <= LOOPBACK) or time.monotonic() > deadline:
            break
        time.sleep(1)  # Ray's agents come up one by one, and a worker has its name a moment after its port

    assert beyond == OPEN_TO_ALL, sorted(listening(launched))
    assert {"dashboard"} <= within <= LOOPBACK, sorted(listening(launched))


@pytest.mark.long
def test_a_process_of_ours_opens_no_port_beside_the_one_that_ray_gives_it(launched: Launched) -> None:
    """Each worker and `run` itself have one, for Ray's calls: a second one would be ours, whoever may reach it."""
    ports: dict[int, set[int]] = {}
    for who, pid, _, port in listening_by_process(launched):
        if who in ("worker", "run"):
            ports.setdefault(pid, set()).add(port)

    assert len(ports) > 3
    assert {pid: own for pid, own in ports.items() if len(own) > 1} == {}, sorted(listening_by_process(launched))


def test_the_firewall_closes_every_port_that_is_open_to_others(launched: Launched) -> None:
    open_ports = {port for _, address, port in listening(launched) if not ipaddress.ip_address(address).is_loopback}
    ranges = closed_by_firewall()

    assert open_ports
    to_close = sorted({*open_ports, *FIXED_PORTS.values()})
    assert [port for port in to_close if not any(port in one for one in ranges)] == []


def kept_in(folder: Path) -> dict[Path, os.stat_result]:
    """Return what lies in a folder, links and folders apart; what goes away meanwhile is not there."""
    found: dict[Path, os.stat_result] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                found[Path(place, name)] = Path(place, name).lstat()
    return {path: one for path, one in found.items() if not stat.S_ISLNK(one.st_mode)}


def test_no_other_user_of_this_machine_gets_at_what_ray_keeps(launched: Launched) -> None:
    (session,) = {
        Path(found.group(1))
        for child in psutil.Process(launched._process.pid).children(recursive=True)
        for found in re.finditer(r"--session[-_]dir=(\S+)", words_of(child))
    }
    kept = kept_in(session)

    assert stat.S_IMODE(session.parent.parent.stat().st_mode) == 0o700
    assert any(stat.S_ISSOCK(one.st_mode) for one in kept.values())
    files = {path: one for path, one in kept.items() if stat.S_ISREG(one.st_mode)}
    assert any(one.st_size for one in files.values())
    assert [str(path) for path, one in files.items() if one.st_mode & 0o077] == []
