"""ccxt and ccxt.pro drive the simulated HashKey Global: clients that nobody here wrote, amounts compared exactly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import ccxt.pro
import pytest

from exchanges.sim.market import Funding
from exchanges.sim.server.faults import FaultKind, FaultRule, Scope
from exchanges.sim.server.options import Behaviour
from exchanges.sim.server.windows import Interval, Kind, Window
from grid.order import Side
from tests.venue import ccxt_rig
from tests.venue.ccxt_rig import PATIENCE_S, SYMBOL, collect, exact, limit, listens, loaded, until
from tests.venue.running_venue import RunningVenue, quote, running, still_options, trade

NAME, CONTRACT = "ETHUSDT-PERPETUAL", Decimal("0.001")
PRIVATE = "/api/v1/ws"
SWAP: dict[str, Any] = {"type": "swap"}
made_client = partial(ccxt_rig.made_client, exchange="hashkey")


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    with running(still_options(protocol="hashkey", windows=())) as started:
        yield started


@pytest.fixture
async def client(venue: RunningVenue) -> AsyncIterator[Any]:
    async with loaded(made_client(venue)) as made:
        yield made


def batch_row(client_id: str, price: str) -> dict[str, Any]:
    order = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 10, "price": price}
    return {**order, "params": {"clientOrderId": client_id}}


async def test_rules_come_in_contracts(client: Any) -> None:
    market = client.market(SYMBOL)

    assert (market["id"], market["linear"], market["swap"], market["active"]) == (NAME, True, True, True)
    assert exact(market["contractSize"]) == CONTRACT
    assert [exact(market["precision"][name]) for name in ("amount", "price")] == [1, Decimal("0.01")]
    assert exact(market["limits"]["amount"]["min"]) == 1


async def test_orders_are_placed_read_and_cancelled(client: Any, venue: RunningVenue) -> None:
    placed = await limit(client, "buy", 10, "2900", clientOrderId="Ccxt1", postOnly=True)
    by_id = await client.fetch_order(placed["id"], SYMBOL)
    # ccxt drops `clientOrderId` of a contract's order on the way; the venue's own name of it goes through
    with pytest.raises(ccxt.pro.BadRequest, match="0001"):
        await client.fetch_order(None, SYMBOL, {"clientOrderId": "Ccxt1"})
    by_client_id = await client.fetch_order(None, SYMBOL, {"clientOrderId": "Ccxt1", "origClientOrderId": "Ccxt1"})
    resting = await client.fetch_open_orders(SYMBOL)
    both = await client.create_orders([batch_row(f"batch{n}", str(2800 + n)) for n in range(2)])
    await client.cancel_order(None, SYMBOL, {"clientOrderId": "Ccxt1"})
    await client.cancel_orders([both[0]["id"]], SYMBOL)
    await client.cancel_all_orders(SYMBOL)
    after = await client.fetch_order(placed["id"], SYMBOL)
    ended = await client.fetch_canceled_and_closed_orders(SYMBOL)

    assert by_id == by_client_id
    assert (by_id["status"], by_id["clientOrderId"], by_id["postOnly"]) == ("open", "Ccxt1", True)
    assert (by_id["side"], by_id["reduceOnly"]) == ("buy", False)
    assert (exact(by_id["price"]), exact(by_id["amount"]), exact(by_id["filled"])) == (2900, 10, 0)
    assert [row["id"] for row in resting] == [placed["id"]]
    assert [row["clientOrderId"] for row in both] == ["batch0", "batch1"]
    assert after["status"] == "canceled"
    assert {row["clientOrderId"] for row in ended} == {"Ccxt1", "batch0", "batch1"}
    assert await client.fetch_open_orders(SYMBOL) == []
    assert [order.quantity for order in venue.orders("Ccxt1")] == [10]


async def test_fills_fees_positions_and_balance_are_exact(client: Any, venue: RunningVenue) -> None:
    before = await client.fetch_balance(SWAP)
    placed = await limit(client, "buy", 30, "2999", clientOrderId="maker1", postOnly=True)
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2998.99", "5", Side.SELL))
    rest = await limit(client, "sell", 5, "3100", clientOrderId="rest1", reduceOnly=True)
    sold = await client.create_order(SYMBOL, "market", "sell", 10, None, {"reduceOnly": True})

    fills = {row["order"]: row for row in await client.fetch_my_trades(SYMBOL)}
    bought, closed = fills[placed["id"]], fills[sold["id"]]
    (position,) = await client.fetch_positions([SYMBOL])
    balance = await client.fetch_balance(SWAP)
    truth = venue.within(lambda server: server.venue.engine.read.account("main").assets[0])

    assert (bought["takerOrMaker"], closed["takerOrMaker"]) == ("maker", "taker")
    assert (bought["side"], closed["side"]) == ("buy", "sell")
    assert (exact(bought["price"]), exact(bought["amount"]), exact(bought["cost"])) == (2999, 30, Decimal("89.97"))
    assert exact(bought["fee"]["cost"]) == Decimal("89.97") * Decimal("0.0002")
    assert exact(closed["fee"]["cost"]) == 30 * Decimal("0.0005")
    assert exact(closed["info"]["realizedPnl"]) == Decimal("0.01")
    assert (position["side"], exact(position["contracts"])) == ("long", 20)
    assert (exact(position["entryPrice"]), position["info"]["available"]) == (2999, "15")
    assert exact(position["unrealizedPnl"]) == truth.unrealised
    assert rest["reduceOnly"] is True
    assert exact(balance["USDT"]["total"]) == truth.wallet
    assert exact(balance["USDT"]["used"]) == truth.initial_margin
    assert exact(before["USDT"]["total"]) == 100_000
    ended = await client.fetch_order(placed["id"], SYMBOL)
    assert (ended["status"], exact(ended["filled"]), exact(ended["average"])) == ("closed", 30, 2999)


async def test_a_partial_fill_is_told_as_such(client: Any, venue: RunningVenue) -> None:
    rest = await limit(client, "buy", 100, "3000", clientOrderId="part1", postOnly=True)
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "3000", "500", Side.SELL))
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "3000", "0.04", Side.SELL))
    half = await client.fetch_order(rest["id"], SYMBOL)
    await client.cancel_order(rest["id"], SYMBOL)
    gone = await client.fetch_order(rest["id"], SYMBOL)

    assert (half["status"], exact(half["filled"]), exact(half["remaining"])) == ("open", 40, 60)
    assert (gone["status"], exact(gone["filled"]), gone["info"]["status"]) == ("canceled", 40, "PARTIALLY_CANCELED")


async def test_settings_and_income(client: Any, venue: RunningVenue) -> None:
    await client.create_order(SYMBOL, "market", "buy", 100, None)

    def settle(server: Any) -> None:
        server.tape.play(Funding(symbol="ETHUSDT", time_ms=server.venue.now_ms(), rate=Decimal("0.0001")))

    await asyncio.to_thread(venue.within, settle)
    await client.set_leverage(7, SYMBOL)
    read = await client.fetch_leverage(SYMBOL)
    fee = await client.fetch_trading_fee(SYMBOL)
    tiers = (await client.fetch_leverage_tiers([SYMBOL]))[SYMBOL]
    now = await client.fetch_time()
    ledger = await client.fetch_ledger("USDT", now - 60_000, 100, {"until": now + 60_000})
    truth = venue.within(lambda server: server.venue.engine.read.income("main", limit=100))

    assert (read["longLeverage"], read["marginMode"]) == ("7", "cross")
    assert (exact(fee["maker"]), exact(fee["taker"])) == (Decimal("0.0002"), Decimal("0.0005"))
    assert tiers[0]["tier"] == 1
    assert sorted(exact(row["info"]["change"]) for row in ledger) == sorted(row.amount for row in truth)
    (paid,) = [row for row in ledger if row["info"]["flowType"] == "FUNDING_SETTLEMENT"]
    assert exact(paid["info"]["change"]) < 0
    assert await client.set_margin_mode("isolated", "XRP/USDT:USDT")
    assert (await client.fetch_leverage("XRP/USDT:USDT"))["marginMode"] == "isolated"


async def test_market_data(client: Any, venue: RunningVenue) -> None:
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2998.99", "0.005", Side.SELL))
    ticker = await client.fetch_ticker(SYMBOL)
    book = await client.fetch_order_book(SYMBOL, 20)
    candles = await client.fetch_ohlcv(SYMBOL, "1m", limit=2)
    trades = await client.fetch_trades(SYMBOL)
    rate = await client.fetch_funding_rate(SYMBOL)
    mark = await client.public_get_quote_v1_markprice({"symbol": NAME})

    assert [exact(ticker[name]) for name in ("bid", "ask", "last")] == [3000, Decimal("3000.01"), Decimal("2998.99")]
    assert (book["bids"][0][0], book["asks"][0][0]) == (3000, 3000.01), "its books are floats whatever it is told"
    assert exact(candles[-1][4]) == Decimal("2998.99")
    assert (trades[-1]["side"], exact(trades[-1]["amount"])) == ("sell", 5)
    assert (rate["symbol"], exact(mark["price"]) > 0) == (SYMBOL, True)
    assert len(await client.fetch_tickers()) == len(client.symbols)


async def test_streams(client: Any, venue: RunningVenue) -> None:
    changes: list[Any] = []
    orders = asyncio.create_task(collect(client, changes))
    watched = {
        "fills": asyncio.create_task(client.watch_my_trades(SYMBOL)),
        "positions": asyncio.create_task(client.watch_positions([SYMBOL])),
        "candles": asyncio.create_task(client.watch_ohlcv(SYMBOL, "1m")),
        "book": asyncio.create_task(client.watch_order_book(SYMBOL)),
        "ticker": asyncio.create_task(client.watch_ticker(SYMBOL)),
        "trades": asyncio.create_task(client.watch_trades(SYMBOL)),
    }
    for topic in ("own", f"trade:{NAME}", f"kline_1m:{NAME}", f"depth:{NAME}", f"realtimes:{NAME}"):
        await until(listens(venue, topic))

    placed = await limit(client, "buy", 30, "2990", clientOrderId="watch1", postOnly=True)
    await until(lambda: bool(changes))
    await asyncio.to_thread(venue.play, trade("ETHUSDT", "2989", "1", Side.SELL))
    seen = {name: await asyncio.wait_for(task, PATIENCE_S) for name, task in watched.items()}
    await until(lambda: changes[-1]["status"] == "closed")
    orders.cancel()

    first, last = changes[0], changes[-1]
    assert (first["id"], first["clientOrderId"], first["status"]) == (placed["id"], "watch1", "open")
    assert (exact(last["filled"]), exact(last["average"]), last["reduceOnly"]) == (30, 2990, False)
    (fill,) = seen["fills"]
    assert (fill["order"], fill["takerOrMaker"], fill["side"]) == (placed["id"], "maker", "buy")
    assert (exact(fill["price"]), exact(fill["amount"])) == (2990, 30)
    assert fill["fee"] is None or fill["fee"]["cost"] is None, "a fill of the stream comes without its fee"
    assert (seen["positions"]["side"], exact(seen["positions"]["contracts"])) == ("long", 30)
    assert seen["book"]["bids"][0][0] == 3000
    assert seen["ticker"]["bid"] is None, "the day's topic has no best prices"
    assert exact(seen["trades"][-1]["price"]) == 2989
    assert seen["candles"][-1][4] is not None


async def test_refusals_have_their_classes(client: Any, venue: RunningVenue) -> None:
    await limit(client, "buy", 10, "2900", clientOrderId="twice")
    wrong: list[tuple[type[Exception], str, str, int, str, dict[str, Any]]] = [
        (ccxt.pro.DuplicateOrderId, "-1141", "buy", 10, "2901", {"clientOrderId": "twice"}),
        (ccxt.pro.InsufficientFunds, "-2038", "buy", 9_000_000, "2900", {}),
        (ccxt.pro.OperationRejected, "-2053", "sell", 10, "3100", {"reduceOnly": True}),
        (ccxt.pro.OperationFailed, "-1156", "buy", 10, "3005", {"postOnly": True, "clientOrderId": "taker1"}),
        (ccxt.pro.BadRequest, "-2046", "buy", 10, "90000", {}),
        (ccxt.pro.InvalidOrder, "-1154", "sell", 10, "3100", {}),
    ]
    for kind, words, side, contracts, price, params in wrong:
        with pytest.raises(kind, match=words):
            await limit(client, side, contracts, price, **params)
    assert venue.orders("taker1") == []
    with pytest.raises(ccxt.pro.OrderNotFound, match="-1143"):
        await client.fetch_order("424242", SYMBOL)
    with pytest.raises(ccxt.pro.OrderNotFound, match="-1143"):
        await client.fetch_order(None, SYMBOL, {"origClientOrderId": "never", "clientOrderId": "never"})
    with pytest.raises(ccxt.pro.OrderNotFound, match="-1143"):
        await client.cancel_order("424242", SYMBOL)
    for field in ("secret", "apiKey"):
        kept = getattr(client, field)
        setattr(client, field, "another")
        with pytest.raises(ccxt.pro.AuthenticationError):
            await client.fetch_open_orders(SYMBOL)
        setattr(client, field, kept)
    client.milliseconds = lambda: 1_700_000_000_000
    with pytest.raises(ccxt.pro.InvalidNonce):
        await client.fetch_open_orders(SYMBOL)
    client.milliseconds = lambda: "soon"
    with pytest.raises(ccxt.pro.BadRequest, match="timestamp"):
        await client.fetch_open_orders(SYMBOL)
    assert len(venue.orders("twice")) == 1


async def test_one_refusal_of_a_batch_hides_the_orders_that_rest(client: Any, venue: RunningVenue) -> None:
    """What ccxt makes of a batch that is accepted in part: an error, though an order rests."""
    with pytest.raises(ccxt.pro.BadRequest, match="-2046"):
        await client.create_orders([batch_row("good", "2900"), batch_row("bad", "90000")])
    assert [order.client_id for order in venue.orders("good")] == ["good"]
    assert venue.orders("bad") == []


async def test_one_side_is_held_at_a_time(client: Any, venue: RunningVenue) -> None:
    await client.create_order(SYMBOL, "market", "sell", 10, None)
    with pytest.raises(ccxt.pro.InvalidOrder, match="-1154"):
        await client.create_order(SYMBOL, "market", "buy", 10, None)
    (position,) = await client.fetch_positions([SYMBOL])
    await client.create_order(SYMBOL, "market", "buy", 10, None, {"reduceOnly": True})
    assert (position["side"], exact(position["contracts"])) == ("short", 10)
    assert await client.fetch_positions([SYMBOL]) == []


async def test_an_ended_listen_key_wants_a_new_one(client: Any, venue: RunningVenue) -> None:
    orders = asyncio.create_task(client.watch_orders(SYMBOL))
    await until(listens(venue, "own"))
    key = client.options["listenKey"]
    await client.private_put_api_v1_userdatastream({"listenKey": key})
    venue.within(lambda server: server.venue.expire_session("main"))
    with pytest.raises(ccxt.pro.NetworkError):
        await asyncio.wait_for(orders, PATIENCE_S)
    await until(lambda: venue.within(lambda server: not server.connections(PRIVATE)))
    with pytest.raises(ccxt.pro.ExchangeError, match="-1125"):
        await client.private_put_api_v1_userdatastream({"listenKey": key})
    # it keeps the key it had, and is turned away with it until somebody takes it out of its options
    with pytest.raises(ccxt.pro.NetworkError):
        await asyncio.wait_for(client.watch_orders(SYMBOL), PATIENCE_S)
    client.options["listenKey"] = None
    again = asyncio.create_task(client.watch_orders(SYMBOL))
    await until(listens(venue, "own"))
    placed = await limit(client, "buy", 10, "2900", clientOrderId="after")
    assert (await asyncio.wait_for(again, PATIENCE_S))[0]["id"] == placed["id"]


async def test_a_listen_key_that_nobody_renews_ends_its_stream() -> None:
    short = Behaviour(listen_key_validity_ms=400)
    with running(still_options(protocol="hashkey", windows=(), behaviour=short)) as venue:
        made = made_client(venue)
        try:
            orders = asyncio.create_task(made.watch_orders(SYMBOL))
            with pytest.raises(ccxt.pro.NetworkError):
                await asyncio.wait_for(orders, PATIENCE_S)
        finally:
            await made.close()


async def test_faults_of_the_control_reach_a_client(client: Any, venue: RunningVenue) -> None:
    await limit(client, "buy", 10, "2900", clientOrderId="kept")
    venue.fault(FaultRule(name="lost", kind=FaultKind.REPLY_LOST, scope=Scope(endpoint="order.place"), count=1))
    with pytest.raises(ccxt.pro.NetworkError):
        await limit(client, "buy", 10, "2899", clientOrderId="unanswered")
    found = await client.fetch_order(None, SYMBOL, {"origClientOrderId": "unanswered", "clientOrderId": "unanswered"})
    assert found["status"] == "open", "the reply was lost, the order was not"

    venue.fault(FaultRule(name="none", kind=FaultKind.EMPTY_OPEN_ORDERS, scope=Scope(endpoint="orders.open"), count=1))
    assert await client.fetch_open_orders(SYMBOL) == []
    assert len(await client.fetch_open_orders(SYMBOL)) == 2

    venue.fault(FaultRule(name="busy", kind=FaultKind.RATE_LIMITED, scope=Scope(endpoint="order.cancel"), count=1))
    with pytest.raises(ccxt.pro.RateLimitExceeded):
        await client.cancel_order(None, SYMBOL, {"clientOrderId": "kept"})
    await client.cancel_order(None, SYMBOL, {"clientOrderId": "kept"})

    venue.fault(FaultRule(name="error", kind=FaultKind.UNKNOWN_ERROR, scope=Scope(endpoint="order.place"), count=1))
    with pytest.raises(ccxt.pro.ExchangeError, match="-1006") as unclear:
        await limit(client, "buy", 10, "2898", clientOrderId="unclear")
    assert unclear.type is ccxt.pro.ExchangeError, "the class of a refusal, though nobody knows what was done"
    assert len(venue.orders("unclear")) == 1

    venue.fault(FaultRule(name="late", kind=FaultKind.BACKEND_TIMEOUT, scope=Scope(endpoint="order.place"), count=1))
    with pytest.raises(ccxt.pro.RequestTimeout):
        await limit(client, "buy", 10, "2897", clientOrderId="late")


async def test_the_window_of_requests_is_spent() -> None:
    few = (Window(kind=Kind.WEIGHT, interval=Interval.MINUTE, number=600, limit=12),)
    with running(still_options(protocol="hashkey", windows=few)) as venue:
        made = made_client(venue)
        try:
            await made.load_markets()
            for _ in range(2):
                await made.fetch_my_trades(SYMBOL)
            with pytest.raises(ccxt.pro.RateLimitExceeded):
                await made.fetch_my_trades(SYMBOL)
        finally:
            await made.close()


async def test_quotes_follow_the_book(client: Any, venue: RunningVenue) -> None:
    first = await client.watch_order_book(SYMBOL)
    held = first["asks"][0][0]
    again = asyncio.create_task(client.watch_order_book(SYMBOL))
    await asyncio.sleep(0)
    await asyncio.to_thread(venue.play, quote("ETHUSDT", "2999", "3001"))
    book = await asyncio.wait_for(again, PATIENCE_S)
    assert (held, book["bids"][0][0], book["asks"][0][0]) == (3000.01, 2999, 3001)
