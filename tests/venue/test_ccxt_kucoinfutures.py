"""ccxt and ccxt.pro drive the simulated KuCoin Futures: clients that nobody here wrote, amounts compared exactly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import aiohttp
import ccxt.pro
import pytest

from exchanges.sim.market import Funding
from exchanges.sim.server.faults import FaultKind, FaultRule, Scope
from exchanges.sim.server.options import DEMO_PASSPHRASE
from exchanges.sim.server.windows import Interval, Kind, Window
from grid.order import Side
from tests.venue import ccxt_rig
from tests.venue.ccxt_rig import PATIENCE_S, SYMBOL, collect, exact, listens, loaded, until
from tests.venue.running_venue import RunningVenue, quote, running, still_options, trade

CONTRACT = Decimal("0.001")
PRIVATE = "/endpoint/private"
CROSS: dict[str, Any] = {"marginMode": "cross"}
made_client = partial(ccxt_rig.made_client, exchange="kucoinfutures", password=DEMO_PASSPHRASE)
limit = partial(ccxt_rig.limit, marginMode="cross")


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    with running(still_options(protocol="kucoinfutures", windows=())) as started:
        yield started


@pytest.fixture
async def client(venue: RunningVenue) -> AsyncIterator[Any]:
    async with loaded(made_client(venue)) as made:
        yield made


async def test_rules_come_in_contracts(client: Any) -> None:
    market = client.market(SYMBOL)
    bitcoin = client.market("BTC/USDT:USDT")

    assert (market["linear"], market["swap"], market["active"]) == (True, True, True)
    assert exact(market["contractSize"]) == CONTRACT
    assert [exact(market["precision"][name]) for name in ("amount", "price")] == [1, Decimal("0.01")]
    assert [exact(market[name]) for name in ("maker", "taker")] == [Decimal("0.0002"), Decimal("0.0005")]
    assert bitcoin["id"] == "XBTUSDTM"


async def test_orders_are_placed_read_and_cancelled(client: Any, venue: RunningVenue) -> None:
    placed = await limit(client, "buy", 10, "2900", clientOrderId="ccxt1", postOnly=True)
    by_id = await client.fetch_order(placed["id"], SYMBOL)
    by_client_id = await client.fetch_order(None, SYMBOL, {"clientOrderId": "ccxt1"})
    resting = await client.fetch_open_orders(SYMBOL)
    both = await client.create_orders(
        [
            {
                "symbol": SYMBOL,
                "type": "limit",
                "side": "buy",
                "amount": 10,
                "price": str(2800 + n),
                "params": {**CROSS, "clientOrderId": f"batch{n}"},
            }
            for n in range(2)
        ]
    )
    await client.cancel_order(None, SYMBOL, {"clientOrderId": "ccxt1"})
    await client.cancel_orders([row["id"] for row in both], SYMBOL)
    after = await client.fetch_order(placed["id"], SYMBOL)
    ended = await client.fetch_closed_orders(SYMBOL)

    assert by_id == by_client_id
    assert (by_id["status"], by_id["clientOrderId"], by_id["postOnly"]) == ("open", "ccxt1", True)
    assert (exact(by_id["price"]), exact(by_id["amount"]), exact(by_id["filled"])) == (2900, 10, 0)
    assert [row["id"] for row in resting] == [placed["id"]]
    assert [row["clientOrderId"] for row in both] == ["batch0", "batch1"]
    assert after["status"] == "canceled"
    assert {row["clientOrderId"] for row in ended} == {"ccxt1", "batch0", "batch1"}
    assert await client.fetch_open_orders(SYMBOL) == []
    assert [order.quantity for order in venue.orders("ccxt1")] == [10]


async def test_fills_fees_positions_and_balance_are_exact(client: Any, venue: RunningVenue) -> None:
    before = await client.fetch_balance({"code": "USDT"})
    placed = await limit(client, "buy", 30, "2999", clientOrderId="maker1", postOnly=True)
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2998.99", "5", Side.SELL))
    sold = await client.create_order(SYMBOL, "market", "sell", 10, None, {**CROSS, "reduceOnly": True})

    fills = {row["order"]: row for row in await client.fetch_my_trades(SYMBOL)}
    bought, closed = fills[placed["id"]], fills[sold["id"]]
    (position,) = await client.fetch_positions([SYMBOL])
    balance = await client.fetch_balance({"code": "USDT"})
    truth = venue.within(lambda server: server.venue.engine.read.account("main").assets[0])

    assert (bought["takerOrMaker"], closed["takerOrMaker"]) == ("maker", "taker")
    assert (exact(bought["price"]), exact(bought["amount"]), exact(bought["cost"])) == (
        2999,
        30,
        Decimal("89.97"),
    )
    assert exact(bought["fee"]["cost"]) == Decimal("89.97") * Decimal("0.0002")
    assert exact(closed["fee"]["cost"]) == 30 * Decimal("0.0005")
    assert (position["side"], exact(position["contracts"])) == ("long", 20)
    assert exact(position["entryPrice"]) == 2999
    assert position["marginMode"] == "cross"
    assert exact(balance["USDT"]["total"]) == truth.margin_balance
    assert exact(balance["USDT"]["free"]) == truth.available
    assert exact(before["USDT"]["total"]) == 100_000
    ended = await client.fetch_order(placed["id"], SYMBOL)
    assert (ended["status"], exact(ended["filled"]), exact(ended["average"])) == ("closed", 30, 2999)


async def test_a_partial_fill_is_told_as_such(client: Any, venue: RunningVenue) -> None:
    placed = await limit(client, "buy", 2000, "3000.01", clientOrderId="part1", timeInForce="IOC")
    row = await client.fetch_order(placed["id"], SYMBOL)
    await asyncio.to_thread(venue.play, quote("ETHUSDT", "2999", "3001"))
    rest = await limit(client, "buy", 100, "3000", clientOrderId="part2", postOnly=True)
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "3000", "0.04", Side.SELL))
    half = await client.fetch_order(rest["id"], SYMBOL)
    await client.cancel_order(rest["id"], SYMBOL)
    gone = await client.fetch_order(rest["id"], SYMBOL)

    assert (row["status"], exact(row["filled"])) == ("closed", 2000)
    assert (half["status"], exact(half["filled"]), exact(half["remaining"])) == ("open", 40, 60)
    assert (gone["status"], exact(gone["filled"])) == ("canceled", 40)


async def test_settings_and_income(client: Any, venue: RunningVenue) -> None:
    await client.create_order(SYMBOL, "market", "buy", 100, None, CROSS)

    def settle(server: Any) -> None:
        server.tape.play(Funding(symbol="ETHUSDT", time_ms=server.venue.now_ms(), rate=Decimal("0.0001")))

    await asyncio.to_thread(venue.within, settle)
    set_to = await client.set_leverage(7, SYMBOL)
    read = await client.fetch_leverage(SYMBOL)
    mode = await client.fetch_position_mode(SYMBOL)
    margin = await client.fetch_margin_mode(SYMBOL)
    fee = await client.fetch_trading_fee(SYMBOL)
    (paid,) = await client.fetch_funding_history(SYMBOL)
    ledger = await client.fetch_ledger("USDT", params={"hf": False})
    truth = venue.within(lambda server: server.venue.engine.read.income("main", kind="FUNDING_FEE"))

    assert (set_to["longLeverage"], read["longLeverage"]) == ("7", 7)
    assert (mode["hedged"], margin["marginMode"]) == (False, "cross")
    assert (exact(fee["maker"]), exact(fee["taker"])) == (Decimal("0.0002"), Decimal("0.0005"))
    assert exact(paid["amount"]) == truth[0].amount < 0
    assert {row["info"]["type"] for row in ledger} == {"TransferIn", "RealisedPNL"}
    assert (await client.fetch_market_leverage_tiers(SYMBOL))[0]["tier"]


async def test_market_data(client: Any, venue: RunningVenue) -> None:
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2998.99", "0.005", Side.SELL))
    ticker = await client.fetch_ticker(SYMBOL)
    book = await client.fetch_order_book(SYMBOL, 20)
    candles = await client.fetch_ohlcv(SYMBOL, "1m", limit=2)
    trades = await client.fetch_trades(SYMBOL)
    mark = await client.fetch_mark_price(SYMBOL)
    rate = await client.fetch_funding_rate(SYMBOL)

    assert [exact(ticker[name]) for name in ("bid", "ask", "last")] == [3000, Decimal("3000.01"), Decimal("2998.99")]
    assert (book["bids"][0][0], book["asks"][0][0]) == (3000, 3000.01), "its books are floats whatever it is told"
    assert exact(candles[-1][4]) == Decimal("2998.99")
    assert (trades[-1]["side"], exact(trades[-1]["amount"])) == ("sell", 5)
    assert exact(mark["markPrice"]) > 0
    assert rate["symbol"] == SYMBOL
    assert await client.fetch_time() > 0
    assert len(await client.fetch_tickers()) == len(client.symbols)


async def test_streams(client: Any, venue: RunningVenue) -> None:
    changes: list[Any] = []
    orders = asyncio.create_task(collect(client, changes))
    watched = {
        "fills": asyncio.create_task(client.watch_my_trades(SYMBOL)),
        "touch": asyncio.create_task(client.watch_bids_asks([SYMBOL])),
        "candles": asyncio.create_task(client.watch_ohlcv(SYMBOL, "1m")),
        "book": asyncio.create_task(client.watch_order_book(SYMBOL, 5)),
        "trades": asyncio.create_task(client.watch_trades(SYMBOL)),
        "wallet": asyncio.create_task(client.watch_balance({"type": "swap"})),
    }
    for topic in ("/contractMarket/tradeOrders", "/contractAccount/wallet", "/contractMarket/execution:ETHUSDTM"):
        await until(listens(venue, topic))
    await until(listens(venue, "/contractMarket/limitCandle:ETHUSDTM_1min"))

    placed = await limit(client, "buy", 30, "2990", clientOrderId="watch1", postOnly=True)
    await until(lambda: bool(changes))
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2989", "1", Side.SELL))
    seen = {name: await asyncio.wait_for(task, PATIENCE_S) for name, task in watched.items()}
    await until(lambda: changes[-1]["status"] == "closed")
    orders.cancel()

    first, last = changes[0], changes[-1]
    assert (first["id"], first["clientOrderId"], first["status"]) == (placed["id"], "watch1", "open")
    assert (exact(last["filled"]), exact(last["average"])) == (30, 2990)
    (fill,) = seen["fills"]
    assert (fill["order"], fill["takerOrMaker"], exact(fill["price"]), exact(fill["amount"])) == (
        placed["id"],
        "maker",
        2990,
        30,
    )
    assert fill["fee"]["cost"] is None, "a fill of the stream comes without its fee"
    assert exact(seen["touch"][SYMBOL]["bid"]) == 3000
    assert seen["book"]["bids"][0][0] == 3000
    assert exact(seen["trades"][-1]["price"]) == 2989
    assert seen["candles"][-1][4] is not None
    assert seen["wallet"]["USDT"]["free"]


async def test_a_post_only_order_that_would_take_is_cancelled_afterwards(client: Any, venue: RunningVenue) -> None:
    changes: list[Any] = []
    orders = asyncio.create_task(collect(client, changes))
    await until(listens(venue, "/contractMarket/tradeOrders"))
    placed = await limit(client, "buy", 10, "3005", clientOrderId="taker1", postOnly=True)
    await until(lambda: bool(changes) and changes[-1]["status"] == "canceled")
    orders.cancel()
    found = await client.fetch_order(placed["id"], SYMBOL)

    last = changes[-1]
    assert (last["clientOrderId"], exact(last["filled"])) == ("taker1", 0)
    assert (found["status"], exact(found["filled"])) == ("canceled", 0)


async def test_refusals_have_their_classes(client: Any, venue: RunningVenue) -> None:
    await limit(client, "buy", 10, "2900", clientOrderId="twice")
    wrong: list[tuple[type[Exception], str, int, str, dict[str, Any]]] = [
        (ccxt.pro.BadRequest, "clientOidDuplicated", 10, "2901", {"clientOrderId": "twice"}),
        (ccxt.pro.InsufficientFunds, "300003", 9_000_000, "2900", {}),
        (ccxt.pro.InvalidOrder, "300009", 10, "2900", {"reduceOnly": True}),
        (ccxt.pro.InvalidOrder, "330005", 10, "2900", {"marginMode": "isolated"}),
        (ccxt.pro.InvalidOrder, "300012", 10, "90000", {}),
    ]
    for kind, words, contracts, price, params in wrong:
        with pytest.raises(kind, match=words):
            await limit(client, "buy", contracts, price, **params)
    with pytest.raises(ccxt.pro.OrderNotFound, match="orderNotExist"):
        await client.fetch_order("424242", SYMBOL)
    with pytest.raises(ccxt.pro.OrderNotFound, match="orderNotExist"):
        await client.fetch_order(None, SYMBOL, {"clientOrderId": "never"})
    with pytest.raises(ccxt.pro.BadRequest, match="100004"):
        await client.cancel_order("424242", SYMBOL)
    for field in ("password", "secret", "apiKey"):
        kept = getattr(client, field)
        setattr(client, field, "another")
        with pytest.raises(ccxt.pro.AuthenticationError):
            await client.fetch_open_orders(SYMBOL)
        setattr(client, field, kept)
    signed = client.sign

    def under_another_body(*parts: Any) -> Any:
        told = signed(*parts)
        return {**told, "url": told["url"] + "&pageSize=7"}

    client.sign = under_another_body
    with pytest.raises(ccxt.pro.AuthenticationError, match="400005"):
        await client.fetch_open_orders(SYMBOL)
    client.sign = signed
    client.nonce = lambda: client.milliseconds() - 60_000
    with pytest.raises(ccxt.pro.InvalidNonce):
        await client.fetch_open_orders(SYMBOL)
    assert len(venue.orders("twice")) == 1


async def test_an_ended_session_wants_a_new_token(client: Any, venue: RunningVenue) -> None:
    orders = asyncio.create_task(client.watch_orders(SYMBOL))
    await until(listens(venue, "/contractMarket/tradeOrders"))
    (token,) = [url for url in client.clients if "token=" in url]
    venue.within(lambda server: server.venue.expire_session("main"))
    with pytest.raises(ccxt.pro.NetworkError):
        await asyncio.wait_for(orders, PATIENCE_S)
    await until(lambda: venue.within(lambda server: not server.connections(PRIVATE)))

    async with aiohttp.ClientSession() as session, session.ws_connect(token) as socket:
        assert (await socket.receive_json())["data"] == "token is expired"

    fresh = made_client(venue)
    try:
        await fresh.load_markets()
        again = asyncio.create_task(fresh.watch_orders(SYMBOL))
        await until(listens(venue, "/contractMarket/tradeOrders"))
        placed = await limit(fresh, "buy", 10, "2900", clientOrderId="after")
        assert (await asyncio.wait_for(again, PATIENCE_S))[0]["id"] == placed["id"]
    finally:
        await fresh.close()


async def test_faults_of_the_control_reach_a_client(client: Any, venue: RunningVenue) -> None:
    await limit(client, "buy", 10, "2900", clientOrderId="kept")
    venue.fault(FaultRule(name="lost", kind=FaultKind.REPLY_LOST, scope=Scope(endpoint="order.place"), count=1))
    with pytest.raises(ccxt.pro.NetworkError):
        await limit(client, "buy", 10, "2899", clientOrderId="unanswered")
    found = await client.fetch_order(None, SYMBOL, {"clientOrderId": "unanswered"})
    assert found["status"] == "open", "the reply was lost, the order was not"

    venue.fault(FaultRule(name="none", kind=FaultKind.EMPTY_OPEN_ORDERS, scope=Scope(endpoint="orders.open"), count=1))
    assert await client.fetch_open_orders(SYMBOL) == []
    assert len(await client.fetch_open_orders(SYMBOL)) == 2

    venue.fault(FaultRule(name="busy", kind=FaultKind.RATE_LIMITED, scope=Scope(endpoint="order.cancel"), count=1))
    with pytest.raises(ccxt.pro.RateLimitExceeded):
        await client.cancel_order(None, SYMBOL, {"clientOrderId": "kept"})
    await client.cancel_order(None, SYMBOL, {"clientOrderId": "kept"})

    venue.fault(FaultRule(name="error", kind=FaultKind.UNKNOWN_ERROR, scope=Scope(endpoint="order.place"), count=1))
    with pytest.raises(ccxt.pro.ExchangeNotAvailable):
        await limit(client, "buy", 10, "2898", clientOrderId="unclear")
    assert len(venue.orders("unclear")) == 1


async def test_the_pool_of_requests_is_spent() -> None:
    few = (Window(kind=Kind.WEIGHT, interval=Interval.SECOND, number=36000, limit=24),)
    with running(still_options(protocol="kucoinfutures", windows=few)) as venue:
        made = made_client(venue)
        try:
            await made.load_markets()
            for _ in range(3):
                await made.fetch_my_trades(SYMBOL)
            with pytest.raises(ccxt.pro.RateLimitExceeded):
                await made.fetch_my_trades(SYMBOL)
            told = {name.lower(): value for name, value in made.last_response_headers.items()}
            assert told["gw-ratelimit-limit"] == "24"
        finally:
            await made.close()
