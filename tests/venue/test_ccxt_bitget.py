"""ccxt and ccxt.pro drive the simulated Bitget, their addresses rewritten: clients that nobody here wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import ccxt.pro
import pytest

from exchanges.sim.server.options import DEMO_KEY, DEMO_PASSPHRASE, DEMO_SECRET
from grid.order import Side
from tests.venue.running_venue import RunningVenue, running, still_options, trade
from tests.venue.test_ccxt import rewritten

SYMBOL = "ETH/USDT:USDT"


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running(still_options(protocol="bitget", windows=())) as started:
        yield started


@pytest.fixture
async def client(venue: RunningVenue) -> AsyncIterator[Any]:
    venue.heal()
    made = ccxt.pro.bitget(
        {
            "apiKey": DEMO_KEY,
            "secret": DEMO_SECRET,
            "password": DEMO_PASSPHRASE,
            "enableRateLimit": False,
            "maxRetriesOnFailure": 0,
            "options": {
                "defaultType": "swap",
                "fetchMarkets": {"types": ["swap"]},
                "defaultSubType": "linear",
                "uta": False,
            },
        }
    )
    made.has["fetchCurrencies"] = False
    made.urls["api"] = rewritten(made.urls["api"], venue)
    try:
        await made.load_markets()
        yield made
    finally:
        await made.close()


async def test_ccxt_places_reads_and_cancels(client: Any) -> None:
    assert client.market(SYMBOL)["linear"]
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 2900, {"clientOrderId": "ccxt1", "postOnly": True})
    found = await client.fetch_order(placed["id"], SYMBOL)
    resting = await client.fetch_open_orders(SYMBOL)
    both = await client.create_orders(
        [
            {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": 2800 + n, "params": {}}
            for n in range(2)
        ]
    )
    gone = await client.cancel_order(placed["id"], SYMBOL)
    await client.cancel_orders([row["id"] for row in both], SYMBOL)
    after = await client.fetch_order(placed["id"], SYMBOL)

    assert (found["status"], found["clientOrderId"], found["price"]) == ("open", "ccxt1", 2900)
    assert [row["id"] for row in resting] == [placed["id"]]
    assert gone["id"] == placed["id"]
    assert after["status"] == "canceled"
    assert await client.fetch_open_orders(SYMBOL) == []
    with pytest.raises(ccxt.pro.OrderNotFound):
        await client.fetch_order("424242", SYMBOL)


async def test_ccxt_reads_account_and_market(client: Any, venue: RunningVenue) -> None:
    await client.create_order(SYMBOL, "limit", "buy", 0.02, 2999, {"postOnly": True})
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2998.99", "5", Side.SELL))

    balance = await client.fetch_balance({"type": "swap"})
    positions = await client.fetch_positions([SYMBOL])
    trades = await client.fetch_my_trades(SYMBOL)
    ticker = await client.fetch_ticker(SYMBOL)
    candles = await client.fetch_ohlcv(SYMBOL, "1m", limit=2)
    leverage = await client.set_leverage(5, SYMBOL)

    assert balance["USDT"]["total"] > 0
    assert (positions[0]["side"], trades[-1]["takerOrMaker"]) == ("long", "maker")
    assert trades[-1]["fee"]["cost"] > 0
    assert (ticker["symbol"], candles[-1][4]) == (SYMBOL, 2998.99)
    assert leverage["data"]["crossMarginLeverage"] == "5"
    assert (await client.fetch_order_book(SYMBOL, 5))["bids"]
    assert (await client.fetch_trading_fee(SYMBOL))["maker"] == 0.0002
    ledger = await client.fetch_ledger("USDT", params={"type": "swap", "productType": "USDT-FUTURES"})
    assert any(row["fee"]["cost"] for row in ledger)


async def test_ccxt_pro_streams(client: Any, venue: RunningVenue) -> None:
    orders = asyncio.create_task(client.watch_orders(SYMBOL))
    fills = asyncio.create_task(client.watch_my_trades(SYMBOL))
    quotes = asyncio.create_task(client.watch_bids_asks([SYMBOL]))
    books = asyncio.create_task(client.watch_order_book(SYMBOL, 1))
    candles = asyncio.create_task(client.watch_ohlcv(SYMBOL, "1m"))
    positions = asyncio.create_task(_first_position(client))
    await _until(lambda: len(venue.server.connections("/v2/ws/private")) >= 1)
    await _until(lambda: {"orders", "fill", "positions"} <= private_channels(venue))

    placed = await client.create_order(SYMBOL, "limit", "buy", 0.03, 2990, {"postOnly": True})
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2989", "1", Side.SELL))
    seen = await asyncio.wait_for(orders, 60)
    filled = await asyncio.wait_for(fills, 60)
    quote = await asyncio.wait_for(quotes, 60)
    book = await asyncio.wait_for(books, 60)
    candle = await asyncio.wait_for(candles, 60)
    held = await asyncio.wait_for(positions, 60)

    assert seen[0]["id"] == placed["id"]
    assert (filled[-1]["order"], filled[-1]["takerOrMaker"]) == (placed["id"], "maker")
    assert quote[SYMBOL]["bid"] > 0
    assert book["bids"][0][0] > 0
    assert candle[-1][4] > 0
    assert held[-1]["symbol"] == SYMBOL


async def test_refusals_have_their_classes(client: Any) -> None:
    wrong: list[tuple[type[Exception], tuple[Any, ...], dict[str, Any]]] = [
        (ccxt.pro.InsufficientFunds, (SYMBOL, "limit", "buy", 900, 2900), {}),
        (ccxt.pro.InvalidOrder, (SYMBOL, "limit", "buy", 0.001, 2900), {}),
        (ccxt.pro.ExchangeError, (SYMBOL, "limit", "buy", 0.01, 2900), {"reduceOnly": True}),
    ]
    for kind, order, params in wrong:
        with pytest.raises(kind):
            await client.create_order(*order, params)
    client.password = "another"
    with pytest.raises(ccxt.pro.AuthenticationError):
        await client.fetch_open_orders(SYMBOL)


async def _first_position(client: Any) -> Any:
    """Return the first position that is told; what is told before there is one is nothing."""
    while not (told := await client.watch_positions([SYMBOL])):
        pass
    return told


def private_channels(venue: RunningVenue) -> set[str]:
    """Return what somebody with keys listens to."""
    hub = venue.server.venue.hub  # type: ignore[attr-defined]
    return {topic[0] for held in list(hub._sessions) if held.is_private for topic in list(held.topics)}


async def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if is_so():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never became so")
