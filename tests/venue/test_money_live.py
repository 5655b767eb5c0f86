"""The money's last lines over live sockets: stop-loss, drawdown, equity tie, BNB fees (scenario 14, invariant 9)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from exchanges.sim.server.market_source import ListedMarket
from exchanges.sim.server.options import demo_account
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.venue.running_venue import still_market, still_options
from tests.venue.test_risk_supervisor_actor import calm_candles

STOP = {"stop_loss": "1.5", "stop_sells": "true", "buy_window": 5}


def fall(venue: VenueControl) -> None:
    """Take the price through five levels, slice by slice, so that every lot is worth less than it cost."""
    for price in ("2995.5", "2991.5", "2975"):
        venue.walk("ETHUSDT", price)


def account(live: LiveDeployment) -> dict[str, object]:
    found: dict[str, object] = live.gateway().get("account", {})
    return found


def ties(live: LiveDeployment) -> bool:
    unexplained = account(live).get("unexplained")
    return unexplained is not None and abs(Decimal(str(unexplained))) < Decimal("0.00001")


def test_a_stop_loss_sells_and_stays_until_the_operator_releases_it(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, STOP), venue) as live:
        live.until(lambda: len(live.entries()) == 5, "five entries rest")
        fall(venue)
        live.until(lambda: "stop_loss" in live.holds(), "the stop-loss holds")
        live.until(lambda: live.symbol()["lots"] == 0, "the lots are sold")
        live.settle()
        assert live.entries() == []
        assert live.exits() == []
        assert account(live)["breakers"]

        live.kill_gateway()
        live.restart_gateway()
        live.stays(lambda: live.entries() == [], "nothing is bought after the restart", 1.5)
        assert live.holds() == ["stop_loss"]

        assert not live.coordinator.clear_stop_loss("BTCUSDT")
        live.until(lambda: live.coordinator.clear_stop_loss("ETHUSDT"), "the operator releases it")
        live.until(lambda: len(live.entries()) == 5, "entries are back")
        live.settle()
        live.until(lambda: ties(live), "equity ties")
        live.reckon()


def test_a_drawdown_of_the_account_holds_it_through_the_supervisor(tmp_path: Path) -> None:
    market = still_market()
    assert isinstance(market, ListedMarket)
    options = replace(still_options(), market=replace(market, candles=calm_candles()))
    risk = {"enabled": True, "watch": ["BTCUSDT", "ETHUSDT"], "stale_s": 30, "min_hold_s": 0}
    with still_venue(options) as venue:
        settings = live_settings(tmp_path, venue, account={"drawdown": "0.04"}, risk=risk)
        with deployed(settings, venue) as live:
            live.until(lambda: ties(live), "equity ties")
            venue.manual_order("ETHUSDT", "BUY", "20", "3001", time_in_force="IOC")
            live.until(lambda: live.symbol()["foreign"] == "20.000", "the stranger's position is known")
            assert live.holds() == []

            venue.quote("ETHUSDT", "2780", "2780.01")  # 20 times 220 of 100,000 are gone
            live.until(lambda: "stop_loss" in live.holds(), "the drawdown holds")
            venue.quote("ETHUSDT", "3000", "3000.01")
            live.stays(lambda: "stop_loss" in live.holds(), "it stays though equity is back", 7)

            live.until(lambda: live.coordinator.clear_stop_loss("account"), "the operator releases it")
            live.until(lambda: "stop_loss" not in live.holds(), "it is lifted")
            live.stays(lambda: "stop_loss" not in live.holds(), "it stays lifted", 4)


def test_transfers_funding_and_a_strangers_trades_are_explained(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.until(lambda: ties(live), "equity ties at the start")
        live.until(lambda: len(live.entries()) == 3, "three entries rest")
        venue.walk("ETHUSDT", "2995.5")
        live.until(lambda: live.exits() == [-1, -2], "two lots are held")

        venue.verb("transfer", account="main", amount="-700", asset="USDT")
        venue.verb("market", events=[{"kind": "funding", "symbol": "ETHUSDT", "rate": "0.001"}])
        venue.manual_order("ETHUSDT", "BUY", "0.5", "2996", time_in_force="IOC")

        live.until(lambda: "TRANSFER USDT" in account(live).get("income", {}), "the transfer is booked")  # type: ignore[operator]
        live.until(lambda: Decimal(live.symbol()["foreign"]) == Decimal("0.5"), "the stranger's trade is booked")
        live.until(
            lambda: Decimal(live.symbol()["funding"]) != 0 and ties(live), "all of it is explained", timeout_s=90
        )
        assert not live.notices("unexplained")


def test_fees_in_bnb_are_valued_at_a_rate_that_the_journal_keeps(tmp_path: Path) -> None:
    spec = replace(demo_account(deposit=Decimal(100_000)).spec, fee_asset="BNB", bnb_deposit=Decimal(10))
    options = replace(still_options(), accounts=(replace(demo_account(), spec=spec),))
    with still_venue(options) as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "three entries rest")
        venue.walk("ETHUSDT", "2995.5")
        live.until(lambda: live.exits() == [-1, -2], "two lots are held")
        live.settle()

        fees = live.symbol()["fees"]
        assert set(fees) == {"BNB"}
        live.until(lambda: ties(live), "the wallet of the quote asset ties without them")
        unvalued = live.symbol()["unvalued"]
        rates = account(live)["rates"]
        # this market trades no BNBUSDT quotes: without a rate the fees are named, not guessed
        assert (unvalued == fees) is (rates == {})
