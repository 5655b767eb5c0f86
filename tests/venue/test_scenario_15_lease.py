"""Scenario 15: a whole gateway that is cut off from its lease store sends nothing, and goes on once it is back."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from grid.holds import HoldCause
from tests.live_control import still_venue
from tests.live_deployment import deployed, live_settings
from tests.store_servers import RedisServer, redis_server

LEASE = {"store_env": "GRIDMESH_LEASE_URL", "lease_s": 10, "skew_s": "0.3"}
SILENCE_S = 3.0


@pytest.fixture
def redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path / "home"))
    with redis_server() as started:
        monkeypatch.setenv("GRIDMESH_LEASE_URL", started.url)
        yield started


def test_a_gateway_without_its_lease_sends_no_exit_either_and_goes_on_when_it_is_back(
    redis: RedisServer, tmp_path: Path
) -> None:
    assert redis.process is not None
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, ownership=LEASE), venue, waits=False) as live:
        live.until(lambda: len(live.entries()) == 3, "it quotes")
        assert live.gateway()["ownership"]["phase"] == "holding"
        epoch = live.gateway()["owner_epoch"]

        redis.process.send_signal(signal.SIGSTOP)
        live.until(lambda: HoldCause.LEASE.value in live.holds(), "it notices that its lease ended")
        before = {row["clientOrderId"]: row["status"] for row, _ in venue.own_orders()}
        venue.walk("ETHUSDT", "2997.5")
        live.until(lambda: live.symbol()["lots"], "it hears of the fill")
        live.stays(lambda: live.exits() == [], "no exit is sent", seconds=SILENCE_S)
        after = {row["clientOrderId"]: row["status"] for row, _ in venue.own_orders()}
        assert set(after) == set(before)
        assert "CANCELED" not in after.values(), "a cancel is a write too"

        redis.process.send_signal(signal.SIGCONT)
        live.until(lambda: live.exits() == [-1], "the lot is offered")
        live.until(lambda: live.holds() == [] and len(live.entries()) == 3, "it quotes again")
        assert live.gateway()["owner_epoch"] == epoch
        live.reckon()


def test_a_second_deployment_is_refused_by_name_and_a_standby_may_be_stopped_while_it_waits(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, ownership=LEASE), venue, waits=False) as live:
        live.until(lambda: len(live.entries()) == 3, "it quotes")
        monkeypatch.setenv("GRIDMESH_HOME", str(other / "home"))  # as another host would have

        with deployed(live_settings(other, venue, ownership=LEASE), venue, waits=False) as second:
            second.until(lambda: second.state() == "refused", "the second is refused")
            (said,) = second.coordinator.snapshot()["refusals"]
            assert f"deployment live (host {socket.gethostname()}, process {os.getpid()})" in said
            assert "renews its lease in redis://127.0.0.1" in said

        waiting = live_settings(other, venue, ownership={**LEASE, "standby": True})
        with deployed(waiting, venue, waits=False) as standby:
            standby.until(
                lambda: "the lease of deployment live" in str(standby.coordinator.snapshot()["waiting_for"]), "it waits"
            )
            standby.coordinator.stop("keep")
            standby.until(lambda: standby.state() == "stopped", "it stops")

        assert live.holds() == []
        assert {identity.owner_epoch for _, identity in venue.own_orders()} == {1}
        live.reckon()


def test_a_standby_goes_on_with_the_first_one_s_journal_and_lots(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one host: the first is dead, and its file is free."""
    with still_venue() as venue:
        settings = live_settings(tmp_path, venue, ownership={**LEASE, "standby": True})
        with deployed(settings, venue, waits=False) as first:
            first.until(lambda: len(first.entries()) == 3, "it quotes")
            first.walk("2997.5")
            first.until(lambda: first.exits() == [-1], "a lot is offered")
            monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path / "elsewhere"))
            with deployed(settings, venue, waits=False) as standby:
                standby.until(
                    lambda: "the lease of deployment live" in str(standby.coordinator.snapshot()["waiting_for"]),
                    "it waits",
                )
                first.kill_gateway()
                standby.until(lambda: standby.gateway().get("owner_epoch") == 2, "it takes over")
                standby.until(lambda: standby.state() == "running" and standby.holds() == [], "it trades")
                standby.until(lambda: standby.exits() == [-1] and len(standby.entries()) == 3, "it goes on")
                assert standby.levels()[-1]["lot"], "the lot is the first one's"
                standby.reckon()
