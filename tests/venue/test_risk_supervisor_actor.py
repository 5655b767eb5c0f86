"""The risk supervisor over real sockets: go while the candles are sound, a hold once they break, else silence."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from actors import risk_supervisor
from actors.clock import SystemClock
from actors.mail.messages import HoldWord, SetupWanted
from actors.risk_supervisor import RiskSupervisor
from exchanges.binance.market import BinanceMarket
from exchanges.sim.market import Candle
from exchanges.sim.server.faults import FaultKind, FaultRule
from exchanges.sim.server.market_source import ListedMarket
from grid.holds import HoldCause
from grid.intent import Standing
from grid.order import Side
from risk.lease import Go
from risk.rules import RiskRules
from tests.post_office import Letters, PostOffice
from tests.venue.adapter_rig import watching
from tests.venue.running_venue import INSTRUMENTS, RunningVenue, running, still_market, still_options, trade

GATEWAY, RISK = "gateway/binanceusdm/main", "risk"
COINS = {"BTCUSDT": "60000", "ETHUSDT": "3000"}
RULES = RiskRules(watch=tuple(COINS), stale_ms=20_000)


def calm_candles() -> list[Candle]:
    """Thirty closed minutes of each coin with 10 coins of volume, up to the present one."""
    minute_ms = time.time_ns() // 60_000_000_000 * 60_000
    found = []
    for symbol, close in COINS.items():
        price = INSTRUMENTS[symbol].ticks(Decimal(close))
        for back in range(30, 0, -1):
            open_ms = minute_ms - back * 60_000
            found.append(
                Candle(
                    symbol=symbol,
                    open_ms=open_ms,
                    interval_ms=60_000,
                    open=price,
                    high=price,
                    low=price,
                    close=price,
                    volume=INSTRUMENTS[symbol].steps(Decimal(10)),
                    history=True,
                )
            )
    return found


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    market = still_market()
    assert isinstance(market, ListedMarket)
    with running(replace(still_options(), market=replace(market, candles=calm_candles()))) as started:
        yield started


class Running:
    """A started supervisor with its outbox."""

    def __init__(self, venue: RunningVenue) -> None:
        self.office = PostOffice()
        self.ended = threading.Event()
        clock = SystemClock()
        settings = watching(venue, clock)
        self.actor = RiskSupervisor(
            name=RISK,
            wards={GATEWAY: None},
            rules=RULES,
            interval="1m",
            market=lambda: BinanceMarket(settings),
            outbox=self.office,
            clock=clock,
            end=self.ended.set,
        )
        self.from_gateway = Letters(GATEWAY)

    def goes(self) -> list[Go]:
        return self.office.to(GATEWAY, Go)

    def holds(self) -> list[HoldWord]:
        return self.office.to(GATEWAY, HoldWord)

    def stand(self, *holds: str) -> None:
        self.actor.receive(self.from_gateway(Standing(symbol="", halt_epoch=1, holds=holds)))


@contextmanager
def supervising(venue: RunningVenue) -> Iterator[Running]:
    world = Running(venue)
    world.actor.start()
    try:
        assert world.office.wait_for(lambda: bool(world.office.to(GATEWAY, SetupWanted)))
        yield world
        assert not world.ended.is_set()
    finally:
        assert world.actor.stop()


def crash(venue: RunningVenue) -> None:
    venue.play(
        trade("BTCUSDT", "58000", "500", Side.SELL),
        trade("ETHUSDT", "2900", "500", Side.SELL),
    )


def test_sound_candles_give_go_and_renew_it(venue: RunningVenue) -> None:
    with supervising(venue) as world:
        assert world.actor.snapshot()["phase"] == "restoring"
        world.stand()

        assert world.office.wait_for(lambda: len(world.goes()) >= 2)

        first, second = world.goes()[:2]
        assert (second.incarnation, second.number) > (first.incarnation, first.number)
        assert world.actor.snapshot()["phase"] == "go"
        assert world.holds() == []


def test_a_crash_holds_with_evidence_and_ends_the_go(venue: RunningVenue) -> None:
    with supervising(venue) as world:
        world.stand()
        assert world.office.wait_for(lambda: bool(world.goes()))

        crash(venue)

        assert world.office.wait_for(lambda: bool(world.holds()))
        count = len(world.goes())
        word = world.holds()[0]
        assert (word.cause, word.symbol, word.is_put) == (HoldCause.RISK, "", True)
        # The hold is said again at each renewal, so that a lost word is made good; go is not.
        assert world.office.wait_for(lambda: len(world.holds()) >= 2)
        assert len(world.goes()) == count
        assert set(world.actor.snapshot()["last_change"]) == set(COINS)


def test_without_data_there_is_no_go(venue: RunningVenue) -> None:
    venue.fault(FaultRule(name="no candles", kind=FaultKind.CANDLES_MISSING))
    with supervising(venue) as world:
        world.stand()

        assert not world.office.wait_for(lambda: bool(world.goes()), 4)


def test_candles_that_were_missing_are_fetched_under_a_stream_that_never_broke(
    venue: RunningVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of candles of a minute it would take ten to be known by the stream alone."""
    monkeypatch.setattr(risk_supervisor, "MEND_S", 1.0)
    venue.fault(FaultRule(name="no candles", kind=FaultKind.CANDLES_MISSING))
    with supervising(venue) as world:
        world.stand()
        assert world.office.wait_for(lambda: set(world.actor.snapshot().get("streams", {}).values()) == {"up"})
        assert not world.office.wait_for(lambda: bool(world.goes()), 2)

        venue.heal()

        assert world.office.wait_for(lambda: bool(world.goes()))


def test_a_hold_from_before_a_restart_is_taken_over_and_not_lifted_at_once(venue: RunningVenue) -> None:
    with supervising(venue) as world:
        world.stand("risk", "operator")

        assert world.office.wait_for(lambda: bool(world.holds()))
        assert {(word.cause, word.is_put) for word in world.holds()} == {(HoldCause.RISK, True)}
        assert not world.office.wait_for(lambda: bool(world.goes()), 3)


def test_a_lift_that_the_gateway_forgot_is_said_again(venue: RunningVenue) -> None:
    with supervising(venue) as world:
        world.stand()
        assert world.office.wait_for(lambda: bool(world.goes()))

        world.stand("risk")

        assert world.office.wait_for(lambda: bool(world.holds()))
        assert (world.holds()[0].cause, world.holds()[0].is_put) == (HoldCause.RISK, False)
