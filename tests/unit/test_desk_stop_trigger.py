"""The exchange-side stop triggers: fills take lots off, whoever tells first, and the hold stands."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.desk.commands import LookUpStop, Notice, SendCancel
from exchanges.desk.events import (
    StopAccepted,
    StopSaid,
    StreamSaid,
    TradesRead,
)
from grid.order import OrderStatus, OrderUpdate, Side
from grid.stop import StopStatus
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import fill_of
from tests.unit.stop_desk import (
    covered,
    is_held,
    looked_up,
    report,
    show,
    sold,
)


def test_its_trigger_takes_lots_off_by_fills_and_holds_the_stop_loss() -> None:
    world = covered(lots=2)
    world.heard(Notice)
    world.tell(StopSaid(report=report(world, StopStatus.TRIGGERED)))
    assert is_held(world)
    assert [one.level for one in world.heard(Notice) if one.kind == "stop_triggered"] == ["critical"]
    assert world.desk.book.symbol(SYMBOL).lot_steps() == 20  # no lot goes without a fill

    world.tell(StreamSaid(update=sold(world, 20)))
    world.tell(StopSaid(report=report(world, StopStatus.TRIGGERED, order_id="v9")))
    world.pass_ms(100)

    book = world.desk.book.symbol(SYMBOL)
    assert (book.lot_steps(), book.foreign, book.stop) == (0, 0, None)
    cost = Decimal("2998") * Decimal("0.01") + Decimal("2996") * Decimal("0.01")
    assert book.ledger.realised == Decimal("2930") * Decimal("0.02") - cost
    assert world.ask(-3) == ""


def test_a_fill_that_comes_before_any_word_of_the_trigger_is_known_by_its_id() -> None:
    world = covered()
    world.tell(StreamSaid(update=sold(world, 10)))
    world.tell(StopSaid(report=report(world, StopStatus.TRIGGERED, order_id="v9")))
    world.pass_ms(100)

    assert world.desk.book.symbol(SYMBOL).lot_steps() == 0
    assert world.desk.book.symbol(SYMBOL).stop is None
    assert is_held(world)


@pytest.mark.parametrize("is_triggered", [True, False])
def test_a_trade_that_the_stream_lost_waits_for_the_stop_to_be_looked_up(is_triggered: bool) -> None:
    world = covered()
    begun_ms = world.now_ms
    trade = fill_of("v9", Side.SELL, 293_000, 10)
    world.heard(Notice)
    world.tell(TradesRead(symbol=SYMBOL, since_ms=0, begun_ms=begun_ms, fills=(trade,)))
    assert world.desk.book.symbol(SYMBOL).lot_steps() == 10
    assert world.heard(LookUpStop)

    world.pass_ms(100)
    status, order_id = (StopStatus.TRIGGERED, "v9") if is_triggered else (StopStatus.WAITING, "")
    looked_up(world, StopAccepted(report=report(world, status, order_id=order_id)))
    world.heard(Notice)
    world.tell(TradesRead(symbol=SYMBOL, since_ms=0, begun_ms=world.now_ms, fills=(trade,)))

    assert world.desk.book.symbol(SYMBOL).lot_steps() == 0
    assert any(one.kind == "foreign_fill" for one in world.heard(Notice)) is not is_triggered
    assert is_held(world) is is_triggered


def test_the_order_that_it_became_is_never_cancelled_and_exits_for_sold_lots_are() -> None:
    world = covered(lots=2)
    exits = {show(world, -1), show(world, -2)}
    whole = sold(world, 20)
    world.heard(SendCancel)

    world.tell(StreamSaid(update=OrderUpdate(report=replace(whole.report, status=OrderStatus.NEW, filled=0))))
    assert world.heard(SendCancel) == []
    assert whole.fill is not None
    part = replace(whole.fill, quantity=15)
    partly = replace(whole.report, status=OrderStatus.PARTIALLY_FILLED, filled=15)
    world.tell(StreamSaid(update=OrderUpdate(report=partly, fill=part)))

    assert {one.client_id for one in world.heard(SendCancel)} == exits
    assert world.desk.book.symbol(SYMBOL).lot_steps() == 5
