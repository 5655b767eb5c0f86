"""ccxt and ccxt.pro drive the simulated venue in the three ways there are to point them at it.

A: addresses rewritten. B: addresses untouched, diverted at the resolver, with TLS of our own. C: A, with the error
table that ccxt picks by address put right.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import ccxt.pro
import pytest
import trustme
from aiohttp.abc import AbstractResolver, ResolveResult

from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET
from grid.order import Side
from tests.venue.running_venue import RunningVenue, running, still_options, trade

HOSTS = ("fapi.binance.com", "api.binance.com", "fstream.binance.com", "ws-fapi.binance.com", "*.binance.com")
SYMBOL = "ETH/USDT:USDT"
Make = Callable[[], Awaitable[Any]]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def plain_venue() -> Iterator[RunningVenue]:
    with running(still_options()) as started:
        yield started


@pytest.fixture(scope="module")
def tls_venue(authority: trustme.CA) -> Iterator[RunningVenue]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    with running(still_options(tls=context)) as started:
        yield started


class LoopbackResolver(AbstractResolver):
    """Every name is this machine, at the venue's port."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.asked: set[str] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.add(host)
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=self._port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        pass


def rewritten(urls: Any, venue: RunningVenue) -> Any:
    """Return the tree of addresses with scheme and host replaced and the paths kept."""
    if isinstance(urls, dict):
        return {name: rewritten(value, venue) for name, value in urls.items()}
    if not isinstance(urls, str) or "://" not in urls:
        return urls
    parts = urlsplit(urls)
    base = urlsplit(venue.ws_url if parts.scheme.startswith("ws") else venue.rest_url)
    return urlunsplit((base.scheme, base.netloc, parts.path, parts.query, parts.fragment))


def exchange(session: aiohttp.ClientSession | None = None) -> Any:
    settings: dict[str, Any] = {
        "apiKey": DEMO_KEY,
        "secret": DEMO_SECRET,
        "enableRateLimit": False,
        "maxRetriesOnFailure": 0,
    }
    return ccxt.pro.binanceusdm(settings | ({"session": session} if session else {}))


@asynccontextmanager
async def way_a(venue: RunningVenue) -> AsyncIterator[Any]:
    made = exchange()
    made.urls["api"] = rewritten(made.urls["api"], venue)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def way_c(venue: RunningVenue) -> AsyncIterator[Any]:
    async with way_a(venue) as made:
        exact = {**made.exceptions["exact"], **made.exceptions["linear"]["exact"]}
        made.exceptions = {**made.exceptions, "exact": exact}
        yield made


@asynccontextmanager
async def way_b(venue: RunningVenue, authority: trustme.CA) -> AsyncIterator[Any]:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    connector = aiohttp.TCPConnector(resolver=LoopbackResolver(venue.server.port), ssl=context)
    async with aiohttp.ClientSession(connector=connector) as session:
        made = exchange(session)
        try:
            yield made
        finally:
            await made.close()


@pytest.fixture(params=["A", "B", "C"])
async def client(
    request: pytest.FixtureRequest, plain_venue: RunningVenue, tls_venue: RunningVenue, authority: trustme.CA
) -> AsyncIterator[tuple[RunningVenue, Any]]:
    ways: dict[str, tuple[RunningVenue, Any]] = {
        "A": (plain_venue, way_a(plain_venue)),
        "B": (tls_venue, way_b(tls_venue, authority)),
        "C": (plain_venue, way_c(plain_venue)),
    }
    venue, opened = ways[request.param]
    venue.heal()
    async with opened as made:
        yield venue, made


async def test_ccxt_loads_places_reads_and_cancels(client: tuple[RunningVenue, Any]) -> None:
    _, ccxt_client = client
    markets = await ccxt_client.load_markets()
    assert markets[SYMBOL]["linear"]

    placed = await ccxt_client.create_order(
        SYMBOL, "limit", "buy", 0.01, 2900, {"clientOrderId": "ccxt1", "postOnly": True}
    )
    found = await ccxt_client.fetch_order(None, SYMBOL, {"clientOrderId": "ccxt1"})
    edited = await ccxt_client.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 2901)
    resting = await ccxt_client.fetch_open_orders(SYMBOL)
    gone = await ccxt_client.cancel_order(placed["id"], SYMBOL)

    assert (placed["status"], placed["clientOrderId"], found["id"]) == ("open", "ccxt1", placed["id"])
    assert edited["price"] == 2901
    assert [row["id"] for row in resting] == [placed["id"]]
    assert gone["status"] == "canceled"


async def test_ccxt_reads_account_and_market(client: tuple[RunningVenue, Any]) -> None:
    venue, ccxt_client = client
    await ccxt_client.create_order(SYMBOL, "limit", "buy", 0.02, 2999, {"postOnly": True})
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2998.99", "5", Side.SELL))

    balance = await ccxt_client.fetch_balance()
    positions = await ccxt_client.fetch_positions([SYMBOL])
    trades = await ccxt_client.fetch_my_trades(SYMBOL)
    ticker = await ccxt_client.fetch_ticker(SYMBOL)
    candles = await ccxt_client.fetch_ohlcv(SYMBOL, "1m", limit=2)
    funding = await ccxt_client.fetch_funding_rate(SYMBOL)
    leverage = await ccxt_client.set_leverage(5, SYMBOL)

    assert balance["USDT"]["total"] > 0
    assert (positions[0]["side"], trades[-1]["takerOrMaker"]) == ("long", "maker")
    assert (ticker["symbol"], candles[-1][4]) == (SYMBOL, 2998.99)
    assert funding["markPrice"] > 0
    assert leverage["leverage"] in (5, "5")
    assert (await ccxt_client.fetch_order_book(SYMBOL, 5))["bids"]
    assert (await ccxt_client.fetch_trading_fee(SYMBOL))["maker"] == 0.0002
    assert (await ccxt_client.fetch_position_mode(SYMBOL))["hedged"] is False


async def test_ccxt_pro_streams_and_orders_by_socket(client: tuple[RunningVenue, Any]) -> None:
    venue, ccxt_client = client
    await ccxt_client.load_markets()
    orders = asyncio.create_task(ccxt_client.watch_orders(SYMBOL))
    quotes = asyncio.create_task(ccxt_client.watch_bids_asks([SYMBOL]))
    candles = asyncio.create_task(ccxt_client.watch_ohlcv(SYMBOL, "1m"))
    await _until(lambda: len(venue.server.connections("/")) >= 3)

    placed = await ccxt_client.create_order_ws(SYMBOL, "limit", "buy", 0.03, 3000, {"timeInForce": "GTX"})
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "3000", "0.01", Side.SELL))
    seen = await asyncio.wait_for(orders, 60)
    quote = await asyncio.wait_for(quotes, 60)
    candle = await asyncio.wait_for(candles, 60)
    while candle[-1][4] != 3000:  # the first push may be older than the trade
        candle = await asyncio.wait_for(ccxt_client.watch_ohlcv(SYMBOL, "1m"), 60)
    gone = await ccxt_client.cancel_order_ws(placed["id"], SYMBOL)

    assert seen[0]["id"] == placed["id"]
    assert quote[SYMBOL]["bid"] == 3000
    assert candle[-1][2] >= 3000
    assert gone["status"] == "canceled"


async def test_errors_have_production_s_classes_where_the_address_is_untouched_or_the_table_is_merged(
    plain_venue: RunningVenue, tls_venue: RunningVenue, authority: trustme.CA
) -> None:
    async def refusal(made: Any) -> type[BaseException]:
        with pytest.raises(ccxt.pro.BaseError) as caught:
            await made.create_order(SYMBOL, "limit", "buy", 2000, 2900)
        return type(caught.value)

    async with way_a(plain_venue) as made:
        assert await refusal(made) is ccxt.pro.ExchangeError
    async with way_b(tls_venue, authority) as made:
        assert await refusal(made) is ccxt.pro.InsufficientFunds
    async with way_c(plain_venue) as made:
        assert await refusal(made) is ccxt.pro.InsufficientFunds


async def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if is_so():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never became so")


async def test_ccxt_s_own_stop_that_closes_the_position_is_placed_read_and_cancelled(
    client: tuple[RunningVenue, Any],
) -> None:
    venue, made = client
    await made.load_markets()
    venue.within(lambda server: server.venue.engine.foreign.move_position("main", "ETHUSDT", 50, server.venue.now_ms()))
    try:
        params = {"stopPrice": 2500, "closePosition": True, "workingType": "MARK_PRICE", "clientOrderId": "mine1"}
        placed = await made.create_order(SYMBOL, "STOP_MARKET", "sell", None, None, params)
        assert placed["clientOrderId"] == "mine1"
        assert placed["triggerPrice"] == 2500

        waiting = await made.fetch_open_orders(SYMBOL, params={"trigger": True})
        assert [one["clientOrderId"] for one in waiting] == ["mine1"]
        assert await made.fetch_open_orders(SYMBOL) == []  # not among the open orders
        one = await made.fetch_order(placed["id"], SYMBOL, {"trigger": True})
        assert (one["status"], one["info"]["closePosition"]) == ("open", True)

        await made.cancel_order(placed["id"], SYMBOL, {"trigger": True})
        assert await made.fetch_open_orders(SYMBOL, params={"trigger": True}) == []
    finally:
        venue.within(
            lambda server: server.venue.engine.foreign.move_position("main", "ETHUSDT", -50, server.venue.now_ms())
        )
