"""The order desk and the price: whose word counts, and what silence means."""

from __future__ import annotations

from exchanges.desk.commands import SendCancel
from exchanges.desk.events import Accepted, CancelAnswered, ReferenceSeen, StreamSaid
from grid.holds import HoldCause
from grid.order import OrderStatus
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import DeskWorld


def fed(world: DeskWorld, reference: int) -> None:
    world.tell(ReferenceSeen(symbol=SYMBOL, reference=reference, is_fresh=True))


def test_a_silent_feed_holds_entries_and_its_next_word_lifts_that() -> None:
    world = DeskWorld().ready()
    fed(world, 299_900)
    client_id = world.live(-1)

    for _ in range(8):
        world.pass_ms(1_000)
        world.renew_go()
    assert world.desk.book.holds.find(HoldCause.PRICE, SYMBOL) is not None
    assert client_id in [cancel.client_id for cancel in world.heard(SendCancel)]

    fed(world, 299_900)
    assert world.desk.book.holds.find(HoldCause.PRICE, SYMBOL) is None


def test_a_feed_that_goes_on_speaking_is_not_silent() -> None:
    world = DeskWorld().ready()
    for _ in range(20):
        fed(world, 299_900)
        world.pass_ms(1_000)

    assert world.desk.book.holds.find(HoldCause.PRICE, SYMBOL) is None


def test_a_slots_old_view_does_not_override_the_feeds_price() -> None:
    world = DeskWorld().ready()
    client_id = world.live(-1)
    world.tell(StreamSaid(update=world.filled(client_id, 4)))
    world.pass_ms(100)
    fed(world, 300_150)
    world.ask(-3)  # decided on 2999.00, which was long ago

    world.cancel(-1, client_id)
    cut = world.report(client_id, OrderStatus.CANCELED, 4)
    world.tell(CancelAnswered(client_id=client_id, outcome=Accepted(report=cut)))

    order = world.slot(-1).order
    assert order is not None
    assert order.price == 300_151


def test_a_price_from_before_the_fill_does_not_lift_the_armed_exit() -> None:
    """The market came down to the level: what it stood at before is no reason to offer above the target."""
    world = DeskWorld().ready()
    client_id = world.live(-1)
    fed(world, 300_150)

    world.tell(StreamSaid(update=world.filled(client_id, 10)))

    order = world.slot(-1).order
    assert order is not None
    assert order.price == 300_000
