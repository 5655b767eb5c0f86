"""The venue's own client works against the simulated venue as it comes; its models read every answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import gate_api
import pytest
from gate_api.exceptions import ApiException, GateApiException

from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET
from grid.order import Side
from tests.venue.running_venue import RunningVenue, quote, running, still_options, trade

USDT = "usdt"


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running(still_options(protocol="gate")) as started:
        yield started


@pytest.fixture
def futures(venue: RunningVenue) -> Any:  # published without types
    venue.heal()
    made = gate_api.Configuration(host=f"{venue.rest_url}/api/v4", key=DEMO_KEY, secret=DEMO_SECRET)
    return gate_api.FuturesApi(gate_api.ApiClient(made))


def order(text: str, size: str = "1", price: str = "2900", **changes: Any) -> Any:
    asked = {"contract": "ETH_USDT", "size": size, "price": price, "tif": "poc", "text": f"t-{text}"}
    return gate_api.FuturesOrder(**{**asked, **changes})


def test_an_order_lives_is_found_and_is_cancelled(futures: Any) -> None:
    placed = futures.create_futures_order(USDT, order("life1"))
    found = futures.get_futures_order(USDT, "t-life1")
    resting = futures.list_futures_orders(USDT, "open", contract="ETH_USDT")
    gone = futures.cancel_futures_order(USDT, str(placed.id))

    assert (placed.status, Decimal(placed.size), placed.tif) == ("open", Decimal(1), "poc")
    assert [one.id for one in (found, *resting)] == [placed.id, placed.id]
    assert (gone.status, gone.finish_as) == ("finished", "cancelled")


def test_a_position_is_opened_read_and_closed(futures: Any) -> None:
    bought = futures.create_futures_order(USDT, order("in", "1", "3100", tif="ioc"))
    held = futures.get_position(USDT, "ETH_USDT")
    sold = futures.create_futures_order(USDT, order("out", "-1", "2900", tif="ioc", reduce_only=True))
    flat = futures.get_position(USDT, "ETH_USDT")
    trades = futures.get_my_trades(USDT, contract="ETH_USDT")
    in_range = futures.get_my_trades_with_time_range(USDT, contract="ETH_USDT", _from=int(time.time()) - 60)
    ended = futures.get_orders_with_time_range(USDT, contract="ETH_USDT", _from=int(time.time()) - 60)

    assert (bought.finish_as, sold.finish_as) == ("filled", "filled")
    assert (Decimal(held.size), Decimal(flat.size), held.mode) == (Decimal(1), Decimal(0), "single")
    assert {str(bought.id), str(sold.id)} <= {one.order_id for one in trades}
    assert {one.role for one in in_range} == {"taker"}
    assert {bought.id, sold.id} <= {one.id for one in ended}


def test_what_is_refused_has_a_label(futures: Any) -> None:
    cases = {
        "ORDER_POC_IMMEDIATE": order("taker", price="3100"),
        "SIZE_TOO_SMALL": order("small", size="0.1"),
        "PRICE_TOO_DEVIATED": order("far", price="900000"),
        "INCREASE_POSITION": order("close", size="-1", price="3100", reduce_only=True),
        "CONTRACT_NOT_FOUND": order("where", contract="NOPE_USDT"),
        "INVALID_PARAM_VALUE": order("x" * 29),
    }
    for label, asked in cases.items():
        with pytest.raises(GateApiException) as caught:
            futures.create_futures_order(USDT, asked)
        assert caught.value.label == label


def test_a_batch_answers_each_order(futures: Any) -> None:
    answers = futures.create_batch_futures_order(USDT, [order("b1"), order("b2", price="900000"), order("b3")])
    gone = futures.cancel_futures_orders(USDT, contract="ETH_USDT")

    assert [one.succeeded for one in answers] == [True, False, True]
    assert answers[1].label == "PRICE_TOO_DEVIATED"
    assert {one.finish_as for one in gone} == {"cancelled"}
    assert len(gone) == 2


def test_account_ledger_fees_and_tiers_are_read(futures: Any) -> None:
    account = futures.list_futures_accounts(USDT)
    book = futures.list_futures_account_book(USDT, limit=5)
    fees = futures.get_futures_fee(USDT, contract="ETH_USDT")
    tiers = futures.list_futures_risk_limit_tiers(USDT, contract="ETH_USDT")

    assert Decimal(account.total) > 99_000
    assert account.in_dual_mode is False
    assert {row.type for row in book} <= {"dnw", "fee", "pnl"}
    assert Decimal(fees["ETH_USDT"].taker_fee) > Decimal(fees["ETH_USDT"].maker_fee)
    assert [tier.tier for tier in tiers] == sorted(tier.tier for tier in tiers)


def test_leverage_sets_margin_too(futures: Any) -> None:
    isolated = futures.update_position_leverage(USDT, "ETH_USDT", "7")
    crossed = futures.update_position_leverage(USDT, "ETH_USDT", "0", cross_leverage_limit="9")

    assert (isolated.leverage, crossed.leverage, crossed.cross_leverage_limit) == ("7", "0", "9")


def test_a_countdown_tells_its_time(futures: Any) -> None:
    told = futures.countdown_cancel_all_futures(USDT, gate_api.CountdownCancelAllFuturesTask(30, "ETH_USDT"))
    ended = futures.countdown_cancel_all_futures(USDT, gate_api.CountdownCancelAllFuturesTask(0, "ETH_USDT"))

    assert 25_000 < told.trigger_time - time.time() * 1000 < 35_000
    assert ended.trigger_time == 0


def test_the_market_is_read(futures: Any, venue: RunningVenue) -> None:
    venue.play(quote("ETHUSDT", "3000.00", "3000.01"), trade("ETHUSDT", "3000.00", "2", Side.BUY))
    contracts = {one.name: one for one in futures.list_futures_contracts(USDT)}
    book = futures.list_futures_order_book(USDT, "ETH_USDT", limit=1)
    candles = futures.list_futures_candlesticks(USDT, "ETH_USDT", interval="10s")
    (ticker,) = futures.list_futures_tickers(USDT, contract="ETH_USDT")

    assert (contracts["ETH_USDT"].quanto_multiplier, contracts["ETH_USDT"].enable_decimal) == ("0.010", True)
    assert contracts["BTC_USDT"].order_size_min == "1"
    assert (book.bids[0].p, book.asks[0].p) == ("3000.00", "3000.01")
    assert candles[-1].c == "3000.00"
    assert Decimal(ticker.mark_price) > 2000


def test_a_wrong_key_is_refused(venue: RunningVenue) -> None:
    made = gate_api.Configuration(host=f"{venue.rest_url}/api/v4", key=DEMO_KEY, secret="wrong")
    with pytest.raises(ApiException) as caught:
        gate_api.FuturesApi(gate_api.ApiClient(made)).list_futures_accounts(USDT)

    assert caught.value.status == 401
