"""The supervisor hears of the account: drawdown, transfers apart, venue errors; and a restart forgets nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from actors.clock import SystemClock
from actors.mail.messages import AccountWord, HoldWord, SetupWanted
from actors.risk_supervisor import RiskSupervisor
from exchanges.binance.market import BinanceMarket
from exchanges.sim.server.market_source import ListedMarket
from grid.holds import HoldCause
from grid.intent import Standing
from risk.lease import Go
from tests.post_office import Letters, PostOffice
from tests.venue.adapter_rig import watching
from tests.venue.running_venue import RunningVenue, running, still_market, still_options
from tests.venue.test_risk_supervisor_actor import GATEWAY, RISK, RULES, calm_candles

WORD = AccountWord(
    equity=Decimal(1_000), peak=Decimal(1_000), cash_moved=Decimal(0), venue_errors=0, is_drawn_down=False
)


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    market = still_market()
    assert isinstance(market, ListedMarket)
    with running(replace(still_options(), market=replace(market, candles=calm_candles()))) as started:
        yield started


class World:
    """A started supervisor that limits drawdown to a tenth."""

    def __init__(self, venue: RunningVenue) -> None:
        self.office = PostOffice()
        clock = SystemClock()
        settings = watching(venue, clock)
        self.actor = RiskSupervisor(
            name=RISK,
            wards={GATEWAY: Decimal("0.1")},
            rules=replace(RULES, errors_max=5, min_hold_ms=0),
            interval="1m",
            market=lambda: BinanceMarket(settings),
            outbox=self.office,
            clock=clock,
        )
        self.letters = Letters(GATEWAY)

    def stand(self, *holds: str) -> None:
        self.actor.receive(self.letters(Standing(symbol="", halt_epoch=1, holds=holds)))

    def tell(self, equity: int, **more: object) -> None:
        self.actor.receive(self.letters(replace(WORD, equity=Decimal(equity), **more)))  # type: ignore[arg-type]

    def has_go(self, timeout_s: float = 60.0) -> bool:
        return self.office.wait_for(lambda: bool(self.office.to(GATEWAY, Go)), timeout_s)

    def holds(self, cause: HoldCause) -> list[bool]:
        """Return whether each word about the cause puts (True) or lifts (False), oldest first, repeats left out."""
        said: list[bool] = []
        for word in self.office.to(GATEWAY, HoldWord):
            if word.cause is cause and said[-1:] != [word.is_put]:
                said.append(word.is_put)
        return said

    def says(self, cause: HoldCause, *words: bool) -> bool:
        return self.office.wait_for(lambda: self.holds(cause) == list(words))


@contextmanager
def supervising(venue: RunningVenue) -> Iterator[World]:
    world = World(venue)
    world.actor.start()
    try:
        assert world.office.wait_for(lambda: bool(world.office.to(GATEWAY, SetupWanted)))
        yield world
    finally:
        assert world.actor.stop()


@pytest.fixture
def world(venue: RunningVenue) -> Iterator[World]:
    with supervising(venue) as started:
        yield started


def test_there_is_no_go_before_the_account_is_known(world: World) -> None:
    world.stand()
    assert not world.has_go(2.5)

    world.tell(1_000)

    assert world.has_go()


def test_a_fall_from_the_peak_holds_until_the_operator_says_so(world: World) -> None:
    world.stand()
    world.tell(1_000)
    world.tell(1_100)
    world.tell(991)
    assert world.has_go()
    assert world.holds(HoldCause.STOP_LOSS) == []

    world.tell(990)
    assert world.says(HoldCause.STOP_LOSS, True)
    world.tell(1_200)
    assert world.actor.clear_stop_loss("enough", GATEWAY)

    assert world.says(HoldCause.STOP_LOSS, True, False)
    world.tell(1_000)  # measured from 1200 it would hold; from what came after the release, too
    assert world.says(HoldCause.STOP_LOSS, True, False)


def test_a_withdrawal_is_no_fall_and_a_deposit_no_peak(world: World) -> None:
    world.stand()
    world.tell(1_000)
    world.tell(500, cash_moved=Decimal(-500))
    world.tell(2_500, cash_moved=Decimal(1_500))
    assert world.has_go()

    assert world.holds(HoldCause.STOP_LOSS) == []
    world.tell(2_200, cash_moved=Decimal(1_500))
    assert world.says(HoldCause.STOP_LOSS, True)


def test_a_new_life_of_the_gateway_counts_from_nothing(world: World) -> None:
    world.stand()
    world.tell(1_000, cash_moved=Decimal(400), venue_errors=4)
    assert world.has_go()

    world.letters = Letters(GATEWAY, incarnation="2")
    world.tell(1_000, venue_errors=2)  # 400 were not taken out again, and two errors came, not minus two
    world.tell(905, venue_errors=2)

    assert world.holds(HoldCause.STOP_LOSS) == []
    world.letters = Letters(GATEWAY, incarnation="3")
    world.tell(1_000, venue_errors=6)  # six came, not four more than the life before had
    assert world.says(HoldCause.RISK, True)


def test_too_many_venue_errors_hold_risk(world: World) -> None:
    world.stand()
    world.tell(1_000, venue_errors=0)
    assert world.has_go()

    world.tell(1_000, venue_errors=6)

    assert world.says(HoldCause.RISK, True)
    reasons = [word.reason for word in world.office.to(GATEWAY, HoldWord) if word.cause is HoldCause.RISK]
    assert "6 venue errors" in reasons[0]


def test_a_restarted_supervisor_keeps_the_peak_and_the_drawdown(venue: RunningVenue) -> None:
    with supervising(venue) as world:
        world.stand()
        world.tell(1_000, peak=Decimal(1_200))
        assert world.says(HoldCause.STOP_LOSS, True)

    with supervising(venue) as restarted:
        restarted.stand("stop_loss")
        restarted.tell(1_190, peak=Decimal(1_200), is_drawn_down=True)
        # said again at each renewal, so that a lost word is made good
        assert restarted.says(HoldCause.STOP_LOSS, True)


def test_a_stop_loss_that_the_gateway_keeps_itself_is_not_taken_over(world: World) -> None:
    world.stand("stop_loss")
    world.tell(1_000)

    assert world.has_go()
    assert not world.office.wait_for(lambda: bool(world.holds(HoldCause.STOP_LOSS)), 3)
