"""The order desk: one test for each trouble that the simulation found."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from exchanges.desk.commands import LookUp, ReadOpenOrders, Restream, SendCancel, Tell
from exchanges.desk.events import (
    Accepted,
    Asked,
    CancelAnswered,
    CloseAsked,
    ClosingMode,
    HoldAsked,
    OrderRead,
    PlaceAnswered,
    Refused,
    StreamSaid,
    StreamState,
    Unknown,
)
from exchanges.errors import Refusal
from grid.book import Book
from grid.holds import HoldCause
from grid.intent import CancelIntent
from grid.order import OrderStatus, OrderUpdate, Purpose, Side
from grid.reasons import Reason
from grid.slot import Phase, SlotState
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import DeskWorld, fill_of, key

NOT_FOUND = Refused(refusal=Refusal.UNKNOWN_ORDER, code="-2013", message="Order does not exist.")


def reborn(world: DeskWorld, after_ms: int = 1_400) -> DeskWorld:
    """Return the desk of a new life over the journal of the old one."""
    book = Book()
    book.replay(world.records)
    return DeskWorld(book, now_ms=world.now_ms + after_ms)


def lost(world: DeskWorld, level: int) -> str:
    """Send an entry whose reply never comes."""
    client_id = world.ask(level)
    assert world.send(client_id)
    world.tell(PlaceAnswered(client_id=client_id, outcome=Unknown(reason="no reply")))
    return client_id


def absent(world: DeskWorld, level: int) -> str:
    """Give an order up after its bound."""
    client_id = lost(world, level)
    world.pass_ms(3_500)
    world.tell(OrderRead(client_id=client_id, begun_ms=world.now_ms, outcome=NOT_FOUND))
    assert world.slot(level).phase is Phase.FREE
    return client_id


def test_an_echo_that_overtakes_its_reply_is_no_silence() -> None:
    world = DeskWorld().ready()
    client_id = world.ask(-1)
    assert world.send(client_id)

    world.tell(StreamSaid(update=OrderUpdate(report=world.report(client_id))))
    world.tell(PlaceAnswered(client_id=client_id, outcome=Accepted(report=world.report(client_id))))
    world.pass_ms(2_500)

    assert world.heard(Restream) == []


def test_an_acknowledged_order_without_an_echo_renews_the_stream() -> None:
    world = DeskWorld().ready()
    client_id = world.ask(-1)
    assert world.send(client_id)

    world.tell(PlaceAnswered(client_id=client_id, outcome=Accepted(report=world.report(client_id))))
    world.pass_ms(2_500)

    assert len(world.heard(Restream)) == 1


def test_an_order_found_by_a_look_up_alone_and_not_echoed_renews_the_stream() -> None:
    world = DeskWorld().ready()
    client_id = lost(world, -1)

    world.tell(OrderRead(client_id=client_id, begun_ms=world.now_ms, outcome=Accepted(report=world.report(client_id))))
    world.pass_ms(2_500)

    assert len(world.heard(Restream)) == 1


def test_a_stream_that_came_up_since_owes_no_echo() -> None:
    world = DeskWorld().ready()
    client_id = lost(world, -1)
    world.pass_ms(100)
    world.tell(StreamState(is_up=True))

    world.tell(OrderRead(client_id=client_id, begun_ms=world.now_ms, outcome=Accepted(report=world.report(client_id))))
    world.pass_ms(2_500)

    assert world.heard(Restream) == []


def test_a_lifted_hold_ends_the_verification_that_would_cancel_new_entries() -> None:
    world = DeskWorld().ready()
    world.tell(HoldAsked(cause=HoldCause.OPERATOR, symbol="", is_put=True, reason="test"))
    world.tell(HoldAsked(cause=HoldCause.OPERATOR, symbol="", is_put=False, reason="test"))

    world.live(-1)
    world.heard(SendCancel)
    world.pass_ms(2_000)

    assert world.heard(SendCancel) == []
    assert "" not in world.desk.entries_gone


def test_an_order_of_a_former_life_is_not_absent_before_its_bound() -> None:
    world = DeskWorld().ready()
    client_id = world.ask(-1)
    assert world.send(client_id)

    later = reborn(world)
    later.tell(OrderRead(client_id=client_id, begun_ms=later.now_ms, outcome=NOT_FOUND))
    assert later.slot(-1).phase is Phase.UNKNOWN

    later.pass_ms(3_100)
    later.tell(OrderRead(client_id=client_id, begun_ms=later.now_ms, outcome=NOT_FOUND))
    assert later.slot(-1).phase is Phase.FREE


def test_a_cancel_of_a_former_life_is_asked_for_again() -> None:
    world = DeskWorld().ready()
    client_id = world.live(-1)
    world.tell(Asked(intent=CancelIntent(key=key(-1), client_id=client_id, reason=Reason.LEFT_WINDOW)))

    later = reborn(world)
    later.pass_ms(200)

    assert client_id in [cancel.client_id for cancel in later.heard(SendCancel)]


def test_a_margin_hold_of_a_former_life_ends_after_its_pause() -> None:
    world = DeskWorld().ready()
    client_id = world.ask(-1)
    assert world.send(client_id)
    no_margin = Refused(refusal=Refusal.MARGIN, code="-2019", message="Margin is insufficient.")
    world.tell(PlaceAnswered(client_id=client_id, outcome=no_margin))

    later = reborn(world)
    assert later.desk.book.holds.find(HoldCause.MARGIN, "") is not None
    later.pass_ms(31_000)

    assert later.desk.book.holds.find(HoldCause.MARGIN, "") is None


def test_a_slot_that_blocks_while_a_reading_runs_gets_another_reading() -> None:
    world = DeskWorld().ready()
    world.bought(-1)
    exit_id = world.slot(-1).order
    assert exit_id is not None
    assert world.send(exit_id.client_id)
    world.tell(StreamState(is_up=True))  # a reading begins
    conflict = Refused(refusal=Refusal.REDUCE_ONLY_CONFLICT, code="-2022", message="ReduceOnly Order is rejected.")
    world.tell(PlaceAnswered(client_id=exit_id.client_id, outcome=conflict))
    world.read()
    assert world.slot(-1).phase is Phase.BLOCKED

    world.heard(ReadOpenOrders)
    world.pass_ms(1_500)
    assert world.heard(ReadOpenOrders)
    world.read()

    assert world.slot(-1).phase is Phase.FREE


def test_a_strangers_fill_may_be_that_of_an_order_given_up() -> None:
    world = DeskWorld().ready()
    client_id = absent(world, -1)
    late = fill_of(f"v{client_id}", Side.BUY, 299_800, 10)

    world.heard(LookUp)
    world.tell(StreamState(is_up=True))
    world.read(fills=[late], position=10)
    assert [look.client_id for look in world.heard(LookUp)] == [client_id]
    assert world.desk.book.symbol(SYMBOL).foreign == 0

    found = world.report(client_id, OrderStatus.FILLED, 10)
    world.tell(OrderRead(client_id=client_id, begun_ms=world.now_ms, outcome=Accepted(report=found)))
    world.pass_ms(1_100)
    world.read(fills=[late], position=10)

    slot = world.slot(-1)
    assert slot.lot is not None
    assert slot.lot.quantity == 10
    assert world.desk.book.symbol(SYMBOL).foreign == 0


def test_a_strangers_fill_is_foreign_once_no_order_of_ours_can_own_it() -> None:
    world = DeskWorld().ready()
    client_id = absent(world, -1)
    other = fill_of("77", Side.BUY, 299_800, 10)

    world.tell(StreamState(is_up=True))
    world.read(fills=[other], position=10)
    world.now_ms += 10
    world.tell(OrderRead(client_id=client_id, begun_ms=world.now_ms, outcome=NOT_FOUND))
    world.pass_ms(1_100)
    world.read(fills=[other], position=10)

    assert world.desk.book.symbol(SYMBOL).foreign == 10


def test_no_exit_leaves_that_the_position_cannot_take() -> None:
    world = DeskWorld().ready()
    world.tell(StreamState(is_up=True))
    world.read(fills=[fill_of("88", Side.SELL, 300_000, 25)])
    assert world.desk.book.symbol(SYMBOL).foreign == -25

    world.bought(-1)
    assert world.slot(-1).order is None
    world.heard(Tell)
    assert world.ask(-1, purpose=Purpose.EXIT) == ""
    assert [tell.told.refusal for tell in world.heard(Tell)] == [Reason.EXIT_DEFERRED]


def test_an_exit_wanted_while_stopping_is_told_to_wait() -> None:
    world = DeskWorld().ready()
    world.bought(-1)
    world.tell(CloseAsked(mode=ClosingMode.KEEP))
    exit_order = world.slot(-1).order
    assert exit_order is not None
    assert not world.send(exit_order.client_id)

    world.heard(Tell)
    assert world.ask(-1, purpose=Purpose.EXIT) == ""
    assert [tell.told.refusal for tell in world.heard(Tell)] == [Reason.BACK_OFF]


def test_an_entry_that_is_over_and_not_settled_counts_as_a_lot() -> None:
    world = DeskWorld(max_lots=1).ready()
    client_id = world.live(-1)
    ended = world.report(client_id, OrderStatus.CANCELED, 4)
    world.tell(CancelAnswered(client_id=client_id, outcome=Accepted(report=ended)))
    assert world.slot(-1).phase is Phase.SETTLING

    world.heard(Tell)
    assert world.ask(-2) == ""

    assert world.heard(Tell)[0].told.refusal is Reason.MAX_LOTS


def test_an_entry_that_is_over_and_not_settled_is_money_at_work() -> None:
    world = DeskWorld().ready()
    world.desk._core.settings = replace(world.desk._core.settings, notional_max=Decimal(55))
    client_id = world.live(-1)
    ended = world.report(client_id, OrderStatus.FILLED, 10)
    world.tell(CancelAnswered(client_id=client_id, outcome=Accepted(report=ended)))
    assert world.slot(-1).phase is Phase.SETTLING

    world.heard(Tell)
    assert world.ask(-2) == ""

    assert world.heard(Tell)[0].told.refusal is Reason.MAX_NOTIONAL


def test_every_wait_names_its_next_step() -> None:
    world = DeskWorld().ready()
    waiting: list[SlotState] = []

    client_id = world.ask(-1)
    waiting.append(world.slot(-1))
    assert world.desk.next_step(key(-1)) is not None
    assert world.send(client_id)
    world.tell(PlaceAnswered(client_id=client_id, outcome=Unknown(reason="no reply")))
    waiting.append(world.slot(-1))
    assert world.desk.next_step(key(-1)) is not None
    world.live(-2)
    order = world.slot(-2).order
    assert order is not None
    world.tell(Asked(intent=CancelIntent(key=key(-2), client_id=order.client_id, reason=Reason.LEFT_WINDOW)))
    waiting.append(world.slot(-2))
    assert world.desk.next_step(key(-2)) is not None

    assert [slot.phase for slot in waiting] == [Phase.PENDING, Phase.UNKNOWN, Phase.CANCELLING]
    assert world.desk.next_step(key(-3)) is None
