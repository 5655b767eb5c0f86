"""The desk of a grid that begins with a position: what it buys, at what price, and never twice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.desk.commands import LookUp, Send
from exchanges.desk.events import (
    Accepted,
    CloseAsked,
    ClosingMode,
    HoldAsked,
    MarkSeen,
    OrderRead,
    PlaceAnswered,
    ReconcileDue,
    ReferenceSeen,
    Refused,
    StreamSaid,
    TradesRead,
    Unknown,
)
from exchanges.desk.settings import DeskSymbol
from exchanges.errors import Refusal
from grid.book import Book
from grid.holds import HoldCause
from grid.kind_records import OpeningSet
from grid.opening import OpeningRule
from grid.order import Fill, OrderReport, OrderStatus, OrderUpdate, Purpose, Side, TimeInForce
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import DeskWorld, fill_of

RULE = OpeningRule(levels=3, slippage=Decimal("0.001"))
WANTED = OpeningSet(symbol=SYMBOL, generation=0, is_planned=False, levels=(), limit=0, at_ms=0)


def begun(*records: object, rule: OpeningRule | None = RULE, max_lots: int = 50) -> DeskWorld:
    """A desk of a grid that is created, or goes on after these records, at 3000.00 to 3000.01."""
    first = DeskWorld(max_lots=max_lots)
    book = Book()
    book.replay([*first.records, WANTED, *records])  # type: ignore[list-item]
    world = DeskWorld(book, now_ms=first.now_ms + 1_000, max_lots=max_lots, opening=rule)
    world.records[:0] = [*first.records, WANTED, *records]  # type: ignore[list-item]
    return world


def go(world: DeskWorld, bid: int = 300_000) -> DeskWorld:
    world.pass_ms(200)
    world.ready()
    see(world, bid)
    return world


def see(world: DeskWorld, bid: int) -> None:
    world.tell(ReferenceSeen(symbol=SYMBOL, reference=bid, is_fresh=True))
    world.tell(MarkSeen(symbol=SYMBOL, price=Decimal(bid) / 100))
    world.renew_go()
    world.pass_ms(200)


def opened(world: DeskWorld) -> list[tuple[int, int, int]]:
    """Return (level, price, quantity) of every order that was intended to open."""
    orders = [order for order in world.desk.book.orders.values() if order.purpose is Purpose.OPEN]
    return [(order.key.level, order.price, order.quantity) for order in orders if order.key is not None]


def bought(world: DeskWorld, client_id: str, quantity: int, price: int = 300_001) -> None:
    """Let an order that takes be filled so far, and end."""
    order = world.desk.book.orders[client_id]
    fill = fill_of(f"v{client_id}", order.side, price, quantity)
    done = quantity == order.quantity
    status = OrderStatus.FILLED if done else OrderStatus.EXPIRED
    world.tell(PlaceAnswered(client_id=client_id, outcome=Accepted(report=_report(world, client_id, status, quantity))))
    world.tell(StreamSaid(update=OrderUpdate(report=_report(world, client_id, status, quantity), fill=fill)))


def _report(world: DeskWorld, client_id: str, status: OrderStatus, filled: int) -> OrderReport:
    return world.report(client_id, status, filled)


def ids(world: DeskWorld) -> list[str]:
    return [o.client_id for o in world.desk.book.live_orders(SYMBOL) if o.purpose is Purpose.OPEN]


def test_it_buys_the_levels_over_the_price_by_orders_that_take_inside_every_bound() -> None:
    world = go(begun())

    assert [level for level, _, _ in opened(world)] == [1, 2, 3]
    # The level's own price, 3002, binds the nearest; the mark and 0.1 % beyond it, 3003, the others.
    assert [price for _, price, _ in opened(world)] == [300_200, 300_300, 300_300]
    request = world.request(ids(world)[0])
    assert request is not None
    assert (request.time_in_force, request.closing) == (TimeInForce.IOC, False)
    assert len({one.client_id for one in world.heard(Send)}) == 3


def test_a_fill_makes_a_lot_of_true_cost_with_its_own_exit_and_takes_the_level_away() -> None:
    world = go(begun())
    first = ids(world)[0]
    assert world.send(first)

    bought(world, first, 9)

    lot, order = world.slot(1).lot, world.slot(1).order
    assert lot is not None
    assert (lot.quantity, lot.cost, lot.target) == (9, Decimal("27.00009"), 300_400)
    assert order is not None
    assert (order.purpose, order.price) == (Purpose.EXIT, 300_400)
    opening = world.desk.book.symbol(SYMBOL).opening
    assert opening is not None
    assert opening.levels == (2, 3)


def test_what_ends_unfilled_is_tried_again_later_and_a_part_is_enough() -> None:
    world = go(begun(rule=OpeningRule(levels=1, slippage=Decimal("0.001"))))
    first = ids(world)[0]
    assert world.send(first)
    world.tell(StreamSaid(update=OrderUpdate(report=world.report(first, OrderStatus.EXPIRED, 0))))
    assert ids(world) == []

    for _ in range(6):
        see(world, 300_000)
    [second] = ids(world)
    assert world.send(second)
    bought(world, second, 4)
    for _ in range(20):
        see(world, 300_000)

    assert ids(world) == []
    lot = world.slot(1).lot
    assert lot is not None
    assert lot.quantity == 4


def test_an_unknown_outcome_is_not_bought_again_and_a_restart_plans_nothing_anew() -> None:
    world = go(begun(rule=OpeningRule(levels=1, slippage=Decimal("0.001"))))
    first = ids(world)[0]
    assert world.send(first)
    world.tell(PlaceAnswered(client_id=first, outcome=Unknown(reason="no answer")))
    for _ in range(10):
        see(world, 300_000)
    assert len(opened(world)) == 1

    book = Book()
    book.replay(world.records)
    again = DeskWorld(book, now_ms=world.now_ms + 1_000, opening=OpeningRule(levels=1, slippage=Decimal("0.001")))
    fill = fill_of(f"v{first}", book.orders[first].side, 300_001, book.orders[first].quantity)
    again.tell(StreamSaid(update=OrderUpdate(report=again.report(first, OrderStatus.FILLED, fill.quantity), fill=fill)))
    go(again)
    for _ in range(10):
        see(again, 300_000)

    assert len(opened(again)) == 1
    opening = again.desk.book.symbol(SYMBOL).opening
    assert opening is not None
    assert opening.is_over


def taken_to_be_absent() -> tuple[DeskWorld, str, Fill]:
    """A desk that has given up an order which was filled after all, and the one trade that tells of it."""
    world = go(begun(rule=OpeningRule(levels=1, slippage=Decimal("0.001"))))
    [first] = ids(world)
    assert world.send(first)
    world.tell(PlaceAnswered(client_id=first, outcome=Unknown(reason="no answer")))
    world.pass_ms(4_000)
    unknown = Refused(refusal=Refusal.UNKNOWN_ORDER, code="-2013", message="Order does not exist.")
    world.tell(OrderRead(client_id=first, begun_ms=world.now_ms, outcome=unknown))
    order = world.desk.book.orders[first]
    assert (order.is_over, order.price) == (True, 300_200)
    fill = fill_of(f"v{first}", order.side, 300_001, order.quantity)
    world.heard(LookUp)
    world.tell(ReconcileDue(reason="a test"))
    return world, first, replace(fill, is_maker=False)


def test_a_trade_at_a_better_price_may_be_of_an_order_that_takes_and_was_taken_to_be_absent() -> None:
    world, first, fill = taken_to_be_absent()

    world.read(fills=(fill,), position=fill.quantity)

    assert world.desk.book.symbol(SYMBOL).foreign == 0
    assert [one.client_id for one in world.heard(LookUp)] == [first]
    filled = world.report(first, OrderStatus.FILLED, fill.quantity)
    world.tell(OrderRead(client_id=first, begun_ms=world.now_ms, outcome=Accepted(report=filled)))
    of_it = TradesRead(symbol=SYMBOL, since_ms=0, begun_ms=world.now_ms, fills=(fill,), order_id=fill.order_id)
    world.tell(of_it)
    lot = world.slot(1).lot
    assert lot is not None
    assert (lot.quantity, world.desk.book.symbol(SYMBOL).foreign) == (fill.quantity, 0)


@pytest.mark.parametrize("change", [{"price": 300_201}, {"is_maker": True}, {"side": Side.SELL}], ids=str)
def test_a_trade_that_it_cannot_have_made_is_of_others(change: dict[str, object]) -> None:
    world, _, fill = taken_to_be_absent()
    other = replace(fill, **change)  # type: ignore[arg-type]

    world.read(fills=(other,))

    assert world.desk.book.symbol(SYMBOL).foreign == other.side.sign * other.quantity
    assert world.heard(LookUp) == []


def test_a_level_that_the_price_has_come_to_is_left_to_its_entry() -> None:
    world = go(begun())
    for client_id in ids(world):
        assert world.send(client_id)
        world.tell(StreamSaid(update=OrderUpdate(report=world.report(client_id, OrderStatus.EXPIRED, 0))))

    see(world, 300_450)

    opening = world.desk.book.symbol(SYMBOL).opening
    assert opening is not None
    assert (opening.levels, opening.limit) == ((3,), 300_300)
    for _ in range(40):
        see(world, 300_450)
    assert len(opened(world)) == 3  # the limit does not follow the price


def test_a_grid_that_the_journal_knows_opens_nothing() -> None:
    done = OpeningSet(symbol=SYMBOL, generation=0, is_planned=True, levels=(), limit=300_300, at_ms=1)

    assert opened(go(begun(done))) == []
    plain = DeskWorld().ready()
    plain.desk._core.symbols = {SYMBOL: _with_rule(plain)}
    assert opened(go(plain)) == []


def _with_rule(world: DeskWorld) -> DeskSymbol:
    known = world.desk._core.symbols[SYMBOL]
    return DeskSymbol(policy=known.policy, instrument=known.instrument, opening=RULE)


def test_max_lots_bounds_it_and_no_longer_wanted_ends_it() -> None:
    assert [level for level, _, _ in opened(go(begun(max_lots=2)))] == [1, 2]

    left = go(begun(rule=None))
    opening = left.desk.book.symbol(SYMBOL).opening
    assert opened(left) == []
    assert opening is not None
    assert opening.is_over


def test_it_takes_nothing_from_an_exit_of_ours() -> None:
    world = begun(rule=OpeningRule(levels=4, slippage=Decimal("0.01")))
    go(world)
    assert {price for _, price, _ in opened(world)} == {300_200, 300_399}  # the nearest lot's exit will lie at 3004

    first = ids(world)[0]
    for client_id in ids(world):
        assert world.send(client_id)
    bought(world, first, 9)
    for client_id in ids(world):
        world.tell(StreamSaid(update=OrderUpdate(report=world.report(client_id, OrderStatus.EXPIRED, 0))))
    world.bought(-1)  # its exit rests at 3000.00, one tick over the price where it stands below
    order = world.slot(-1).order
    assert order is not None
    for _ in range(12):
        see(world, 299_900)

    again = opened(world)[4:]
    assert again
    assert max(price for _, price, _ in again) < order.price


def test_a_hold_keeps_it_waiting_and_it_goes_on_where_it_was() -> None:
    world = begun()
    world.tell(HoldAsked(cause=HoldCause.OPERATOR, symbol="", is_put=True, reason="looks first"))
    go(world)
    assert opened(world) == []

    world.tell(HoldAsked(cause=HoldCause.OPERATOR, symbol="", is_put=False, reason="goes on"))
    see(world, 300_000)

    assert [level for level, _, _ in opened(world)] == [1, 2, 3]


def test_a_flatten_ends_it() -> None:
    world = go(begun())
    for client_id in ids(world):
        assert world.send(client_id)
        world.tell(StreamSaid(update=OrderUpdate(report=world.report(client_id, OrderStatus.EXPIRED, 0))))
    world.tell(CloseAsked(mode=ClosingMode.FLATTEN))
    for _ in range(20):
        see(world, 300_000)

    opening = world.desk.book.symbol(SYMBOL).opening
    assert opening is not None
    assert opening.is_over
    assert len(opened(world)) == 3


def test_no_more_than_five_are_under_way_together() -> None:
    world = go(begun(rule=OpeningRule(levels=9, slippage=Decimal("0.01"))))

    assert len(ids(world)) == 5
    first = ids(world)[0]
    assert world.send(first)
    bought(world, first, 9)
    see(world, 300_000)
    assert len(ids(world)) == 5
    assert len(opened(world)) == 6
