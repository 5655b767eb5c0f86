"""Other hands on the account, and what time alone does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.sim.orders import Execution, ExpiryReason, NewOrder, OrderStatus, TimeInForce
from exchanges.sim.refusal import Refused
from exchanges.sim.settings import AccountSpec
from exchanges.sim.venue_events import AccountEvent, InstrumentEvent, private_account
from exchanges.sim.views import PositionView
from grid.order import Side
from tests.unit.sim_desk import ETH, Desk, executions, fills, ledger_balances

MANUAL = NewOrder(symbol=ETH, side=Side.BUY, price=Decimal("2990.00"), quantity=Decimal("0.100"))


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.quote("3000.00", "3000.01", bid_quantity="50", ask_quantity="50")
    return desk


def test_a_manual_order_rests_beside_ours_under_a_name_of_the_venue(desk: Desk) -> None:
    placed = desk.engine.foreign.place("main", replace(MANUAL, client_id="mine"), desk.tick())

    assert placed.order.client_id.startswith("web_")
    assert [order.order_id for order in desk.read.open_orders("main")] == [placed.order.order_id]


def test_a_manual_trade_moves_the_position_without_a_book(desk: Desk) -> None:
    events = desk.engine.foreign.move_position("main", ETH, 250, desk.tick(), 301000)

    assert desk.position() == Decimal("0.25")
    assert [fill.price for fill in fills(events)] == [301000]
    assert ledger_balances(desk)


def test_a_manual_close_expires_the_exits_it_leaves_uncovered(desk: Desk) -> None:
    desk.market(Side.BUY, "1")
    order = desk.exit("3001.00", "1")

    desk.engine.foreign.move_position("main", ETH, -300, desk.tick())

    assert desk.order(order).status is OrderStatus.EXPIRED
    assert desk.position() == Decimal("0.7")


def test_forced_liquidation_bears_the_venues_name(desk: Desk) -> None:
    desk.market(Side.BUY, "1")
    order = desk.buy("2990.00", "0.1")

    events = desk.engine.foreign.liquidate("main", ETH, desk.tick())

    assert desk.position() == 0
    assert desk.order(order).expiry_reason is ExpiryReason.LIQUIDATION
    closing = fills(events)[-1]
    assert desk.read.order("main", ETH, desk.now_ms, order_id=closing.order_id).client_id.startswith("autoclose-")


def test_auto_deleveraging_closes_a_part_at_mark(desk: Desk) -> None:
    desk.market(Side.BUY, "1")
    desk.mark("3100")

    events = desk.engine.foreign.auto_deleverage("main", ETH, 400, desk.tick())

    (fill,) = fills(events)
    assert (fill.price, fill.quantity, fill.commission) == (310000, 400, Decimal(0))
    assert desk.position() == Decimal("0.6")
    assert desk.read.order("main", ETH, desk.now_ms, order_id=fill.order_id).client_id == "adl_autoclose"


def test_delisting_ends_orders_and_positions(desk: Desk) -> None:
    desk.market(Side.BUY, "1")
    order = desk.buy("2990.00", "0.1")
    desk.mark("3100")

    events = desk.engine.foreign.delist(ETH, desk.tick())

    assert (desk.position(), desk.order(order).expiry_reason) == (Decimal(0), ExpiryReason.DELISTED)
    assert any(isinstance(event, InstrumentEvent) for event in events)
    assert desk.read.instrument(ETH).status == "SETTLING"
    with pytest.raises(Refused):
        desk.engine.submit("main", MANUAL, desk.tick())


def test_changed_filters_hold_for_new_orders_only(desk: Desk) -> None:
    order = desk.buy("2990.00", "0.010")
    stricter = replace(desk.read.instrument(ETH), notional_min=Decimal(100))
    desk.engine.foreign.change_instrument(stricter, desk.tick())

    with pytest.raises(Refused) as refusal:
        desk.buy("2990.00", "0.010")

    assert refusal.value.code == -4164
    assert desk.order(order).status is OrderStatus.NEW
    with pytest.raises(ValueError, match="tick"):
        desk.engine.foreign.change_instrument(replace(stricter, tick=Decimal("0.1")), desk.tick())


def test_the_countdown_cancels_everything_on_the_symbol_unless_renewed(desk: Desk) -> None:
    ours, manual = desk.buy("2990.00", "0.1"), desk.engine.foreign.place("main", MANUAL, desk.tick())
    desk.engine.set_countdown("main", ETH, 1000, desk.tick())
    desk.tick(900)
    desk.engine.set_countdown("main", ETH, 1000, desk.tick())
    assert desk.engine.advance(desk.tick(900)) == []
    assert desk.read.countdown("main", ETH) is not None

    events = desk.engine.advance(desk.tick(200))

    assert executions(events) == [Execution.CANCELED] * 2
    assert [desk.order(order).status for order in (ours, manual)] == [OrderStatus.CANCELED] * 2
    assert desk.read.countdown("main", ETH) is None


def test_a_countdown_is_stopped_by_zero(desk: Desk) -> None:
    desk.buy("2990.00", "0.1")
    desk.engine.set_countdown("main", ETH, 1000, desk.tick())
    desk.engine.set_countdown("main", ETH, 0, desk.tick())

    assert desk.engine.advance(desk.tick(5000)) == []


def test_an_order_with_an_end_expires_then(desk: Desk) -> None:
    end_ms = desk.now_ms + 700_000
    order = desk.buy("2990.00", "0.1", time_in_force=TimeInForce.GTD, good_till_ms=end_ms)

    assert desk.engine.advance(end_ms - 1) == []
    desk.engine.advance(end_ms)

    assert desk.order(order).status is OrderStatus.EXPIRED


def test_events_of_passing_time_are_not_lost_by_a_refusal(desk: Desk) -> None:
    desk.buy("2990.00", "0.1")
    desk.engine.set_countdown("main", ETH, 1000, desk.tick())
    desk.tick(2000)

    with pytest.raises(Refused):
        desk.buy("2990.001", "0.1")

    assert executions(desk.engine.advance(desk.tick())) == [Execution.CANCELED]


def test_accounts_do_not_see_each_other(desk: Desk) -> None:
    desk.engine.open_account(AccountSpec(account="other", deposit=Decimal(500)), desk.tick())
    placed = desk.market(Side.BUY, "0.1", account="other")

    assert {private_account(event) for event in placed.events} == {"other"}
    assert desk.read.user_trades("main") == []
    assert desk.position() == 0
    changed = next(event for event in placed.events if isinstance(event, AccountEvent)).positions[0]
    assert isinstance(changed, PositionView)
    assert changed.account == "other"


def test_cancel_all_leaves_other_symbols_alone(desk: Desk) -> None:
    desk.quote("60000.0", "60000.1", symbol="BTCUSDT")
    desk.buy("2990.00", "0.1")
    kept = desk.engine.submit(
        "main",
        NewOrder(symbol="BTCUSDT", side=Side.BUY, price=Decimal("59000.0"), quantity=Decimal("0.002")),
        desk.tick(),
    )

    desk.engine.cancel_all("main", ETH, desk.tick())

    assert [order.order_id for order in desk.read.open_orders("main")] == [kept.order.order_id]
