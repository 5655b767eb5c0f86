"""The order desk while it stops: nothing takes the fence away, and closed is what the venue shows."""

from __future__ import annotations

from exchanges.desk.commands import ReadOpenOrders, SendCancel
from exchanges.desk.events import CloseAsked, ClosingMode, HoldAsked, OpenOrdersRead, StreamSaid
from grid.holds import HoldCause
from grid.order import OrderStatus, OrderUpdate
from tests.unit.order_desk_world import DeskWorld

RESUME = HoldAsked(cause=HoldCause.OPERATOR, symbol="", is_put=False, reason="the operator resumes")


def test_a_resume_during_a_stop_lets_no_entry_out() -> None:
    world = DeskWorld().ready()
    client_id = world.live(-1)
    world.tell(CloseAsked(mode=ClosingMode.KEEP))
    world.tell(StreamSaid(update=OrderUpdate(report=world.report(client_id, OrderStatus.CANCELED))))

    world.tell(RESUME)

    assert world.desk.book.holds.find(HoldCause.OPERATOR, "") is not None
    assert world.ask(-2) == ""


def test_closed_is_not_said_while_an_order_that_has_to_go_lives() -> None:
    world = DeskWorld().ready()
    world.bought(-1)
    exit_order = world.slot(-1).order
    assert exit_order is not None
    assert world.send(exit_order.client_id)
    world.tell(StreamSaid(update=OrderUpdate(report=world.report(exit_order.client_id))))
    world.tell(CloseAsked(mode=ClosingMode.LEAVE_EXITS))
    world.pass_ms(6_000)
    assert world.heard(ReadOpenOrders)
    begun_ms = world.now_ms
    world.tell(CloseAsked(mode=ClosingMode.KEEP))

    world.tell(OpenOrdersRead(begun_ms=begun_ms, reports=()))
    assert not world.desk.is_closed
    world.pass_ms(1_000)
    assert exit_order.client_id in [cancel.client_id for cancel in world.heard(SendCancel)]
