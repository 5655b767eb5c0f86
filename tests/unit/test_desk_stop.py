"""The order desk while it stops: nothing takes the fence away, and closed is what the venue shows."""

from __future__ import annotations

from exchanges.desk.commands import Notice, ReadOpenOrders, SendCancel
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


def test_a_stop_that_does_not_come_to_its_end_is_said_again_and_again() -> None:
    world = DeskWorld().ready()
    world.live(-1)
    world.tell(CloseAsked(mode=ClosingMode.KEEP))

    world.pass_ms(29_000)
    assert not overdue(world)
    world.pass_ms(2_000)
    assert overdue(world) == ["the stop (keep) is not through: 1 own orders are not known to be gone"]
    world.pass_ms(30_000)
    assert len(overdue(world)) == 1


def test_a_stop_whose_last_reading_fails_is_said_to_be_unconfirmed() -> None:
    world = DeskWorld().ready()
    world.tell(CloseAsked(mode=ClosingMode.KEEP))
    for _ in range(40):
        world.pass_ms(1_000)
        world.tell(OpenOrdersRead(begun_ms=world.now_ms, reports=None))

    assert overdue(world) == ["the stop (keep) is not through: the venue has not confirmed that none is left"]


def overdue(world: DeskWorld) -> list[str]:
    return [notice.text for notice in world.heard(Notice) if notice.kind == "not_closed"]
