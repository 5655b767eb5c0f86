"""Fees, profit, funding, margin and liquidation, to the last 1e-8."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from exchanges.sim.orders import Execution, ExpiryReason, OrderStatus, OrderType
from exchanges.sim.refusal import Refused
from exchanges.sim.settings import EngineConfig
from exchanges.sim.venue_events import AccountEvent, AccountReason, LeverageEvent, MarginCallEvent, OrderEvent
from exchanges.sim.views import MarginType
from grid.order import Side
from tests.unit.sim_desk import ETH, START_MS, Desk, executions, ledger_balances


def rows(desk: Desk, kind: str) -> list[Decimal]:
    return [row.amount for row in desk.read.income("main", kind=kind)]


def test_a_round_trip_costs_maker_and_taker_fee_and_earns_the_difference() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01")
    desk.buy("2998.00", "0.100")
    desk.trade("2997.00", "1")
    desk.quote("3001.00", "3001.01")

    desk.market(Side.SELL, "0.100")

    assert rows(desk, "REALIZED_PNL") == [Decimal("0.3")]
    assert rows(desk, "COMMISSION") == [Decimal("-0.05996"), Decimal("-0.15005")]
    assert desk.wallet() == Decimal("10000") + Decimal("0.3") - Decimal("0.05996") - Decimal("0.15005")
    assert ledger_balances(desk)


def test_adding_averages_the_entry_and_closing_part_keeps_it() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", ask_quantity="10")
    desk.engine.foreign.move_position("main", ETH, 100, desk.tick(), 300000)
    desk.engine.foreign.move_position("main", ETH, 200, desk.tick(), 299700)
    assert desk.read.position("main", ETH).entry_price == Decimal(2998)

    desk.engine.foreign.move_position("main", ETH, -150, desk.tick(), 300000)

    position = desk.read.position("main", ETH)
    assert (position.quantity, position.entry_price, position.realised) == (150, Decimal(2998), Decimal("0.3"))


def test_a_flip_realises_the_old_side_and_opens_the_new_at_the_fills_price() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01")
    desk.engine.foreign.move_position("main", ETH, 100, desk.tick(), 300000)

    desk.engine.foreign.move_position("main", ETH, -300, desk.tick(), 299000)

    position = desk.read.position("main", ETH)
    assert (position.quantity, position.entry_price, position.realised) == (-200, Decimal(2990), Decimal(-1))
    desk.mark("2980")
    assert desk.read.position("main", ETH).unrealised == Decimal(2)


def test_fees_are_paid_in_bnb_at_a_tenth_off_while_it_lasts() -> None:
    desk = Desk(fee_asset="BNB", bnb_deposit=Decimal("0.0001"))
    desk.quote("599.99", "600.01", symbol="BNBUSDT")
    desk.quote("3000.00", "3000.01", ask_quantity="10")

    desk.market(Side.BUY, "0.040")
    desk.market(Side.BUY, "0.040")

    first, second = desk.read.user_trades("main")
    assert (first.commission_asset, first.commission) == ("BNB", Decimal("0.00009000"))
    assert second.commission_asset == "USDT"
    assert desk.wallet(asset="BNB") == Decimal("0.00001")
    assert ledger_balances(desk)


def test_fee_rates_of_the_account_go_before_the_symbols() -> None:
    desk = Desk(maker_fee=Decimal("-0.0001"), taker_fee=Decimal("0.001"))
    desk.quote("3000.00", "3000.00")
    desk.quote("2999.00", "3000.00", ask_quantity="10")
    desk.market(Side.BUY, "0.1")
    desk.buy("2998.00", "0.1")
    desk.trade("2990.00", "1")

    assert [fill.commission for fill in desk.read.user_trades("main")] == [Decimal("0.3"), Decimal("-0.02998")]


def test_longs_pay_funding_on_the_mark_and_shorts_receive_it() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01", ask_quantity="10", bid_quantity="10")
    desk.market(Side.BUY, "1")
    desk.mark("3100")
    events = desk.fund("0.0001")
    desk.market(Side.SELL, "2")
    desk.fund("0.0001")

    assert rows(desk, "FUNDING_FEE") == [Decimal("-0.31"), Decimal("0.31")]
    (told,) = [event for event in events if isinstance(event, AccountEvent)]
    assert (told.reason, told.balances[0].change) == (AccountReason.FUNDING_FEE, Decimal("-0.31"))
    assert [row.rate for row in desk.read.funding_history(ETH)] == [Decimal("0.0001")] * 2
    assert ledger_balances(desk)


def test_funding_settles_by_itself_at_its_hours_where_asked_to() -> None:
    every = 8 * 3_600_000
    desk = Desk(config=EngineConfig(funding_every_ms=every))
    desk.quote("3000.00", "3000.01", ask_quantity="10")
    desk.market(Side.BUY, "1")
    due = desk.read.premium_index(ETH).next_funding_ms

    desk.engine.advance(due - 1)
    assert rows(desk, "FUNDING_FEE") == []
    desk.engine.advance(due + 5)
    assert len(rows(desk, "FUNDING_FEE")) == 1
    assert due % every == 0
    assert START_MS < due <= START_MS + every


def test_mark_stands_apart_from_the_last_price() -> None:
    desk = Desk()
    desk.mark("3000")
    desk.tick(5000)
    desk.quote("2950.00", "2950.01")
    desk.tick(5000)
    desk.trade("2950.00", "1")

    assert desk.read.premium_index(ETH).mark_price == Decimal(3000)
    assert desk.read.last_price(ETH) == 295000


def test_without_marks_it_follows_the_median_of_bid_ask_and_last_once_a_second() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.02")
    desk.trade("2990.00", "1")
    assert desk.read.premium_index(ETH).mark_price == Decimal("3000.01")
    desk.tick(1000)

    desk.trade("2990.00", "1")

    assert desk.read.premium_index(ETH).mark_price == Decimal(3000)


def test_open_orders_hold_margin_on_the_larger_side_only() -> None:
    desk = Desk(leverage=10)
    desk.quote("3000.00", "3000.01")
    desk.mark("3000")
    desk.buy("2900.00", "1")
    desk.sell("3100.00", "0.5")

    position = desk.read.position("main", ETH)
    assert position.order_initial_margin == Decimal(290)
    assert desk.read.account("main").assets[0].available == Decimal(10000 - 290)
    assert (position.bids_notional, position.asks_notional) == (Decimal(2900), Decimal(1550))


def test_closing_orders_hold_no_margin() -> None:
    desk = Desk(leverage=10)
    desk.quote("3000.00", "3000.01", ask_quantity="10")
    desk.mark("3000")
    desk.market(Side.BUY, "1")
    free = desk.read.account("main").assets[0].available

    desk.sell("3100.00", "1")

    assert desk.read.account("main").assets[0].available == free


def test_margin_is_refused_where_it_does_not_suffice_and_freed_by_a_cancel() -> None:
    desk = Desk(deposit="100", leverage=10)
    desk.quote("3000.00", "3000.01")
    order = desk.buy("2990.00", "0.300")
    with pytest.raises(Refused) as refusal:
        desk.buy("2990.00", "0.050")
    desk.engine.cancel("main", ETH, desk.tick(), order_id=order.order.order_id)

    desk.buy("2990.00", "0.050")

    assert refusal.value.code == -2019


def test_the_loss_an_order_would_open_with_needs_backing_too() -> None:
    def desk_with(deposit: str) -> Desk:
        desk = Desk(deposit=deposit, leverage=10)
        desk.mark("3000")
        desk.quote("3098.00", "3099.00")
        return desk

    for deposit in ("309.80", "407.79"):  # the margin alone, and a hair less than margin and loss
        with pytest.raises(Refused) as refusal:
            desk_with(deposit).buy("3098.00", "1")
        assert refusal.value.code == -2019
    assert desk_with("407.80").buy("3098.00", "1").order.status is OrderStatus.NEW


def test_a_position_may_not_outgrow_what_its_leverage_allows() -> None:
    desk = Desk(deposit="10000000", leverage=125)
    desk.quote("3000.00", "3000.01")
    desk.buy("2990.00", "16.7")

    with pytest.raises(Refused) as refusal:
        desk.buy("2990.00", "0.1")

    assert refusal.value.code == -2027


def test_leverage_is_not_lowered_below_what_the_margin_backs() -> None:
    desk = Desk(deposit="160", leverage=20)
    desk.quote("3000.00", "3000.01", ask_quantity="10")
    desk.market(Side.BUY, "1")

    with pytest.raises(Refused) as refusal:
        desk.engine.set_leverage("main", ETH, 10, desk.tick())

    assert refusal.value.code == -2028
    assert desk.read.position("main", ETH).leverage == 20


def test_maintenance_margin_is_the_tiers_rate_less_its_amount() -> None:
    desk = Desk(deposit="1000000", leverage=20)
    desk.mark("3000")
    desk.engine.foreign.move_position("main", ETH, 10_000, desk.tick(), 300000)
    assert desk.read.position("main", ETH).maintenance_margin == Decimal(120)

    desk.engine.foreign.move_position("main", ETH, 20_000, desk.tick(), 300000)

    assert desk.read.position("main", ETH).maintenance_margin == Decimal(90_000) * Decimal("0.005") - 50


def test_a_warning_is_told_once_and_again_only_after_relief() -> None:
    desk = Desk(deposit="160", leverage=20)
    desk.quote("3000.00", "3000.01", ask_quantity="10", bid_quantity="10")
    desk.mark("3000")
    desk.market(Side.BUY, "1")
    price = desk.read.position("main", ETH).liquidation_price.quantize(Decimal("0.01"))

    told = [desk.mark(str(at)) for at in (price + 1, price + 1, price + 2, price + 100, price + 1)]

    assert [len(events) for events in told] == [1, 0, 0, 0, 1]


def test_leverage_changes_are_told_and_bounded_by_the_tiers() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01")

    position, events = desk.engine.set_leverage("main", ETH, 5, desk.tick())

    assert isinstance(events[0], LeverageEvent)
    assert events[0].leverage == 5
    assert (position.leverage, position.notional_max) == (5, Decimal(480_000_000))


def test_a_cross_account_is_warned_then_liquidated_at_its_maintenance_margin() -> None:
    desk = Desk(deposit="160", leverage=20)
    desk.quote("3000.00", "3000.01", ask_quantity="10", bid_quantity="10")
    desk.mark("3000")
    desk.market(Side.BUY, "1")
    waiting = desk.buy("2700.00", "0.010")
    price = desk.read.position("main", ETH).liquidation_price

    above = desk.mark(str((price + Decimal("0.5")).quantize(Decimal("0.01"))))
    assert [type(event) for event in above] == [MarginCallEvent]
    desk.quote(str(price.quantize(Decimal("0.01")) - 1), str(price.quantize(Decimal("0.01"))), bid_quantity="10")
    events = desk.mark(str((price - Decimal("0.01")).quantize(Decimal("0.01"))))

    assert desk.position() == 0
    assert desk.order(waiting).expiry_reason is ExpiryReason.LIQUIDATION
    told = [event for event in events if isinstance(event, OrderEvent) and event.order.type is OrderType.LIQUIDATION]
    assert [event.execution for event in told] == [Execution.NEW, Execution.TRADE]
    assert all(event.order.client_id.startswith("autoclose-") for event in told)
    assert rows(desk, "INSURANCE_CLEAR")[0] < 0
    assert desk.wallet() >= 0
    assert ledger_balances(desk)


def test_what_the_book_does_not_take_goes_to_the_insurance_fund_and_no_debt_stays() -> None:
    desk = Desk(deposit="160", leverage=20)
    desk.quote("3000.00", "3000.01", ask_quantity="10")
    desk.mark("3000")
    desk.market(Side.BUY, "1")
    desk.quote("2500.00", "2500.01", bid_quantity="10")

    events = desk.mark("2700")

    assert executions(events) == [Execution.NEW, Execution.CALCULATED]
    assert desk.position() == 0
    assert desk.wallet() == 0
    assert ledger_balances(desk)


def test_a_short_is_liquidated_when_the_mark_rises() -> None:
    desk = Desk(deposit="160", leverage=20)
    desk.quote("3000.00", "3000.01", bid_quantity="10", ask_quantity="10")
    desk.mark("3000")
    desk.market(Side.SELL, "1")
    price = desk.read.position("main", ETH).liquidation_price
    assert price > 3100

    desk.mark(str((price - Decimal("0.1")).quantize(Decimal("0.01"))))
    assert desk.position() == -1
    desk.mark(str((price + Decimal("0.1")).quantize(Decimal("0.01"))))
    assert desk.position() == 0


def test_an_isolated_position_falls_alone() -> None:
    desk = Desk(deposit="10000", leverage=20, margin_type=MarginType.ISOLATED)
    desk.quote("3000.00", "3000.01", ask_quantity="10")
    desk.mark("3000")
    desk.market(Side.BUY, "1")
    position = desk.read.position("main", ETH)
    assert position.isolated_wallet == Decimal("150.0005")

    desk.mark(str((position.liquidation_price + Decimal("0.1")).quantize(Decimal("0.01"))))
    assert desk.position() == 1
    desk.mark(str((position.liquidation_price - Decimal("0.1")).quantize(Decimal("0.01"))))

    assert desk.position() == 0
    assert desk.wallet() > Decimal(9800)
    assert ledger_balances(desk)


def test_maintenance_follows_the_tiers_and_is_continuous_at_their_edges() -> None:
    brackets = Desk().read.instrument(ETH).brackets

    for lower, upper in itertools.pairwise(brackets):
        at = lower.notional_cap
        assert at * lower.rate - lower.cum == at * upper.rate - upper.cum


def test_transfers_are_ledger_rows() -> None:
    desk = Desk(deposit="100")
    desk.engine.transfer("main", Decimal("-30"), desk.tick())

    assert rows(desk, "TRANSFER") == [Decimal(100), Decimal(-30)]
    assert desk.wallet() == 70
    ids = [row.tran_id for row in desk.read.income("main")]
    assert len(set(ids)) == len(ids)


def test_an_order_event_comes_before_the_account_event_it_caused() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01")
    desk.buy("2998.00", "0.100")

    kinds = [type(event) for event in desk.trade("2997.00", "1")]

    assert kinds == [OrderEvent, AccountEvent]
    assert desk.read.every_order("main")[0].status is OrderStatus.FILLED
