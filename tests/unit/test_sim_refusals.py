"""What the venue refuses, with which code, and that a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.sim.catalogue import demo_instrument
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.orders import NewOrder, OrderType, TimeInForce
from exchanges.sim.refusal import Refused
from exchanges.sim.settings import EngineConfig
from exchanges.sim.views import MarginType
from grid.order import Side
from tests.unit.sim_desk import ETH, Desk

GOOD = NewOrder(symbol=ETH, side=Side.BUY, price=Decimal("2990.00"), quantity=Decimal("0.100"))


def code_of(act: Callable[[], object]) -> int:
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value.code


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.quote("3000.00", "3000.01")
    return desk


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"symbol": "NONEUSDT"}, -1121),
        ({"price": Decimal("2990.001")}, -1111),
        ({"quantity": Decimal("0.1001")}, -1111),
        ({"quantity": Decimal(0)}, -4003),
        ({"quantity": Decimal(-1)}, -4003),
        ({"quantity": Decimal(10001)}, -4005),
        ({"price": Decimal(0)}, -4001),
        ({"price": Decimal("39.85")}, -4013),
        ({"price": Decimal("306177.01")}, -4002),
        ({"price": Decimal("3150.02")}, -4016),
        ({"side": Side.SELL, "price": Decimal("2849.99")}, -4024),
        ({"quantity": Decimal("0.006")}, -4164),
        ({"price": None}, -1102),
        ({"type": OrderType.MARKET}, -1106),
        ({"type": OrderType.STOP_MARKET}, -4120),
        ({"position_side": "LONG"}, -4061),
        ({"client_id": "with space"}, -4015),
        ({"client_id": "x" * 37}, -4015),
        ({"time_in_force": TimeInForce.GTD, "good_till_ms": 1}, -5040),
        ({"quantity": Decimal("9999")}, -2019),
        ({"reduce_only": True}, -2022),
        ({"price": Decimal("3000.01"), "time_in_force": TimeInForce.GTX}, -5022),
    ],
)
def test_each_broken_rule_has_its_code(desk: Desk, change: dict[str, object], code: int) -> None:
    wallet = desk.wallet()

    assert code_of(lambda: desk.engine.submit("main", replace(GOOD, **change), desk.tick())) == code  # type: ignore[arg-type]

    assert desk.read.every_order("main") == []
    assert desk.wallet() == wallet


def test_a_price_between_two_ticks_within_the_precision_is_off_the_tick() -> None:
    desk = Desk()
    desk.quote("60000.0", "60000.1", symbol="BTCUSDT")
    order = NewOrder(symbol="BTCUSDT", side=Side.BUY, price=Decimal("59999.95"), quantity=Decimal("0.1"))

    assert code_of(lambda: desk.engine.submit("main", order, desk.tick())) == -4014


def test_the_far_side_of_the_price_band_is_open(desk: Desk) -> None:
    low_buy = replace(GOOD, price=Decimal("2000.00"))
    high_sell = replace(GOOD, side=Side.SELL, price=Decimal("4000.00"))

    for order in (low_buy, high_sell):
        desk.engine.submit("main", order, desk.tick())

    assert len(desk.read.open_orders("main", ETH)) == 2


def test_a_client_id_is_taken_only_while_its_order_is_open(desk: Desk) -> None:
    order = replace(GOOD, client_id="once")
    desk.engine.submit("main", order, desk.tick())

    assert code_of(lambda: desk.engine.submit("main", order, desk.tick())) == -4116

    desk.engine.cancel("main", ETH, desk.tick(), client_id="once")
    again = desk.engine.submit("main", order, desk.tick())
    assert desk.read.order("main", ETH, desk.now_ms, client_id="once").order_id == again.order.order_id


def test_the_open_order_limit_counts_every_order_of_the_symbol() -> None:
    desk = Desk(config=EngineConfig(orders_max=2))
    desk.quote("3000.00", "3000.01")
    desk.engine.submit("main", GOOD, desk.tick())
    desk.engine.foreign.place("main", GOOD, desk.tick())

    assert code_of(lambda: desk.engine.submit("main", GOOD, desk.tick())) == -2025


def test_two_hundred_is_the_limit_by_default() -> None:
    assert demo_instrument(ETH).orders_max == 200
    assert EngineConfig().orders_max == 200


def test_cancelling_or_asking_for_nothing(desk: Desk) -> None:
    assert code_of(lambda: desk.engine.cancel("main", ETH, desk.tick(), client_id="nobody")) == -2011
    assert code_of(lambda: desk.read.order("main", ETH, desk.now_ms, order_id=7)) == -2013
    placed = desk.engine.submit("main", GOOD, desk.tick())
    desk.engine.cancel("main", ETH, desk.tick(), order_id=placed.order.order_id)
    assert code_of(lambda: desk.engine.cancel("main", ETH, desk.tick(), order_id=placed.order.order_id)) == -2011


def test_an_unfilled_dead_order_is_forgotten_after_three_days_but_a_filled_one_is_not(desk: Desk) -> None:
    dead = desk.engine.submit("main", GOOD, desk.tick())
    live = desk.engine.submit("main", GOOD, desk.tick())
    desk.engine.cancel("main", ETH, desk.tick(), order_id=dead.order.order_id)
    desk.trade("2989.00", "5")
    later = desk.tick(3 * 86_400_000 + 10)

    assert code_of(lambda: desk.read.order("main", ETH, later, order_id=dead.order.order_id)) == -2013
    assert desk.read.order("main", ETH, later, order_id=live.order.order_id).filled == 100
    assert {order.order_id for order in desk.read.every_order("main")} == {dead.order.order_id, live.order.order_id}


def test_amending(desk: Desk) -> None:
    placed = desk.engine.submit("main", GOOD, desk.tick())

    def amend(price: str, quantity: str, side: Side = Side.BUY, order_id: int = placed.order.order_id) -> object:
        return desk.engine.modify(
            "main", ETH, desk.tick(), side=side, quantity=Decimal(quantity), price=Decimal(price), order_id=order_id
        )

    assert code_of(lambda: amend("2990.00", "0.100")) == -5027
    assert code_of(lambda: amend("2991.00", "0.100", order_id=5)) == -2013
    assert code_of(lambda: amend("2991.001", "0.100")) == -1111
    assert code_of(lambda: amend("2991.00", "9999")) == -2019
    assert desk.order(placed).price == 299000
    amend("2991.00", "0.200")
    assert (desk.order(placed).price, desk.order(placed).quantity) == (299100, 200)


def test_settings_refuse_what_the_venue_refuses(desk: Desk) -> None:
    engine = desk.engine
    assert code_of(lambda: engine.set_leverage("main", ETH, 126, desk.tick())) == -4028
    assert code_of(lambda: engine.set_margin_type("main", ETH, MarginType.CROSSED, desk.tick())) == -4046
    assert code_of(lambda: engine.set_hedge_mode("main", False, desk.tick())) == -4059
    engine.submit("main", GOOD, desk.tick())
    assert code_of(lambda: engine.set_margin_type("main", ETH, MarginType.ISOLATED, desk.tick())) == -4047
    assert code_of(lambda: engine.set_hedge_mode("main", True, desk.tick())) == -4067
    engine.cancel_all("main", ETH, desk.tick())
    desk.market(Side.BUY, "0.1")
    assert code_of(lambda: engine.set_margin_type("main", ETH, MarginType.ISOLATED, desk.tick())) == -4048
    assert code_of(lambda: engine.set_hedge_mode("main", True, desk.tick())) == -4068


def test_in_hedge_mode_no_order_is_taken() -> None:
    desk = Desk(hedge_mode=True)
    desk.quote("3000.00", "3000.01")

    assert desk.read.account("main").hedge_mode
    assert code_of(lambda: desk.engine.submit("main", GOOD, desk.tick())) == -4061


def test_a_symbol_that_does_not_trade_takes_no_order(desk: Desk) -> None:
    instrument = desk.read.instrument(ETH)
    desk.engine.foreign.change_instrument(instrument.with_status("PRE_SETTLE"), desk.tick())
    assert code_of(lambda: desk.engine.submit("main", GOOD, desk.tick())) == -4140
    desk.engine.foreign.change_instrument(instrument.with_status("SETTLING"), desk.tick())
    assert code_of(lambda: desk.engine.submit("main", GOOD, desk.tick())) == -4141
    assert desk.read.instrument(ETH).raw["status"] == "SETTLING"


def test_a_judged_order_is_not_placed(desk: Desk) -> None:
    desk.engine.check("main", GOOD, desk.tick())

    assert desk.read.every_order("main") == []
    assert code_of(lambda: desk.engine.check("main", replace(GOOD, quantity=Decimal("0.001")), desk.tick())) == -4164


def test_money_that_cannot_be_counted_in_whole_1e_8_is_no_instrument() -> None:
    raw = dict(demo_instrument("XRPUSDT").raw)
    raw["filters"] = [
        {**entry, "tickSize": "0.000000001"} if entry["filterType"] == "PRICE_FILTER" else entry
        for entry in raw["filters"]
    ]

    with pytest.raises(ValueError, match="XRPUSDT"):
        SimInstrument.from_exchange_info(raw)
