"""python-binance works against the simulated venue with nothing but its addresses changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from binance.async_client import AsyncClient
from binance.exceptions import BinanceAPIException
from binance.ws.reconnecting_websocket import ReconnectingWebsocket
from binance.ws.streams import BinanceSocketManager

from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET
from grid.order import Side
from tests.venue.running_venue import RunningVenue, running, still_options, trade

ORDER = {"symbol": "ETHUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTX", "quantity": 0.01}


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running(still_options()) as started:
        yield started


@pytest.fixture
async def client(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    venue.heal()
    monkeypatch.setattr(ReconnectingWebsocket, "TIMEOUT", 0.2)  # it closes only when its reader wakes: 10 s otherwise
    made = AsyncClient(DEMO_KEY, DEMO_SECRET)
    made.FUTURES_URL = f"{venue.rest_url}/fapi"
    made.ws_future._url = f"{venue.ws_url}/ws-fapi/v1"
    yield made
    if made.ws_future.ws is not None:
        await made.ws_future.close()  # close_connection() forgets this one
    await made.close_connection()


async def test_reads_and_orders(venue: RunningVenue, client: Any) -> None:
    assert (await client.futures_time())["serverTime"] > 0
    assert {row["symbol"] for row in (await client.futures_exchange_info())["symbols"]} >= {"BTCUSDT", "ETHUSDT"}
    assert (await client.futures_account_balance())[0]["asset"] == "USDT"
    assert (await client.futures_get_position_mode()) == {"dualSidePosition": False}

    placed = await client.futures_create_order(**ORDER, price=2900, newClientOrderId="pb1")
    batch = await client.futures_place_batch_order(
        batchOrders=[{**ORDER, "quantity": "0.01", "price": "2890", "newClientOrderId": "pb2"}]
    )
    resting = await client.futures_get_open_orders(symbol="ETHUSDT")
    gone = await client.futures_cancel_order(symbol="ETHUSDT", origClientOrderId="pb1")

    assert placed["status"] == batch[0]["status"] == "NEW"
    assert {row["clientOrderId"] for row in resting} == {"pb1", "pb2"}
    assert gone["status"] == "CANCELED"
    assert (await client.futures_cancel_all_open_orders(symbol="ETHUSDT"))["code"] == 200
    with pytest.raises(BinanceAPIException) as caught:
        await client.futures_cancel_order(symbol="ETHUSDT", origClientOrderId="pb1")
    assert caught.value.code == -2011


async def test_fills_positions_and_income(venue: RunningVenue, client: Any) -> None:
    await client.futures_create_order(**ORDER, price=2999, newClientOrderId="pbFill")
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2998.99", "5", Side.SELL))

    trades = await client.futures_account_trades(symbol="ETHUSDT")
    positions = await client.futures_position_information(symbol="ETHUSDT")
    income = await client.futures_income_history(symbol="ETHUSDT", incomeType="COMMISSION")

    assert (trades[-1]["price"], trades[-1]["qty"], trades[-1]["maker"]) == ("2999.00", "0.010", True)
    assert float(positions[0]["positionAmt"]) > 0
    assert income[-1]["tradeId"] == str(trades[-1]["id"])


async def test_orders_over_the_websocket_api(client: Any) -> None:
    placed = await client.ws_futures_create_order(**ORDER, price=2901, newClientOrderId="pbSocket")
    found = await client.ws_futures_get_order(symbol="ETHUSDT", orderId=placed["orderId"])
    gone = await client.ws_futures_cancel_order(symbol="ETHUSDT", origClientOrderId="pbSocket")

    assert (placed["status"], found["status"], gone["status"]) == ("NEW", "NEW", "CANCELED")
    assert (await client.ws_futures_account_balance())[0]["asset"] == "USDT"


async def test_user_and_market_streams(venue: RunningVenue, client: Any) -> None:
    sockets = BinanceSocketManager(client)
    sockets.FSTREAM_URL = f"{venue.ws_url}/"
    async with (
        sockets.futures_user_socket() as user,
        sockets.futures_multiplex_socket(["ethusdt@kline_1m"]) as market,
        sockets.futures_multiplex_socket(["ethusdt@bookTicker"], category="public") as public,
    ):
        await client.futures_create_order(**ORDER, price=3000, newClientOrderId="pbStream")
        await asyncio.to_thread(venue.play, trade("ETHUSDT", "2999.99", "5", Side.SELL))

        first = await asyncio.wait_for(user.recv(), 60)
        kline = await asyncio.wait_for(market.recv(), 60)
        await client.futures_create_order(**{**ORDER, "quantity": 0.02}, price=3000, newClientOrderId="pbStream2")
        book = await asyncio.wait_for(public.recv(), 60)

    assert (first["e"], first["o"]["c"], first["o"]["x"]) == ("ORDER_TRADE_UPDATE", "pbStream", "NEW")
    assert kline["data"]["k"]["i"] == "1m"
    assert book["data"]["s"] == "ETHUSDT"
