"""The price feed over real sockets against the simulated venue."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from actors.actor_names import SlotLayout
from actors.clock import SystemClock
from actors.mail.messages import FeedWord, PriceWanted, SetupWanted, SymbolGone
from actors.price_feed import PriceFeed
from actors.symbol_feed import FeedPhase, FeedSnapshot
from exchanges.binance.market import BinanceMarket
from exchanges.sim.server.faults import FaultKind, FaultRule
from exchanges.sim.server.server import SimVenue
from grid.window import WindowChange
from tests.grid_setup import example_setup
from tests.post_office import Letters, PostOffice
from tests.venue.adapter_rig import watching
from tests.venue.running_venue import RunningVenue, quote, running, still_options

GATEWAY, FEED = "gateway/binanceusdm/main", "feed/ETHUSDT"
LAYOUT = SlotLayout(symbol="ETHUSDT", modulus=6)


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    with running(still_options()) as started:
        yield started


class Running:
    """A started feed, its outbox, and what to say as its gateway."""

    def __init__(self, venue: RunningVenue) -> None:
        self.office = PostOffice()
        self.ended = threading.Event()
        clock = SystemClock()
        settings = watching(venue, clock)
        self.feed = PriceFeed(
            name=FEED,
            gateway=GATEWAY,
            layouts=[LAYOUT],
            market=lambda: BinanceMarket(settings),
            outbox=self.office,
            clock=clock,
            end=self.ended.set,
        )
        self.from_gateway = Letters(GATEWAY)

    def seen(self) -> FeedSnapshot:
        found: FeedSnapshot = self.feed.snapshot()["symbols"]["ETHUSDT"]
        return found

    def words(self) -> list[FeedWord]:
        return self.office.to(GATEWAY, FeedWord)

    def levels_entered(self) -> set[int]:
        return {
            level
            for name in LAYOUT.names()
            for change in self.office.to(name, WindowChange)
            for level in change.entered
        }


@contextmanager
def feeding(venue: RunningVenue, price_age_ms: int = 5_000) -> Iterator[Running]:
    world = Running(venue)
    world.feed.start()
    try:
        assert world.office.wait_for(lambda: bool(world.office.to(GATEWAY, SetupWanted)))
        assert world.seen().phase is FeedPhase.RESTORING
        world.feed.receive(world.from_gateway(example_setup(price_age_ms=price_age_ms)))
        yield world
        assert not world.ended.is_set()
    finally:
        assert world.feed.stop()


def cut_all(server: SimVenue) -> None:
    for connection in server.connections():
        connection.cut()


def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def test_a_feed_announces_its_window_and_follows_the_price(venue: RunningVenue) -> None:
    with feeding(venue) as world:
        assert world.office.wait_for(lambda: world.levels_entered() >= {-3, -2, -1})

        venue.play(quote("ETHUSDT", "3004.30", "3004.31"))

        assert world.office.wait_for(lambda: world.levels_entered() >= {0, 1, 2})
        assert world.words()[0].is_fresh


def test_a_frozen_stream_makes_the_price_stale_and_its_thaw_makes_it_fresh(venue: RunningVenue) -> None:
    with feeding(venue, price_age_ms=600) as world:
        assert world.office.wait_for(lambda: bool(world.words()) and world.words()[-1].is_fresh)

        venue.fault(FaultRule(name="frozen", kind=FaultKind.FROZEN_STREAM))
        venue.play(quote("ETHUSDT", "2910", "2910.01"))

        assert world.office.wait_for(lambda: not world.words()[-1].is_fresh)
        assert -45 not in world.levels_entered()
        venue.heal()
        # It is connected anew meanwhile: what the venue said between two sockets nobody heard.
        bids = itertools.count(2911)
        assert until(lambda: _said(venue, next(bids)) and world.words()[-1].is_fresh)
        assert world.seen().stale_times == 1


def _said(venue: RunningVenue, bid: int) -> bool:
    venue.play(quote("ETHUSDT", f"{bid}", f"{bid}.01"))
    return True


def test_a_quiet_market_stays_fresh_by_probes(venue: RunningVenue) -> None:
    with feeding(venue, price_age_ms=300) as world:
        assert world.office.wait_for(lambda: bool(world.words()))

        assert until(lambda: world.seen().probes >= 3)

        assert world.seen().phase is FeedPhase.FRESH
        assert all(word.is_fresh for word in world.words())


def test_a_cut_connection_comes_back_and_prices_go_on(venue: RunningVenue) -> None:
    with feeding(venue) as world:
        assert world.office.wait_for(lambda: world.levels_entered() >= {-3, -2, -1})

        before = venue.within(lambda server: server.connections())
        venue.within(cut_all)
        assert until(lambda: any(one not in before for one in venue.within(lambda server: server.connections())))
        venue.play(quote("ETHUSDT", "3004.30", "3004.31"))

        assert world.office.wait_for(lambda: world.levels_entered() >= {0, 1, 2})


def test_a_slot_that_asks_is_answered_with_its_open_levels(venue: RunningVenue) -> None:
    with feeding(venue) as world:
        assert world.office.wait_for(lambda: world.levels_entered() >= {-3, -2, -1})
        world.office.clear()

        world.feed.receive(Letters("slot/ETHUSDT/05")(PriceWanted(receiver="slot/ETHUSDT/05", symbol="ETHUSDT")))

        assert world.office.wait_for(lambda: world.levels_entered() == {-1})


def test_a_symbol_that_has_left_while_its_feed_was_away_is_served_no_more(venue: RunningVenue) -> None:
    with feeding(venue) as world:
        assert world.office.wait_for(lambda: bool(world.words()))
        world.feed.receive(world.from_gateway(SymbolGone(symbol="ETHUSDT")))

        assert until(lambda: world.feed.snapshot()["symbols"] == {})
        told = len(world.words())
        venue.play(quote("ETHUSDT", "2910", "2910.01"))
        assert not world.office.wait_for(lambda: len(world.words()) > told, timeout_s=1)
