"""What ccxt does that the generic adapter has to stand between: each against a venue, with ccxt's own classes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, getcontext

import aiohttp
import pytest

from exchanges.errors import BadReply, OutcomeUnknown, VenueRefused, VenueUnreachable
from exchanges.generic.calls import Calls
from exchanges.generic.exchange import Ground, exchange, policy
from exchanges.generic.link import CcxtLink, Watch
from exchanges.generic.market import CcxtMarket
from exchanges.generic.proof import Proof
from exchanges.generic.trading import CcxtTrading
from exchanges.hosts import ForbiddenHost
from exchanges.port import PublicTrade, StreamDown, StreamUp
from exchanges.sim.market import Mark
from exchanges.sim.server.server import SimVenue
from grid.order import OrderStatus, OrderUpdate, Side, TimeInForce
from tests.venue.adapter_rig import approved, market, of, settings, trading, until
from tests.venue.contract import GENERIC, VenueUnderTest
from tests.venue.running_venue import RunningVenue, running, still_options, trade


@pytest.fixture(scope="module", params=GENERIC, ids=str)
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


async def test_the_wallet_is_without_what_is_not_realised(kind: VenueUnderTest) -> None:
    def sink(server: SimVenue) -> None:
        server.tape.play(Mark(symbol="ETHUSDT", time_ms=server.venue.now_ms(), price=Decimal(2900)))

    with running(still_options(protocol=kind.language, windows=kind.windows)) as venue:
        async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
            await desk.place(approved("hold1", 310000, quantity=100, time_in_force=TimeInForce.IOC))
            before = await desk.account()
            venue.within(sink)
            (held,) = await desk.positions()
            after = await desk.account()

    assert held.unrealised < -9
    assert after.unrealised == held.unrealised
    assert abs(after.wallet - before.wallet) < Decimal("0.01")


async def test_every_state_of_a_burst_is_told_without_waiting_for_the_next(
    venue: RunningVenue, kind: VenueUnderTest
) -> None:
    """In ccxt what comes while nobody waits is told with whatever comes next, which may be hours away."""
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        ids = [f"burst{number}" for number in range(30)]
        await desk.place_batch([approved(one, 280000 - number) for number, one in enumerate(ids)])
        await desk.cancel_batch("ETHUSDT", ids)
        ended: set[str] = set()
        while ended != set(ids):
            seen = await until(events, of(OrderUpdate))
            ended |= {one.report.client_id for one in seen[-1:] if one.report.status is OrderStatus.CANCELED}
        await events.aclose()


async def test_an_error_in_a_handler_of_ccxt_s_is_a_lost_stream_and_no_silence(
    venue: RunningVenue, kind: VenueUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with market(settings(venue.rest_url, venue.ws_url), name=kind.name) as feed:
        assert isinstance(feed, CcxtMarket)
        events = feed.trades(["ETHUSDT"])
        await until(events, of(StreamUp))
        reading = type(feed._calls.exchange)
        whole, told = reading.parse_trade, 0

        def breaking(self: object, *arguments: object) -> object:
            nonlocal told
            told += 1
            if told == 1:
                raise KeyError("a field of another shape")
            return whole(self, *arguments)

        for name in ("parse_trade", "parse_ws_trade"):
            if hasattr(reading, name):
                monkeypatch.setattr(reading, name, breaking)
        venue.play(trade("ETHUSDT", "3000.00", "0.3", Side.BUY))
        seen = await until(events, of(StreamDown))
        monkeypatch.undo()
        await until(events, of(StreamUp))
        venue.play(trade("ETHUSDT", "3000.00", "0.4", Side.BUY))
        last = (await until(events, of(PublicTrade)))[-1]
        await events.aclose()

    assert "KeyError" in seen[-1].reason
    assert last.quantity == 400


async def test_what_stands_behind_the_fence_is_not_sent(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        await desk.place(approved("fenced1"))

        def shut() -> None:
            raise VenueUnreachable("not sent: another writes")

        desk.fence_by(shut)
        for work in (desk.place(approved("fenced2")), desk.cancel("ETHUSDT", "fenced1")):
            with pytest.raises(VenueUnreachable, match="another writes"):
                await work
        assert [one.client_id for one in await desk.open_orders()] == ["fenced1"]

    assert venue.orders("fenced2") == []


async def test_amounts_arrive_as_they_were_meant_and_rounding_stays_ours(
    venue: RunningVenue, kind: VenueUnderTest
) -> None:
    rounding = getcontext().rounding
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        for number, (price, quantity) in enumerate([(290003, 10), (270001, 300), (299999, 333)]):
            placed = await desk.place(approved(f"exact{number}", price, quantity=quantity))
            found = await desk.order("ETHUSDT", f"exact{number}")
            (kept,) = venue.orders(f"exact{number}")
            assert (found.order_id, found.price, found.quantity) == (placed.order_id, price, quantity)
            assert (kept.price, kept.quantity) == (price, quantity)

    assert getcontext().rounding == rounding


async def test_an_order_that_ccxt_would_round_is_refused_unsent(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        assert isinstance(desk, CcxtTrading)
        market_of_ccxt = desk._calls.exchange.market("ETH/USDT:USDT")
        coarse = {**market_of_ccxt, "precision": {**market_of_ccxt["precision"], "price": "1"}}
        desk._calls.exchange.markets["ETH/USDT:USDT"] = coarse
        with pytest.raises(VenueRefused, match="ccxt would send"):
            await desk.place(approved("coarse1", 290050))

    assert venue.orders("coarse1") == []


async def test_an_order_is_found_by_its_id_alone_after_a_restart(venue: RunningVenue, kind: VenueUnderTest) -> None:
    chosen = settings(venue.rest_url, venue.ws_url)
    async with trading(chosen, name=kind.name) as first:
        placed = await first.place(approved("kept1"))
    async with trading(chosen, name=kind.name) as second:
        found = await second.order("ETHUSDT", "kept1")
        ended = await second.cancel("ETHUSDT", "kept1")

    assert (found.order_id, ended.status) == (placed.order_id, OrderStatus.CANCELED)


def test_no_host_is_reached_but_those_of_the_exchange(kind: VenueUnderTest) -> None:
    name = kind.name.removeprefix("ccxt:")
    whole = replace(settings("", ""), rest_url=None, ws_url=None)
    made = exchange(name, whole, Ground(now_ms=whole.now_ms, read_timeout_s=1.0))
    allowed = policy(made)

    assert allowed.allowed
    assert not allowed.loopback_only
    with pytest.raises(ForbiddenHost):
        allowed.check_host("example.org")
    assert "demoSimulated" not in repr(made)


async def test_a_reply_that_ccxt_cannot_read_leaves_an_order_unknown(
    venue: RunningVenue, kind: VenueUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        assert isinstance(desk, CcxtTrading)

        def broken(*arguments: object, **named: object) -> None:
            raise TypeError("another shape")

        monkeypatch.setattr(type(desk._calls.exchange), "parse_order", broken)
        with pytest.raises(OutcomeUnknown):
            await desk.place(approved("odd1"))
        monkeypatch.undo()
        assert (await desk.order("ETHUSDT", "odd1")).status is OrderStatus.NEW


async def test_two_streams_at_once_have_connections_of_their_own(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with market(settings(venue.rest_url, venue.ws_url), name=kind.name) as feed:
        first, second = feed.quotes(["ETHUSDT"]), feed.trades(["ETHUSDT"])
        await asyncio.gather(until(first, of(StreamUp)), until(second, of(StreamUp)))
        await first.aclose()
        venue.play(trade("ETHUSDT", "3000.00", "0.7", Side.BUY))
        last = (await until(second, of(PublicTrade)))[-1]
        await second.aclose()

    assert last.quantity == 700


@pytest.mark.parametrize("tells", [True, False])
async def test_an_exchange_that_nobody_measured_has_to_tell_our_first_order_by_our_id(
    venue: RunningVenue, kind: VenueUnderTest, monkeypatch: pytest.MonkeyPatch, tells: bool
) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        assert isinstance(desk, CcxtTrading)
        desk._proof = Proof(kind.name, "", is_measured=False)
        reading = type(desk._calls.exchange)
        whole = reading.parse_order

        def nameless(self: object, row: object, *more: object) -> object:
            return {**whole(self, row, *more), "clientOrderId": None}

        if not tells:
            monkeypatch.setattr(reading, "parse_order", nameless)
        await desk.place(approved(f"proof{tells}1"))
        if tells:
            await desk.place(approved("proofTrue2"))
            return
        with pytest.raises(VenueRefused, match="could not be found again"):
            await desk.place(approved("proofFalse2"))

    assert venue.orders("proofFalse2") == []


async def test_a_full_page_is_not_trusted_to_be_the_whole(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        assert isinstance(desk, CcxtTrading)
        since_ms = settings(venue.rest_url, venue.ws_url).now_ms() - 5_000
        made = []
        for number in range(3):
            for side, price in ((Side.BUY, 310000), (Side.SELL, 290000)):
                closing = side is Side.SELL
                order = approved(
                    f"page{number}{side.value}", price, side, closing=closing, time_in_force=TimeInForce.IOC
                )
                made.append((await desk.place(order)).order_id)
                await asyncio.sleep(0.01)
        for ability in ("fetchMyTrades", "fetchOpenOrders"):
            desk._calls.feature(ability)["limit"] = 2
        fills = await desk.fills_since("ETHUSDT", since_ms)
        await desk.place_batch([approved(f"page{number}", 280000) for number in range(3)])
        with pytest.raises(BadReply, match="ccxt reads no more"):
            await desk.open_orders()

    assert [fill.order_id for fill in fills if fill.order_id in made] == made


async def test_news_that_came_while_nobody_waited_answer_the_next_who_asks(kind: VenueUnderTest) -> None:
    chosen = settings("http://127.0.0.1:9", "ws://127.0.0.1:9")
    made = exchange(kind.name.removeprefix("ccxt:"), chosen, Ground(now_ms=chosen.now_ms, read_timeout_s=1.0))
    client = made.client("ws://127.0.0.1:9/stream")
    waited = client.future("orders")
    client.resolve(["first"], "orders")
    client.resolve(["second"], "orders")
    client.resolve(["third"], "orders")

    async with asyncio.timeout(60):
        assert await waited == ["first"]
        assert await client.future("orders") == ["third"]
    assert not client.future("orders").done()
    await made.close()


async def test_a_socket_that_nobody_pings_any_more_is_a_lost_one(venue: RunningVenue, kind: VenueUnderTest) -> None:
    """ccxt's own watch over a connection is a task that may end in silence as its reading may."""
    quick = settings(venue.rest_url, venue.ws_url, ping_interval_s=0.3, ping_timeout_s=0.5)
    calls = Calls(kind.name.removeprefix("ccxt:"), quick)
    await calls.markets()
    session = aiohttp.ClientSession(connector=calls.policy.connector())
    made = exchange(calls.name, quick, calls.ground, session)
    made.open()
    made.set_markets_from_exchange(calls.exchange)
    link = CcxtLink(made, session, quick.socket_times, quick.monotonic_ns)
    try:
        await link.start([Watch(ours="trade/ETHUSDT", ask=lambda one: one.watch_trades("ETH/USDT:USDT"))])
        for url, client in made.clients.items():
            if "://" in url:
                client.ping_looper.cancel()
        with pytest.raises(VenueUnreachable, match="no sign of life"):
            await asyncio.wait_for(_to_the_end(link), 60)
    finally:
        await link.close()
        await calls.close()


async def _to_the_end(link: CcxtLink) -> None:
    while True:
        await link.recv()
