"""A venue that accepts a post-only order and takes it back: the slot is free again, and is not filled at once."""

from __future__ import annotations

from dataclasses import replace

from exchanges.desk.commands import Send, Tell
from exchanges.desk.events import Accepted, PlaceAnswered, StreamSaid
from grid.order import OrderStatus, OrderUpdate
from grid.reasons import Reason
from grid.slot import Phase
from tests.unit.order_desk_world import DeskWorld


def test_a_post_only_order_that_is_taken_back_frees_its_slot_and_backs_off() -> None:
    world = DeskWorld().ready()
    client_id = world.ask(-1)
    assert world.send(client_id)
    world.tell(PlaceAnswered(client_id=client_id, outcome=Accepted(report=world.report(client_id))))
    world.said.clear()

    ended = replace(world.report(client_id, OrderStatus.EXPIRED), expiry_reason="post_only")
    world.tell(StreamSaid(update=OrderUpdate(report=ended)))

    assert world.slot(-1).phase is Phase.FREE
    assert not [one for one in world.said if isinstance(one, Send)], "it was placed again at once"
    assert Reason.BACK_OFF in [one.told.refusal for one in world.heard(Tell)]


def test_an_end_that_overtakes_its_acknowledgement_is_not_undone_by_it() -> None:
    world = DeskWorld().ready()
    client_id = world.ask(-1)
    assert world.send(client_id)

    ended = replace(world.report(client_id, OrderStatus.EXPIRED), expiry_reason="post_only")
    world.tell(StreamSaid(update=OrderUpdate(report=ended)))
    world.tell(PlaceAnswered(client_id=client_id, outcome=Accepted(report=world.report(client_id))))

    assert world.desk.book.orders.get(client_id) is None or world.desk.book.orders[client_id].is_over
    assert world.slot(-1).phase is Phase.FREE
