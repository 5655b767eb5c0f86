"""What the matcher does where other venues than Binance differ: switched by the engine's configuration."""

from __future__ import annotations

from decimal import Decimal

from exchanges.sim.orders import ExpiryReason, NewOrder, OrderStatus, TimeInForce
from exchanges.sim.settings import EngineConfig
from exchanges.sim.venue_events import OrderEvent
from grid.order import Side
from tests.unit.sim_desk import ETH, Desk


def desk_of(config: EngineConfig) -> Desk:
    desk = Desk(config=config)
    desk.quote("3000.00", "3000.01", ask_quantity="50", bid_quantity="50")
    return desk


def test_a_post_only_order_that_would_take_is_accepted_and_cancelled_at_once() -> None:
    desk = desk_of(EngineConfig(post_only_cancels=True))
    order = NewOrder(
        symbol=ETH,
        side=Side.BUY,
        quantity=Decimal("0.1"),
        price=Decimal("3000.01"),
        time_in_force=TimeInForce.GTX,
        client_id="crosses",
    )

    placed = desk.engine.submit("main", order, desk.tick())

    assert placed.accepted.status is OrderStatus.NEW
    assert (placed.order.status, placed.order.filled) == (OrderStatus.CANCELED, 0)
    told = [event.order for event in placed.events if isinstance(event, OrderEvent)]
    assert [one.status for one in told] == [OrderStatus.NEW, OrderStatus.CANCELED]
    assert told[-1].expiry_reason is ExpiryReason.POST_ONLY
    assert desk.read.open_orders("main") == []
    assert desk.read.position("main", ETH).bids_notional == 0


def test_a_better_priced_reduce_only_order_ends_the_worse_one_that_no_longer_fits() -> None:
    desk = desk_of(EngineConfig(reduce_only_strict=False))
    desk.market(Side.BUY, "1")
    far = desk.exit("3010.00", "0.6")
    near = desk.exit("3001.00", "0.6")

    open_ids = [order.order_id for order in desk.read.open_orders("main")]

    assert open_ids == [near.order.order_id]
    gone = desk.read.order("main", ETH, desk.now_ms, order_id=far.order.order_id)
    assert gone.expiry_reason is ExpiryReason.REDUCE_ONLY


def test_a_worse_priced_reduce_only_order_that_does_not_fit_ends_itself() -> None:
    desk = desk_of(EngineConfig(reduce_only_strict=False))
    desk.market(Side.BUY, "1")
    near = desk.exit("3001.00", "0.6")
    far = desk.exit("3010.00", "0.6")

    assert [order.order_id for order in desk.read.open_orders("main")] == [near.order.order_id]
    gone = desk.read.order("main", ETH, desk.now_ms, order_id=far.order.order_id)
    assert gone.expiry_reason is ExpiryReason.REDUCE_ONLY
