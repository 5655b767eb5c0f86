"""An order that once lived is gone only where everything says so: one lot never gets two exits."""

from __future__ import annotations

from dataclasses import replace

from exchanges.desk.commands import LookUp, ReadOpenOrders, ReadTrades
from exchanges.desk.events import OpenOrdersRead, OrderRead, ReconcileDue, Refused, StreamSaid, TradesRead
from exchanges.errors import Refusal
from grid.order import Fill, OrderUpdate, Side
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import DeskWorld, fill_of

NOT_FOUND = Refused(refusal=Refusal.UNKNOWN_ORDER, code="-2013", message="Order does not exist.")


def with_resting_exit() -> tuple[DeskWorld, str]:
    world = DeskWorld().ready()
    world.bought(-1)
    order = world.slot(-1).order
    assert order is not None
    assert world.send(order.client_id)
    world.tell(StreamSaid(update=OrderUpdate(report=world.report(order.client_id))))
    world.pass_ms(5_000)
    return world, order.client_id


def deny(world: DeskWorld, ms: int, fills: tuple[Fill, ...] = ()) -> None:
    """Let the venue know nothing of any order for so long; trades are told."""
    world.tell(ReconcileDue(reason="test"))
    for _ in range(ms // 100):
        asked, world.said = world.said, []
        for command in asked:
            match command:
                case ReadOpenOrders():
                    world.tell(OpenOrdersRead(begun_ms=world.now_ms, reports=()))
                case LookUp(client_id=client_id):
                    world.tell(OrderRead(client_id=client_id, begun_ms=world.now_ms, outcome=NOT_FOUND))
                case ReadTrades(since_ms=since_ms, order_id=order_id):
                    told = fills if order_id else ()
                    world.tell(
                        TradesRead(
                            symbol=SYMBOL, since_ms=since_ms, begun_ms=world.now_ms, fills=told, order_id=order_id
                        )
                    )
                case _:
                    world.said.append(command)
        world.now_ms += 100
        world.pass_ms(100)


def test_one_empty_list_and_one_not_found_make_no_second_exit() -> None:
    world, exit_id = with_resting_exit()

    deny(world, 1_000)

    order = world.slot(-1).order
    assert order is not None
    assert order.client_id == exit_id


def test_an_exit_that_everything_denies_is_replaced() -> None:
    world, exit_id = with_resting_exit()

    deny(world, 8_000)

    order = world.slot(-1).order
    assert order is not None
    assert order.client_id != exit_id


def test_the_trades_of_an_absent_exit_come_before_the_next_exit() -> None:
    world, exit_id = with_resting_exit()
    sold = replace(fill_of(f"v{exit_id}", Side.SELL, 300_000, 10), client_id="")

    deny(world, 8_000, fills=(sold,))

    assert world.slot(-1).lot is None
    assert not [o for o in world.desk.book.orders.values() if o.purpose.closing and o.client_id != exit_id]


def test_an_order_that_waits_for_its_turn_is_not_asked_after_and_keeps_its_turn() -> None:
    world = DeskWorld().ready()
    client_id = world.ask(-1)

    for _ in range(3):
        world.read()
        world.pass_ms(200)

    assert [one for one in world.heard(LookUp) if one.client_id == client_id] == []
    assert world.send(client_id)
