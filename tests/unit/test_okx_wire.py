"""OKX's messages become the port's values: contracts in base currency, ends with their reasons, nothing assumed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exchanges import wire
from exchanges.errors import BadReply, NotSupported, OutcomeUnknown, Refusal, VenueRefused, VenueUnreachable
from exchanges.okx import wire_account, wire_market, wire_orders, wire_rules, wire_stops
from exchanges.okx.codes import CODES
from exchanges.okx.countdown import Countdowns
from exchanges.okx.tongue import OkxHttp, OkxStreams, item_refusal, refusal_in
from exchanges.outcome import Effect, judge
from exchanges.session.subscription import Confirmed, Refused, Told
from grid.order import OrderStatus, Side
from grid.stop import StopStatus
from tests.unit.okx_messages import bill, btc, contracts, filled, order, position


def test_a_step_is_a_lot_in_base_currency() -> None:
    contract = btc()

    assert (contract.symbol, contract.instrument.step, contract.instrument.tick) == (
        "BTCUSDT",
        Decimal("0.0001"),
        Decimal("0.1"),
    )
    assert contract.steps({"sz": "1.25"}, "sz", "order") == 125
    assert contract.contracts(125) == Decimal("1.25")
    with pytest.raises(BadReply, match="no whole number"):
        contract.steps({"sz": "1.255"}, "sz", "order")


@pytest.mark.parametrize(("multiplier", "step"), [("1", "0.0001"), ("", "0.0001"), ("10", "0.001")])
def test_a_multiplier_of_the_contract_counts(multiplier: str, step: str) -> None:
    assert btc(ctMult=multiplier).instrument.step == Decimal(step)


def test_coin_margined_swaps_are_known_and_left_out() -> None:
    book = contracts()

    assert list(book.by_symbol) == ["BTCUSDT"]
    foreign = order(instId="BTC-USD-SWAP")
    assert wire_orders.reports({"data": [foreign, order()]}, book)[0].client_id == "g1cid0001"
    with pytest.raises(wire.UnknownSymbol):
        wire_orders.reports({"data": [order(instId="NEW-USDT-SWAP")]}, book)


def test_a_changed_lot_stops_trading_and_keeps_the_old_unit() -> None:
    renewed = contracts().renewed(contracts(lotSz="0.1"))

    assert renewed.of_symbol("BTCUSDT").lot == Decimal("0.01")
    assert not renewed.of_symbol("BTCUSDT").instrument.trading
    assert "restart" in renewed.changes["BTCUSDT"]


def test_a_resting_order_and_its_fill_are_read() -> None:
    resting = wire_orders.update(order(), contracts())
    update = wire_orders.update(filled(), contracts())

    assert (resting.report.status, resting.report.price, resting.report.quantity) == (OrderStatus.NEW, 599901, 125)
    assert resting.fill is None
    fill = update.fill
    assert fill is not None
    assert (fill.quantity, fill.price, fill.fee, fill.fee_asset) == (50, 599901, Decimal("0.0599901"), "USDT")
    assert (fill.is_maker, fill.trade_id, fill.side) == (True, "1518905529", Side.BUY)


def test_a_fill_without_its_fee_is_left_to_the_trades() -> None:
    update = wire_orders.update(filled(fillFee=""), contracts())

    assert update.fill is None
    assert update.report.filled == 50


@pytest.mark.parametrize(
    ("source", "status", "reason"),
    [
        ("1", OrderStatus.CANCELED, ""),
        ("31", OrderStatus.EXPIRED, "post_only"),
        ("14", OrderStatus.EXPIRED, "immediate_remainder"),
        ("20", OrderStatus.EXPIRED, "countdown"),
        ("23", OrderStatus.EXPIRED, "reduce_only"),
        ("17", OrderStatus.EXPIRED, "reduce_only"),
        ("77", OrderStatus.EXPIRED, "77"),
    ],
)
def test_the_reason_for_a_cancel_says_who_ended_it(source: str, status: OrderStatus, reason: str) -> None:
    report = wire_orders.report(order(state="canceled", cancelSource=source), contracts())

    assert (report.status, report.expiry_reason) == (status, reason)


@pytest.mark.parametrize(
    ("category", "beginning"),
    [
        ("full_liquidation", "autoclose-"),
        ("partial_liquidation", "autoclose-"),
        ("adl", "adl_autoclose"),
        ("delivery", "settlement_autoclose-"),
        ("normal", "nameless-"),
    ],
)
def test_an_order_of_the_venues_own_is_named_by_what_it_does(category: str, beginning: str) -> None:
    row = filled(clOrdId="", category=category, px="", ordType="market", fillPx="59990.17", execType="T", side="sell")
    if category == "normal":
        row["fillPx"] = "59990.1"
    update = wire_orders.update(row, contracts())

    assert update.report.client_id.startswith(beginning)
    assert update.report.price == 0
    assert update.fill is not None
    assert update.fill.price == 599901


def test_a_fill_of_ours_between_two_ticks_is_a_wrong_message() -> None:
    with pytest.raises(BadReply, match="fillPx"):
        wire_orders.update(filled(fillPx="59990.17"), contracts())


@pytest.mark.parametrize("changes", [{"state": "gone"}, {"sz": ""}, {"side": "long"}, {"uTime": ""}, {"clOrdId": None}])
def test_a_field_that_is_wrong_is_named(changes: dict[str, object]) -> None:
    with pytest.raises(BadReply):
        wire_orders.report(order(**changes), contracts())


def test_positions_are_signed_and_a_hedge_is_refused() -> None:
    (held,) = wire_account.positions({"data": [position(), position(instId="BTC-USD-SWAP")]}, contracts())

    assert (held.quantity, held.leverage, held.is_isolated) == (-250, 10, False)
    assert held.liquidation == Decimal("91234.5")
    with pytest.raises(NotSupported, match="hedge"):
        wire_account.positions({"data": [position(posSide="long")]}, contracts())


def test_a_position_that_was_closed_has_empty_fields() -> None:
    read = wire_account.position(position(pos="0", avgPx="", markPx="", upl="", liqPx=""), contracts())

    assert (read.quantity, read.entry_price, read.liquidation) == (0, Decimal(0), None)


def test_profit_and_fee_of_a_trade_are_two_rows_of_ours() -> None:
    by_id = contracts().by_id

    assert [(row.kind, row.amount, row.symbol) for row in wire_account.income(bill(), by_id)] == [
        ("REALIZED_PNL", Decimal(2), "BTCUSDT"),
        ("COMMISSION", Decimal("-0.06"), "BTCUSDT"),
    ]
    (funding,) = wire_account.income(bill(type="8", pnl="-0.3", fee="0", balChg="-0.3"), by_id)
    (transfer,) = wire_account.income(bill(type="1", instId="", pnl="", fee="", balChg="50"), by_id)
    assert (funding.kind, funding.amount) == ("FUNDING_FEE", Decimal("-0.3"))
    assert (transfer.kind, transfer.symbol, transfer.amount) == ("TRANSFER", "", Decimal(50))


def test_the_account_has_to_be_in_net_mode_and_may_not_share_collateral() -> None:
    balance = {"data": [{"details": [{"ccy": "USDT", "cashBal": "100", "availEq": "", "availBal": "90", "upl": "-1"}]}]}
    modes = {"acctLv": "2", "posMode": "net_mode", "perm": "read_only,trade"}

    plain = wire_account.account(balance, {"data": [modes]}, "USDT")
    shared = wire_account.account(balance, {"data": [{**modes, "acctLv": "3", "posMode": "long_short_mode"}]}, "USDT")
    spot = wire_account.account(balance, {"data": [{**modes, "acctLv": "1"}]}, "USDT")

    assert (plain.wallet, plain.available, plain.unrealised) == (Decimal(100), Decimal(90), Decimal(-1))
    assert (plain.is_one_way, plain.is_multi_asset, plain.can_trade) == (True, False, True)
    assert (shared.is_one_way, shared.is_multi_asset) == (False, True)
    assert not spot.can_trade
    with pytest.raises(BadReply, match="USDC"):
        wire_account.account(balance, {"data": [modes]}, "USDC")


def test_fees_are_of_the_group_of_the_swap_or_of_its_quote() -> None:
    grouped = {
        "makerU": "-0.0002",
        "takerU": "-0.0005",
        "feeGroup": [{"groupId": "4", "maker": "-0.0001", "taker": "-0.0003"}],
    }

    by_group = wire_account.fee_rates({"data": [grouped]}, btc())
    by_quote = wire_account.fee_rates({"data": [{**grouped, "feeGroup": []}]}, btc())

    assert (by_group.maker, by_group.taker) == (Decimal("0.0001"), Decimal("0.0003"))
    assert (by_quote.maker, by_quote.taker) == (Decimal("0.0002"), Decimal("0.0005"))
    with pytest.raises(BadReply):
        wire_account.fee_rates({"data": [{"maker": "-0.0002", "taker": "-0.0005"}]}, btc())


STOP_ROW: dict[str, Any] = {
    "instId": "BTC-USDT-SWAP",
    "algoId": "17",
    "algoClOrdId": "",
    "side": "sell",
    "slTriggerPx": "50000",
    "closeFraction": "1",
    "ordId": "",
    "state": "live",
}


def test_a_conditional_order_of_anybody_is_seen() -> None:
    (stop,) = wire_stops.reports({"data": [STOP_ROW]}, contracts())

    assert (stop.client_id, stop.trigger, stop.closes_position) == ("nameless-17", 500000, True)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("live", StopStatus.WAITING),
        ("pause", StopStatus.WAITING),
        ("effective", StopStatus.TRIGGERED),
        ("partially_effective", StopStatus.TRIGGERED),
        ("canceled", StopStatus.ENDED),
        ("order_failed", StopStatus.FAILED),
        ("partially_failed", StopStatus.FAILED),
    ],
)
def test_a_conditional_order_says_what_became_of_it(state: str, status: StopStatus) -> None:
    row = {**STOP_ROW, "state": state, "ordId": "9", "ordIdList": ["7", "9"], "failCode": "51008"}
    report = wire_stops.report(row, contracts())

    assert (report.status, report.order_id) == (status, "7")
    assert report.reason == ("51008" if status is StopStatus.FAILED else "")


def test_a_conditional_order_in_an_unknown_state_is_no_answer() -> None:
    with pytest.raises(BadReply, match="state"):
        wire_stops.report({**STOP_ROW, "state": "asleep"}, contracts())


def test_an_order_that_a_conditional_one_became_has_its_id() -> None:
    row = order(clOrdId="", algoClOrdId="gStop", algoId="17", side="sell", reduceOnly="true")
    told = wire_stops.triggered(row, contracts())

    assert wire_orders.report(row, contracts()).client_id == "gStop"
    assert told is not None
    assert (told.client_id, told.algo_id, told.order_id, told.status) == (
        "gStop",
        "17",
        row["ordId"],
        StopStatus.TRIGGERED,
    )
    assert wire_stops.triggered(order(), contracts()) is None


def test_a_book_is_a_quote_unless_a_side_is_empty_or_it_is_crossed() -> None:
    row = {"asks": [["60000.1", "3.25", "0", "1"]], "bids": [["60000", "0.5", "0", "2"]], "ts": "1", "seqId": 5}
    quote = wire_market.quote(row, btc(), 7)

    assert quote is not None
    assert (quote.bid, quote.ask, quote.bid_quantity, quote.ask_quantity) == (600000, 600001, 50, 325)
    assert wire_market.quote({**row, "asks": []}, btc(), 7) is None
    with pytest.raises(BadReply, match="crossed"):
        wire_market.quote({**row, "bids": row["asks"]}, btc(), 7)


def test_candles_come_newest_first_with_a_word_for_closed() -> None:
    rows = [
        ["1700000060000", "2", "3", "1", "2", "10", "0.1", "6000", "0"],
        ["1700000000000", "1", "2", "1", "2", "20", "0.2", "9000", "1"],
    ]
    first, last = wire_market.candles({"data": rows}, "BTCUSDT", 60_000)

    assert (first.open_ms, first.close_ms, first.is_closed, first.volume) == (
        1700000000000,
        1700000059999,
        True,
        Decimal("0.2"),
    )
    assert not last.is_closed
    with pytest.raises(VenueRefused):
        wire_market.bar("7m")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("50004", OutcomeUnknown),
        ("50026", OutcomeUnknown),
        ("59999", OutcomeUnknown),
        ("1", OutcomeUnknown),
        ("50013", VenueUnreachable),
        ("50011", VenueUnreachable),
        ("51008", VenueRefused),
    ],
)
def test_only_listed_codes_are_final(code: str, kind: type[Exception]) -> None:
    reply = refusal_in({"code": code, "msg": "words", "data": []}, 400, None)

    assert reply is not None
    assert type(judge(reply, Effect.WRITE, CODES)) is kind


def test_items_of_a_list_are_judged_one_by_one() -> None:
    body = {"code": "2", "data": [{"sCode": "0", "clOrdId": "a"}, {"sCode": "51008", "sMsg": "no margin"}]}

    assert OkxHttp().refusal(body, 400, None) is None
    assert item_refusal(body["data"][0]) is None  # type: ignore[arg-type]
    refused = item_refusal(body["data"][1])  # type: ignore[arg-type]
    assert refused is not None
    error = judge(refused, Effect.WRITE, CODES)
    assert isinstance(error, VenueRefused)
    assert error.refusal is Refusal.MARGIN


def test_streams_are_confirmed_one_by_one_and_a_notice_ends_them() -> None:
    tongue = OkxStreams()
    argument = {"channel": "bbo-tbt", "instId": "BTC-USDT-SWAP"}

    assert tongue.hear({"event": "subscribe", "arg": argument}) == Confirmed(names=("bbo-tbt:BTC-USDT-SWAP",))
    told = tongue.hear({"arg": argument, "data": []})
    assert isinstance(told, Told)
    assert told.name == "bbo-tbt:BTC-USDT-SWAP"
    assert isinstance(tongue.hear({"event": "error", "code": "60018", "msg": "no such"}), Refused)
    assert isinstance(tongue.hear({"event": "notice", "code": "64008", "msg": "upgrade"}), Refused)
    assert tongue.hear({"event": "channel-conn-count", "channel": "orders"}) is None


def test_the_switch_of_the_account_ends_with_the_last_symbol_that_wants_it() -> None:
    countdowns = Countdowns()

    assert countdowns.seconds("BTCUSDT", 30_000) == 30
    assert countdowns.seconds("ETHUSDT", 4_000) == 10
    assert countdowns.seconds("BTCUSDT", 0) is None
    assert countdowns.seconds("ETHUSDT", 0) == 0
    with pytest.raises(NotSupported):
        countdowns.seconds("BTCUSDT", 121_000)


def test_brackets_are_valued_and_join_each_other() -> None:
    rows = [
        {"tier": "2", "minSz": "500", "maxSz": "1000", "mmr": "0.01", "maxLever": "50"},
        {"tier": "1", "minSz": "0", "maxSz": "500", "mmr": "0.004", "maxLever": "100"},
    ]
    first, second = wire_account.tiers({"data": rows}, btc(), Decimal(60_000))

    assert (first.notional_floor, first.notional_cap, first.rate) == (Decimal(0), Decimal(300_000), Decimal("0.004"))
    assert (second.notional_floor, second.deduction) == (first.notional_cap, Decimal(0))
    with pytest.raises(BadReply):
        wire_rules.only_row({"data": []}, "nothing")
