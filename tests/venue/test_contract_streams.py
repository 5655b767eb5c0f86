"""Streams against the simulated venue: up only when confirmed, down with a reason, back by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from exchanges.errors import OutcomeUnknown
from exchanges.generic.wire_orders import NAMELESS
from exchanges.port import ConfigurationChanged, Position, PublicTrade, StreamDown, StreamUp
from exchanges.session.reader import RENEWAL
from exchanges.sim.klines import INTERVALS_MS
from exchanges.sim.server.faults import FaultKind, FaultRule, Scope
from exchanges.sim.server.server import SimVenue
from grid.order import OrderStatus, OrderUpdate, Quote, Side, TimeInForce
from risk.candle import Candle
from tests.venue.adapter_rig import approved, eventually, market, of, settings, trading, until
from tests.venue.contract import VENUES, VenueUnderTest
from tests.venue.running_venue import RunningVenue, quote, running, still_options, trade


@pytest.fixture(scope="module", params=VENUES, ids=str)
def kind(request: pytest.FixtureRequest) -> VenueUnderTest:
    chosen: VenueUnderTest = request.param
    return chosen


@pytest.fixture(scope="module")
def venue(kind: VenueUnderTest) -> Iterator[RunningVenue]:
    with running(still_options(protocol=kind.language, windows=kind.windows)) as started:
        yield started


@pytest.fixture(autouse=True)
def healed(venue: RunningVenue) -> Iterator[None]:
    yield
    venue.heal()


def at_bid(ticks: int) -> Callable[[object], bool]:
    return lambda one: isinstance(one, Quote) and one.bid == ticks


async def test_every_trade_is_told_once_in_order_with_who_took(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with market(settings(venue.rest_url, venue.ws_url), name=kind.name) as public:
        events = public.trades(["ETHUSDT", "BTCUSDT"])
        await until(events, lambda one: isinstance(one, StreamUp) and one.name.endswith("BTCUSDT"))
        venue.play(
            trade("ETHUSDT", "3000.50", "0.3", Side.BUY),
            trade("ETHUSDT", "3000.00", "0.1", Side.SELL),
            trade("BTCUSDT", "60000.0", "2", Side.SELL),
            trade("ETHUSDT", "3000.00", "0.1", Side.SELL),
        )
        told = [(await until(events, of(PublicTrade)))[-1] for _ in range(4)]
        await events.aclose()

    assert [(one.price, one.quantity, one.aggressor) for one in told if one.symbol == "ETHUSDT"] == [
        (300050, 300, Side.BUY),
        (300000, 100, Side.SELL),
        (300000, 100, Side.SELL),
    ]
    assert [(one.price, one.quantity, one.aggressor) for one in told if one.symbol == "BTCUSDT"] == [
        (600000, 2000, Side.SELL)
    ]
    assert len({(one.symbol, one.trade_id) for one in told}) == 4
    assert all(one.venue_ms > 1_600_000_000_000 for one in told)


def go_half_open(venue: RunningVenue, path: str) -> None:
    def run(server: SimVenue) -> None:
        for connection in server.connections(path):
            connection.go_half_open()

    venue.within(run)


def cut(venue: RunningVenue, path: str) -> int:
    def run(server: SimVenue) -> int:
        found = server.connections(path)
        for connection in found:
            connection.cut()
        return len(found)

    return venue.within(run)


async def test_a_maker_fill_comes_with_its_fee_and_its_position(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        await desk.place(approved("maker1", 299900))
        venue.play(trade("ETHUSDT", "2998.00", "1", Side.SELL))
        seen = await until(events, of(Position))
        await events.aclose()

    updates = [one for one in seen if isinstance(one, OrderUpdate) and one.report.client_id == "maker1"]
    assert list(dict.fromkeys(one.report.status for one in updates)) == [OrderStatus.NEW, OrderStatus.FILLED]
    (fill,) = [one.fill for one in updates if one.fill is not None]
    assert (fill.price, fill.quantity, fill.is_maker, fill.fee_asset) == (299900, 10, True, "USDT")
    assert fill.fee == Decimal("2999.00") * Decimal("0.010") * Decimal("0.0002")
    assert isinstance(seen[-1], Position)
    assert seen[-1].quantity == 10


async def test_a_cut_private_stream_says_so_and_comes_back_with_the_same_key(
    venue: RunningVenue, kind: VenueUnderTest
) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        assert cut(venue, kind.private_path) >= 1
        seen = await until(events, of(StreamUp))
        await desk.place(approved("after1"))
        told = await until(events, of(OrderUpdate))
        await events.aclose()

    # some venues begin a stream with what is held
    assert [type(one) for one in seen if not isinstance(one, Position)] == [StreamDown, StreamUp]
    assert told[-1].report.client_id == "after1"


async def test_an_expired_session_is_replaced(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        venue.within(lambda server: server.venue.expire_session("main"))
        seen = await until(events, of(StreamUp))
        await desk.place(approved("newkey"))
        told = await until(events, of(OrderUpdate))
        await events.aclose()

    (down,) = [one for one in seen if isinstance(one, StreamDown)]
    assert down.reason
    assert told[-1].report.client_id == "newkey"


async def test_parts_of_a_fill_add_up_and_a_cancel_tells_what_was_filled(
    venue: RunningVenue, kind: VenueUnderTest
) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        venue.play(quote("ETHUSDT", "3000.00", "3000.01"))
        await desk.place(approved("parts1", 295000))
        venue.play(quote("ETHUSDT", "2950.00", "3000.01", size="1"))
        for quantity in ("1.003", "0.002"):
            venue.play(trade("ETHUSDT", "2950.00", quantity, Side.SELL))
            await until(events, lambda one: isinstance(one, OrderUpdate) and one.fill is not None)
        ended = await desk.cancel("ETHUSDT", "parts1")
        seen = await until(events, lambda one: isinstance(one, OrderUpdate) and one.report.status.is_terminal)
        fills = await desk.fills_since("ETHUSDT", 0 if not ended.venue_ms else ended.venue_ms - 60_000, ended.order_id)
        await events.aclose()

    last = seen[-1].report
    assert (last.status, last.filled) == (OrderStatus.CANCELED, 5)
    assert [fill.quantity for fill in fills] == [3, 2]
    assert all(fill.fee > 0 for fill in fills)


@pytest.mark.parametrize("side", ["private", "public"])
async def test_a_half_open_socket_is_noticed_by_its_silence(
    venue: RunningVenue, kind: VenueUnderTest, side: str
) -> None:
    quick = settings(venue.rest_url, venue.ws_url, ping_interval_s=0.3, ping_timeout_s=0.5)
    async with trading(quick, name=kind.name) as desk, market(quick, name=kind.name) as feed:
        events = desk.private_events() if side == "private" else feed.quotes(["ETHUSDT"])
        await until(events, of(StreamUp))
        go_half_open(venue, kind.private_path if side == "private" else kind.public_path)
        seen = await until(events, of(StreamUp))
        await events.aclose()

    assert any(isinstance(one, StreamDown) for one in seen)


async def test_quotes_come_back_after_a_cut(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with market(settings(venue.rest_url, venue.ws_url), name=kind.name) as feed:
        events = feed.quotes(["ETHUSDT", "BTCUSDT"])
        up = await until(events, lambda one: isinstance(one, StreamUp) and one.name == "quote/BTCUSDT")
        venue.play(quote("ETHUSDT", "2999.00", "2999.01"))
        before = await until(events, at_bid(299900))
        assert cut(venue, kind.public_path) >= 1
        seen = await until(events, lambda one: isinstance(one, StreamUp) and one.name == "quote/BTCUSDT")
        venue.play(quote("ETHUSDT", "3000.00", "3000.01"))
        after = await until(events, at_bid(300000))
        await events.aclose()

    assert {one.name for one in up if isinstance(one, StreamUp)} == {"quote/ETHUSDT", "quote/BTCUSDT"}
    assert before[-1].ask == 299901
    assert {one.name for one in seen if isinstance(one, StreamDown)} == {"quote/ETHUSDT", "quote/BTCUSDT"}
    assert after[-1].ask == 300001


async def test_a_frozen_symbol_ages_while_its_neighbour_on_the_socket_does_not(
    venue: RunningVenue, kind: VenueUnderTest
) -> None:
    frozen = FaultRule(name="ice", kind=FaultKind.FROZEN_STREAM, scope=Scope(symbol="ETHUSDT"))
    async with market(settings(venue.rest_url, venue.ws_url), name=kind.name) as feed:
        events = feed.quotes(["ETHUSDT", "BTCUSDT"])
        await until(events, lambda one: isinstance(one, StreamUp) and one.name == "quote/BTCUSDT")
        venue.fault(frozen)
        for step in range(1, 6):
            venue.play(quote("ETHUSDT", f"300{step}.00", f"300{step}.01"))
            venue.play(quote("BTCUSDT", f"6000{step}.0", f"6000{step}.1"))
            await until(events, at_bid(600000 + 10 * step))
            await asyncio.sleep(0.05)
        ages = feed.ages()
        await events.aclose()
        forgotten = feed.ages()

    assert ages["quote/ETHUSDT"] > ages["quote/BTCUSDT"] + 0.1
    assert forgotten == {}


async def test_a_planned_renewal_is_told_as_one_and_is_quick(venue: RunningVenue, kind: VenueUnderTest) -> None:
    chosen = settings(venue.rest_url, venue.ws_url, connection_life_s=0.5)
    async with market(chosen, name=kind.name) as feed:
        events = feed.quotes(["ETHUSDT"])
        await until(events, of(StreamUp))
        seen = await until(events, of(StreamUp))
        await events.aclose()

    assert [one.reason for one in seen if isinstance(one, StreamDown)] == [RENEWAL]


async def test_the_order_socket_is_renewed_without_an_unknown_outcome(
    venue: RunningVenue, kind: VenueUnderTest
) -> None:
    chosen = settings(venue.rest_url, venue.ws_url, connection_life_s=0.25)
    async with trading(chosen, name=kind.name) as desk:
        unknown = 0
        for number in range(150):
            try:
                await desk.place(approved(f"renew{number}", 280000 + number))
                await desk.cancel("ETHUSDT", f"renew{number}")
            except OutcomeUnknown:
                unknown += 1
            await asyncio.sleep(0.005)

    assert unknown == 0


async def test_a_foreign_order_and_a_liquidation_are_seen(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        await desk.place(approved("lot1", 310000, time_in_force=TimeInForce.IOC))
        events = desk.private_events()
        await until(events, of(StreamUp))
        changed: list[object] = []
        if kind.tells_other_hands:
            await desk.set_leverage("ETHUSDT", 9)
            changed = await until(events, of(ConfigurationChanged))

        def liquidate(server: SimVenue) -> None:
            inner = server.venue
            inner.tell(inner.engine.foreign.liquidate("main", "ETHUSDT", inner.now_ms()))

        venue.within(liquidate)
        seen = await until(events, lambda one: isinstance(one, OrderUpdate) and one.fill is not None)
        (flat,) = await desk.positions()
        await events.aclose()

    assert [getattr(one, "what", "") for one in changed[-1:]] == ["leverage of ETHUSDT is 9"] * kind.tells_other_hands
    assert seen[-1].report.client_id.startswith("autoclose-" if kind.names_decrees else NAMELESS)
    assert seen[-1].report.side is Side.SELL
    assert flat.quantity == 0


async def test_candles_and_marks_flow(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with market(settings(venue.rest_url, venue.ws_url), name=kind.name) as feed:
        candles, marks = feed.candle_stream(["ETHUSDT"], kind.candle), feed.marks(["ETHUSDT"])
        await until(candles, of(StreamUp))
        venue.play(trade("ETHUSDT", "3000.00", "2", Side.BUY))
        candle = (await until(candles, of(Candle)))[-1]
        mark = (await until(marks, of(tuple)))[-1]
        history = await feed.candles("ETHUSDT", "1m", 5)
        now = await feed.quote("ETHUSDT")
        await candles.aclose()
        await marks.aclose()

    assert (candle.symbol, candle.close_ms - candle.open_ms) == ("ETHUSDT", INTERVALS_MS[kind.candle] - 1)
    assert mark[0] == "ETHUSDT"
    assert mark[1] > 2000
    assert all(one.is_closed for one in history[:-1])
    assert now.bid < now.ask


async def test_the_next_funding_is_told_with_its_time(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with market(settings(venue.rest_url, venue.ws_url), name=kind.name) as public:
        due = await public.funding("ETHUSDT")
        quote = await public.quote("ETHUSDT")

    assert (due.symbol, due.rate) == ("ETHUSDT", Decimal("0.0001"))
    assert quote.venue_ms < due.at_ms <= quote.venue_ms + 8 * 3600 * 1000


async def test_closing_the_venue_ends_its_streams(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with market(settings(venue.rest_url, venue.ws_url), name=kind.name) as feed:
        events = feed.quotes(["ETHUSDT"])
        await until(events, of(StreamUp))
        await feed.close()
        async with asyncio.timeout(60):
            rest = [one async for one in events]

    assert all(isinstance(one, Quote | StreamUp | StreamDown) for one in rest)
    await eventually(lambda: venue.within(lambda server: not server.connections(kind.public_path)))
