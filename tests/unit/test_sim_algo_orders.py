"""Conditional orders: apart from the open ones, without margin until they trigger."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.sim.algo_orders import AlgoStatus, AlgoView, NewAlgoOrder
from exchanges.sim.orders import OrderStatus, OrderType, WorkingType
from exchanges.sim.refusal import Refused
from exchanges.sim.settings import EngineConfig
from exchanges.sim.venue_events import AlgoEvent, AlgoRejectEvent
from grid.order import Side
from tests.unit.sim_desk import ETH, Desk

STOP = NewAlgoOrder(
    symbol=ETH, side=Side.SELL, type=OrderType.STOP_MARKET, trigger_price=Decimal("2900.00"), close_position=True
)


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.quote("3000.00", "3000.01", bid_quantity="50", ask_quantity="50")
    desk.trade("3000.00", "1")
    desk.market(Side.BUY, "1")
    return desk


def place(desk: Desk, order: NewAlgoOrder = STOP) -> AlgoView:
    return desk.engine.submit_algo("main", order, desk.tick())[0]


def status(desk: Desk, algo: AlgoView) -> AlgoStatus:
    return desk.read.algo("main", algo_id=algo.algo_id).status


def refusal(desk: Desk, order: NewAlgoOrder) -> int:
    with pytest.raises(Refused) as refused:
        place(desk, order)
    return refused.value.code


def test_it_is_no_open_order(desk: Desk) -> None:
    algo = place(desk)

    assert desk.read.open_orders("main") == []
    assert [waiting.algo_id for waiting in desk.read.open_algos("main")] == [algo.algo_id]


def test_a_close_position_stop_sells_whatever_the_position_is_by_then(desk: Desk) -> None:
    algo = place(desk, replace(STOP, client_id="guard"))
    desk.market(Side.BUY, "0.5")
    desk.quote("2899.00", "2899.01", bid_quantity="50")

    events = desk.trade("2900.00", "0.001")

    assert desk.position() == 0
    told = [event.algo.status for event in events if isinstance(event, AlgoEvent)]
    assert told == [AlgoStatus.TRIGGERING, AlgoStatus.TRIGGERED, AlgoStatus.FINISHED]
    done = desk.read.algo("main", algo_id=algo.algo_id)
    order = desk.read.order("main", ETH, desk.now_ms, order_id=done.order_id)
    assert (order.client_id, order.type, order.original_type) == ("guard", OrderType.MARKET, OrderType.STOP_MARKET)
    assert (order.status, order.filled, order.close_position) == (OrderStatus.FILLED, 1500, True)


def test_it_ends_with_the_position(desk: Desk) -> None:
    algo = place(desk)

    desk.market(Side.SELL, "1")

    assert status(desk, algo) is AlgoStatus.EXPIRED
    assert desk.read.open_algos("main") == []


def test_take_profit_triggers_upwards_for_a_sell_and_can_be_a_limit(desk: Desk) -> None:
    order = NewAlgoOrder(
        symbol=ETH,
        side=Side.SELL,
        type=OrderType.TAKE_PROFIT,
        quantity=Decimal("0.4"),
        trigger_price=Decimal("3050.00"),
        price=Decimal("3060.00"),
        reduce_only=True,
    )
    algo = place(desk, order)
    desk.trade("3049.99", "1", Side.BUY)
    assert status(desk, algo) is AlgoStatus.NEW

    desk.trade("3050.00", "1", Side.BUY)

    assert status(desk, algo) is AlgoStatus.TRIGGERED
    (resting,) = desk.read.open_orders("main")
    assert (resting.price, resting.quantity, resting.reduce_only) == (306000, 400, True)


def test_a_mark_stop_ignores_the_last_price(desk: Desk) -> None:
    algo = place(desk, replace(STOP, working_type=WorkingType.MARK_PRICE))
    desk.mark("3000")

    desk.trade("2890.00", "1")
    assert status(desk, algo) is AlgoStatus.NEW
    desk.mark("2899")

    assert status(desk, algo) is AlgoStatus.FINISHED


def test_a_trailing_stop_follows_the_best_price(desk: Desk) -> None:
    trailing = NewAlgoOrder(
        symbol=ETH,
        side=Side.SELL,
        type=OrderType.TRAILING_STOP_MARKET,
        quantity=Decimal("1"),
        reduce_only=True,
        callback_rate=Decimal("1"),
    )
    algo = place(desk, trailing)
    for price in ("3000.00", "3100.00", "3070.00"):
        desk.trade(price, "1")
    assert status(desk, algo) is AlgoStatus.NEW

    desk.trade("3069.00", "1")

    assert status(desk, algo) is AlgoStatus.FINISHED


def test_a_refused_trigger_is_told(desk: Desk) -> None:
    algo = place(desk, replace(STOP, close_position=False, quantity=Decimal("1"), reduce_only=True))
    desk.market(Side.SELL, "1")

    events = desk.trade("2899.00", "1")

    assert status(desk, algo) is AlgoStatus.REJECTED
    assert any(isinstance(event, AlgoRejectEvent) for event in events)


def test_what_is_refused(desk: Desk) -> None:
    assert refusal(desk, replace(STOP, trigger_price=Decimal("3000.50"))) == -2021
    assert refusal(desk, replace(STOP, quantity=Decimal("1"))) == -4137
    assert refusal(desk, replace(STOP, close_position=False)) == -1102
    assert refusal(desk, replace(STOP, trigger_price=None)) == -1102
    assert refusal(desk, replace(STOP, type=OrderType.LIMIT)) == -1130
    place(desk, replace(STOP, client_id="one"))
    assert refusal(desk, replace(STOP, trigger_price=Decimal("2800.00"))) == -4130
    open_stop = replace(STOP, close_position=False, quantity=Decimal("0.1"), client_id="one")
    assert refusal(desk, open_stop) == -4116


def test_ten_are_the_limit(desk: Desk) -> None:
    stop = replace(STOP, close_position=False, quantity=Decimal("0.1"))
    for _ in range(10):
        place(desk, stop)

    assert refusal(desk, stop) == -4045


def test_only_so_many_ended_ones_are_kept() -> None:
    desk = Desk(config=EngineConfig(history_max=3))
    desk.quote("3000.00", "3000.01")
    stop = replace(STOP, close_position=False, quantity=Decimal("0.1"))
    waiting = place(desk, stop)
    for _ in range(5):
        desk.engine.cancel_algo("main", desk.tick(), algo_id=place(desk, stop).algo_id)

    kept = desk.read.all_algos("main")

    assert len(kept) == 3
    assert kept[0].algo_id == waiting.algo_id


def test_cancelling(desk: Desk) -> None:
    algo = place(desk)
    desk.engine.cancel_all("main", ETH, desk.tick())
    assert status(desk, algo) is AlgoStatus.NEW

    desk.engine.cancel_algo("main", desk.tick(), algo_id=algo.algo_id)

    assert status(desk, algo) is AlgoStatus.CANCELED
    with pytest.raises(Refused) as refused:
        desk.engine.cancel_algo("main", desk.tick(), algo_id=algo.algo_id)
    assert refused.value.code == -2011
    place(desk)
    desk.engine.cancel_all_algos("main", ETH, desk.tick())
    assert desk.read.open_algos("main") == []
