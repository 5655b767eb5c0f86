"""The desk of a grid that waits for a price: what opens nothing before it, and what a restart knows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.desk.commands import SendCancel
from exchanges.desk.events import MarkSeen, OpenOrdersRead, StreamState
from grid.book import Book
from grid.holds import HoldCause
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import DeskWorld


def see(world: DeskWorld, mark: str) -> None:
    world.tell(MarkSeen(symbol=SYMBOL, price=Decimal(mark)))


def waits(world: DeskWorld) -> bool:
    return world.desk.book.holds.find(HoldCause.TRIGGER, SYMBOL) is not None


def again(world: DeskWorld, trigger: str | None) -> DeskWorld:
    """Return the next life, made of the records alone."""
    book = Book()
    book.replay(world.records)
    made = DeskWorld(book, now_ms=world.now_ms + 1_000, trigger=None if trigger is None else Decimal(trigger))
    made.records[:0] = world.records
    return made


@pytest.mark.parametrize(("price", "before", "at"), [("2990", "2990.01", "2990"), ("3010", "3009.99", "3010.5")])
def test_nothing_opens_before_the_mark_has_come_there_from_either_side(price: str, before: str, at: str) -> None:
    world = DeskWorld(trigger=Decimal(price)).ready()  # the mark is 3000 then
    assert waits(world)
    assert world.ask(-1) == ""

    see(world, before)
    assert world.ask(-1) == ""
    see(world, at)

    assert not waits(world)
    assert world.ask(-1) != ""


def test_a_restart_goes_on_waiting_from_the_side_where_it_began() -> None:
    world = DeskWorld(trigger=Decimal(2990)).ready()
    world = again(world, "2990")
    assert waits(world)

    see(world, "2980")  # it fell through while nobody looked

    assert not waits(world)


def test_what_was_reached_stays_reached_and_another_price_waits_anew() -> None:
    world = DeskWorld(trigger=Decimal(2990)).ready()
    see(world, "2989")
    world = again(world, "2990").ready()
    assert not waits(world)
    assert world.ask(-2) != ""

    world = again(world, "3010")
    assert waits(world)
    see(world, "3000")
    assert waits(world)
    assert not waits(again(world, None))


def test_lots_keep_their_exits_while_a_changed_price_is_waited_for() -> None:
    world = DeskWorld().ready()
    world.bought(-2)
    resting = world.slot(-2).order
    assert resting is not None

    world = again(world, "3010")
    world.tell(StreamState(is_up=True))
    world.tell(OpenOrdersRead(begun_ms=world.now_ms, reports=(world.report(resting.client_id),)))
    see(world, "3000")

    assert waits(world)
    order = world.slot(-2).order
    assert order is not None
    assert order.client_id == resting.client_id
    assert not [cancel for cancel in world.heard(SendCancel) if cancel.client_id == resting.client_id]


def test_a_wait_of_the_old_price_is_told_by_the_new_one() -> None:
    world = again(DeskWorld(trigger=Decimal(2990)).ready(), "2980")

    hold = world.desk.book.holds.find(HoldCause.TRIGGER, SYMBOL)

    assert hold is not None
    assert "2980" in hold.reason
