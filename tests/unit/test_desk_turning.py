"""The desk of a neutral grid: when it turns around, what keeps it from that, and what comes to light too late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exchanges.desk.commands import Turned
from exchanges.desk.events import Asked, HoldAsked, ReferenceSeen, StreamSaid
from grid.book import Book
from grid.errors import UnexpectedSignal
from grid.holds import HoldCause
from grid.intent import PlaceIntent
from grid.kind_records import SideTurned
from grid.ladder import GridSide
from grid.order import OrderStatus, OrderUpdate, Purpose, TimeInForce
from grid.reasons import Reason
from grid.slot import SlotKey
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import DeskWorld

HALF_A_STEP = 100


def neutral(**more: object) -> DeskWorld:
    world = DeskWorld(neutral=True, **more)  # type: ignore[arg-type]
    return world.ready()


def see(world: DeskWorld, price: int) -> None:
    """Let the feed of the side that works tell a price in plain ticks."""
    sign = world.desk.book.symbol(SYMBOL).sign
    world.tell(ReferenceSeen(symbol=SYMBOL, reference=sign * price, is_fresh=True))


def side(world: DeskWorld) -> GridSide:
    return world.desk.book.symbol(SYMBOL).generation.side


def turns(world: DeskWorld) -> bool:
    return world.desk.book.holds.find(HoldCause.TURN, SYMBOL) is not None


def look(world: DeskWorld, price: int, *, reads: int = 30) -> None:
    """Let time pass at a price, each reading being answered."""
    for _ in range(reads):
        see(world, price)
        world.renew_go()
        world.pass_ms(300)
        world.read(orders=[world.report(order.client_id) for order in world.desk.book.live_orders(SYMBOL)])


def turned(world: DeskWorld, price: int = 300_000 + HALF_A_STEP) -> DeskWorld:
    look(world, price)
    assert side(world) is GridSide.SHORT
    return world


def ask_short(world: DeskWorld, level: int, purpose: Purpose = Purpose.ENTRY) -> str:
    """Ask for an order of the short ladder; return its client id, empty where it was refused."""
    key = SlotKey(symbol=SYMBOL, generation=1, level=level)
    slot = world.desk.book.symbol(SYMBOL).slot(key)
    at = 300_000 - 200 * (level + (1 if purpose is Purpose.EXIT else 0))
    intent = PlaceIntent(
        key=key,
        basis_version=slot.version,
        purpose=purpose,
        price=at,
        quantity=9 if slot.lot is None else slot.lot.quantity,
        target=300_000 - 200 * (level + 1),
        time_in_force=TimeInForce.POST_ONLY,
        reference=-300_200,
        halt_epoch=world.desk.book.halt_epoch,
    )
    world.tell(Asked(intent=intent))
    order = world.desk.book.symbol(SYMBOL).slot(key).order
    return order.client_id if order is not None else ""


def test_it_turns_half_a_step_beyond_the_start_price_and_no_tick_before() -> None:
    world = neutral()

    look(world, 300_000 + HALF_A_STEP - 1)
    assert side(world) is GridSide.LONG
    look(world, 300_000 + HALF_A_STEP)

    assert side(world) is GridSide.SHORT
    assert not turns(world)
    assert [type(one) for one in world.heard(Turned)] == [Turned]


def test_a_price_that_trembles_at_the_start_price_turns_nothing() -> None:
    world = turned(neutral())

    for price in (300_050, 299_950, 300_099, 299_901, 300_000):
        look(world, price, reads=4)

    assert side(world) is GridSide.SHORT
    assert sum(isinstance(record, SideTurned) for record in world.records) == 2  # the first one began it


def test_nothing_turns_before_entries_are_gone_and_venue_and_book_were_compared_since() -> None:
    world = neutral()
    entry = world.live(-1)
    look(world, 300_150)  # the cancel is not answered
    assert turns(world)
    assert side(world) is GridSide.LONG

    world.tell(StreamSaid(update=OrderUpdate(report=world.report(entry, OrderStatus.CANCELED))))
    see(world, 300_150)
    world.renew_go()
    world.pass_ms(1_000)
    assert side(world) is GridSide.LONG  # gone by our own word only

    look(world, 300_150)
    assert side(world) is GridSide.SHORT


def test_a_reading_that_contradicts_keeps_it_from_turning() -> None:
    world = neutral()
    for _ in range(20):
        see(world, 300_150)
        world.renew_go()
        world.pass_ms(300)
        world.read(position=-3)  # a long grid cannot hold that

    assert side(world) is GridSide.LONG
    assert world.desk.book.holds.find(HoldCause.RECONCILE, SYMBOL) is not None


def test_a_lot_keeps_it_where_it_is_and_a_fill_during_the_turn_ends_the_turn() -> None:
    world = neutral()
    entry = world.live(-1)
    see(world, 300_150)
    world.pass_ms(300)
    assert turns(world)

    world.tell(StreamSaid(update=world.filled(entry, 10)))
    look(world, 300_150)

    assert side(world) is GridSide.LONG
    assert not turns(world)
    assert world.slot(-1).lot is not None


def test_a_turn_is_given_up_where_the_price_comes_back() -> None:
    world = neutral()
    world.live(-1)
    see(world, 300_150)
    world.pass_ms(300)
    assert turns(world)

    look(world, 299_999, reads=3)

    assert not turns(world)
    assert side(world) is GridSide.LONG


def test_nothing_turns_while_something_else_holds() -> None:
    world = neutral()
    world.tell(HoldAsked(cause=HoldCause.OPERATOR, symbol="", is_put=True, reason="asked"))

    look(world, 300_150)

    assert side(world) is GridSide.LONG
    assert not turns(world)


def test_the_side_that_does_not_work_is_refused_and_its_price_is_not_taken() -> None:
    world = turned(neutral())
    assert world.ask(-1) == ""
    assert world.slot(-1).order is None

    world.tell(ReferenceSeen(symbol=SYMBOL, reference=299_000, is_fresh=True))  # on its way since before the turn
    world.pass_ms(1_000)

    assert not turns(world)
    assert ask_short(world, -1) != ""


def test_a_life_that_begins_in_a_turn_proves_anew_that_entries_are_gone_and_turns() -> None:
    world = neutral()
    world.live(-1)
    see(world, 300_150)
    world.pass_ms(300)
    assert turns(world)
    book = Book()
    book.replay(world.records)

    after = DeskWorld(book, now_ms=world.now_ms + 60_000, neutral=True)
    for order in book.live_orders(SYMBOL):
        after.tell(StreamSaid(update=OrderUpdate(report=after.report(order.client_id, OrderStatus.CANCELED))))
    after.pass_ms(200)
    after.ready()
    look(after, 300_150)

    assert side(after) is GridSide.SHORT
    assert not turns(after)


def late_fill(world: DeskWorld, entry: str, quantity: int) -> None:
    """Let a fill of an order that is over come to light: the venue had taken it for cancelled."""
    fill = world.filled(entry, quantity).fill
    assert fill is not None
    report = world.report(entry, OrderStatus.CANCELED, quantity)
    world.tell(StreamSaid(update=OrderUpdate(report=report, fill=replace(fill, quantity=quantity))))


def withdrawn(world: DeskWorld) -> str:
    """Let an entry of the long side be cancelled, as far as anybody knows without a fill, and the grid turn."""
    entry = world.live(-1)
    see(world, 300_150)
    world.pass_ms(300)
    world.tell(StreamSaid(update=OrderUpdate(report=world.report(entry, OrderStatus.CANCELED))))
    turned(world)
    return entry


def test_a_late_lot_of_the_side_that_was_left_turns_the_grid_back_and_only_then_gets_its_exit() -> None:
    world = neutral()
    entry = withdrawn(world)

    late_fill(world, entry, 10)
    book = world.desk.book.symbol(SYMBOL)
    assert (book.expected_position(), book.held_sign) == (10, 1)
    assert world.ask(-1, purpose=Purpose.EXIT) == ""
    look(world, 300_150)

    assert side(world) is GridSide.LONG
    assert world.ask(-1, purpose=Purpose.EXIT) != ""


def test_a_late_lot_turns_the_grid_back_though_an_operator_holds() -> None:
    world = neutral()
    entry = withdrawn(world)
    world.tell(HoldAsked(cause=HoldCause.OPERATOR, symbol="", is_put=True, reason="asked"))

    late_fill(world, entry, 10)
    look(world, 300_150)

    assert side(world) is GridSide.LONG
    assert world.desk.standing(SYMBOL).holds == ("operator",)


@pytest.mark.parametrize(("late", "position", "lots"), [(4, -5, 1), (9, 0, 0), (10, 1, 1)])
def test_a_late_fill_closes_what_the_other_side_holds_since_the_venue_nets_both(
    late: int, position: int, lots: int
) -> None:
    world = neutral()
    entry = withdrawn(world)
    short = ask_short(world, -2)
    assert world.send(short)
    world.tell(StreamSaid(update=OrderUpdate(report=world.report(short))))
    world.tell(StreamSaid(update=world.filled(short, 9)))
    assert world.desk.book.symbol(SYMBOL).expected_position() == -9

    late_fill(world, entry, late)

    book = world.desk.book.symbol(SYMBOL)
    assert (book.expected_position(), len(list(book.lots())), book.foreign) == (position, lots, 0)
    assert {book.side_of(key) for key, _ in book.lots()} <= {GridSide.LONG if position > 0 else GridSide.SHORT}
    sold, bought = 9 * 300_400, late * 299_800
    left = sum(lot.cost for _, lot in book.lots())
    assert book.ledger.cash == (sold - bought) * book.generation.tick * book.generation.step
    assert book.ledger.realised - book.held_sign * left == book.ledger.cash


def test_the_book_refuses_a_turn_while_an_order_may_live_or_away_from_lots() -> None:
    world = neutral()
    world.live(-1)
    turn = SideTurned(symbol=SYMBOL, generation=1, at_ms=0, reason="asked")
    with pytest.raises(UnexpectedSignal, match="may live"):
        world.desk.book.apply(turn)

    bought = neutral()
    bought.bought(-1)
    for order in bought.desk.book.live_orders(SYMBOL):
        bought.tell(StreamSaid(update=OrderUpdate(report=bought.report(order.client_id, OrderStatus.CANCELED))))
    with pytest.raises(UnexpectedSignal, match="lots"):
        bought.desk.book.apply(turn)


def test_it_says_which_side_works_and_what_the_other_waits_for() -> None:
    world = neutral()
    word = world.desk.turn_word(SYMBOL)
    assert word is not None
    assert (word.works, word.waits, word.turns_at) == (GridSide.LONG, GridSide.SHORT, 300_100)
    assert word.why == "the price has not come there"

    world.bought(-1)
    told = world.desk.turn_word(SYMBOL)
    assert told is not None
    assert told.why == "1 lot is held"
    assert DeskWorld().desk.turn_word(SYMBOL) is None
    assert Reason.OTHER_SIDE.value == "other_side"
