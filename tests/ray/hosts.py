"""Hosts on one machine: network namespaces with addresses of their own on two networks, and processes that see only
their own host's processes, folders and name.

The test itself enters the `hub`, where both networks meet: what it starts there (stores, venue) every host can reach.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

CLUSTER, VENUE = "cluster", "venue"
NETWORKS = {CLUSTER: "10.213.1", VENUE: "10.213.2"}
HUB = {network: f"{prefix}.1" for network, prefix in NETWORKS.items()}
FIRST = 10
START_S = 120.0
CLONE_NEWNET = 0x40000000
SETTLE = (
    'set -e; hostname "$1"; mount --make-rprivate /; mount --bind "$2/home" "$3/home"; mount --bind "$2/ray" "$3/ray"; '
    'shift 3; exec "$@"'
)
ENTER = ("--net", "--pid", "--mount", "--uts")


@dataclass(slots=True)
class Host:
    """One host; it is off until something is started on it."""

    name: str
    number: int
    namespace: str
    folder: Path
    """What of the shared paths is its own: `home` and `ray`."""
    first: subprocess.Popen[bytes] | None = None
    lives: int = field(default=0)

    @property
    def address(self) -> str:
        """Return its address on the cluster's network."""
        return f"{NETWORKS[CLUSTER]}.{FIRST + self.number}"

    @property
    def is_on(self) -> bool:
        return self.first is not None and self.first.poll() is None

    def said(self) -> str:
        """Return what its first process has said in this life, without blanks."""
        return (self.folder / f"out.{self.lives}").read_text().replace(" ", "") if self.lives else ""

    def within(self, *command: str) -> list[str]:
        """Return the command as one that runs on this host."""
        return ["nsenter", "-t", str(self._first_pid()), *ENTER, "--", *command]

    def _first_pid(self) -> int:
        assert self.first is not None
        deadline = time.monotonic() + START_S
        while not (found := children(self.first.pid)):
            assert self.is_on, f"{self.name} is off: {self.said()}"
            assert time.monotonic() < deadline, f"{self.name} does not start"
            time.sleep(0.05)
        return found[0].pid


class Hosts:
    """The hosts of one test, and the switches between them."""

    def __init__(self, hub: str, folder: Path, stack: ExitStack) -> None:
        self._hub = hub
        self._stack = stack
        self.folder = folder
        self.home, self.ray = folder / "home", folder / "ray"
        self._hosts: dict[str, Host] = {}

    def add(self, name: str) -> Host:
        """Plug a host into both networks."""
        number = len(self._hosts)
        host = Host(name=name, number=number, namespace=f"{self._hub}{number}", folder=self.folder / name)
        for part in ("home", "ray"):
            (host.folder / part).mkdir(parents=True, mode=0o700)
        ip("netns", "add", host.namespace)
        self._stack.callback(ip, "netns", "del", host.namespace)
        ip("-n", host.namespace, "link", "set", "lo", "up")
        for network, prefix in NETWORKS.items():
            plug = f"{network}{number}"
            ip("-n", self._hub, "link", "add", plug, "type", "veth", "peer", "name", network, "netns", host.namespace)
            ip("-n", host.namespace, "addr", "add", f"{prefix}.{FIRST + number}/24", "dev", network)
            ip("-n", host.namespace, "link", "set", network, "up")
            ip("-n", self._hub, "link", "set", plug, "master", network, "up")
        self._stack.callback(self.power_off, host)
        self._hosts[name] = host
        return host

    def __iter__(self) -> Iterator[Host]:
        return iter(self._hosts.values())

    def start(self, host: Host, environment: Mapping[str, str], *command: str) -> None:
        """Switch a host on: the command is its first process, with whose end all of the host's processes end."""
        assert not host.is_on
        host.lives += 1
        isolated = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount", "--uts", "--", "bash"]
        settled = ["-c", SETTLE, "settle", host.name, str(host.folder), str(self.folder), *command]
        with (host.folder / f"out.{host.lives}").open("wb") as out:
            host.first = subprocess.Popen(
                ["ip", "netns", "exec", host.namespace, *isolated, *settled],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def cut(self, host: Host) -> None:
        """Part a host from the cluster's network, without a word to either side. The venue it still reaches."""
        ip("-n", self._hub, "link", "set", f"{CLUSTER}{host.number}", "nomaster")

    def join(self, host: Host) -> None:
        """Mend the cut."""
        ip("-n", self._hub, "link", "set", f"{CLUSTER}{host.number}", "master", CLUSTER)

    def lose(self, host: Host) -> None:
        """Switch a host off as a loss of power does: nobody hears a word of its end."""
        for network in NETWORKS:
            ip("-n", self._hub, "link", "set", f"{network}{host.number}", "nomaster")
        self.power_off(host)

    def plug(self, host: Host) -> None:
        """Connect a host that was lost, before it starts anew."""
        for network in NETWORKS:
            ip("-n", self._hub, "link", "set", f"{network}{host.number}", "master", network)

    def power_off(self, host: Host) -> None:
        """End every process of the host at once, by the id of its first one."""
        if host.first is None:
            return
        for one in children(host.first.pid):
            one.send_signal(signal.SIGKILL)
        host.first.wait(120)
        host.first = None


@contextmanager
def own_hosts() -> Iterator[Hosts]:
    """Hosts of this test alone. The calling thread is in the hub until the end; nothing is left then."""
    lacking = [name for name in ("ip", "unshare", "nsenter") if shutil.which(name) is None]
    if os.geteuid() != 0 or lacking:
        pytest.skip(f"network namespaces need root and {', '.join(lacking) or 'the right to make them'}")
    hub = f"gm{os.getpid()}"
    with ExitStack() as stack:
        made = subprocess.run(["ip", "netns", "add", hub], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            pytest.skip(f"no network namespace can be made here: {made.stderr.strip()}")
        stack.callback(ip, "netns", "del", hub)
        folder = Path(
            tempfile.mkdtemp(prefix="gm", dir="/tmp")
        )  # sockets lie in there, and their paths may not be long
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        hosts = Hosts(hub, folder, stack)
        for shared in (hosts.home, hosts.ray):
            shared.mkdir(mode=0o700)
        ip("-n", hub, "link", "set", "lo", "up")
        for network, address in HUB.items():
            ip("-n", hub, "link", "add", network, "type", "bridge")
            ip("-n", hub, "addr", "add", f"{address}/24", "dev", network)
            ip("-n", hub, "link", "set", network, "up")
        stack.enter_context(inside(hub))
        yield hosts


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Move this thread, and whatever it starts, into a network namespace."""
    former = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    chosen = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        _enter(chosen)
        yield
    finally:
        _enter(former)
        os.close(former)
        os.close(chosen)


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def ip(*words: str) -> None:
    """Run `ip`; raises with its words where it fails."""
    ended = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"ip {' '.join(words)}: {ended.stderr}"


def children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []
