"""The venue's own client library against a simulated OKX: what it signs is accepted, what it reads is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from okx.Account import AccountAPI
from okx.MarketData import MarketAPI
from okx.PublicData import PublicAPI
from okx.Trade import TradeAPI
from okx.websocket.WsPrivateAsync import WsPrivateAsync
from websockets.asyncio.client import connect

from exchanges.sim.server.options import DEMO_KEY, DEMO_PASSPHRASE, DEMO_SECRET
from tests.venue.running_venue import RunningVenue, running, still_options

SWAP = "ETH-USDT-SWAP"
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning")
"""The library is older than the HTTP library that it uses."""

Made = Callable[..., Any]


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running(still_options(protocol="okx")) as started:
        yield started


@pytest.fixture
def made(venue: RunningVenue) -> Iterator[Made]:
    """Make a client of the library; every one is closed at the end."""
    with ExitStack() as clients:

        def make(kind: Any, *keys: str) -> Any:
            return clients.enter_context(kind(*keys, flag="0", domain=venue.rest_url))

        yield make


@pytest.fixture
def of(made: Made) -> Made:
    return lambda kind: made(kind, DEMO_KEY, DEMO_SECRET, DEMO_PASSPHRASE)


def rows(reply: dict[str, Any]) -> list[dict[str, Any]]:
    assert reply["code"] == "0", reply
    found: list[dict[str, Any]] = reply["data"]
    return found


def order(**changes: str) -> dict[str, str]:
    given = {"instId": SWAP, "tdMode": "cross", "side": "buy", "ordType": "post_only", "sz": "0.1", "px": "2900"}
    return {**given, **changes}


def test_an_order_is_placed_found_and_cancelled(of: Made) -> None:
    trade = of(TradeAPI)
    (placed,) = rows(trade.place_order(**order(clOrdId="library1")))
    (found,) = rows(trade.get_order(SWAP, clOrdId="library1"))
    (resting,) = rows(trade.get_order_list(instType="SWAP"))
    (gone,) = rows(trade.cancel_order(SWAP, ordId=placed["ordId"]))
    (ended,) = rows(trade.get_orders_history("SWAP"))

    assert (placed["sCode"], gone["sCode"]) == ("0", "0")
    assert (found["state"], found["sz"], found["px"], found["ordType"]) == ("live", "0.1", "2900.00", "post_only")
    assert resting["ordId"] == ended["ordId"] == placed["ordId"]
    assert (ended["state"], ended["cancelSource"]) == ("canceled", "1")


def test_a_list_of_orders_is_answered_item_by_item(of: Made) -> None:
    trade = of(TradeAPI)
    reply = trade.place_multiple_orders([order(clOrdId="many1"), order(clOrdId="many2", px="1")])
    rows(trade.cancel_multiple_orders([{"instId": SWAP, "clOrdId": "many1"}]))

    assert (reply["code"], [row["sCode"] for row in reply["data"]]) == ("2", ["0", "51122"])


def test_a_fill_shows_in_position_trades_and_bills(of: Made) -> None:
    trade, account = of(TradeAPI), of(AccountAPI)
    rows(trade.place_order(**order(ordType="ioc", px="3010", clOrdId="taker1")))
    (held,) = rows(account.get_positions(instType="SWAP"))
    (fill,) = rows(trade.get_fills(instType="SWAP", instId=SWAP))
    bills = rows(account.get_account_bills())
    rows(trade.place_order(**order(ordType="market", px="", side="sell", reduceOnly="true", clOrdId="taker2")))

    assert (held["pos"], held["posSide"], held["mgnMode"]) == ("0.1", "net", "cross")
    assert (fill["clOrdId"], fill["execType"]) == ("taker1", "T")
    assert float(fill["fee"]) < 0
    assert bills[0]["type"] == "2"
    assert bills[0]["fee"] == fill["fee"]
    assert rows(account.get_positions(instType="SWAP")) == []


def test_account_modes_fees_and_leverage_are_told(of: Made) -> None:
    account = of(AccountAPI)
    (balance,) = rows(account.get_account_balance("USDT"))
    (modes,) = rows(account.get_account_config())
    (lever,) = rows(account.set_leverage(lever="7", mgnMode="cross", instId=SWAP))
    (fees,) = rows(account.get_fee_rates("SWAP", instFamily="ETH-USDT"))

    assert float(balance["details"][0]["cashBal"]) > 99_000
    assert (modes["posMode"], modes["acctLv"]) == ("net_mode", "2")
    assert lever["lever"] == "7"
    assert rows(account.get_leverage("cross", instId=SWAP))[0]["lever"] == "7"
    assert float(fees["makerU"]) < 0


def test_the_market_is_told_without_keys(venue: RunningVenue, made: Made) -> None:
    public, market = made(PublicAPI), made(MarketAPI)
    listed = {row["instId"]: row for row in rows(public.get_instruments("SWAP"))}
    (book,) = rows(market.get_orderbook(SWAP, sz="1"))
    (ticker,) = rows(market.get_ticker(SWAP))

    assert (listed[SWAP]["ctVal"], listed[SWAP]["lotSz"]) == ("0.1", "0.01")
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])
    assert ticker["bidPx"] == book["bids"][0][0]
    assert len(rows(public.get_position_tiers("SWAP", "cross", instFamily="ETH-USDT"))) > 5
    told_ms, now_ms = int(rows(public.get_system_time())[0]["ts"]), venue.within(lambda server: server.venue.now_ms())
    assert abs(told_ms - now_ms) < 60_000
    assert market.get_candlesticks(SWAP, bar="1m")["data"][0][8] in ("0", "1")


def test_a_wrong_key_is_refused(made: Made) -> None:
    stranger = made(AccountAPI, DEMO_KEY, "wrong", DEMO_PASSPHRASE)

    assert stranger.get_account_balance()["code"] == "50113"


async def test_the_private_socket_tells_an_order(venue: RunningVenue, of: Made) -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    client = WsPrivateAsync(DEMO_KEY, DEMO_PASSPHRASE, DEMO_SECRET, f"{venue.ws_url}/ws/v5/private")
    client.websocket = await connect(client.url)  # by itself it connects with TLS only
    await client.subscribe(
        [{"channel": "orders", "instType": "SWAP"}], lambda frame: heard.put_nowait(json.loads(frame))
    )
    reading = asyncio.create_task(client.consume())
    try:
        async with asyncio.timeout(60):
            while (await heard.get()).get("event") != "subscribe":
                pass
            await asyncio.to_thread(lambda: rows(of(TradeAPI).place_order(**order(clOrdId="stream1"))))
            event = await heard.get()
    finally:
        reading.cancel()
        await client.websocket.close()

    (row,) = event["data"]
    assert (event["arg"]["channel"], row["clOrdId"], row["state"]) == ("orders", "stream1", "live")
