"""When the order desk takes book and venue to agree, and how often it asks while they do not."""

from __future__ import annotations

from exchanges.desk.commands import ReadOpenOrders, ReadPositions, ReadTrades
from exchanges.desk.events import (
    GoSaid,
    OpenOrdersRead,
    PlaceAnswered,
    PositionsRead,
    ReconcileDue,
    StreamSaid,
    StreamState,
    TradesRead,
    Unknown,
)
from grid.book import Book
from grid.holds import HoldCause
from grid.order import OrderUpdate
from risk.lease import Go
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import DeskWorld, position_of


def reborn(world: DeskWorld) -> DeskWorld:
    book = Book()
    book.replay(world.records)
    return DeskWorld(book, now_ms=world.now_ms + 1_000)


def serve(world: DeskWorld, position: int) -> int:
    """Answer every reading with what the book expects of orders, and this position; return how many were asked."""
    asked, world.said = world.said, []
    for command in asked:
        match command:
            case ReadOpenOrders():
                reports = tuple(
                    world.report(order.client_id) for order in world.desk.book.live_orders() if order.order_id
                )
                world.tell(OpenOrdersRead(begun_ms=world.now_ms, reports=reports))
            case ReadTrades(symbol=symbol, since_ms=since_ms, order_id=order_id):
                world.tell(
                    TradesRead(symbol=symbol, since_ms=since_ms, begun_ms=world.now_ms, fills=(), order_id=order_id)
                )
            case ReadPositions():
                world.tell(PositionsRead(begun_ms=world.now_ms, positions=(position_of(position),)))
    return sum(isinstance(command, ReadOpenOrders) for command in asked)


def test_one_reading_that_contradicts_the_book_makes_nobody_ready() -> None:
    world = DeskWorld().ready()
    world.bought(-1)
    order = world.slot(-1).order
    assert order is not None
    assert world.send(order.client_id)
    world.tell(StreamSaid(update=OrderUpdate(report=world.report(order.client_id))))
    later = reborn(world)

    later.tell(StreamState(is_up=True))
    for _ in range(4):
        serve(later, position=0)
    assert not later.desk.is_ready

    for _ in range(60):
        later.pass_ms(100)
        serve(later, position=0)
    assert later.desk.book.holds.find(HoldCause.RECONCILE, SYMBOL) is not None


def test_a_symbol_that_could_not_be_judged_is_no_agreement() -> None:
    world = DeskWorld().ready()
    client_id = world.ask(-1)
    assert world.send(client_id)
    world.tell(StreamState(is_up=False))
    world.tell(StreamState(is_up=True))
    world.tell(PlaceAnswered(client_id=client_id, outcome=Unknown(reason="no reply")))

    for _ in range(4):
        serve(world, position=0)

    assert world.desk.book.holds.find(HoldCause.ORDER_STREAM, "") is not None


def test_a_flat_account_is_ready_after_one_reading() -> None:
    world = DeskWorld()
    world.tell(StreamState(is_up=True))
    for _ in range(3):
        serve(world, position=0)

    assert world.desk.is_ready


def test_a_reading_that_takes_longer_than_the_period_between_two_makes_ready() -> None:
    world = DeskWorld()
    world.tell(StreamState(is_up=True))
    for _ in range(12):
        world.tell(ReconcileDue(reason="its period is over"))
        serve(world, position=0)

    assert world.desk.is_ready


def test_a_reading_that_began_before_the_stream_came_up_makes_nobody_ready() -> None:
    world = DeskWorld()
    world.tell(StreamState(is_up=True))
    for _ in range(2):
        serve(world, position=0)
    world.pass_ms(100)
    world.tell(StreamState(is_up=False))
    world.tell(StreamState(is_up=True))
    serve(world, position=0)
    assert not world.desk.is_ready, "orders and trades were read before"

    for _ in range(3):
        serve(world, position=0)
    assert world.desk.is_ready


def test_an_unchanged_contradiction_is_read_ever_less_often() -> None:
    world = DeskWorld().ready()
    world.bought(-1)
    order = world.slot(-1).order
    assert order is not None
    assert world.send(order.client_id)
    world.tell(StreamSaid(update=OrderUpdate(report=world.report(order.client_id))))
    world.tell(StreamState(is_up=True))

    asked = 0
    for tick in range(1_200):
        world.pass_ms(100)
        world.tell(GoSaid(go=Go(number=10_000 + tick, incarnation=1)))
        asked += serve(world, position=0)

    assert world.desk.book.holds.find(HoldCause.RECONCILE, SYMBOL) is not None
    assert asked <= 20  # in two minutes


def test_a_contradiction_that_ends_is_lifted_soon_after() -> None:
    world = DeskWorld().ready()
    world.bought(-1)
    order = world.slot(-1).order
    assert order is not None
    assert world.send(order.client_id)
    world.tell(StreamSaid(update=OrderUpdate(report=world.report(order.client_id))))
    world.tell(StreamState(is_up=True))
    for _ in range(100):
        world.pass_ms(100)
        serve(world, position=0)
    assert world.desk.book.holds.find(HoldCause.RECONCILE, SYMBOL) is not None

    for _ in range(330):
        world.pass_ms(100)
        serve(world, position=10)

    assert world.desk.book.holds.find(HoldCause.RECONCILE, SYMBOL) is None


def holding_ten() -> DeskWorld:
    """Ten steps just bought, their exit rests."""
    world = DeskWorld().ready()
    world.bought(-1)
    order = world.slot(-1).order
    assert order is not None
    assert world.send(order.client_id)
    world.tell(StreamSaid(update=OrderUpdate(report=world.report(order.client_id))))
    return world


def read_position(world: DeskWorld, steps: int, *, times: int) -> int:
    """Have the position read so often, a tick apart; return what the book takes to be foreign."""
    for _ in range(times):
        world.pass_ms(100)
        world.tell(PositionsRead(begun_ms=world.now_ms, positions=(position_of(steps),)))
    return world.desk.book.symbol(SYMBOL).foreign


def test_two_readings_right_after_a_fill_are_no_proof_against_the_book() -> None:
    assert read_position(holding_ten(), 30, times=2) == 0


def test_the_same_contradiction_is_believed_once_the_last_fill_is_old() -> None:
    world = holding_ten()
    world.pass_ms(3_000)

    assert read_position(world, 30, times=2) == 20


def test_a_contradiction_that_stays_is_believed_soon_after_a_fill_too() -> None:
    assert read_position(holding_ten(), 30, times=4) == 0
    assert read_position(holding_ten(), 30, times=5) == 20
