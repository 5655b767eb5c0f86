"""What a taker gets, what the book shows, and who may not meet whom."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.sim.orders import Execution, ExpiryReason, OrderStatus, SelfTradeRule, TimeInForce
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.settings import AccountSpec, DepthModel, EngineConfig
from exchanges.sim.venue_events import BookEvent, PrintEvent
from grid.order import Side
from tests.unit.sim_desk import ETH, Desk, executions, fills


def second_account(desk: Desk) -> None:
    desk.engine.open_account(AccountSpec(account="other", deposit=Decimal(10000)), desk.now_ms)


def test_a_taker_pays_the_shown_price_then_slips_through_the_depth_behind_it() -> None:
    desk = Desk(config=EngineConfig(depth=DepthModel(spacing_ticks=5)))
    desk.quote("3000.00", "3000.01", ask_quantity="0.1")

    placed = desk.market(Side.BUY, "0.25")

    assert [(fill.price, fill.quantity) for fill in fills(placed.events)] == [
        (300001, 100),
        (300006, 100),
        (300011, 50),
    ]
    assert placed.order.average_price == Decimal("3000.05")
    assert placed.accepted.status is OrderStatus.NEW


def test_a_limit_order_takes_no_worse_than_its_price_and_rests_with_what_is_left() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", ask_quantity="0.1")

    placed = desk.limit(Side.BUY, "3000.01", "0.3")

    assert (placed.order.status, placed.order.filled) == (OrderStatus.PARTIALLY_FILLED, 100)
    assert desk.read.book(ETH).bid == 300001


def test_what_we_took_is_not_there_again_until_the_price_moves() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", ask_quantity="0.1")
    desk.market(Side.BUY, "0.1")
    desk.quote("3000.00", "3000.01", ask_quantity="0.1")

    second = desk.market(Side.BUY, "0.1")
    desk.quote("3000.00", "3000.02", ask_quantity="0.1")
    desk.quote("3000.00", "3000.01", ask_quantity="0.1")
    third = desk.market(Side.BUY, "0.1")

    assert [fill.price for fill in fills(second.events)] == [300002]
    assert [fill.price for fill in fills(third.events)] == [300001]


def test_or_until_a_second_has_passed() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", ask_quantity="0.1")
    desk.market(Side.BUY, "0.1")
    desk.tick(1000)

    later = desk.market(Side.BUY, "0.1")

    assert [fill.price for fill in fills(later.events)] == [300001]


def test_fill_or_kill_is_refused_unless_all_of_it_is_there() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", ask_quantity="0.1")

    with pytest.raises(Refused) as refusal:
        desk.limit(Side.BUY, "3000.01", "0.11", time_in_force=TimeInForce.FOK)
    taken = desk.limit(Side.BUY, "3000.02", "0.11", time_in_force=TimeInForce.FOK)

    assert refusal.value.code == -5021
    assert taken.order.status is OrderStatus.FILLED


def test_a_market_order_stops_at_the_bound_around_mark() -> None:
    desk = Desk(config=EngineConfig(depth=DepthModel(spacing_ticks=10_000)))
    desk.quote("3000.00", "3000.01", ask_quantity="0.1")

    placed = desk.market(Side.BUY, "1")

    assert placed.order.filled == 200
    assert (placed.order.status, placed.order.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.MARKET_REMAINDER)


def test_own_orders_are_inside_the_published_best_prices() -> None:
    desk = Desk(config=EngineConfig(publish=True))
    desk.quote("3000.00", "3000.10", bid_quantity="2")

    placed = desk.buy("3000.04", "0.5")
    shown = [event.book for event in placed.events if isinstance(event, BookEvent)]

    assert [(book.bid, book.bid_quantity, book.ask) for book in shown] == [(300004, 500, 300010)]
    desk.buy("3000.00", "0.5")
    bids, _ = desk.read.depth(ETH)
    assert [(row.price, row.quantity) for row in bids[:1]] == [(300004, 500)]
    assert next(row.quantity for row in bids if row.price == 300000) == 2500


def test_the_published_book_is_never_crossed() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.10")
    desk.buy("2999.00", "0.5")
    desk.quote("2998.00", "2998.50")

    book = desk.read.book(ETH)

    assert (book.bid, book.ask) == (299900, 299901)


def test_by_default_the_resting_order_gives_way_to_the_accounts_own_taker() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.10", ask_quantity="1")
    resting = desk.sell("3000.05", "0.2")

    taker = desk.limit(Side.BUY, "3000.10", "0.3")

    assert desk.order(resting).status is OrderStatus.EXPIRED_IN_MATCH
    assert desk.order(resting).expiry_reason is ExpiryReason.SELF_TRADE
    assert [fill.price for fill in fills(taker.events)] == [300010]


def test_expire_taker_leaves_our_bids_alone() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.10")
    resting = desk.buy("3000.05", "0.2")

    taker = desk.limit(Side.SELL, "3000.00", "0.3", self_trade_rule=SelfTradeRule.EXPIRE_TAKER)

    assert taker.order.status is OrderStatus.EXPIRED_IN_MATCH
    assert desk.order(resting).status is OrderStatus.NEW


def test_two_accounts_trade_with_each_other_at_the_resting_price_after_the_others() -> None:
    desk = Desk(config=EngineConfig(publish=True))
    second_account(desk)
    desk.quote("3000.00", "3000.10", ask_quantity="0.1")
    resting = desk.sell("3000.10", "0.2", account="other")

    taker = desk.limit(Side.BUY, "3000.10", "0.3")

    ours = [fill for fill in fills(taker.events) if fill.account == "main"]
    theirs = [fill for fill in fills(taker.events) if fill.account == "other"]
    assert [(fill.price, fill.quantity, fill.is_maker) for fill in ours] == [(300010, 100, False), (300010, 200, False)]
    assert [(fill.quantity, fill.is_maker) for fill in theirs] == [(200, True)]
    assert theirs[0].trade_id == ours[1].trade_id
    assert desk.order(resting).status is OrderStatus.FILLED
    assert len([event for event in taker.events if isinstance(event, PrintEvent)]) == 2


def test_a_market_order_into_a_best_price_outside_the_band_is_refused() -> None:
    desk = Desk()
    desk.mark("3000")
    desk.quote("3199.00", "3200.00")

    with pytest.raises(Refused) as refusal:
        desk.market(Side.BUY, "0.1")

    assert refusal.value.reason is Reason.BEST_PRICE_PERCENT


def test_amending_across_the_spread_takes_and_a_post_only_one_is_cancelled() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.10", ask_quantity="5")
    plain, maker = desk.limit(Side.BUY, "2999.00", "0.1"), desk.buy("2999.00", "0.1")

    def amend(order_id: int) -> list[Execution]:
        placed = desk.engine.modify(
            "main",
            ETH,
            desk.tick(),
            side=Side.BUY,
            quantity=Decimal("0.1"),
            price=Decimal("3000.10"),
            order_id=order_id,
        )
        return executions(placed.events)

    assert amend(plain.order.order_id) == [Execution.AMENDMENT, Execution.TRADE]
    assert amend(maker.order.order_id) == [Execution.CANCELED]
