"""Desk and slot together at one level: unasked ends, late fills, far exits, orders that never left."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.desk.commands import Send, Tell
from exchanges.desk.events import NotSent, PlaceAnswered, ReferenceSeen, StreamSaid
from grid.decision import Place, Stay, Surroundings, Withdraw, decide
from grid.lot import Lot
from grid.order import OrderStatus, OrderUpdate, Purpose, Side
from grid.reasons import Reason
from grid.slot import Phase, SlotOrder, SlotState
from grid.window import MarketView
from tests.simulation.worlds import SYMBOL, example_plan
from tests.unit.order_desk_world import DeskWorld, key

LOT = Lot(quantity=10, cost=Decimal(30), target=300_000, fees=(), opened_ms=0)


def around(price: int, *holds: str) -> Surroundings:
    plan = example_plan()
    return Surroundings(
        ladder=plan.generation(0, 300_000).ladder(),
        policy=replace(plan.policy, sell_window=None),
        instrument=plan.instrument,
        view=MarketView(symbol="ETHUSDT", generation=0, price=price, top=0, floor=0, version=1, at_ms=0),
        holds=holds,
        has_older_lot=False,
        now_ms=100_000,
    )


@pytest.mark.parametrize("status", [OrderStatus.EXPIRED, OrderStatus.CANCELED])
def test_an_entry_that_the_venue_ends_by_itself_backs_off(status: OrderStatus) -> None:
    world = DeskWorld().ready()
    client_id = world.live(-1)
    world.heard(Tell)

    world.tell(StreamSaid(update=OrderUpdate(report=world.report(client_id, status))))

    assert [tell.told.refusal for tell in world.heard(Tell)] == [Reason.BACK_OFF]


def test_an_entry_that_was_withdrawn_may_be_placed_again_at_once() -> None:
    world = DeskWorld().ready()
    client_id = world.live(-1)
    world.cancel(-1, client_id)
    world.heard(Tell)

    world.tell(StreamSaid(update=OrderUpdate(report=world.report(client_id, OrderStatus.CANCELED))))

    assert [tell.told.refusal for tell in world.heard(Tell)] == [None]


def test_an_order_that_never_left_is_no_reject() -> None:
    world = DeskWorld().ready()
    client_id = world.ask(-1)
    assert world.send(client_id)
    world.heard(Tell)

    world.tell(PlaceAnswered(client_id=client_id, outcome=NotSent(reason="the line is cut")))

    assert [tell.told.refusal for tell in world.heard(Tell)] == [Reason.NOT_SENT]


def test_an_exit_above_the_sell_window_is_not_armed() -> None:
    world = DeskWorld().ready()  # a sell window of 3
    client_id = world.live(-1)
    world.tell(ReferenceSeen(symbol=SYMBOL, reference=298_000, is_fresh=True))
    world.heard(Send)

    world.tell(StreamSaid(update=world.filled(client_id, 10)))

    assert world.heard(Send) == []
    assert world.slot(-1).lot is not None


def test_an_entry_gives_way_to_the_exit_of_a_lot_that_came_late() -> None:
    order = SlotOrder(
        client_id="next",
        purpose=Purpose.ENTRY,
        side=Side.BUY,
        price=299_800,
        quantity=10,
        target=300_000,
        placed_ms=0,
        order_id="1",
    )
    slot = SlotState(key=key(-1), phase=Phase.LOCKED, order=order, lot=LOT)

    assert decide(slot, around(299_900)) == Withdraw(client_id="next", reason=Reason.LATE_LOT)
    assert isinstance(decide(replace(slot, lot=None), around(299_900)), Stay)


def test_under_hold_price_an_exit_goes_to_its_target() -> None:
    decision = decide(SlotState(key=key(-1), lot=LOT), around(300_500, "price"))

    assert isinstance(decision, Place)
    assert decision.price == 300_000
