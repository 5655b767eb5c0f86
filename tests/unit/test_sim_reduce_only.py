"""Reduce-only, for life: at arrival, at the fill, and when the position shrinks under the order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.sim.orders import ExpiryReason, OrderStatus
from exchanges.sim.refusal import Reason, Refused
from grid.order import Side
from tests.unit.sim_desk import Desk, fills


def long_desk(quantity: str = "1") -> Desk:
    desk = Desk()
    desk.quote("3000.00", "3000.01", ask_quantity="50", bid_quantity="50")
    desk.market(Side.BUY, quantity)
    return desk


def test_without_a_position_it_is_refused() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01")

    with pytest.raises(Refused) as refusal:
        desk.exit("3001.00", "0.1")

    assert refusal.value.code == -2022


def test_in_the_direction_of_the_position_it_is_refused() -> None:
    desk = long_desk()

    with pytest.raises(Refused) as refusal:
        desk.buy("2999.00", "0.1", reduce_only=True)

    assert refusal.value.code == -2022


def test_together_with_those_resting_it_may_not_exceed_the_position() -> None:
    desk = long_desk("1")
    desk.exit("3001.00", "0.6")

    with pytest.raises(Refused) as refusal:
        desk.exit("3002.00", "0.401")
    desk.exit("3002.00", "0.4")

    assert refusal.value.reason is Reason.REDUCE_ONLY


def test_a_market_order_closes_what_is_there_and_the_rest_expires() -> None:
    desk = long_desk("1")

    placed = desk.market(Side.SELL, "3", reduce_only=True)

    assert desk.position() == 0
    assert (placed.order.filled, placed.order.expiry_reason) == (1000, ExpiryReason.REDUCE_ONLY)


def test_when_the_position_shrinks_the_worst_priced_expire_until_the_rest_fits() -> None:
    desk = long_desk("1")
    near, far = desk.exit("3001.00", "0.5"), desk.exit("3002.00", "0.5")

    desk.market(Side.SELL, "0.3")

    assert desk.order(near).status is OrderStatus.NEW
    assert desk.order(far).status is OrderStatus.EXPIRED
    assert desk.order(far).expiry_reason is ExpiryReason.REDUCE_ONLY


def test_when_the_position_is_gone_all_expire() -> None:
    desk = long_desk("1")
    exits = [desk.exit("3001.00", "0.5"), desk.exit("3002.00", "0.5")]

    desk.market(Side.SELL, "1")

    assert [desk.order(order).status for order in exits] == [OrderStatus.EXPIRED] * 2


def test_a_flip_by_other_means_expires_them_too() -> None:
    desk = long_desk("1")
    order = desk.exit("3001.00", "1")

    desk.market(Side.SELL, "1.5")

    assert desk.position() == Decimal("-0.5")
    assert desk.order(order).status is OrderStatus.EXPIRED


def test_one_print_through_several_orders_never_flips_the_position() -> None:
    desk = long_desk("1")
    plain = desk.sell("3001.00", "0.7")
    reducing = desk.exit("3002.00", "1")

    events = desk.trade("3010.00", "50", Side.BUY)

    assert desk.filled(plain) == Decimal("0.7")
    assert (desk.position(), desk.filled(reducing)) == (Decimal("0.3"), Decimal(0))
    assert desk.order(reducing).status is OrderStatus.EXPIRED
    assert sum(fill.quantity for fill in fills(events)) == 700


def test_it_is_exempt_from_the_minimum_notional_and_from_margin() -> None:
    desk = Desk(deposit="160")
    desk.quote("3000.00", "3000.01", ask_quantity="50")
    desk.market(Side.BUY, "1")

    placed = desk.exit("3001.00", "0.006")

    assert placed.order.status is OrderStatus.NEW
    with pytest.raises(Refused):
        desk.buy("2999.00", "1")


def test_where_other_orders_would_flip_the_position_without_margin_it_conflicts_with_them() -> None:
    desk = Desk(deposit="160")
    desk.quote("3000.00", "3000.01", ask_quantity="50", bid_quantity="50")
    desk.market(Side.BUY, "1")
    desk.sell("3100.00", "0.9")
    desk.mark("2988")

    with pytest.raises(Refused) as refusal:
        desk.exit("3001.00", "0.2")

    assert refusal.value.code == -4118
    desk.exit("3001.00", "0.1")


def test_amending_it_beyond_the_position_is_refused_and_it_rests_as_before() -> None:
    desk = long_desk("1")
    order = desk.exit("3001.00", "0.5")

    with pytest.raises(Refused) as refusal:
        desk.engine.modify(
            "main",
            order.order.symbol,
            desk.tick(),
            side=Side.SELL,
            quantity=Decimal("1.1"),
            price=Decimal("3001.00"),
            order_id=order.order.order_id,
        )

    assert refusal.value.code == -2022
    assert desk.order(order).quantity == 500
