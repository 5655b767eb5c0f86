"""The venue's own SDK works against the simulated venue as it comes; its typed models read every answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import BadRequestError
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (
    DerivativesTradingUsdsFutures,
)
from binance_sdk_derivatives_trading_usds_futures.rest_api import models as rest_models
from binance_sdk_derivatives_trading_usds_futures.websocket_api import models as ws_models
from binance_sdk_derivatives_trading_usds_futures.websocket_streams import models as stream_models

from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET
from grid.order import Side
from tests.venue.running_venue import RunningVenue, running, still_options, trade


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running(still_options()) as started:
        yield started


@pytest.fixture
def sdk(venue: RunningVenue) -> Any:  # its models are unions that only a reader of one answer can narrow
    venue.heal()
    return DerivativesTradingUsdsFutures(
        config_rest_api=ConfigurationRestAPI(
            api_key=DEMO_KEY, api_secret=DEMO_SECRET, base_path=venue.rest_url, timeout=60_000, retries=0
        ),
        config_ws_api=ConfigurationWebSocketAPI(
            api_key=DEMO_KEY, api_secret=DEMO_SECRET, stream_url=f"{venue.ws_url}/ws-fapi/v1"
        ),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=venue.ws_url),
    )


def place(sdk: Any, client_id: str, **changes: Any) -> Any:
    order: dict[str, Any] = {
        "symbol": "ETHUSDT",
        "side": rest_models.NewOrderSideEnum.BUY,
        "type": "LIMIT",
        "time_in_force": rest_models.NewOrderTimeInForceEnum.GTX,
        "quantity": 0.01,
        "price": 2900.0,
        "new_client_order_id": client_id,
    }
    return sdk.rest_api.new_order(**{**order, **changes}).data()


MARKET_READS = {
    "test_connectivity": {},
    "check_server_time": {},
    "exchange_information": {},
    "order_book": {"symbol": "ETHUSDT", "limit": 5},
    "recent_trades_list": {"symbol": "ETHUSDT"},
    "compressed_aggregate_trades_list": {"symbol": "ETHUSDT"},
    "kline_candlestick_data": {"symbol": "ETHUSDT", "interval": "1m", "limit": 3},
    "mark_price": {"symbol": "ETHUSDT"},
    "get_funding_rate_history": {"symbol": "ETHUSDT"},
    "get_funding_rate_info": {},
    "symbol_price_ticker": {"symbol": "ETHUSDT"},
    "symbol_price_ticker_v2": {"symbol": "ETHUSDT"},
    "symbol_order_book_ticker": {"symbol": "ETHUSDT"},
    "ticker24hr_price_change_statistics": {"symbol": "ETHUSDT"},
    "open_interest": {"symbol": "ETHUSDT"},
}
ACCOUNT_READS = {
    "account_information_v2": {},
    "account_information_v3": {},
    "futures_account_balance_v2": {},
    "futures_account_balance_v3": {},
    "position_information_v2": {},
    "position_information_v3": {"symbol": "ETHUSDT"},
    "futures_account_configuration": {},
    "symbol_configuration": {"symbol": "ETHUSDT"},
    "get_income_history": {},
    "get_current_position_mode": {},
    "get_current_multi_assets_mode": {},
    "notional_and_leverage_brackets": {"symbol": "ETHUSDT"},
    "user_commission_rate": {"symbol": "ETHUSDT"},
    "query_user_rate_limit": {},
    "futures_trading_quantitative_rules_indicators": {},
    "get_bnb_burn_status": {},
    "current_all_open_orders": {},
    "all_orders": {"symbol": "ETHUSDT"},
    "account_trade_list": {"symbol": "ETHUSDT"},
    "current_all_algo_open_orders": {},
    "query_all_algo_orders": {"symbol": "ETHUSDT"},
}


@pytest.mark.parametrize(("name", "arguments"), [*MARKET_READS.items(), *ACCOUNT_READS.items()])
def test_every_read_parses_into_the_sdk_models(
    venue: RunningVenue, sdk: Any, name: str, arguments: dict[str, Any]
) -> None:
    place(sdk, "sdkRead1", price=2999.0)
    venue.play(trade("ETHUSDT", "2998.99", "1", Side.SELL))
    place(sdk, "sdkRead2")

    reply = getattr(sdk.rest_api, name)(**arguments)

    assert reply.status == 200
    reply.data()


def test_an_order_is_placed_queried_amended_and_cancelled(sdk: Any) -> None:
    placed = place(sdk, "sdkOrder1")
    assert (placed.status, placed.client_order_id, placed.price) == ("NEW", "sdkOrder1", "2900.00")

    amended = sdk.rest_api.modify_order(
        "ETHUSDT", rest_models.ModifyOrderSideEnum.BUY, quantity=0.02, price=2901.0, order_id=placed.order_id
    ).data()
    assert (amended.orig_qty, amended.price) == ("0.020", "2901.00")

    found = sdk.rest_api.query_order("ETHUSDT", orig_client_order_id="sdkOrder1").data()
    assert (found.order_id, found.status, found.orig_qty) == (placed.order_id, "NEW", "0.020")
    assert sdk.rest_api.query_current_open_order("ETHUSDT", order_id=placed.order_id).data().price == "2901.00"

    gone = sdk.rest_api.cancel_order("ETHUSDT", orig_client_order_id="sdkOrder1").data()
    assert gone.status == "CANCELED"


def test_a_batch_answers_for_each_order_by_itself(sdk: Any) -> None:
    fine = {"symbol": "ETHUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTX", "quantity": "0.01"}
    batch = [
        {**fine, "price": "2900", "newClientOrderId": "batch1"},
        {**fine, "price": "3100", "newClientOrderId": "batch2"},
    ]

    first, second = sdk.rest_api.place_multiple_orders(batch).data()

    assert first.status == "NEW"
    assert second.code == -5022
    cancelled = sdk.rest_api.cancel_multiple_orders("ETHUSDT", orig_client_order_id_list=["batch1"]).data()
    assert cancelled[0].status == "CANCELED"


def test_a_refusal_is_the_sdk_s_bad_request(sdk: Any) -> None:
    with pytest.raises(BadRequestError, match="could not be executed as maker"):
        place(sdk, "sdkTaker", price=3100.0)


def test_settings_of_account_and_symbol(sdk: Any) -> None:
    assert sdk.rest_api.change_initial_leverage("XRPUSDT", 7).data().leverage == 7
    assert sdk.rest_api.change_margin_type("XRPUSDT", "ISOLATED").data().code == 200
    configured = sdk.rest_api.symbol_configuration("XRPUSDT").data()[0]
    assert (configured.leverage, configured.margin_type) == (7, "ISOLATED")
    assert sdk.rest_api.auto_cancel_all_open_orders("XRPUSDT", 60_000).data().symbol == "XRPUSDT"
    assert sdk.rest_api.cancel_all_open_orders("XRPUSDT").data().code == 200


def test_a_conditional_order_lives_apart_from_the_open_orders(sdk: Any) -> None:
    placed = sdk.rest_api.new_algo_order(
        algo_type="CONDITIONAL",
        symbol="ETHUSDT",
        side=rest_models.NewAlgoOrderSideEnum.SELL,
        type="STOP_MARKET",
        trigger_price=2500.0,
        close_position="true",
    ).data()

    assert placed.algo_status == "NEW"
    assert [row.algo_id for row in sdk.rest_api.current_all_algo_open_orders().data()] == [placed.algo_id]
    assert sdk.rest_api.current_all_open_orders().data() == []
    assert sdk.rest_api.query_algo_order(algo_id=placed.algo_id).data().algo_status == "NEW"
    assert sdk.rest_api.cancel_algo_order(algo_id=placed.algo_id).data().code == "200"


async def test_orders_over_the_websocket_api(sdk: Any) -> None:
    connection = await sdk.websocket_api.create_connection()
    try:
        placed = await connection.new_order(
            symbol="ETHUSDT",
            side=ws_models.NewOrderSideEnum.BUY,
            type=ws_models.NewOrderTypeEnum.LIMIT,
            time_in_force=ws_models.NewOrderTimeInForceEnum.GTX,
            quantity=0.01,
            price=2900.5,
            new_client_order_id="sdkSocket",
        )
        result = placed.data().result
        status = await connection.query_order(symbol="ETHUSDT", orig_client_order_id="sdkSocket")
        cancelled = await connection.cancel_order(symbol="ETHUSDT", order_id=result.order_id)
        positions = await connection.position_information_v2()
        started = await connection.start_user_data_stream()

        assert (result.status, result.client_order_id, result.price) == ("NEW", "sdkSocket", "2900.50")
        assert status.data().result.order_id == result.order_id
        assert cancelled.data().result.status == "CANCELED"
        assert positions.data().status == 200
        assert len(started.data().result.listen_key) == 64
        assert {row.rateLimitType for row in placed.rate_limits} >= {"ORDERS"}
    finally:
        await connection.close_connection()


TOLD = {"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "TRADE_LITE"}


async def test_streams_of_market_and_account(venue: RunningVenue, sdk: Any) -> None:
    heard: dict[str, list[Any]] = {"book": [], "kline": [], "mark": [], "trade": [], "user": []}
    key = sdk.rest_api.start_user_data_stream().data().listen_key
    connection = await sdk.websocket_streams.create_connection()
    try:
        streams = {
            "book": await connection.individual_symbol_book_ticker_streams(symbol="ethusdt"),
            "kline": await connection.kline_candlestick_streams(
                symbol="ethusdt", interval=stream_models.KlineCandlestickStreamsIntervalEnum.INTERVAL_1m.value
            ),
            "mark": await connection.mark_price_stream(symbol="ethusdt", update_speed="1s"),
            "trade": await connection.aggregate_trade_streams(symbol="ethusdt"),
            "user": await connection.user_data(key),
        }
        for name, stream in streams.items():
            stream.on("message", heard[name].append)
        await asyncio.to_thread(place, sdk, "sdkStream", price=2999.99)
        await asyncio.to_thread(venue.play, trade("ETHUSDT", "2999.98", "1", Side.SELL))
        await asyncio.to_thread(place, sdk, "sdkStream2", price=3000.0)
        for _ in range(1_200):
            if all(heard.values()) and {_event(row) for row in heard["user"]} >= TOLD:
                break
            await asyncio.sleep(0.05)
    finally:
        await connection.close_connection()

    assert {_event(row) for row in heard["user"]} >= TOLD
    assert heard["book"][-1].s == "ETHUSDT"
    assert heard["kline"][-1].k.i == "1m"
    assert heard["mark"][-1].e == "markPriceUpdate"
    assert heard["trade"][-1].p == "2999.98"


def _event(row: Any) -> str:
    """Return the event's type; the SDK puts a user event into a union that keeps its dictionary form."""
    held = getattr(row, "actual_instance", row)
    names = {
        "OrderTradeUpdate": "ORDER_TRADE_UPDATE",
        "AccountUpdate": "ACCOUNT_UPDATE",
        "TradeLite": "TRADE_LITE",
    }
    return names.get(type(held).__name__, str(type(held).__name__))
