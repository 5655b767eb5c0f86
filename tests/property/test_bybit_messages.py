"""Whatever Bybit sends, a parser gives a value or an error of the venue: never an exception of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.bybit import wire_account, wire_market, wire_orders, wire_rules, wire_stops
from exchanges.bybit.private_stream import EXECUTIONS, ORDERS, POSITIONS, PrivateStream
from exchanges.bybit.tongue import BybitHttp, BybitOrders, BybitStreams, result_of
from exchanges.errors import VenueError
from exchanges.session.buffers import WholeBuffer
from exchanges.session.request_socket import Unsuccessful
from exchanges.session.settings import Credentials
from tests.unit.test_bybit_market import book, reply
from tests.unit.test_bybit_wire import KNOWN, execution, ledger, order, position, wallet

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["", "-1", "0", "1e40", "NaN", "Infinity", "0.001", "9" * 60, [], {}, [1], {"a": 1}, [[]], [None]]),
)
STOP = order(stopOrderType="Stop", triggerPrice="1500", orderStatus="Untriggered")
CONTRACT: dict[str, Any] = {
    "symbol": "ETHUSDT",
    "contractType": "LinearPerpetual",
    "status": "Trading",
    "baseCoin": "ETH",
    "quoteCoin": "USDT",
    "settleCoin": "USDT",
    "priceFilter": {"minPrice": "0.1", "maxPrice": "100000", "tickSize": "0.05"},
    "lotSizeFilter": {"maxOrderQty": "1000", "minOrderQty": "0.01", "qtyStep": "0.01", "minNotionalValue": "5"},
    "riskParameters": {"priceLimitRatioX": "0.01"},
}
KLINE: dict[str, Any] = {
    "topic": "kline.1.ETHUSDT",
    "data": [
        {"start": 1, "end": 2, "open": "1", "close": "1", "high": "1", "low": "1", "volume": "1", "confirm": True}
    ],
}
TICKER: dict[str, Any] = {"topic": "tickers.ETHUSDT", "ts": 8, "data": {"symbol": "ETHUSDT", "markPrice": "1"}}
MODES = wire_account.Modes(margin=wire_account.CROSS)
TONGUE = BybitOrders(Credentials(api_key="k", api_secret="s"), lambda: 0, "life")


async def _known_already() -> None:
    """The rules are not read again: what they don't hold is unknown."""


STREAM = PrivateStream(
    buffer=WholeBuffer(1), instruments=lambda: KNOWN, reload_rules=_known_already, known_positions={}
)


def answered(message: dict[str, Any]) -> object:
    TONGUE.used(message, 0)
    return TONGUE.number(message) and TONGUE.result(message)


PARSERS: dict[str, tuple[dict[str, Any], Callable[[dict[str, Any]], object]]] = {
    "order": (order(orderStatus="Cancelled"), lambda row: wire_orders.report(row, KNOWN)),
    "execution": (execution(), lambda row: wire_orders.update(row, KNOWN)),
    "trades": (execution(), lambda row: wire_orders.trades({"list": [row]}, KNOWN)),
    "stop": (STOP, lambda row: wire_stops.report(row, KNOWN)),
    "position": (position(), lambda row: wire_account.streamed(row, KNOWN, {})),
    "wallet": (
        wallet()["list"][0],
        lambda row: wire_account.account({"list": [row]}, MODES, "USDT", is_one_way=True, can_trade=True),
    ),
    "coin": (
        wallet()["list"][0]["coin"][0],
        lambda row: wire_account.account(wallet(coin=[row]), MODES, "USDT", is_one_way=True, can_trade=True),
    ),
    "ledger": (ledger(), lambda row: wire_account.income({"list": [row]})),
    "contract": (CONTRACT, lambda row: wire_rules.instruments({"list": [row]})),
    "book": (book([["1", "1"]], [["2", "1"]])["data"], lambda row: _quote(row)),
    "kline": (KLINE["data"][0], lambda row: wire_market.streamed_candles({**KLINE, "data": [row]})),
    "ticker": (TICKER["data"], lambda row: wire_market.Marks().take({**TICKER, "data": row})),
    "reply": (reply(0), answered),
    "http": (
        {"retCode": 0, "retMsg": "", "result": {}},
        lambda row: BybitHttp("orders").refusal(row, 200, None) or result_of(row, "x"),
    ),
    "heard": ({"op": "subscribe", "success": True, "ret_msg": "", "topic": "x"}, BybitStreams().hear),
    "event of orders": (STOP, lambda row: STREAM._events({"topic": ORDERS, "data": [row]})),
    "event of executions": (execution(), lambda row: STREAM._events({"topic": EXECUTIONS, "data": [row]})),
    "event of positions": (position(), lambda row: STREAM._events({"topic": POSITIONS, "data": [row]})),
}


def _quote(row: dict[str, Any]) -> object:
    message = {**book([], []), "data": row}
    wire_market.update_id(message)
    return wire_market.streamed_quote(message, KNOWN, 0)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=60)
@given(data=st.data())
def test_a_message_with_any_fields_changed_or_gone_is_a_value_or_an_error_of_the_venue(
    name: str, data: st.DataObject
) -> None:
    sample, parse = PARSERS[name]
    changed = dict(sample)
    for key in data.draw(st.lists(st.sampled_from(sorted(sample)), min_size=1, max_size=3)):
        if data.draw(st.booleans()):
            changed[key] = data.draw(ODD)
        else:
            changed.pop(key, None)
    try:
        parse(changed)
    except (VenueError, Unsuccessful):
        pass
