"""The order desk when the venue tells of trades that the book has booked and forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

import grid.book as book_module
from exchanges.desk.commands import ReadTrades
from exchanges.desk.events import (
    Accepted,
    OpenOrdersRead,
    OrderRead,
    PositionsRead,
    ReconcileDue,
    StreamSaid,
    TradesRead,
)
from grid.order import Fill, OrderStatus, OrderUpdate, Side
from grid.snapshot import from_snapshot, to_snapshot
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import WALL_MS, DeskWorld, fill_of, position_of


def traded(world: DeskWorld, client_id: str, quantity: int = 10) -> Fill:
    """Let an order fill whole, now; return the trade as a later reading tells it."""
    update = world.filled(client_id, quantity)
    assert update.fill is not None
    fill = replace(update.fill, venue_ms=WALL_MS + world.now_ms)
    world.tell(StreamSaid(update=replace(update, fill=fill)))
    return replace(fill, client_id="")


def exit_of(world: DeskWorld, level: int) -> str:
    order = world.slot(level).order
    assert order is not None
    assert world.send(order.client_id)
    world.tell(StreamSaid(update=OrderUpdate(report=world.report(order.client_id))))
    return order.client_id


def round_trip(world: DeskWorld, level: int) -> list[Fill]:
    """Buy and sell at a level."""
    world.pass_ms(1_000)
    world.renew_go()
    return [traded(world, world.live(level)), traded(world, exit_of(world, level))]


def resynchronise(world: DeskWorld, fills: list[Fill]) -> ReadTrades:
    """Answer one resynchronisation as the venue would: with every trade since the time asked for."""
    world.heard(ReadTrades)
    world.tell(ReconcileDue(reason="test"))
    asked_ms, steps = world.now_ms, world.desk.book.symbol(SYMBOL).expected_position()
    orders = tuple(world.report(order.client_id) for order in world.desk.book.live_orders())
    world.tell(OpenOrdersRead(begun_ms=asked_ms, reports=orders))
    asked = world.heard(ReadTrades)[-1]
    told = tuple(fill for fill in fills if fill.venue_ms >= asked.since_ms)
    world.tell(TradesRead(symbol=SYMBOL, since_ms=asked.since_ms, begun_ms=asked_ms, fills=told))
    world.tell(PositionsRead(begun_ms=asked_ms, positions=(position_of(steps),)))
    return asked


def test_forgotten_trades_are_not_booked_again_beside_an_old_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "FILLS_REMEMBERED", 20)
    monkeypatch.setattr(book_module, "ORDERS_REMEMBERED", 30)
    world = DeskWorld().ready()
    told = [traded(world, world.live(-1))]
    exit_of(world, -1)  # it rests for weeks
    for _ in range(25):
        told += round_trip(world, -3)

    resynchronise(world, told)

    book = world.desk.book.symbol(SYMBOL)
    assert (book.lot_steps(), book.foreign, book.ledger.round_trips) == (10, 0, 25)


def test_trades_are_read_from_the_last_reading_that_was_whole() -> None:
    world = DeskWorld().ready()
    traded(world, world.live(-1))
    exit_of(world, -1)
    world.pass_ms(3_600_000, step_ms=60_000)
    resynchronise(world, [])
    world.pass_ms(120_000, step_ms=10_000)

    asked = resynchronise(world, [])

    assert asked.since_ms == WALL_MS + 3_600_000 - 60_000
    assert world.desk.book.symbol(SYMBOL).trades_ms == WALL_MS + 3_720_000


def test_a_failed_reading_moves_nothing() -> None:
    world = DeskWorld().ready()
    before_ms = world.desk.book.symbol(SYMBOL).trades_ms
    world.pass_ms(120_000, step_ms=10_000)
    world.tell(ReconcileDue(reason="test"))
    world.tell(OpenOrdersRead(begun_ms=world.now_ms, reports=()))
    world.tell(TradesRead(symbol=SYMBOL, since_ms=0, begun_ms=world.now_ms, fills=None))

    assert world.desk.book.symbol(SYMBOL).trades_ms == before_ms


def test_a_missing_old_trade_is_booked_by_its_orders_id_and_no_other() -> None:
    world = DeskWorld().ready()
    world.bought(-1)
    exit_id = exit_of(world, -1)
    part = fill_of(f"v{exit_id}", Side.SELL, 300_000, 4)
    world.pass_ms(600_000, step_ms=60_000)
    resynchronise(world, [])
    world.heard(ReadTrades)

    ended = world.report(exit_id, OrderStatus.CANCELED, 4)
    world.tell(OrderRead(client_id=exit_id, begun_ms=world.now_ms, outcome=Accepted(report=ended)))
    world.pass_ms(100)
    asked = world.heard(ReadTrades)[-1]
    twice = replace(part, trade_id="other")
    assert asked.order_id == part.order_id
    world.tell(
        TradesRead(
            symbol=SYMBOL, since_ms=asked.since_ms, begun_ms=world.now_ms, fills=(part, twice), order_id=asked.order_id
        )
    )

    assert world.desk.book.symbol(SYMBOL).lot_steps() == 6


def test_nothing_is_kept_of_orders_that_are_over() -> None:
    world = DeskWorld().ready()
    for _ in range(30):
        world.renew_go()
        client_id = world.live(-1)
        world.tell(StreamSaid(update=OrderUpdate(report=world.report(client_id, OrderStatus.CANCELED))))
        world.pass_ms(100)

    core = world.desk._core
    kept = (core.sent_ms, core.inherited, core.echoed, core.reported, core.cancel_wanted)
    assert [len(one) for one in kept] == [0, 0, 0, 0, 0]
    assert world.desk.book.live_orders() == []


def test_a_book_of_a_snapshot_knows_its_live_orders_and_how_old_its_memory_is() -> None:
    world = DeskWorld().ready()
    traded(world, world.live(-1))
    world.live(-2)
    book = from_snapshot(to_snapshot(world.desk.book))

    assert [order.client_id for order in book.live_orders(SYMBOL)] == [
        order.client_id for order in world.desk.book.live_orders(SYMBOL)
    ]
    assert book.live_orders()
    assert book.fill_times() == world.desk.book.fill_times()
    assert book.symbol(SYMBOL).trades_ms == world.desk.book.symbol(SYMBOL).trades_ms
