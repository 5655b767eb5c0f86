"""Bybit's messages to ours, from samples in the shape of its documents; and what is no such message."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exchanges.bybit import wire_account, wire_orders, wire_stops
from exchanges.errors import (
    BadReply,
    NotSupported,
)
from exchanges.port import ConfigurationChanged, Position
from grid.instrument import Instrument
from grid.order import OrderStatus, Side
from grid.stop import StopStatus

ETH = Instrument(
    symbol="ETHUSDT",
    base="ETH",
    quote="USDT",
    tick=Decimal("0.01"),
    step=Decimal("0.01"),
    price_min=1,
    price_max=10**8,
    quantity_min=1,
    quantity_max=10**6,
    notional_min=Decimal(5),
)
KNOWN = {"ETHUSDT": ETH}
UID = "fd4300ae-7847-404e-b947-b46980a4d140"


def order(**changes: Any) -> dict[str, Any]:
    row = {
        "orderId": UID,
        "orderLinkId": "g1",
        "symbol": "ETHUSDT",
        "price": "1600.00",
        "qty": "0.10",
        "side": "Buy",
        "positionIdx": 0,
        "orderStatus": "New",
        "createType": "CreateByUser",
        "cancelType": "UNKNOWN",
        "rejectReason": "EC_NoError",
        "leavesQty": "0.10",
        "cumExecQty": "0.00",
        "timeInForce": "PostOnly",
        "orderType": "Limit",
        "stopOrderType": "",
        "triggerPrice": "",
        "reduceOnly": False,
        "closeOnTrigger": False,
        "createdTime": "1684738540559",
        "updatedTime": "1684738540561",
    }
    return {**row, **changes}


def execution(**changes: Any) -> dict[str, Any]:
    row = {
        "category": "linear",
        "symbol": "ETHUSDT",
        "execFee": "0.0032",
        "execId": "7e2ae69c-4edf-5800-a352-893d52b446aa",
        "execPrice": "1600.00",
        "execQty": "0.04",
        "execType": "Trade",
        "isMaker": True,
        "leavesQty": "0.06",
        "orderId": UID,
        "orderLinkId": "g1",
        "orderPrice": "1600.00",
        "orderQty": "0.10",
        "side": "Buy",
        "execTime": "1672364174443",
    }
    return {**row, **changes}


def position(**changes: Any) -> dict[str, Any]:
    row = {
        "positionIdx": 0,
        "symbol": "ETHUSDT",
        "side": "Sell",
        "size": "0.30",
        "avgPrice": "1700.5",
        "entryPrice": "1700.5",
        "leverage": "10",
        "markPrice": "1690.25",
        "liqPrice": "",
        "unrealisedPnl": "3.075",
        "updatedTime": "1697673600012",
    }
    return {**row, **changes}


def test_an_open_order_is_read() -> None:
    read = wire_orders.report(order(), KNOWN)

    assert (read.order_id, read.client_id, read.side, read.status) == (UID, "g1", Side.BUY, OrderStatus.NEW)
    assert (read.price, read.quantity, read.filled, read.closing) == (160000, 10, 0, False)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"rejectReason": "EC_PostOnlyWillTakeLiquidity"}, OrderStatus.EXPIRED, "post_only"),
        ({"cancelType": "CancelByUser"}, OrderStatus.CANCELED, ""),
        ({"cancelType": "CancelByUser", "rejectReason": "EC_PerCancelRequest"}, OrderStatus.CANCELED, ""),
        ({"cancelType": "CancelByReduceOnly"}, OrderStatus.EXPIRED, "CancelByReduceOnly"),
        ({"cancelType": "CancelAllBeforeLiq"}, OrderStatus.EXPIRED, "CancelAllBeforeLiq"),
        ({"cancelType": "CancelByDCP"}, OrderStatus.EXPIRED, "CancelByDCP"),
        (
            {"orderStatus": "Rejected", "rejectReason": "EC_PostOnlyWillTakeLiquidity"},
            OrderStatus.EXPIRED,
            "post_only",
        ),
        ({"orderStatus": "Filled", "cumExecQty": "0.10", "cancelType": "CancelBySmp"}, OrderStatus.FILLED, ""),
    ],
)
def test_an_end_says_whether_the_venue_made_it(changes: dict[str, Any], status: OrderStatus, reason: str) -> None:
    read = wire_orders.report(order(**{"orderStatus": "Cancelled", **changes}), KNOWN)

    assert (read.status, read.expiry_reason) == (status, reason)


def test_an_execution_is_a_fill_and_the_state_of_its_order() -> None:
    update = wire_orders.update(execution(), KNOWN)

    assert update is not None
    assert update.fill is not None
    assert (update.report.status, update.report.filled) == (OrderStatus.PARTIALLY_FILLED, 4)
    assert (update.fill.price, update.fill.quantity, update.fill.fee) == (160000, 4, Decimal("0.0032"))
    assert (update.fill.fee_asset, update.fill.is_maker, update.fill.client_id) == ("USDT", True, "g1")
    last = wire_orders.update(execution(leavesQty="0"), KNOWN)
    assert last is not None
    assert (last.report.status, last.report.filled) == (OrderStatus.FILLED, 10)


def test_funding_is_no_trade() -> None:
    assert wire_orders.update(execution(execType="Funding"), KNOWN) is None
    assert wire_orders.trades({"list": [execution(execType="Funding"), execution()]}, KNOWN)[0].client_id == ""


@pytest.mark.parametrize(
    ("kind", "made", "prefix"),
    [
        ("BustTrade", "CreateByLiq", "autoclose-"),
        ("BustTrade", "CreateByTakeOver_PassThrough", "autoclose-"),
        ("AdlTrade", "CreateByAdl_PassThrough", "adl_autoclose"),
        ("Settle", "CreateBySettle", "settlement_autoclose-"),
        ("Trade", "CreateByClosing", "foreign-"),
    ],
)
def test_what_the_venue_does_to_a_position_is_named_for_the_desk(kind: str, made: str, prefix: str) -> None:
    row = execution(execType=kind, orderLinkId="", createType=made)
    update = wire_orders.update(row, KNOWN)

    assert update is not None
    assert update.report.client_id == prefix + UID
    assert wire_orders.report(order(orderLinkId="", createType=made), KNOWN).client_id == prefix + UID


def test_a_bankruptcy_price_lies_between_ticks_and_is_rounded_against_us() -> None:
    sold = wire_orders.update(execution(execType="BustTrade", side="Sell", execPrice="1599.995"), KNOWN)

    assert sold is not None
    assert sold.fill is not None
    assert sold.fill.price == 159999
    with pytest.raises(BadReply, match="execPrice"):
        wire_orders.update(execution(execPrice="1599.995"), KNOWN)


@pytest.mark.parametrize(
    ("changes", "status", "order_id"),
    [
        ({"orderStatus": "Untriggered"}, StopStatus.WAITING, ""),
        ({"orderStatus": "Triggered"}, StopStatus.TRIGGERED, UID),
        ({"orderStatus": "Filled", "cumExecQty": "0.1"}, StopStatus.TRIGGERED, UID),
        ({"orderStatus": "Deactivated"}, StopStatus.ENDED, ""),
        ({"orderStatus": "Cancelled"}, StopStatus.ENDED, ""),
        ({"orderStatus": "Rejected", "rejectReason": "EC_Others"}, StopStatus.FAILED, ""),
    ],
)
def test_a_conditional_order_keeps_its_id(changes: dict[str, Any], status: StopStatus, order_id: str) -> None:
    row = order(stopOrderType="Stop", triggerPrice="1500", side="Sell", closeOnTrigger=True, **changes)
    read = wire_stops.report(row, KNOWN)

    assert (read.algo_id, read.status, read.order_id) == (UID, status, order_id)
    assert (read.trigger, read.closes_position, read.side) == (150000, True, Side.SELL)


def test_a_short_position_is_negative_and_an_empty_liquidation_price_is_none() -> None:
    read = wire_account.position(position(), KNOWN, is_isolated=False, entry_key="avgPrice")

    assert (read.quantity, read.liquidation, read.leverage) == (-30, None, 10)
    assert read.entry_price == Decimal("1700.5")


def test_a_position_event_tells_a_changed_leverage_and_hedge_mode() -> None:
    known: dict[str, Position] = {}
    (first,) = wire_account.streamed(position(), KNOWN, known)
    assert isinstance(first, Position)
    known["ETHUSDT"] = first
    changed = wire_account.streamed(position(leverage="7"), KNOWN, known)
    (hedged,) = wire_account.streamed(position(positionIdx=2), KNOWN, known)

    assert [type(one) for one in changed] == [ConfigurationChanged, Position]
    assert isinstance(changed[0], ConfigurationChanged)
    assert changed[0].what == "leverage of ETHUSDT is 7"
    assert isinstance(hedged, ConfigurationChanged)


def wallet(**changes: Any) -> dict[str, Any]:
    coin: dict[str, Any] = {"coin": "USDT", "walletBalance": "100", "unrealisedPnl": "-1.5", "totalPositionIM": "10"}
    coin |= {"totalOrderIM": "5", "locked": "0", "collateralSwitch": True, "marginCollateral": True}
    return {"list": [{"totalAvailableBalance": "83", "coin": [coin], **changes}]}


def test_the_account_counts_other_collateral_and_does_without_the_total_of_isolated_margin() -> None:
    cross = wire_account.Modes(margin=wire_account.CROSS)
    plain = wire_account.account(wallet(), cross, "USDT", is_one_way=True, can_trade=True)
    isolated = wire_account.Modes(margin=wire_account.ISOLATED)
    empty = wire_account.account(wallet(totalAvailableBalance=""), isolated, "USDT", is_one_way=True, can_trade=True)
    coins = wallet()["list"][0]["coin"]
    other = {**coins[0], "coin": "BTC", "walletBalance": "0.1"}
    mixed = wire_account.account(wallet(coin=[*coins, other]), cross, "USDT", is_one_way=True, can_trade=True)

    assert (plain.wallet, plain.available, plain.is_multi_asset) == (Decimal(100), Decimal(83), False)
    assert (empty.available, empty.unrealised) == (Decimal(85), Decimal("-1.5"))
    assert mixed.is_multi_asset


def test_a_classic_account_is_not_supported() -> None:
    with pytest.raises(NotSupported, match="unified"):
        wire_account.modes({"unifiedMarginStatus": 1, "marginMode": "REGULAR_MARGIN"})


def ledger(**changes: Any) -> dict[str, Any]:
    row = {"id": "a1", "symbol": "XRPUSDT", "category": "linear", "type": "TRADE", "currency": "USDT"}
    row |= {"fee": "0.0190872", "cashFlow": "1.2", "change": "1.1809128", "funding": ""}
    row |= {"transactionTime": "1672121182224", "tradeId": "t1"}
    return {**row, **changes}


def test_a_trade_of_the_ledger_is_a_fee_and_a_profit_that_add_up_to_the_change() -> None:
    rows = wire_account.income({"list": [ledger()]})

    assert {row.kind: row.amount for row in rows} == {
        "COMMISSION": Decimal("-0.0190872"),
        "REALIZED_PNL": Decimal("1.2"),
    }
    assert sum(row.amount for row in rows) == Decimal("1.1809128")


def test_funding_and_transfers_keep_their_sign() -> None:
    funding = ledger(type="SETTLEMENT", change="-0.003676", funding="-0.003676", fee="0")
    moved = ledger(type="TRANSFER_OUT", change="-50", symbol="", category="", fee="0", id="", tradeId="t9")
    rows = wire_account.income({"list": [funding, moved]})

    assert [(row.kind, row.amount, row.symbol) for row in rows] == [
        ("FUNDING_FEE", Decimal("-0.003676"), "XRPUSDT"),
        ("TRANSFER", Decimal(-50), ""),
    ]


@pytest.mark.parametrize(("rate", "initial"), [("0.005", "0.01"), ("0.5", "1")])
def test_a_risk_tier_is_a_part_whether_told_in_percent_or_not(rate: str, initial: str) -> None:
    row = {"symbol": "ETHUSDT", "riskLimitValue": "2000", "maintenanceMargin": rate, "initialMargin": initial}
    first, second = wire_account.tiers(
        [{**row, "maxLeverage": "100.00", "mmDeduction": ""}, {**row, "riskLimitValue": "9000", "maxLeverage": "90"}],
        "ETHUSDT",
    )

    assert (first.rate, first.leverage_max, first.notional_floor) == (Decimal("0.005"), 100, Decimal(0))
    assert (second.notional_floor, second.notional_cap) == (Decimal(2000), Decimal(9000))


@pytest.mark.parametrize(
    "broken",
    [
        order(price="-1"),
        order(side="Long"),
        order(orderStatus="Sleeping"),
        order(cumExecQty="-0.1"),
        order(qty="0.001"),
        order(reduceOnly="true"),
        order(rejectReason=5, orderStatus="Cancelled"),
    ],
)
def test_an_order_that_can_not_be_is_a_bad_reply(broken: dict[str, Any]) -> None:
    with pytest.raises(BadReply):
        wire_orders.report(broken, KNOWN)
