"""A deployment on a Ray cluster of several hosts: real `deploy/node.sh` nodes, leases and GCS state in Redis, the
journal in PostgreSQL, and a simulated venue that every host reaches."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from actors.settings.account import Settings
from actors.trials.sim_process import SimProcess
from grid.records import Record
from tests.ray.gridmesh_shell import COMMAND_S, patiently
from tests.ray.hosts import CLUSTER, HUB, VENUE, Host, Hosts, own_hosts
from tests.ray.real_run import DEPLOYMENT, ROOT, RealRun
from tests.store_servers import PASSWORD, postgres_server, redis_server

NODE = ROOT / "deploy" / "node.sh"
PORT = 6379
PATIENCE_S = 180.0
GATEWAY, FEED, COORDINATOR = "gateway/binanceusdm/main", "feed/ETHUSDT", "coordinator"
ACCOUNT, SYMBOLS = "gridmesh_account", "gridmesh_symbols"
LEASE_S, SKEW_S, RECV_WINDOW_S = 15, 2, 1
SILENT_AFTER_S = LEASE_S - SKEW_S - RECV_WINDOW_S
"""The longest that a holder sends after its last renewal was asked for."""


class ClusterRun(RealRun):
    """See the module. `eye` is the host from which the test looks at the actors."""

    def __init__(self, hosts: Hosts, stores: Mapping[str, str], venue: SimProcess, **over: Mapping[str, Any]) -> None:
        self.hosts = hosts
        self.home = hosts.home
        self.venue_process = venue
        self._stores = stores
        self.process = None
        self._probe = None
        self._family = []
        self.token = hosts.folder / "token"
        self.token.touch(mode=0o600)
        self.token.write_text(secrets.token_hex(32))
        self.redis_password = hosts.folder / "redis_password"
        self.redis_password.touch(mode=0o600)
        self.redis_password.write_text(PASSWORD)
        self.head = hosts.add("head")
        self.eye = self.head
        self.address = f"{self.head.address}:{PORT}"
        port = self.venue_process.rest_url.rpartition(":")[2]
        document = self._document(
            {
                # another machine's address counts as real money
                "venue": {
                    "rest_url": f"http://{HUB[VENUE]}:{port}",
                    "ws_url": f"ws://{HUB[VENUE]}:{port}",
                    "live": True,
                },
                "ownership": {"store_env": "GRIDMESH_LEASE_URL", "lease_s": LEASE_S, "skew_s": SKEW_S},
                "journal": {"url_env": "GRIDMESH_JOURNAL_URL"},
                "runtime": {"address": self.address, "account_place": ACCOUNT},
                "symbol": {"place": SYMBOLS},
            }
        )
        for section, keys in over.items():
            document[section].update(keys)
        self.config = hosts.folder / "cluster.yaml"
        self.config.write_text(yaml.safe_dump(document))

    @property
    def settings(self) -> Settings:
        return super().settings.for_live()

    def records(self) -> list[Record]:
        """Return what the journal has so far; nothing where it is a file, which its host alone sees."""
        return [] if self.settings.is_journal_file else super().records()

    def start_head(self, **resources: float) -> None:
        """Start the head, or start it again: what it knew lies in Redis."""
        more = {"RAY_REDIS_ADDRESS": self._stores["redis"], "REDIS_PASSWORD_FILE": str(self.redis_password)}
        self.hosts.start(self.head, self._node(self.head, resources) | more, str(NODE), "head", "--num-cpus=1")

    def start_worker(self, host: Host, **resources: float) -> None:
        """Start a node for symbols, which has no keys."""
        self.hosts.start(host, self._node(host, resources), str(NODE), "worker", "--num-cpus=1")

    def start_account(self, host: Host, **resources: float) -> None:
        """Start a node with keys; it launches the deployment, or joins the one that runs."""
        own = self._node(host, {ACCOUNT: 1, **resources}) | self._secrets() | {"GRIDMESH_LIVE": "yes"}
        self.hosts.start(host, own, str(NODE), "account", str(self.config), "--num-cpus=1")

    def places(self) -> dict[str, str]:
        """Return the address of the host on which each actor lives."""
        return dict(self.ask("places", "") or {})

    def joins(self, host: Host) -> None:
        """Wait until an account's host has found the deployment running."""
        self.until(lambda: '"attached":true' in host.said(), f"{host.name} joins")

    def look_from(self, host: Host) -> None:
        """Look from there from now on."""
        self._end_probe()
        self.eye = host

    def until(self, condition: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{timeout_s} s are over and it is not so that {what}\n{self.words()}")
            time.sleep(0.25)

    def words(self) -> str:
        """Return what there is to know when something is not as it should be."""
        told, gateway = self.picture(COORDINATOR), self.picture(GATEWAY)
        chosen = {key: told.get(key) for key in ("state", "waiting_for", "refusals", "troubles")}
        ladders = {
            name: {key: seen[key] for key in ("price", "lots", "entries", "exits", "counts")}
            for name, seen in gateway.get("symbols", {}).items()
        }
        more = {key: gateway.get(key) for key in ("state", "waiting_for", "holds", "owner_epoch", "ownership")}
        return "\n".join(
            [
                *(f"{one.name}: {one.said()[-1500:]}" for one in self.hosts),
                f"{chosen}",
                f"{more}",
                f"{ladders}",
                f"{self.places()}",
            ]
        )

    def command(self, *words: str, timeout_s: float = COMMAND_S) -> tuple[int, Any]:
        """Run a verb with --json on the host from which the test looks; it has to have the run file."""
        verb = self.eye.within(sys.executable, "-m", "actors.cli", *map(str, patiently(words)), "--json")
        own = self._node(self.eye, {}) | self._secrets()
        ended = subprocess.run(verb, capture_output=True, cwd=ROOT, env=own, timeout=timeout_s, check=False)
        return ended.returncode, json.loads(ended.stdout.splitlines()[-1]) if ended.stdout else ended.stderr.decode()

    def trades(self) -> bool:
        """Whether it is ready, free of holds and quoting, by what the gateway of the present owner says."""
        seen = self.picture(GATEWAY)
        own = [identity for _, identity in self.venue.own_orders(is_open=True) if not identity.purpose.closing]
        return bool(seen.get("is_ready") and not seen.get("holds") and own)

    def end(self) -> None:
        self._end_probe()

    def _start_probe(self) -> subprocess.Popen[str]:
        probe = self.eye.within(sys.executable, "-m", "tests.ray.actor_probe", DEPLOYMENT, self.address)
        return subprocess.Popen(
            probe,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=self._node(self.eye, {}),
        )

    def _environment(self) -> dict[str, str]:
        return self._node(self.head, {}) | self._secrets()

    def _node(self, host: Host, resources: Mapping[str, float]) -> dict[str, str]:
        left_out = ("RAY_", "GRIDMESH", "PYTHON")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(left_out) and "proxy" not in k.lower()}
        return {
            **inherited,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "GRIDMESH_HOME": str(self.hosts.home),
            "GRIDMESH_HEAD": self.address,
            "GRIDMESH_NODE_ADDRESS": host.address,
            "GRIDMESH_RAY_FOLDER": str(self.hosts.ray),
            "GRIDMESH_DASHBOARD": "false",
            "GRIDMESH_RESOURCES": json.dumps(resources),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self.token),
        }

    def _secrets(self) -> dict[str, str]:
        key, secret = self.venue_process.keys
        return {
            "GRIDMESH_DEMO_KEY": key,
            "GRIDMESH_DEMO_SECRET": secret,
            "GRIDMESH_LEASE_URL": self._stores["lease"],
            "GRIDMESH_JOURNAL_URL": self._stores["journal"],
        }


@contextmanager
def cluster_run(*, journal_by: str = CLUSTER, **over: Mapping[str, Any]) -> Iterator[ClusterRun]:
    """A cluster to be: stores and venue run, every host is off. `journal_by`: on which network its database is."""
    with ExitStack() as stack:
        hosts = stack.enter_context(own_hosts())
        redis = stack.enter_context(redis_server(HUB[CLUSTER]))
        journal = stack.enter_context(postgres_server(HUB[journal_by]))
        # On every address of the hub: hosts reach it by the hub's, its control takes none but loopback.
        words = ("--duration", "3600", "--lead", "1800", "--keep-playing", "--seed", "5", "--host", "0.0.0.0")
        venue = SimProcess([*words], hosts.folder / "venue.log")
        stack.callback(venue.stop)
        stores = {"redis": f"{HUB[CLUSTER]}:{redis.port}", "lease": redis.url, "journal": journal}
        run = ClusterRun(hosts, stores, venue, **over)
        stack.callback(run.end)
        yield run
