"""Every call of the account goes through one limiter, at the price that the venue itself counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from functools import partial

import pytest

from actors.clock import SystemClock
from actors.gateway.caller import VenueCaller
from actors.gateway.dead_man import DeadMan
from exchanges.binance import history
from exchanges.cost import Cost
from exchanges.desk.commands import (
    CancelStop,
    LookUpStop,
    Notice,
    ReadOpenOrders,
    ReadOpenStops,
    ReadPositions,
    ReadTrades,
)
from exchanges.desk.events import Event, OpenOrdersRead, TradesRead
from exchanges.errors import VenueUnreachable
from exchanges.lane import Lane
from exchanges.port import RateWindow, StreamUp, TradingVenue
from exchanges.sim.server.windows import Kind
from exchanges.throttle import Throttle, ThrottleRule
from grid.order import Side, TimeInForce
from tests.venue.adapter_rig import approved, eventually, of, settings, trading, until
from tests.venue.running_venue import RunningVenue, binance, running, still_options

MINUTE = RateWindow(kind="weight", interval_ms=60_000, limit=2400)
FILLS = 5


class VenueClock:
    """The venue counts by minutes of its clock, which goes before ours by as much as each test wants."""

    def __init__(self) -> None:
        self._ahead_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self._ahead_ms

    def begin_a_minute(self) -> None:
        """So that no test straddles two."""
        self._ahead_ms += 60_000 - self() % 60_000


CLOCK = VenueClock()


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running(still_options(), CLOCK) as started:
        yield started


class Account:
    """A caller over the real adapter; what the venue counted before it began belongs to neither count."""

    def __init__(self, venue: RunningVenue, trading: TradingVenue, limit: int = 2400) -> None:
        self.trading = trading
        self.events: list[Event] = []
        self.clock = SystemClock()
        window = RateWindow(kind="weight", interval_ms=60_000, limit=limit)
        self.throttle = Throttle([window], ThrottleRule())
        self.caller = VenueCaller(
            venue=trading, throttle=self.throttle, clock=self.clock, on_event=self.events.append, release=lambda _: None
        )
        self._venue = venue
        self._before = self._venue_counts()

    def ours(self) -> int:
        return self.throttle.windows(self.clock.monotonic_ns())[0].used

    def theirs(self) -> int:
        return self._venue_counts() - self._before

    def _venue_counts(self) -> int:
        def used(server: object) -> int:
            limits = binance(self._venue.server).limits
            minute = next(window for window in limits.windows if window.kind is Kind.WEIGHT)
            return limits.used(minute, "127.0.0.1", self._venue.server.venue.now_ms())

        return self._venue.within(used)


@asynccontextmanager
async def account(venue: RunningVenue, *, hears: bool = False, limit: int = 2400) -> AsyncIterator[Account]:
    """An account at the limiter; one that hears nothing of the venue's headers has only its own count."""
    CLOCK.begin_a_minute()
    async with trading(settings(venue.rest_url, venue.ws_url)) as adapter:
        made = Account(venue, adapter, limit)
        if not hears:
            adapter.on_quota = None
        try:
            yield made
        finally:
            await made.caller.close()


async def _trade(adapter: TradingVenue) -> None:
    for number in range(FILLS):
        taker = approved(f"take{number}{time.time_ns() % 1_000_000}", 310000, Side.BUY, time_in_force=TimeInForce.IOC)
        await adapter.place(taker)


async def test_readings_of_the_money_are_counted_as_the_venue_counts_them(venue: RunningVenue) -> None:
    async with account(venue) as held:
        adapter, costs = held.trading, held.trading.costs
        calls: list[tuple[Callable[[], Awaitable[object]], Cost]] = [
            (adapter.account, costs.account),
            (adapter.account, costs.account),
            (adapter.positions, costs.positions),
            (partial(adapter.income_since, 0), costs.income),
        ]
        for call, cost in calls:
            await held.caller.read(call, cost)
            assert held.ours() == held.theirs() > 0


async def test_the_first_page_that_is_answered_ends_a_ban(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAGE", 2)
    async with account(venue) as held:
        await _trade(held.trading)
        now_ns = held.clock.monotonic_ns()
        held.throttle.ban(now_ns, now_ns)
        held.caller.submit(ReadTrades(symbol="ETHUSDT", since_ms=CLOCK() - 60_000))
        await eventually(lambda: bool(held.events))

        read = held.events[0]
        assert isinstance(read, TradesRead)
        assert read.fills is not None
        assert len(read.fills) >= FILLS
        now_ns = held.clock.monotonic_ns()
        both = [held.throttle.take(Lane.EXIT, Cost(weight=1), now_ns) for _ in range(2)]
        assert both == [True, True], "after a ban that is not over one goes alone"


async def test_an_answer_ends_a_ban_for_all_that_waits(venue: RunningVenue) -> None:
    async with account(venue) as held:
        now_ns = held.clock.monotonic_ns()
        held.throttle.ban(now_ns, now_ns)
        for work in (ReadPositions(), ReadOpenOrders(), ReadOpenStops()):
            held.caller.submit(work)
        await eventually(lambda: len(held.events) == 3)

        assert not held.throttle.is_banned(held.clock.monotonic_ns())


async def test_every_page_of_fills_is_counted(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAGE", 2)
    async with account(venue) as held:
        await _trade(held.trading)
        held.caller.submit(ReadTrades(symbol="ETHUSDT", since_ms=CLOCK() - 60_000))
        await eventually(lambda: bool(held.events))

        read = held.events[0]
        assert isinstance(read, TradesRead)
        assert read.fills is not None
        assert len(read.fills) >= FILLS
        assert held.ours() == held.theirs() >= 3 * 5


async def test_the_desk_s_readings_are_counted_as_the_venue_counts_them(venue: RunningVenue) -> None:
    async with account(venue) as held:
        held.caller.submit(ReadOpenOrders())
        held.caller.submit(ReadPositions())
        await eventually(lambda: len(held.events) == 2)

        assert held.ours() == held.theirs() == 45


def switch(held: Account, symbol: str, notices: list[Notice], *, foreign: int) -> DeadMan:
    return DeadMan(
        name="gateway",
        venue=held.trading,
        caller=held.caller,
        countdowns_ms=lambda: {symbol: 60_000},
        is_ready=lambda: True,
        foreign_orders=lambda _: foreign,
        now_ms=lambda: held.clock.monotonic_ns() // 1_000_000,
        on_notice=notices.append,
    )


async def test_a_countdown_is_never_armed_beside_a_strangers_order(venue: RunningVenue) -> None:
    async with account(venue) as held:
        notices: list[Notice] = []
        running_switch = asyncio.create_task(switch(held, "ETHUSDT", notices, foreign=1).run())
        await eventually(lambda: bool(notices))
        await asyncio.sleep(0.6)  # another look

        running_switch.cancel()
        await asyncio.wait([running_switch])
        assert [notice.kind for notice in notices] == ["countdown_off"]
        assert held.ours() == held.theirs() == 0


async def test_a_countdown_is_counted_as_the_venue_counts_it(venue: RunningVenue) -> None:
    symbol = "ETHUSDT"
    async with account(venue) as held:
        dead_man = switch(held, symbol, [], foreign=0)
        running_switch = asyncio.create_task(dead_man.run())
        await eventually(lambda: bool(dead_man.armed))
        assert held.ours() == held.theirs() == 10

        running_switch.cancel()
        await asyncio.wait([running_switch])
        assert held.ours() == held.theirs() == 20  # switched off in order
        assert venue.within(lambda server: server.venue.engine.read.countdown("main", symbol)) is None


async def test_conditional_orders_are_counted_as_the_venue_counts_them(venue: RunningVenue) -> None:
    async with account(venue) as held:
        for work, cost in (
            (ReadOpenStops(), 40),
            (LookUpStop(symbol="ETHUSDT", client_id="none"), 1),
            (CancelStop(symbol="ETHUSDT", client_id="none"), 1),
        ):
            before, said = held.ours(), len(held.events)
            held.caller.submit(work)
            await eventually(lambda known=said: len(held.events) > known)  # type: ignore[misc]
            assert held.ours() == held.theirs() == before + cost


async def test_listen_key_and_clock_wait_for_the_limiter_too(venue: RunningVenue) -> None:
    async with account(venue) as held:
        async with aclosing(held.trading.private_events()) as events:
            await until(events, of(StreamUp))
        await held.trading.measure_clock()

        assert held.ours() == held.theirs() == 5  # two for the key, three probes of the clock


async def test_what_others_spent_is_learned_from_the_headers(venue: RunningVenue) -> None:
    async with account(venue, hears=True) as held:
        async with trading(settings(venue.rest_url, venue.ws_url)) as other:
            await other.open_orders()
        await held.caller.read(held.trading.positions, held.trading.costs.positions)

        # what came before it began is the venue's count too
        assert held.ours() == held.theirs() + held._before


async def test_a_reading_waits_while_its_window_is_full_and_fails_when_the_gateway_closes(venue: RunningVenue) -> None:
    async with account(venue, limit=50) as held:
        await held.caller.toll(Cost(weight=45))
        before = held.theirs()
        waiting = asyncio.ensure_future(held.caller.read(held.trading.positions, held.trading.costs.positions))
        held.caller.submit(ReadOpenOrders())
        await asyncio.sleep(0.3)

        assert not waiting.done()
        assert held.theirs() == before, "nothing may go out"
        assert [event for event in held.events if isinstance(event, OpenOrdersRead)] == []
        await held.caller.close()
        with pytest.raises(VenueUnreachable):
            await waiting
