"""Scenario 15 with two real runs on one account: one writer by time bounds, and a paused one that wakes sends nothing.

The lease lies in a real Redis, the journal in a real PostgreSQL; the two runs share nothing else, as two hosts would.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from actors.trials.sim_process import SimProcess
from tests.crash_truth import true_lots
from tests.ray.real_run import RealRun
from tests.store_servers import PASSWORD, RedisServer, postgres_server, redis_server

GATEWAY = "gateway/binanceusdm/main"
LEASE_S = 20
ONE_BY_ONE_S = 240.0
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


class Contender(RealRun):
    """A deployment with a home of its own at a venue that others trade at too."""

    def __init__(self, home: Path, venue: SimProcess, urls: dict[str, str]) -> None:
        home.mkdir(mode=0o700)
        self.home = home
        self.venue_process = venue
        self._urls = urls
        ownership = {"store_env": "GRIDMESH_LEASE_URL", "lease_s": LEASE_S, "skew_s": 1}
        document = self._document({"ownership": ownership, "journal": {"url_env": "GRIDMESH_JOURNAL_URL"}})
        self.config = home / "crash.yaml"
        self.config.write_text(yaml.safe_dump(document))
        self.process = None
        self._probe = None
        self._family = []

    def start_as(self, *flags: str) -> None:
        """Start `gridmesh run` with flags."""
        self.flags = flags
        self.start()

    def gateway_pid(self) -> int:
        self.until(lambda: self.ask("process", GATEWAY) is not None, "the gateway answers")
        pid = self.ask("process", GATEWAY)
        assert isinstance(pid, int)
        return pid

    def trades(self) -> bool:
        """Whether it is ready, free of holds and quoting under its own epoch."""
        seen = self.picture(GATEWAY)
        own = [
            row for row, identity in self.venue.own_orders(is_open=True) if identity.owner_epoch == seen["owner_epoch"]
        ]
        return bool(seen.get("is_ready") and not seen.get("holds") and own)

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), **self._urls}

    def end(self) -> None:
        """End what is left of it; the venue is everybody's."""
        self._end_probe()
        if self.process is not None and self.process.poll() is None:
            self.kill_driver()


@pytest.fixture(scope="module")
def stores() -> Iterator[tuple[RedisServer, str]]:
    with redis_server() as redis, postgres_server() as journal:
        yield redis, journal


@pytest.fixture
def hosts(stores: tuple[RedisServer, str], tmp_path: Path) -> Iterator[tuple[Contender, Contender]]:
    redis, journal = stores
    urls = {"GRIDMESH_LEASE_URL": redis.url, "GRIDMESH_JOURNAL_URL": journal}
    with ExitStack() as stack:
        words = ("--duration", "3600", "--lead", "1800", "--keep-playing", "--seed", "5")
        venue = SimProcess([*words], tmp_path / "venue.log")
        stack.callback(venue.stop)
        both = Contender(tmp_path / "one", venue, urls), Contender(tmp_path / "two", venue, urls)
        for one in both:
            stack.callback(one.end)
        yield both


def sent_by(run: RealRun, owner_epoch: int) -> list[dict[str, Any]]:
    """Return every order that an owner ever sent, as the venue has it."""
    return [row for row, identity in run.venue.own_orders() if identity.owner_epoch == owner_epoch]


def test_the_second_is_refused_the_standby_takes_over_and_the_first_wakes_up_to_nothing(
    hosts: tuple[Contender, Contender],
) -> None:
    first, second = hosts
    first.start()
    first.until_running()
    first.until(first.trades, "the first trades")
    first.until(lambda: first.picture(GATEWAY)["symbols"]["ETHUSDT"]["entry_fills"] > 0, "the first has bought")
    holder = first.gateway_pid()

    second.start()
    assert second.wait(ONE_BY_ONE_S) == 7, second.log()
    assert f"process {holder}" in second.log()
    assert "deployment crash" in second.log()
    assert PASSWORD not in second.log() + first.log()
    assert sent_by(first, 2) == []

    second.start_as("--standby")
    second.until(lambda: "the lease of deployment crash" in second.log(), "the second waits for the first")
    os.kill(holder, signal.SIGSTOP)
    try:
        second.until(lambda: '"state":"running"' in second.log(), "the second takes over")
        second.until(second.trades, "the second trades")
        of_the_first = sent_by(second, 1)
        assert second.picture(GATEWAY)["owner_epoch"] == 2
    finally:
        os.kill(holder, signal.SIGCONT)
    assert psutil.Process(holder).status() != psutil.STATUS_STOPPED

    assert first.wait(ONE_BY_ONE_S) == 7, first.log()[-3000:]
    # It hears of it from the lease, or from the journal, or its gateway's next life does: whichever comes first.
    assert re.search(r"has taken over the account|one deployment an account", first.log()), first.log()[-3000:]
    assert {row["clientOrderId"] for row in sent_by(second, 1)} == {row["clientOrderId"] for row in of_the_first}
    second.until(second.trades, "the second trades on")
    second.until(lambda: second.breaches(GATEWAY) == [], "book and venue agree")
    assert true_lots(second.venue.account(), "ETHUSDT")[2] == [], "a held lot was bought again"

    code, said = second.command("stop")
    assert code == 0, said
    assert [row for row, _ in second.venue.own_orders(is_open=True)] == []
