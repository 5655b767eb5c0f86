"""What accounts of one deployment share: a store of leases, and the one venue at which the market is watched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from exchanges.sim.server.market_source import ListedMarket
from grid.holds import HoldCause
from tests.live_accounts import LiveAccounts, several, several_settings
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import deployed
from tests.store_servers import RedisServer, redis_server
from tests.venue.running_venue import still_market, still_options
from tests.venue.test_risk_supervisor_actor import calm_candles

LEASE = {"store_env": "GRIDMESH_LEASE_URL", "lease_s": 10, "skew_s": "0.3"}
RISK = {"enabled": True, "watch": ["ETHUSDT", "BTCUSDT"], "min_hold_s": 0}
PROTOCOLS = {"alpha": "binanceusdm", "beta": "bybit"}


@pytest.fixture
def venues() -> Iterator[dict[str, VenueControl]]:
    market = still_market()
    assert isinstance(market, ListedMarket)
    calm = replace(market, candles=calm_candles())
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(still_venue(replace(still_options(), protocol=protocol, market=calm)))
            for name, protocol in PROTOCOLS.items()
        }


@pytest.fixture
def redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path / "home"))
    with redis_server() as started:
        monkeypatch.setenv("GRIDMESH_LEASE_URL", started.url)
        yield started


def until_both_quote(whole: LiveAccounts) -> None:
    for account in whole.accounts.values():
        account.until(lambda account=account: len(account.entries()) == 3, f"{account.name} quotes")  # type: ignore[misc]


@pytest.mark.long
def test_each_account_holds_a_lease_of_its_own_in_the_store_that_they_share(
    redis: RedisServer, tmp_path: Path, venues: dict[str, VenueControl], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = several_settings(tmp_path, venues, ownership=LEASE)
    with several(settings, venues) as whole:
        until_both_quote(whole)
        alpha, beta = whole.accounts["alpha"], whole.accounts["beta"]
        assert [one.gateway()["ownership"]["phase"] for one in (alpha, beta)] == ["holding", "holding"]

        monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path / "elsewhere"))  # as another host would have
        with deployed(settings.account("beta"), venues["beta"], waits=False) as rival:
            rival.until(lambda: rival.state() == "refused", "another deployment on one of the accounts is refused")
            assert "renews its lease" in str(rival.coordinator.snapshot()["refusals"])

        epoch = alpha.gateway()["owner_epoch"]
        beta.kill_gateway()
        beta.restart_gateway()
        beta.until(lambda: beta.gateway()["ownership"]["phase"] == "holding", "beta has its lease again")
        assert alpha.gateway()["owner_epoch"] == epoch
        alpha.walk("2997")
        alpha.until(lambda: alpha.exits() == [-1], "alpha trades on")


def test_while_the_watched_venue_is_dead_nobody_opens_and_says_why_and_once_it_is_back_all_trade(
    tmp_path: Path, venues: dict[str, VenueControl]
) -> None:
    venues["beta"].fault("service_unavailable")
    settings = several_settings(tmp_path, venues, risk=RISK)
    with several(replace(settings, watch_account="beta"), venues) as whole:
        alpha, beta = whole.accounts["alpha"], whole.accounts["beta"]
        alpha.until(lambda: alpha.gateway().get("is_ready"), "alpha has its book")
        alpha.until(lambda: HoldCause.LEASE.value in alpha.holds(), "alpha is held by the supervisor's silence")
        alpha.stays(lambda: venues["alpha"].own_orders() == [], "nothing is opened", seconds=3)
        seen = whole.coordinator.snapshot()
        assert "alpha: the risk supervisor's data" in seen["waiting_for"]
        assert "missing: ETHUSDT, BTCUSDT" in seen["risk"]["reason"]

        venues["beta"].heal()
        until_both_quote(whole)
        alpha.until(lambda: alpha.holds() == [], "nothing is held at alpha any more")
        beta.until(lambda: beta.holds() == [], "nothing is held at beta any more")
