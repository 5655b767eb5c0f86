"""One supervisor, two accounts: the market halts both, what an account does halts it alone, and none waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from actors import risk_supervisor
from actors.clock import SystemClock
from actors.mail.messages import AccountWord, HoldWord, SetupWanted
from actors.risk_supervisor import RiskSupervisor
from exchanges.binance.market import BinanceMarket
from exchanges.session.settings import AdapterSettings
from exchanges.sim.server.market_source import ListedMarket
from grid.holds import HoldCause
from grid.intent import Standing
from risk.lease import Go
from tests.post_office import Letters, PostOffice
from tests.venue.running_venue import RunningVenue, running, still_market, still_options
from tests.venue.test_risk_supervisor_actor import RISK, RULES, calm_candles, crash

A, B = "gateway/binanceusdm/a", "gateway/bybit/b"
WORD = AccountWord(
    equity=Decimal(1_000), peak=Decimal(1_000), cash_moved=Decimal(0), venue_errors=0, is_drawn_down=False
)


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    market = still_market()
    assert isinstance(market, ListedMarket)
    with running(replace(still_options(), market=replace(market, candles=calm_candles()))) as started:
        yield started


class World:
    """A started supervisor that limits the drawdown of both accounts to a tenth."""

    def __init__(self, venue: RunningVenue) -> None:
        self.office = PostOffice()
        clock = SystemClock()
        settings = AdapterSettings(
            now_ms=clock.now_ms,
            monotonic_ns=clock.monotonic_ns,
            random=Random(1),
            rest_url=venue.rest_url,
            ws_url=venue.ws_url,
        )
        self.actor = RiskSupervisor(
            name=RISK,
            wards={A: Decimal("0.1"), B: Decimal("0.1")},
            rules=replace(RULES, errors_max=5, min_hold_ms=0),
            interval="1m",
            market=lambda: BinanceMarket(settings),
            outbox=self.office,
            clock=clock,
        )
        self.letters = {A: Letters(A), B: Letters(B)}

    def begin(self, *gateways: str) -> None:
        """Have these tell how they stand; waits for their first go."""
        for gateway in gateways:
            self.actor.receive(self.letters[gateway](Standing(symbol="", halt_epoch=1, holds=())))
            self.tell(gateway, 1_000)
        assert self.soon(lambda: all(self.office.to(gateway, Go) for gateway in gateways))

    def tell(self, gateway: str, equity: int, errors: int = 0) -> None:
        word = replace(WORD, equity=Decimal(equity), venue_errors=errors)
        self.actor.receive(self.letters[gateway](word))

    def held(self, gateway: str) -> set[HoldCause]:
        """Return what was put and not lifted."""
        held: set[HoldCause] = set()
        for word in self.office.to(gateway, HoldWord):
            held = held | {word.cause} if word.is_put else held - {word.cause}
        return held

    def phases(self) -> dict[str, str]:
        return {gateway: ward["phase"] for gateway, ward in self.actor.snapshot().get("wards", {}).items()}

    def soon(self, condition: object, timeout_s: float = 60.0) -> bool:
        return self.office.wait_for(condition, timeout_s)  # type: ignore[arg-type]


@contextmanager
def supervising(venue: RunningVenue) -> Iterator[World]:
    world = World(venue)
    world.actor.start()
    try:
        assert world.soon(lambda: world.office.to(A, SetupWanted) and world.office.to(B, SetupWanted))
        yield world
    finally:
        assert world.actor.stop()


def test_a_crash_halts_both(venue: RunningVenue) -> None:
    with supervising(venue) as world:
        world.begin(A, B)

        crash(venue)

        assert world.soon(lambda: world.held(A) == world.held(B) == {HoldCause.RISK})
        assert world.soon(lambda: world.phases() == {A: "halted", B: "halted"})


def test_a_silent_gateway_keeps_no_other_waiting_and_hears_of_the_market_when_it_comes(
    venue: RunningVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(risk_supervisor, "MEND_S", 600.0)  # nothing but its own beginning tells it
    with supervising(venue) as world:
        world.begin(A)
        assert world.office.to(B, Go) == []
        assert world.soon(lambda: world.phases() == {A: "go"})

        world.begin(B)

        assert world.soon(lambda: world.phases() == {A: "go", B: "go"})
        crash(venue)
        assert world.soon(lambda: world.held(A) == world.held(B) == {HoldCause.RISK})


def test_the_errors_of_one_venue_halt_its_account_alone(venue: RunningVenue) -> None:
    with supervising(venue) as world:
        world.begin(A, B)

        world.tell(B, 1_000, errors=9)

        assert world.soon(lambda: world.held(B) == {HoldCause.RISK})
        before = len(world.office.to(A, Go))
        assert world.soon(lambda: len(world.office.to(A, Go)) > before + 1)
        assert world.held(A) == set()
        assert world.soon(lambda: world.phases() == {A: "go", B: "halted"})
        assert world.actor.snapshot()["phase"] == "halted", "the whole is as bad as its worst"


def test_a_drawdown_holds_its_account_alone_and_is_released_alone(venue: RunningVenue) -> None:
    with supervising(venue) as world:
        world.begin(A, B)
        world.tell(A, 890)
        assert world.soon(lambda: world.held(A) == {HoldCause.STOP_LOSS})
        world.tell(B, 880)
        assert world.soon(lambda: world.held(B) == {HoldCause.STOP_LOSS})

        assert world.actor.clear_stop_loss("enough", A)

        assert world.soon(lambda: world.held(A) == set())
        renewed = len(world.office.to(B, Go))
        assert world.soon(lambda: len(world.office.to(B, Go)) > renewed + 1)
        assert world.held(B) == {HoldCause.STOP_LOSS}
