"""Whatever a venue answers, reading it gives what was said, or an error that names the field: never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import astuple, is_dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exchanges import wire
from exchanges.binance import quota, wire_account, wire_market, wire_orders, wire_rules
from exchanges.binance.codes import CODES
from exchanges.binance.tongue import BinanceHttp, BinanceOrders, BinanceStreams
from exchanges.errors import BadReply, VenueError
from exchanges.hosts import HostPolicy
from exchanges.outcome import Effect, judge
from exchanges.port import Position
from exchanges.session.ages import Ages, StreamName
from exchanges.session.http import HttpClient, _Failed
from exchanges.session.request_socket import RequestSocket, Unsuccessful
from exchanges.session.subscription import Subscription
from exchanges.websocket import SocketTimes
from tests.mutants import mutants, odd_values, spoilt_text
from tests.unit.binance_messages import exchange_info, instrument, order_event, order_reply

ETH = {"ETHUSDT": instrument(), "BTCUSDT": instrument("BTCUSDT", tick="0.1")}
POSITION = {
    "symbol": "ETHUSDT",
    "positionAmt": "0.010",
    "entryPrice": "2996.0",
    "markPrice": "3000.10",
    "unRealizedProfit": "0.041",
    "liquidationPrice": "1200.5",
    "leverage": "5",
    "marginType": "cross",
    "positionSide": "BOTH",
    "updateTime": 1700000000123,
}
BALANCES = {
    "assets": [
        {"asset": "USDT", "walletBalance": "1000.5", "availableBalance": "900.25", "unrealizedProfit": "-1.5"},
        {"asset": "BNB", "walletBalance": "0", "availableBalance": "0", "unrealizedProfit": "0"},
    ]
}
MODES = {"dualSidePosition": False, "multiAssetsMargin": False, "canTrade": True}
TRADE = {
    "symbol": "ETHUSDT",
    "id": 4467432841,
    "orderId": 8389765739703625592,
    "side": "BUY",
    "price": "2996.00",
    "qty": "0.004",
    "commission": "0.0023968",
    "commissionAsset": "USDT",
    "maker": True,
    "time": 1700000000123,
}
ROW = [1700000000000, "3000.1", "3001", "2999", "3000", "12.5", 1700000059999, "37500", 12, "6", "18000", "0"]
ACCOUNT_UPDATE = {
    "e": "ACCOUNT_UPDATE",
    "E": 1,
    "T": 1700000000123,
    "a": {"B": [], "P": [{"s": "ETHUSDT", "pa": "0.010", "ep": "2996", "up": "0.04", "mt": "cross", "ps": "BOTH"}]},
}
BOOK = {"e": "bookTicker", "u": 7, "s": "ETHUSDT", "b": "2999.99", "B": "1", "a": "3000.01", "A": "1", "T": 1, "E": 1}
REST_BOOK = {"symbol": "ETHUSDT", "bidPrice": "1", "bidQty": "1", "askPrice": "2", "askQty": "1", "time": 1}
CANDLE = dict(zip(("s", "t", "T", "o", "h", "l", "c", "v"), ("ETHUSDT", 1, 2, "3", "4", "2", "3", "9"), strict=True))
BRACKET = {
    "bracket": 1,
    "initialLeverage": 75,
    "notionalCap": 10000,
    "notionalFloor": 0,
    "maintMarginRatio": 0.005,
    "cum": 0.0,
}
INCOME = {"symbol": "", "incomeType": "TRANSFER", "income": "-0.375", "asset": "USDT", "time": 1, "tranId": 968932}
CONDUCT = {
    "indicators": {
        "ETHUSDT": [
            {"isLocked": True, "plannedRecoverTime": 1, "indicator": "UFR", "value": 0.05, "triggerValue": 0.995}
        ]
    }
}
LIMITS = [{"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300, "count": 3}]
LEVERAGE_CHANGE = {"e": "ACCOUNT_CONFIG_UPDATE", "T": 1, "ac": {"s": "ETHUSDT", "l": 25}}
MODE_CHANGE = {"e": "ACCOUNT_CONFIG_UPDATE", "T": 1, "ai": {"j": True}}

READINGS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "rules": (exchange_info(), lambda m: wire_rules.venue_rules(m, 2000)),
    "order": (order_reply(), lambda m: wire_orders.report(wire.mapping(m, "order"), ETH)),
    "orders": ([order_reply(), order_reply(side="SELL")], lambda m: wire_orders.reports(m, ETH)),
    "order event": (order_event(), lambda m: wire_orders.update(wire.mapping(m, "private"), ETH)),
    "liquidation": (order_event(x="CALCULATED", L="2996.005"), lambda m: wire_orders.update(wire.mapping(m, "p"), ETH)),
    "trade": (TRADE, lambda m: wire_orders.trade(wire.mapping(m, "userTrades"), ETH)),
    "positions": ([POSITION, {**POSITION, "symbol": "BTCUSDT"}], lambda m: wire_account.positions(m, ETH, ["ETHUSDT"])),
    "position event": (ACCOUNT_UPDATE, lambda m: wire_account.streamed_positions(wire.mapping(m, "p"), ETH, {})),
    "account": ([BALANCES, MODES], lambda m: wire_account.account(*_two(m), "USDT", burns_other_asset=False)),
    "fees": (
        {"symbol": "ETHUSDT", "makerCommissionRate": "0.0002", "takerCommissionRate": "0.0005"},
        wire_account.fee_rates,
    ),
    "tiers": ([{"symbol": "ETHUSDT", "brackets": [BRACKET]}], lambda m: wire_account.tiers(m, "ETHUSDT")),
    "income": ([INCOME], wire_account.income),
    "conduct": (CONDUCT, wire_account.conduct),
    "leverage": (LEVERAGE_CHANGE, lambda m: wire_account.configuration_change(wire.mapping(m, "p"))),
    "mode": (MODE_CHANGE, lambda m: wire_account.configuration_change(wire.mapping(m, "p"))),
    "quote event": (BOOK, lambda m: wire_market.streamed_quote(wire.mapping(m, "s"), ETH, 0)),
    "quote": (REST_BOOK, lambda m: wire_market.rest_quote(m, ETH["ETHUSDT"], 0)),
    "candle event": ({"k": {**CANDLE, "x": False}}, lambda m: wire_market.streamed_candle(wire.mapping(m, "s"))),
    "candles": ([ROW, ROW], lambda m: wire_market.rest_candles(m, "ETHUSDT")),
    "mark": (
        {"e": "markPriceUpdate", "s": "ETHUSDT", "p": "3000", "E": 1},
        lambda m: wire_market.mark(wire.mapping(m, "s")),
    ),
    "limits": (LIMITS, lambda m: quota.from_reply(m, 0)),
}


def _two(message: Any) -> tuple[Any, Any]:
    if not isinstance(message, list) or len(message) != 2:
        raise BadReply("no pair")
    return message[0], message[1]


def told(reading: Callable[[Any], Any], raw: bytes) -> Any:
    """Return what was read, None where the venue's error tree says that it was no good."""
    try:
        return reading(wire.decode(raw, "fuzz"))
    except VenueError as error:
        refused = str(error)
    assert len(refused) < 1500, "a line of a log holds it"
    return None


def written(document: Any) -> bytes:
    """Return the document as a venue might send it; numbers of any size, NaN too."""
    return json.dumps(document).encode()


def numbers(value: Any) -> list[Any]:
    """Return every number inside what was read."""
    if is_dataclass(value) and not isinstance(value, type):
        return numbers(astuple(value))
    if isinstance(value, dict):
        return numbers([*value.values()])
    if isinstance(value, list | tuple):
        return [number for inner in value for number in numbers(inner)]
    return [value] if isinstance(value, int | Decimal) else []


@pytest.mark.parametrize("name", READINGS)
def test_the_sound_message_is_read(name: str) -> None:
    sound, reading = READINGS[name]

    assert told(reading, written(sound)) is not None


@pytest.mark.parametrize("name", READINGS)
@settings(max_examples=150)
@given(choice=st.data())
def test_a_spoilt_message_is_read_or_refused_by_name(name: str, choice: st.DataObject) -> None:
    sound, reading = READINGS[name]
    read = told(reading, written(choice.draw(mutants(sound))))

    # what was read can be booked, journalled and reckoned with
    for number in numbers(read):
        assert number == 0 or abs(number) < 2**64 * 10**6
        assert not isinstance(number, Decimal) or number.is_finite()


@pytest.mark.parametrize("name", ["order event", "positions", "rules", "candles"])
@settings(max_examples=150)
@given(choice=st.data())
def test_spoilt_text_is_refused_as_text(name: str, choice: st.DataObject) -> None:
    sound, reading = READINGS[name]

    told(reading, choice.draw(spoilt_text(written(sound))))


@settings(max_examples=200)
@given(changed=mutants([POSITION]))
def test_no_spoilt_reading_of_positions_says_flat(changed: Any) -> None:
    held = told(lambda m: wire_account.positions(m, ETH, ["ETHUSDT"]), written(changed))

    for position in held or ():
        assert isinstance(position, Position)
        if position.quantity == 0:
            rows = [row for row in changed if row.get("symbol") == "ETHUSDT"]
            assert all(Decimal(str(row["positionAmt"])) == 0 for row in rows), "flat is only what says so itself"


def test_two_rows_that_contradict_each_other_are_no_reading() -> None:
    flat = {**POSITION, "positionAmt": "0"}

    with pytest.raises(BadReply, match="two different rows"):
        wire_account.positions([POSITION, flat], ETH, ["ETHUSDT"])


@pytest.mark.parametrize(
    ("change", "field"),
    [({"l": "-0.004"}, "o.l"), ({"l": "0"}, "o.l"), ({"L": "0"}, "o.L"), ({"z": "-1"}, "o.z"), ({"p": "-1"}, "o.p")],
)
def test_a_trade_that_would_move_a_lot_the_wrong_way_is_no_trade(change: dict[str, str], field: str) -> None:
    with pytest.raises(BadReply, match=field):
        wire_orders.update(order_event(**change), ETH)


BAN_S_MAX = 3 * 24 * 3600
BODIES = st.one_of(
    mutants(order_reply()).map(written),
    mutants({"code": -2019, "msg": "Margin is insufficient."}).map(written),
    spoilt_text(written({"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."})),
)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "X-MBX-USED-WEIGHT-1M", "X-MBX-ORDER-COUNT-10S", "x-mbx-used-weight-٣m", "Date"]),
    st.one_of(
        st.sampled_from(["", "0", "5", "-1", "²", "٣", "1e9", "9" * 400, "9" * 5000, "Wed, 21 Oct 2026"]), st.text()
    ),
)


@settings(max_examples=150)
@given(
    status=st.sampled_from([200, 200, 400, 401, 403, 404, 418, 429, 500, 502, 503, 504]), headers=HEADERS, body=BODIES
)
@example(status=429, headers={"Retry-After": "²"}, body=b"")
@example(status=200, headers={"X-MBX-USED-WEIGHT-1M": "9" * 5000}, body=b"{}")
def test_every_http_reply_has_an_outcome(status: int, headers: dict[str, str], body: bytes) -> None:
    seen: list[object] = []
    client = HttpClient(HostPolicy.of(()), BinanceHttp(), lambda: 0, 1.0)
    client.on_quota = seen.append
    for effect in Effect:
        try:
            client._result(status, headers, body, BinanceHttp())
            continue
        except _Failed as failed:
            outcome = judge(failed.reply, effect, CODES)
        except BadReply as failure:
            outcome = judge(failure, effect, CODES)
        assert 0 <= getattr(outcome, "retry_after_s", 0.0) <= BAN_S_MAX


SOCKET_REPLY = {"id": "1", "status": 200, "result": order_reply(), "rateLimits": LIMITS}
SOCKET_ERROR = {
    "id": "1",
    "status": 418,
    "error": {"code": -1003, "msg": "banned", "data": {"serverTime": 1700000000000, "retryAfter": 1700000060000}},
    "rateLimits": LIMITS,
}
TIMES = SocketTimes(open_timeout_s=1, ping_interval_s=1, ping_timeout_s=1)


@settings(max_examples=150)
@given(reply=st.one_of(mutants(SOCKET_REPLY), mutants(SOCKET_ERROR)))
def test_every_answer_of_the_order_socket_has_an_outcome(reply: Any) -> None:
    entry = RequestSocket(
        url="ws://127.0.0.1:1",
        tongue=BinanceOrders(),
        policy=HostPolicy.of(()),
        times=TIMES,
        in_flight_max=1,
        monotonic_ns=lambda: 0,
        on_quota=lambda used: None,
    )
    try:
        entry._result(wire.mapping(wire.decode(written(reply), "ws-fapi"), "ws-fapi"))
        return
    except Unsuccessful as refused:
        outcome = judge(refused.reply, Effect.WRITE, CODES)
    except BadReply as failure:
        outcome = judge(failure, Effect.WRITE, CODES)
    assert 0 <= getattr(outcome, "retry_after_s", 0.0) <= BAN_S_MAX


@settings(max_examples=200)
@given(frame=mutants({"stream": "ethusdt@bookTicker", "data": BOOK}), name=odd_values)
def test_a_frame_of_a_stream_is_taken_counted_or_refused(frame: Any, name: Any) -> None:
    taken: list[str] = []

    async def take(stream: str, row: wire.Row) -> None:
        taken.append(stream)

    async def announce(event: object) -> None:
        taken.append("state")

    stream = Subscription(
        url="ws://127.0.0.1:1",
        names=[StreamName(venue="ethusdt@bookTicker", ours="quote/ETHUSDT")],
        tongue=BinanceStreams(),
        policy=HostPolicy.of(()),
        times=TIMES,
        ages=Ages(lambda: 0),
        take=take,
        announce=announce,
    )
    for message in (frame, {"stream": name, "data": BOOK}):
        before = len(taken) + stream.ignored
        try:
            _drive(stream.message(written(message)))
        except BadReply:
            continue
        assert len(taken) + stream.ignored == before + 1


def _drive(call: Any) -> None:
    """Run a coroutine that waits for nothing."""
    with pytest.raises(StopIteration):
        call.send(None)
