"""A slot actor: asks until it knows, decides by its machines, and loses nothing that matters when it loses messages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.actor_names import SlotLayout
from actors.grid_slot import GridSlot
from actors.mail.messages import Alarms, FeedWord, Intents, PriceWanted, SetupWanted, SlotsKnown, SlotsWanted, Tellings
from actors.symbol_slots import ASK_AGAIN_MS
from grid.intent import PlaceIntent, Standing, Told
from grid.order import Purpose
from grid.reasons import Reason
from grid.slot import SlotKey, SlotState
from grid.window import MarketView, WindowChange
from tests.grid_setup import example_setup
from tests.manual_clock import ManualClock
from tests.post_office import Appointments, Letters, PostOffice

LAYOUT = SlotLayout(symbol="ETHUSDT", modulus=6)
GATEWAY, FEED = "gateway/binanceusdm/main", "feed/ETHUSDT"
LEVEL = -1
KEY = SlotKey(symbol="ETHUSDT", generation=1, level=LEVEL)
OPEN = Standing(symbol="ETHUSDT", halt_epoch=4, holds=())
VIEW = MarketView(symbol="ETHUSDT", generation=1, price=300_000, top=-1, floor=0, version=10, at_ms=0)


class World:
    """One slot actor, level -1's, with its post office, appointments and clock."""

    def __init__(self) -> None:
        self.office, self.appointments, self.clock = PostOffice(), Appointments(), ManualClock()
        self.slot = GridSlot(
            layouts=[LAYOUT],
            index=5,
            gateway=GATEWAY,
            feed=FEED,
            outbox=self.office,
            waker=self.appointments,
            clock=self.clock,
            reconcile_ms=10_000,
        )
        self.from_gateway, self.from_feed = Letters(GATEWAY), Letters(FEED)

    def serve(self) -> None:
        self.slot.start()
        self.slot.receive(self.from_gateway(example_setup()))
        self.slot.receive(self.from_gateway(Tellings(told=(told(),))))
        self.office.clear()

    def pass_ms(self, duration_ms: int) -> None:
        self.clock.advance_ms(duration_ms)
        self.slot.tick()


def told(version: int = 0, refusal: Reason | None = None) -> Told:
    return Told(state=SlotState(key=KEY, version=version), standing=OPEN, refusal=refusal)


@pytest.fixture
def world() -> World:
    return World()


def intents(world: World) -> list[PlaceIntent]:
    found = [intent for message in world.office.to(GATEWAY, Intents) for intent in message.intents]
    return [intent for intent in found if isinstance(intent, PlaceIntent)]


def test_a_new_slot_asks_for_its_setup_until_it_comes(world: World) -> None:
    world.slot.start()
    world.pass_ms(ASK_AGAIN_MS)
    world.pass_ms(ASK_AGAIN_MS)

    wanted = SetupWanted(receiver="slot/ETHUSDT/05", symbol="ETHUSDT", remainders=(5,), modulus=6)
    assert world.office.to(GATEWAY, SetupWanted) == [wanted] * 3
    assert world.slot.snapshot()["waits_for"] == f"setup of ETHUSDT from {GATEWAY}"
    assert world.slot.explain() == []


def test_with_a_setup_it_asks_the_feed_for_the_price(world: World) -> None:
    world.slot.start()
    world.slot.receive(world.from_gateway(example_setup()))

    assert world.office.to(FEED, PriceWanted) == [PriceWanted(receiver="slot/ETHUSDT/05", symbol="ETHUSDT")]
    assert world.slot.snapshot()["phase"] == "serving"


def test_a_level_that_enters_the_window_is_asked_to_be_bought(world: World) -> None:
    world.serve()

    world.slot.receive(world.from_feed(WindowChange(view=VIEW, entered=(LEVEL,))))

    [intent] = intents(world)
    assert (intent.key, intent.purpose, intent.price, intent.quantity) == (KEY, Purpose.ENTRY, 299_800, 10)
    assert (intent.target, intent.basis_version, intent.halt_epoch) == (300_000, 0, 4)


def test_a_doubled_letter_asks_nothing_twice(world: World) -> None:
    world.serve()
    letter = world.from_feed(WindowChange(view=VIEW, entered=(LEVEL,)))

    world.slot.receive(letter)
    world.slot.receive(letter)

    assert len(intents(world)) == 1
    assert world.slot.snapshot()["arrivals"]["double"] == 1


def test_an_intent_without_answer_is_asked_again_after_its_time(world: World) -> None:
    world.serve()
    world.slot.receive(world.from_feed(WindowChange(view=VIEW, entered=(LEVEL,))))
    delay_ms = world.appointments.delays[-1]

    world.pass_ms(delay_ms - 1)
    assert len(intents(world)) == 1
    world.pass_ms(1)

    assert delay_ms == 2_000
    assert len(intents(world)) == 2


def test_a_hold_stops_entries_and_its_end_starts_them_again(world: World) -> None:
    world.serve()
    world.slot.receive(world.from_gateway(replace(OPEN, halt_epoch=5, holds=("risk",))))
    world.slot.receive(world.from_feed(WindowChange(view=VIEW, entered=(LEVEL,))))
    assert intents(world) == []
    assert world.slot.explain()[0].reason is Reason.HOLD

    world.slot.receive(world.from_gateway(replace(OPEN, halt_epoch=6)))

    assert [intent.halt_epoch for intent in intents(world)] == [6]


def test_a_gap_from_the_gateway_asks_for_the_whole(world: World) -> None:
    world.serve()

    world.slot.receive(world.from_gateway(OPEN, skip=3))

    assert len(world.office.to(GATEWAY, SetupWanted)) == 1


def test_a_reborn_feed_is_asked_for_the_price(world: World) -> None:
    world.serve()
    world.slot.receive(world.from_feed(WindowChange(view=VIEW, entered=(LEVEL,))))
    world.office.clear()

    reborn = Letters(FEED, incarnation="2")
    world.slot.receive(reborn(WindowChange(view=replace(VIEW, version=900))))

    assert len(world.office.to(FEED, PriceWanted)) == 1


def test_a_level_whose_book_state_is_unknown_is_asked_for(world: World) -> None:
    world.slot.start()
    world.slot.receive(world.from_gateway(example_setup()))

    world.slot.receive(world.from_feed(WindowChange(view=VIEW, entered=(LEVEL,))))

    assert world.office.to(GATEWAY, SlotsWanted) == [SlotsWanted(receiver="slot/ETHUSDT/05", keys=(KEY,))]


def test_a_refusal_asks_for_a_newer_price_and_waits(world: World) -> None:
    world.serve()
    world.slot.receive(world.from_feed(WindowChange(view=VIEW, entered=(LEVEL,))))
    world.office.clear()

    world.slot.receive(world.from_gateway(Tellings(told=(told(version=2, refusal=Reason.BUSY),))))

    assert len(world.office.to(FEED, PriceWanted)) == 1
    assert intents(world) == []
    assert world.appointments.delays[-1] == 250
    world.pass_ms(250)
    assert [intent.basis_version for intent in intents(world)] == [2]


def test_a_lost_window_is_made_good_within_a_reconcile_period(world: World) -> None:
    world.serve()
    delay_ms = world.appointments.delays[-1]

    world.pass_ms(delay_ms)
    assert len(world.office.to(FEED, PriceWanted)) == 1
    world.slot.receive(world.from_feed(WindowChange(view=VIEW, entered=(LEVEL,))))

    assert delay_ms == 10_000
    assert len(intents(world)) == 1


def test_once_a_reconcile_period_it_tells_the_gateway_what_it_holds_to_be_so(world: World) -> None:
    world.serve()

    world.pass_ms(10_000)

    [known] = world.office.to(GATEWAY, SlotsKnown)
    assert (known.receiver, known.halt_epoch, known.versions) == ("slot/ETHUSDT/05", 4, ((KEY, 0),))


def test_an_idle_slot_makes_one_appointment_a_reconcile_period(world: World) -> None:
    world.serve()
    world.appointments.delays.clear()

    for _ in range(20):
        world.slot.receive(world.from_gateway(FeedWord(symbol="ETHUSDT", reference=None, is_fresh=True)))
    world.pass_ms(10_000)

    assert world.appointments.delays == [10_000]


def test_a_packed_actor_serves_each_of_its_levels() -> None:
    world = World()
    world.slot = GridSlot(
        layouts=[SlotLayout(symbol="ETHUSDT", modulus=6, slots_per_actor=3)],
        index=1,
        gateway=GATEWAY,
        feed=FEED,
        outbox=world.office,
        waker=world.appointments,
        clock=world.clock,
    )
    world.slot.start()
    world.slot.receive(world.from_gateway(example_setup()))
    states = tuple(
        Told(state=SlotState(key=replace(KEY, level=level), version=0), standing=OPEN) for level in (-3, -2, -1)
    )
    world.slot.receive(world.from_gateway(Tellings(told=states)))

    world.slot.receive(world.from_feed(WindowChange(view=VIEW, entered=(-3, -2, -1))))

    assert [intent.price for intent in intents(world)] == [299_400, 299_600, 299_800]
    assert world.office.to(FEED, Alarms) == []


def test_a_dead_gateways_late_letter_changes_nothing(world: World) -> None:
    world.serve()
    reborn = Letters(GATEWAY, incarnation="2")
    world.slot.receive(reborn(replace(OPEN, halt_epoch=6, holds=("risk",))))

    world.slot.receive(world.from_gateway(replace(OPEN, halt_epoch=9)))

    assert world.slot.snapshot()["symbols"]["ETHUSDT"]["holds"] == ("risk",)


def test_a_ring_that_came_too_early_is_followed_by_another(world: World) -> None:
    world.serve()
    world.appointments.delays.clear()

    world.pass_ms(4_000)

    assert world.appointments.delays == [6_000]
