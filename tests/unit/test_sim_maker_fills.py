"""When a resting order fills: queue, prints through it, quantity used once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.sim.orders import OrderStatus, TimeInForce
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.settings import OPTIMISTIC, EngineConfig, FillModel, ThroughFill
from grid.order import Side
from tests.unit.sim_desk import ETH, Desk, fills

OPTIMIST = EngineConfig(fills=OPTIMISTIC)


def test_a_print_below_a_resting_buy_fills_it_whole_at_its_own_price() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01")
    order = desk.buy("2998.00", "0.500")

    events = desk.trade("2997.99", "0.001")

    (fill,) = fills(events)
    assert (fill.price, fill.quantity, fill.is_maker) == (299800, 500, True)
    assert desk.order(order).status is OrderStatus.FILLED


def test_a_print_at_the_price_fills_nothing_until_the_queue_ahead_is_gone() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", bid_quantity="2")
    order = desk.buy("3000.00", "0.500")

    desk.trade("3000.00", "1.900")
    assert desk.filled(order) == 0
    desk.trade("3000.00", "0.200")
    assert desk.filled(order) == Decimal("0.1")
    desk.trade("3000.00", "0.300")
    assert desk.filled(order) == Decimal("0.4")
    assert desk.order(order).status is OrderStatus.PARTIALLY_FILLED


def test_a_buyer_lifting_the_same_price_does_not_fill_a_bid_nor_move_its_queue() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", bid_quantity="1")
    order = desk.buy("3000.00", "0.500")

    desk.trade("3000.00", "5", Side.BUY)
    desk.trade("3000.00", "1", Side.SELL)

    assert desk.filled(order) == 0


def test_inside_the_spread_nobody_is_ahead() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.05")
    order = desk.buy("3000.02", "0.100")

    desk.trade("3000.02", "0.060")

    assert desk.filled(order) == Decimal("0.06")


def test_traded_quantity_is_used_once_over_orders_at_one_price() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.05")
    first, second = desk.buy("3000.02", "0.100"), desk.buy("3000.02", "0.100")

    events = desk.trade("3000.02", "0.150")

    assert (desk.filled(first), desk.filled(second)) == (Decimal("0.1"), Decimal("0.05"))
    assert sum(fill.quantity for fill in fills(events)) == 150


def test_what_a_better_order_took_is_gone_for_the_one_at_the_print() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.05")
    better, at_print = desk.buy("3000.03", "0.100"), desk.buy("3000.02", "0.100")

    desk.trade("3000.02", "0.150")

    assert (desk.filled(better), desk.filled(at_print)) == (Decimal("0.1"), Decimal("0.05"))


def test_the_capped_model_fills_no_more_than_was_traded_through() -> None:
    capped = EngineConfig(fills=FillModel(name="capped", through=ThroughFill.TRADED))
    desk = Desk(config=capped)
    desk.quote("3000.00", "3000.05")
    first, second = desk.buy("3000.03", "0.100"), desk.buy("3000.02", "0.100")

    desk.trade("2999.00", "0.130")

    assert (desk.filled(first), desk.filled(second)) == (Decimal("0.1"), Decimal("0.03"))


def test_others_cancels_shorten_the_queue_only_for_the_optimist() -> None:
    filled = []
    for config in (None, OPTIMIST):
        desk = Desk(config=config)
        desk.quote("3000.00", "3000.01", bid_quantity="2")
        order = desk.buy("3000.00", "0.500")
        desk.quote("3000.00", "3000.01", bid_quantity="0.1")
        desk.trade("3000.00", "0.300")
        filled.append(desk.filled(order))

    assert filled == [Decimal(0), Decimal("0.2")]


def test_a_level_the_tape_did_not_show_gets_its_queue_when_first_shown() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", bid_quantity="1")
    order = desk.buy("2999.00", "0.500")
    desk.quote("2999.00", "2999.50", bid_quantity="7")

    desk.trade("2999.00", "6.9")
    assert desk.filled(order) == 0
    desk.trade("2999.00", "0.3")
    assert desk.filled(order) == Decimal("0.2")


def test_once_seen_the_queue_does_not_grow_with_those_who_come_later() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", bid_quantity="1")
    order = desk.buy("3000.00", "0.500")
    desk.quote("3000.00", "3000.01", bid_quantity="9")

    desk.trade("3000.00", "1.2")

    assert desk.filled(order) == Decimal("0.2")


def test_a_quote_at_our_price_without_a_print_fills_only_the_optimist() -> None:
    filled = []
    for config in (None, OPTIMIST):
        desk = Desk(config=config)
        desk.quote("3000.00", "3000.01")
        order = desk.buy("2999.00", "0.500")
        desk.quote("2998.00", "2999.00", ask_quantity="0.2")
        filled.append(desk.filled(order))

    assert filled == [Decimal(0), Decimal("0.2")]


def test_sells_mirror_buys() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", ask_quantity="2")
    at_ask, above = desk.sell("3000.01", "0.500"), desk.sell("3001.00", "0.500")

    desk.trade("3000.01", "2.3", Side.BUY)
    assert (desk.filled(at_ask), desk.filled(above)) == (Decimal("0.3"), Decimal(0))
    desk.trade("3001.01", "0.001", Side.BUY)
    assert (desk.filled(at_ask), desk.filled(above)) == (Decimal("0.5"), Decimal("0.5"))
    assert [fill.price for fill in desk.read.user_trades("main")] == [300001, 300001, 300100]


def test_an_order_meets_only_what_comes_after_it_within_the_same_millisecond_too() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.05")
    early = desk.print_of("2990.00", "5")
    desk.engine.on_market(early)
    desk.quote("3000.00", "3000.05")

    order = desk.buy("2995.00", "0.1")
    desk.now_ms -= 1
    same_ms = desk.print_of("2990.00", "5")
    assert same_ms.time_ms == desk.order(order).created_ms

    assert desk.filled(order) == 0
    desk.engine.on_market(same_ms)
    assert desk.filled(order) == Decimal("0.1")


def test_a_print_stamped_before_the_arrival_never_fills_even_if_fed_later() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.05")
    late = desk.print_of("2990.00", "5")
    desk.tick(20)
    order = desk.buy("2995.00", "0.1")

    desk.engine.on_market(late)

    assert desk.filled(order) == 0


def test_an_older_print_at_the_very_price_is_no_fill_and_moves_no_queue_either() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.05")
    late = desk.print_of("3000.02", "5")
    desk.tick(20)
    order = desk.buy("3000.02", "0.1")

    desk.engine.on_market(late)

    assert desk.filled(order) == 0


def test_amending_is_a_new_arrival_for_prints_stamped_before_it() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.05")
    order = desk.buy("2990.00", "0.1")
    before_amendment = desk.print_of("2980.00", "5")
    desk.engine.modify(
        "main",
        ETH,
        desk.tick(20),
        side=Side.BUY,
        quantity=Decimal("0.2"),
        price=Decimal(2995),
        order_id=order.order.order_id,
    )

    desk.engine.on_market(before_amendment)

    assert desk.filled(order) == 0


def test_post_only_is_judged_at_arrival_against_the_book_then() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01")
    desk.quote("2990.00", "2990.01")

    with pytest.raises(Refused) as refusal:
        desk.buy("2990.01", "0.1", client_id="late")

    assert (refusal.value.reason, refusal.value.code) == (Reason.POST_ONLY, -5022)
    with pytest.raises(Refused):
        desk.read.order("main", ETH, desk.now_ms, client_id="late")


def test_an_amended_order_goes_to_the_end_of_the_queue() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", bid_quantity="1")
    order = desk.buy("3000.00", "0.500")
    desk.trade("3000.00", "0.9")
    desk.quote("3000.00", "3000.01", bid_quantity="3")

    desk.engine.modify(
        "main", ETH, desk.tick(), side=Side.BUY, quantity=Decimal("0.4"), price=Decimal(3000),
        order_id=order.order.order_id,
    )  # fmt: skip
    desk.trade("3000.00", "2.9")
    assert desk.filled(order) == 0
    desk.trade("3000.00", "0.3")
    assert desk.filled(order) == Decimal("0.2")


def test_an_immediate_order_does_not_rest() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", ask_quantity="0.1")

    placed = desk.limit(Side.BUY, "3000.01", "0.3", time_in_force=TimeInForce.IOC)

    assert (placed.order.status, placed.order.filled, placed.order.expiry_reason.value) == (
        OrderStatus.EXPIRED,
        100,
        "2",
    )
    assert desk.read.open_orders("main") == []
