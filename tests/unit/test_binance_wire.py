"""Messages become frozen values, or are refused by the name of the field that is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exchanges import wire
from exchanges.binance import quota, wire_account, wire_market, wire_orders, wire_rules
from exchanges.errors import BadReply, NotSupported
from exchanges.port import ConfigurationChanged, Position
from grid.order import OrderStatus, Side
from tests.unit.binance_messages import exchange_info, instrument, order_event, order_reply, symbol_entry

KNOWN = {"ETHUSDT": instrument()}


def test_a_trade_event_is_a_report_and_a_fill() -> None:
    update = wire_orders.update(order_event(), KNOWN)

    assert update.fill is not None
    assert update.report.order_id == "8389765739703625592"
    assert (update.report.filled, update.report.quantity, update.report.price) == (4, 10, 299600)
    assert update.fill.key == ("ETHUSDT", "8389765739703625592", "4467432841")
    assert (update.fill.price, update.fill.quantity, update.fill.is_maker) == (299600, 4, True)
    assert (update.fill.fee, update.fill.fee_asset) == (Decimal("0.00239680"), "USDT")


def test_a_fee_in_another_coin_keeps_its_coin() -> None:
    update = wire_orders.update(order_event(n="0.00000123", N="BNB"), KNOWN)

    assert update.fill is not None
    assert (update.fill.fee, update.fill.fee_asset) == (Decimal("0.00000123"), "BNB")


@pytest.mark.parametrize("execution", ["NEW", "CANCELED", "EXPIRED", "AMENDMENT"])
def test_an_event_that_is_no_trade_has_no_fill(execution: str) -> None:
    assert wire_orders.update(order_event(x=execution), KNOWN).fill is None


def test_a_liquidation_is_a_fill_even_between_two_ticks() -> None:
    event = order_event(x="CALCULATED", c="autoclose-1", S="SELL", L="2895.4321")
    event["o"].pop("n")
    event["o"].pop("N")

    update = wire_orders.update(event, KNOWN)

    assert update.fill is not None
    assert (update.fill.client_id, update.fill.price) == ("autoclose-1", 289543)
    assert (update.fill.fee, update.fill.fee_asset) == (Decimal(0), "USDT")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("NEW", OrderStatus.NEW),
        ("EXPIRED_IN_MATCH", OrderStatus.EXPIRED),
        ("CANCELED", OrderStatus.CANCELED),
        ("NEW_INSURANCE", OrderStatus.NEW),
    ],
)
def test_each_status_of_the_venue_has_ours(word: str, status: OrderStatus) -> None:
    assert wire_orders.report(order_reply(status=word), KNOWN).status is status


def test_an_expiry_tells_its_reason() -> None:
    assert wire_orders.update(order_event(x="EXPIRED", X="EXPIRED", er="8"), KNOWN).report.expiry_reason == "8"


BROKEN_EVENTS: list[tuple[dict[str, Any], str]] = [
    ({"q": "0.0105"}, "o.q"),
    ({"L": "2996.005"}, "o.L"),
    ({"X": "HALF"}, "o.X"),
    ({"S": "HOLD"}, "o.S"),
    ({"m": "true"}, "o.m"),
    ({"z": "NaN"}, "o.z"),
    ({"i": None}, "o.i"),
    ({"c": 12}, "o.c"),
    ({"s": "XXXUSDT"}, "XXXUSDT"),
]


@pytest.mark.parametrize(("change", "field"), BROKEN_EVENTS)
def test_a_wrong_field_of_an_event_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(BadReply, match=field.replace(".", r"\.")):
        wire_orders.update(order_event(**change), KNOWN)


@pytest.mark.parametrize(
    "key", ["symbol", "orderId", "clientOrderId", "side", "status", "price", "origQty", "updateTime"]
)
def test_a_missing_field_of_a_reply_is_named(key: str) -> None:
    reply = order_reply()
    del reply[key]

    with pytest.raises(BadReply, match=key):
        wire_orders.report(reply, KNOWN)


def test_one_unreadable_order_spoils_the_list() -> None:
    with pytest.raises(BadReply):
        wire_orders.reports([order_reply(), order_reply(status="HALF")], KNOWN)


def test_a_foreign_order_of_an_older_tick_does_not() -> None:
    reports = wire_orders.reports([order_reply(price="2996.005", clientOrderId="web_1")], KNOWN)

    assert reports[0].price == 299600


def test_exchange_information_becomes_instruments_and_windows() -> None:
    rules = wire_rules.venue_rules(exchange_info("ETHUSDT"), 2000)
    ether = rules.instruments["ETHUSDT"]

    assert (ether.tick, ether.step) == (Decimal("0.01"), Decimal("0.001"))
    assert (ether.price_min, ether.quantity_min, ether.orders_max) == (3986, 1, 200)
    assert (ether.notional_min, ether.percent_up, ether.percent_down) == (Decimal(20), Decimal("1.05"), Decimal("0.95"))
    assert {(w.kind, w.interval_ms, w.limit) for w in rules.rate_windows} == {
        ("weight", 60_000, 2400),
        ("orders", 60_000, 1200),
        ("orders", 10_000, 300),
    }


def test_a_symbol_that_does_not_trade_says_so() -> None:
    assert not wire_rules.instrument(symbol_entry(status="SETTLING")).trading


@pytest.mark.parametrize("kind", ["PRICE_FILTER", "LOT_SIZE", "MIN_NOTIONAL", "MAX_NUM_ORDERS", "PERCENT_PRICE"])
def test_a_filter_is_never_guessed(kind: str) -> None:
    entry = symbol_entry()
    entry["filters"] = [row for row in entry["filters"] if row["filterType"] != kind]

    with pytest.raises(BadReply):
        wire_rules.instrument(entry)


def test_a_tick_of_zero_is_refused() -> None:
    entry = symbol_entry()
    entry["filters"][0]["tickSize"] = "0"

    with pytest.raises(BadReply, match="tickSize"):
        wire_rules.instrument(entry)


def position_row(**changes: Any) -> dict[str, Any]:
    row = {
        "symbol": "ETHUSDT",
        "positionSide": "BOTH",
        "positionAmt": "0.020",
        "entryPrice": "2997.0",
        "markPrice": "2999.00000000",
        "unRealizedProfit": "0.04000000",
        "liquidationPrice": "1520.3",
        "leverage": "10",
        "marginType": "cross",
        "updateTime": 1700000000123,
    }
    return {**row, **changes}


def test_a_flat_position_of_a_configured_symbol_is_part_of_the_reading() -> None:
    rows = [position_row(positionAmt="0.000", liquidationPrice="0")]
    held = wire_account.positions(rows, KNOWN, ["ETHUSDT"])

    assert [(one.quantity, one.liquidation, one.leverage) for one in held] == [(0, None, 10)]


def test_a_reading_without_a_configured_symbol_is_no_reading() -> None:
    with pytest.raises(BadReply, match="ETHUSDT"):
        wire_account.positions([], KNOWN, ["ETHUSDT"])


def test_a_hedge_position_is_not_netted() -> None:
    with pytest.raises(NotSupported, match="LONG"):
        wire_account.positions([position_row(positionSide="LONG")], KNOWN, [])


def account_update(**changes: Any) -> dict[str, Any]:
    row = {
        "s": "ETHUSDT",
        "pa": "-0.020",
        "ep": "3000.0",
        "cr": "0",
        "up": "0.5",
        "mt": "cross",
        "iw": "0",
        "ps": "BOTH",
    }
    return {
        "e": "ACCOUNT_UPDATE",
        "T": 1700000000123,
        "E": 1700000000124,
        "a": {"m": "ORDER", "B": [], "P": [{**row, **changes}]},
    }


def test_a_streamed_position_tells_the_mark_it_implies() -> None:
    (event,) = wire_account.streamed_positions(account_update(), KNOWN, {})

    assert isinstance(event, Position)
    assert (event.quantity, event.entry_price, event.mark_price) == (-20, Decimal("3000.0"), Decimal("2975.0"))
    assert event.leverage == 0


def test_a_streamed_hedge_position_is_reported_as_a_change_of_mode() -> None:
    (event,) = wire_account.streamed_positions(account_update(ps="LONG"), KNOWN, {})

    assert isinstance(event, ConfigurationChanged)
    assert "hedge" in event.what


def test_the_empty_sides_of_a_hedge_are_no_news() -> None:
    assert wire_account.streamed_positions(account_update(ps="LONG", pa="0"), KNOWN, {}) == []


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"ac": {"s": "ETHUSDT", "l": 25}}, "leverage of ETHUSDT is 25"),
        ({"ai": {"j": True}}, "multi-assets mode is on"),
    ],
)
def test_a_change_of_configuration_is_said_in_words(message: dict[str, Any], words: str) -> None:
    assert wire_account.configuration_change(message).what == words


def test_margin_ratios_given_as_bare_numbers_stay_exact() -> None:
    bracket = {
        "bracket": 1,
        "initialLeverage": 75,
        "notionalCap": 10000,
        "notionalFloor": 0,
        "maintMarginRatio": 0.0065,
        "cum": 0.0,
    }
    (tier,) = wire_account.tiers([{"symbol": "ETHUSDT", "brackets": [bracket]}], "ETHUSDT")

    assert (tier.rate, tier.leverage_max) == (Decimal("0.0065"), 75)


def book(**changes: Any) -> dict[str, Any]:
    row = {
        "e": "bookTicker",
        "u": 5,
        "s": "ETHUSDT",
        "b": "2999.99",
        "B": "1.5",
        "a": "3000.01",
        "A": "2",
        "T": 7,
        "E": 8,
    }
    return {**row, **changes}


def test_a_quote_keeps_both_clocks_apart() -> None:
    quote = wire_market.streamed_quote(book(), KNOWN, 99)

    assert quote is not None
    assert (quote.bid, quote.ask, quote.bid_quantity, quote.ask_quantity) == (299999, 300001, 1500, 2000)
    assert (quote.venue_ms, quote.received_ns) == (7, 99)


@pytest.mark.parametrize("side", [{"b": "0.00", "B": "0"}, {"a": "0.00", "A": "0"}])
def test_half_a_book_is_no_quote(side: dict[str, str]) -> None:
    assert wire_market.streamed_quote(book(**side), KNOWN, 0) is None


def test_a_crossed_book_is_a_bad_message() -> None:
    with pytest.raises(BadReply, match="crossed"):
        wire_market.streamed_quote(book(b="3000.01"), KNOWN, 0)


def test_the_last_candle_of_a_reply_is_still_running() -> None:
    rows = [[n * 60_000, "1", "2", "0.5", "1.5", "10", n * 60_000 + 59_999, "0", 1, "0", "0", "0"] for n in range(3)]
    candles = wire_market.rest_candles(rows, "ETHUSDT")

    assert [candle.is_closed for candle in candles] == [True, True, False]
    assert (candles[0].open_ms, candles[0].close_ms, candles[0].volume) == (0, 59_999, Decimal(10))


def test_used_quota_is_read_from_headers_of_any_case() -> None:
    headers = {"X-MBX-USED-WEIGHT-1M": "17", "x-mbx-order-count-10s": "3", "X-Mbx-Order-Count-1m": "9", "Date": "now"}
    used = quota.from_headers(headers, 5)

    assert used is not None
    assert used.used == {("weight", 60_000): 17, ("orders", 10_000): 3, ("orders", 60_000): 9}


def test_used_quota_is_read_from_a_socket_reply() -> None:
    row = {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300, "count": 4}
    raw = {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61000, "count": 1}
    used = quota.from_reply([row, raw], 5)

    assert used is not None
    assert used.used == {("orders", 10_000): 4}


@pytest.mark.parametrize("raw", [b"", b"<html>", b'{"orderId": 1', b"\xff\xfe"])
def test_what_is_no_json_is_a_bad_reply(raw: bytes) -> None:
    with pytest.raises(BadReply, match="no JSON"):
        wire.decode(raw, "rest")


def test_sides_are_ours() -> None:
    assert wire_orders.report(order_reply(side="SELL"), KNOWN).side is Side.SELL
