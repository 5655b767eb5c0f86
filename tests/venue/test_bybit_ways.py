"""What is special about Bybit, against its simulated venue: acknowledgements, stops, modes, limits, other hands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import ccxt.pro
import pytest

from exchanges.errors import NotSupported, OutcomeUnknown, Refusal, VenueRefused, VenueUnreachable
from exchanges.port import StreamUp
from exchanges.sim.market import Mark
from exchanges.sim.server.faults import FaultKind, FaultRule, Scope
from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET, demo_account
from exchanges.sim.server.server import SimVenue
from exchanges.sim.server.windows import Interval, Kind, Window
from grid.order import OrderStatus, OrderUpdate, Side, TimeInForce
from grid.stop import StopReport, StopRequest, StopStatus, WorkingType
from risk.veto import ApprovedStop
from tests.venue.adapter_rig import approved, market, of, settings, trading, until
from tests.venue.running_venue import RunningVenue, quote, running, still_options, trade
from tests.venue.test_ccxt import rewritten

NAME = "bybit"
WIDE = (Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=1, limit=1000),)
SYMBOL = "ETH/USDT:USDT"


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    with running(still_options(protocol=NAME, windows=WIDE)) as started:
        yield started


async def test_a_post_only_order_that_would_take_is_accepted_and_taken_back_with_its_reason(
    venue: RunningVenue,
) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        placed = await desk.place(approved("taker", 310000))
        seen = await until(events, lambda one: isinstance(one, OrderUpdate) and one.report.status.is_terminal)
        read = await desk.order("ETHUSDT", "taker")
        await events.aclose()

    assert placed.status is OrderStatus.NEW
    assert (seen[-1].report.status, seen[-1].report.expiry_reason) == (OrderStatus.EXPIRED, "post_only")
    assert (read.expiry_reason, read.filled) == ("post_only", 0)


async def test_a_cancel_whose_end_can_not_be_read_is_unknown(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        await desk.place(approved("gone"))
        venue.fault(FaultRule(name="blind", kind=FaultKind.BAD_GATEWAY, scope=Scope(endpoint="order.status")))
        with pytest.raises(OutcomeUnknown, match="taken"):
            await desk.cancel("ETHUSDT", "gone")
        venue.heal()
        assert (await desk.order("ETHUSDT", "gone")).status is OrderStatus.CANCELED


async def test_an_immediate_order_whose_end_can_not_be_read_is_told_as_accepted(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        venue.fault(FaultRule(name="blind", kind=FaultKind.BAD_GATEWAY, scope=Scope(endpoint="order.status")))
        placed = await desk.place(approved("ioc", 310000, time_in_force=TimeInForce.IOC))

    assert (placed.status, placed.filled) == (OrderStatus.NEW, 0)


async def test_an_id_is_never_taken_twice(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        await desk.place(approved("once"))
        await desk.cancel("ETHUSDT", "once")
        with pytest.raises(VenueRefused) as caught:
            await desk.place(approved("once"))

    assert caught.value.refusal is Refusal.DUPLICATE_ID


async def test_the_eleventh_order_of_a_second_is_not_done_and_is_no_ban() -> None:
    with running(still_options(protocol=NAME)) as narrow:
        async with trading(settings(narrow.rest_url, narrow.ws_url), name=NAME) as desk:
            answers = await desk.place_batch([approved(f"many{n}", 280000 + n) for n in range(30)])
        live = sum(len(narrow.orders(f"many{n}")) for n in range(30))

    refused = [one for one in answers if isinstance(one, BaseException)]
    assert 10 <= live < 30
    assert len(refused) == 30 - live
    assert all(isinstance(one, VenueUnreachable) and not one.banned for one in refused)


def stop(client_id: str, trigger: int) -> ApprovedStop:
    request = StopRequest(
        symbol="ETHUSDT", client_id=client_id, side=Side.SELL, trigger=trigger, working_type=WorkingType.LAST
    )
    return ApprovedStop(request=request)


async def test_a_stop_waits_apart_from_orders_and_closes_the_position(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        await desk.place(approved("lot", 310000, time_in_force=TimeInForce.IOC))
        placed = await desk.place_stop(stop("stop1", 290000))
        waiting, orders = await desk.open_stops(), await desk.open_orders()
        venue.play(quote("ETHUSDT", "2895.00", "2895.01"), trade("ETHUSDT", "2895.00", "1", Side.SELL))
        seen = await until(events, lambda one: isinstance(one, OrderUpdate) and one.report.side is Side.SELL)
        after = await desk.stop("ETHUSDT", "stop1")
        (flat,) = await desk.positions()
        await events.aclose()

    assert (placed.status, placed.closes_position, placed.trigger) == (StopStatus.WAITING, True, 290000)
    assert [one.client_id for one in waiting] == ["stop1"]
    assert orders == []
    triggered = [one for one in seen if isinstance(one, StopReport) and one.status is StopStatus.TRIGGERED]
    assert triggered[-1].order_id == placed.algo_id
    assert seen[-1].report.client_id == "stop1"
    assert after.status is StopStatus.TRIGGERED
    assert flat.quantity == 0


async def test_a_stop_can_be_taken_away(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        await desk.place_stop(stop("stop2", 290000))
        await desk.cancel_stop("ETHUSDT", "stop2")
        read = await desk.stop("ETHUSDT", "stop2")
        with pytest.raises(VenueRefused) as caught:
            await desk.cancel_stop("ETHUSDT", "stop2")
        left = await desk.open_stops()

    assert (read.status, left) == (StopStatus.ENDED, [])
    assert caught.value.refusal is Refusal.UNKNOWN_ORDER


async def test_hedge_mode_is_seen_and_takes_no_order_of_ours() -> None:
    demo = demo_account(deposit=Decimal(100_000))
    hedged = replace(demo, spec=replace(demo.spec, hedge_mode=True))
    with running(still_options(protocol=NAME, windows=WIDE, accounts=(hedged,))) as venue:
        async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
            account = await desk.account()
            with pytest.raises(VenueRefused):
                await desk.place(approved("hedge"))

    assert not account.is_one_way


async def test_what_the_venue_has_not_is_refused_by_name(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        await desk.set_countdown("ETHUSDT", 0)
        with pytest.raises(NotSupported, match="countdown"):
            await desk.set_countdown("ETHUSDT", 60_000)
        await desk.set_margin_type("ETHUSDT", "CROSSED")
        with pytest.raises(NotSupported, match="margin mode"):
            await desk.set_margin_type("ETHUSDT", "ISOLATED")


async def test_an_empty_list_of_positions_proves_nothing(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        venue.fault(FaultRule(name="empty", kind=FaultKind.EMPTY_POSITIONS))
        with pytest.raises(Exception, match="no row for ETHUSDT"):
            await desk.positions()


async def test_history_is_read_over_pages_and_weeks(venue: RunningVenue) -> None:
    since_ms = settings(venue.rest_url, venue.ws_url).now_ms() - 20 * 24 * 3600 * 1000
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        venue.play(quote("ETHUSDT", "3000.00", "3000.01", size="5000"))
        for number in range(120):
            await desk.place(approved(f"trade{number}", 310000, time_in_force=TimeInForce.IOC))
        fills = await desk.fills_since("ETHUSDT", since_ms)
        orders = await desk.orders_since("ETHUSDT", since_ms)
        income = await desk.income_since(since_ms)

    assert len({fill.key for fill in fills}) == len(fills) == 120
    assert [fill.venue_ms for fill in fills] == sorted(fill.venue_ms for fill in fills)
    assert len(orders) == 120
    paid = sum(row.amount for row in income if row.kind == "COMMISSION")
    assert paid == -sum(fill.fee for fill in fills)
    assert [row.kind for row in income if row.kind == "TRANSFER"] == ["TRANSFER"]


async def test_a_mark_that_rests_is_still_told(venue: RunningVenue) -> None:
    async with market(settings(venue.rest_url, venue.ws_url), name=NAME) as feed:
        marks = feed.marks(["ETHUSDT"])
        await until(marks, of(tuple))

        def move(server: SimVenue) -> None:
            server.tape.play(Mark(symbol="ETHUSDT", time_ms=server.venue.now_ms(), price=Decimal("2987.65")))

        venue.within(move)
        seen = await until(marks, lambda one: isinstance(one, tuple) and one[1] == Decimal("2987.65"))
        await marks.aclose()

    assert seen[-1][0] == "ETHUSDT"


async def test_ccxt_loads_places_reads_and_cancels(venue: RunningVenue) -> None:
    client = ccxt.pro.bybit({"apiKey": DEMO_KEY, "secret": DEMO_SECRET, "enableRateLimit": False})
    client.urls["api"] = rewritten(client.urls["api"], venue)
    client.has["fetchCurrencies"] = False
    client.options["fetchMarkets"] = {"types": ["linear"]}
    try:
        markets = await client.load_markets()
        placed = await client.create_order(
            SYMBOL, "limit", "buy", 0.01, 2900, {"postOnly": True, "clientOrderId": "ccxt1"}
        )
        (found,) = await client.fetch_open_orders(SYMBOL)
        balance = await client.fetch_balance()
        await client.cancel_order(placed["id"], SYMBOL)
        left = await client.fetch_open_orders(SYMBOL)
    finally:
        await client.close()

    assert markets[SYMBOL]["linear"]
    assert (found["id"], found["clientOrderId"], found["status"]) == (placed["id"], "ccxt1", "open")
    assert balance["USDT"]["total"] == 100_000
    assert left == []
