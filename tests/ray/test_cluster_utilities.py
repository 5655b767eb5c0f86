"""Three nodes by Ray's cluster utilities: where each actor is, and that the death of a node moves what was on it."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.live_control import VenueControl, still_venue
from tests.ray.gridmesh_shell import ROOT, Shell
from tests.ray.own_ray import end_family

ACCOUNT, SYMBOLS = "gridmesh_account", "gridmesh_symbols"
GATEWAY, FEED, SLOT = "gateway/binanceusdm/main", "feed/ETHUSDT", "slot/ETHUSDT/00"
NODES: tuple[Mapping[str, int], ...] = ({ACCOUNT: 1}, {SYMBOLS: 1}, {SYMBOLS: 1})
HEAD, SECOND, THIRD = range(3)
PATIENCE_S = 240.0
LADDER: dict[str, Any] = {
    "symbol": "ETHUSDT",
    "interval": 2,
    "anchor": 3000,
    "amount": 60,
    "buy_window": 3,
    "max_lots": 10,
    "leverage": 5,
    "min_rest_s": "0.5",
    "place": SYMBOLS,
}
SECTIONS: dict[str, dict[str, Any]] = {
    "account": {"max_notional": 2000, "daily_loss": 500},
    "risk": {"enabled": False, "required_positions": 10},
}


class ThreeNodes:
    """The nodes, and what lives on each."""

    def __init__(self, shell: Shell, stack: ExitStack) -> None:
        folder = Path(tempfile.mkdtemp(prefix="gm3", dir="/tmp"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        token = folder / "token"
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(32))
        shell.environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "PYTHONPATH": str(ROOT)}
        shell.environment |= {"RAY_USAGE_STATS_ENABLED": "0", "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
        self._environment = shell.environment
        self._log = folder / "nodes.log"
        out = stack.enter_context(self._log.open("wb"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ray.three_nodes", str(folder), *map(json.dumps, NODES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
            cwd=ROOT,
            env=self._environment,
            start_new_session=True,
        )
        stack.enter_context(self._process)
        stack.callback(end_family, self._process)
        self.address: str = self._answer()

    def kill(self, number: int) -> None:
        """SIGKILL every process of a node."""
        self._ask(f"kill {number}")

    def places(self) -> dict[str, int]:
        """Return, by actor, the number of the node on which it lives."""
        found: dict[str, int] = self._ask("places")
        return found

    def _ask(self, words: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._log.read_text()
        return orjson.loads(line)


@contextmanager
def three_nodes(shell: Shell) -> Iterator[ThreeNodes]:
    with ExitStack() as stack:
        yield ThreeNodes(shell, stack)


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"it is not so that {what}"
        time.sleep(0.5)


def entries(venue: VenueControl) -> int:
    return sum(1 for _, identity in venue.own_orders("ETHUSDT", is_open=True) if not identity.purpose.closing)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_death_of_a_node_moves_feed_and_slots_and_trading_goes_on(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    with still_venue() as venue, three_nodes(shell) as nodes:
        runtime = {"address": nodes.address, "slots_per_actor": 8, "account_place": ACCOUNT, "reconcile_s": 2}
        config = shell.write_config(venue, [LADDER], runtime=runtime, **SECTIONS)
        launched = shell.run("run", config, "--json")
        assert launched.code == 0, launched.err
        until(lambda: entries(venue) == 3, "it quotes")

        before = nodes.places()
        assert before[GATEWAY] == before["coordinator"] == HEAD
        assert before[FEED] in (SECOND, THIRD)
        nodes.kill(before[FEED])
        spare = THIRD if before[FEED] == SECOND else SECOND
        until(lambda: nodes.places().get(FEED) == spare, "the feed has moved")
        venue.walk("ETHUSDT", "2997.50")
        until(lambda: entries(venue) == 3, "it quotes where the price is now")

        until(lambda: nodes.places().get(SLOT) in (HEAD, spare), "the slots live elsewhere")
        assert nodes.places() == {**before, FEED: spare, SLOT: nodes.places()[SLOT]}
        stopped = shell.run("stop", "--json")
        assert stopped.code == 0, stopped.err
        assert venue.own_orders(is_open=True) == []
