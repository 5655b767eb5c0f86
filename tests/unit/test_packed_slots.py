"""A slot actor that holds the whole ladders of several symbols."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.actor_names import SlotLayout, packed
from actors.grid_slot import GridSlot
from actors.mail.messages import Intents, PriceWanted, SetupWanted, SymbolGone, SymbolSetup, Tellings
from actors.symbol_slots import ASK_AGAIN_MS
from grid.intent import Standing, Told
from grid.slot import SlotKey, SlotState
from grid.window import MarketView, WindowChange
from tests.grid_setup import example_setup
from tests.manual_clock import ManualClock
from tests.post_office import Appointments, Letters, PostOffice

ETH, SOL = SYMBOLS = ("ETHUSDT", "SOLUSDT")
GATEWAY, FEED, NAME = "gateway/binanceusdm/main", "feed/ETHUSDT+1", "slot/ETHUSDT+1"
LEVELS = (-3, -2, -1)
RECONCILE_MS = 10_000


class World:
    """One slot actor of two alike ladders, with its post office, appointments and clock."""

    def __init__(self) -> None:
        self.office, self.appointments, self.clock = PostOffice(), Appointments(), ManualClock()
        self.slot = GridSlot(
            layouts=packed([SlotLayout(symbol=symbol, modulus=6, slots_per_actor=12) for symbol in SYMBOLS]),
            index=0,
            gateway=GATEWAY,
            feed=FEED,
            outbox=self.office,
            waker=self.appointments,
            clock=self.clock,
            reconcile_ms=RECONCILE_MS,
        )
        self.from_gateway, self.from_feed = Letters(GATEWAY), Letters(FEED)

    def serve(self) -> None:
        self.slot.start()
        for symbol in SYMBOLS:
            self.slot.receive(self.from_gateway(setup(symbol)))
        told = tuple(
            Told(state=SlotState(key=key(symbol, level), version=0), standing=standing(symbol))
            for symbol in SYMBOLS
            for level in LEVELS
        )
        self.slot.receive(self.from_gateway(Tellings(told=told)))
        self.office.clear()

    def see(self, symbol: str, version: int = 10) -> None:
        view = MarketView(symbol=symbol, generation=1, price=300_000, top=-1, floor=0, version=version, at_ms=0)
        self.slot.receive(self.from_feed(WindowChange(view=view, entered=LEVELS)))

    def asked(self) -> list[tuple[str, int]]:
        """Return which levels it asked to be bought."""
        found = [intent for message in self.office.to(GATEWAY, Intents) for intent in message.intents]
        return [(intent.key.symbol, intent.key.level) for intent in found]

    def wanting(self, kind: type[SetupWanted] | type[PriceWanted], receiver: str) -> list[str]:
        """Return of which symbols it asked for setup or price."""
        return [wanted.symbol for wanted in self.office.to(receiver, kind)]

    def pass_ms(self, duration_ms: int) -> None:
        self.clock.advance_ms(duration_ms)
        self.slot.tick()


def key(symbol: str, level: int) -> SlotKey:
    return SlotKey(symbol=symbol, generation=1, level=level)


def standing(symbol: str, halt_epoch: int = 4, *holds: str) -> Standing:
    return Standing(symbol=symbol, halt_epoch=halt_epoch, holds=holds)


def setup(symbol: str) -> SymbolSetup:
    like = example_setup()
    return replace(
        like,
        generation=replace(like.generation, symbol=symbol),
        policy=replace(like.policy, symbol=symbol),
        instrument=replace(like.instrument, symbol=symbol),
    )


@pytest.fixture
def world() -> World:
    return World()


def test_it_asks_for_each_symbol_until_that_is_told(world: World) -> None:
    world.slot.start()
    assert world.wanting(SetupWanted, GATEWAY) == [ETH, SOL]
    assert {wanted.receiver for wanted in world.office.to(GATEWAY, SetupWanted)} == {NAME}

    world.slot.receive(world.from_gateway(setup(ETH)))
    world.pass_ms(ASK_AGAIN_MS)

    assert world.wanting(SetupWanted, GATEWAY) == [ETH, SOL, SOL]
    assert world.slot.snapshot()["waits_for"] == f"setup of {SOL} from {GATEWAY}"


def test_a_price_moves_the_levels_of_its_own_symbol_only(world: World) -> None:
    world.serve()

    world.see(SOL)

    assert world.asked() == [(SOL, level) for level in LEVELS]
    assert {told_of.reason.value for told_of in world.slot.explain(ETH)} == {"price_unknown"}
    assert "price_unknown" not in {told_of.reason.value for told_of in world.slot.explain(SOL)}
    assert len(world.slot.explain()) == 6


def test_each_symbol_s_prices_have_versions_of_their_own(world: World) -> None:
    world.serve()
    world.see(ETH, version=1_000)
    world.see(SOL, version=3)

    assert world.asked() == [(symbol, level) for symbol in SYMBOLS for level in LEVELS]
    assert world.slot.snapshot()["symbols"][SOL]["view"].version == 3


def test_a_hold_of_one_symbol_leaves_the_other_s_entries_alone(world: World) -> None:
    world.serve()
    world.slot.receive(world.from_gateway(standing(ETH, 5, "price")))

    world.see(ETH)
    world.see(SOL)

    assert world.asked() == [(SOL, level) for level in LEVELS]


@pytest.mark.parametrize(("sender", "wanted"), [(GATEWAY, SetupWanted), (FEED, PriceWanted)], ids=["gateway", "feed"])
def test_after_a_gap_it_asks_for_the_whole_of_every_symbol(
    world: World, sender: str, wanted: type[SetupWanted] | type[PriceWanted]
) -> None:
    world.serve()
    letters = world.from_gateway if sender == GATEWAY else world.from_feed
    if sender == FEED:
        world.see(ETH)
        world.office.clear()

    world.slot.receive(letters(standing(ETH), skip=3))

    assert world.wanting(wanted, sender) == [ETH, SOL]


def test_the_ladders_are_looked_at_one_after_another(world: World) -> None:
    world.serve()
    for symbol in SYMBOLS:
        world.see(symbol)
    world.office.clear()

    looked_at = []
    for _ in range(4):
        world.pass_ms(RECONCILE_MS // 2)
        looked_at.append(world.wanting(PriceWanted, FEED))
        world.office.clear()

    assert looked_at == [[ETH], [SOL], [ETH], [SOL]]


def test_a_symbol_that_is_gone_is_served_no_more(world: World) -> None:
    world.serve()

    world.slot.receive(world.from_gateway(SymbolGone(symbol=ETH)))
    world.see(ETH)
    world.see(SOL)

    assert world.asked() == [(SOL, level) for level in LEVELS]
    assert list(world.slot.snapshot()["symbols"]) == [SOL]
    assert world.slot.drop(SOL), "and the last may go as well"
    world.pass_ms(RECONCILE_MS)
    assert world.slot.explain() == []
