"""Bybit's market data, subscriptions, order replies and codes."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.bybit import wire_market, wire_rules
from exchanges.bybit.codes import CODES
from exchanges.bybit.tongue import BybitHttp, BybitOrders, BybitStreams, used_of
from exchanges.errors import (
    BadReply,
    NotSupported,
    OutcomeUnknown,
    Refusal,
    VenueError,
    VenueRefused,
    VenueUnreachable,
)
from exchanges.outcome import Effect, Reply, judge
from exchanges.session.request_socket import Unsuccessful
from exchanges.session.settings import Credentials
from exchanges.session.subscription import Confirmed, Refused, Told
from grid.instrument import Instrument

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


def book(bids: list[list[str]], asks: list[list[str]], update_id: int = 7) -> dict[str, Any]:
    data = {"s": "ETHUSDT", "b": bids, "a": asks, "u": update_id, "seq": 9}
    return {"topic": "orderbook.1.ETHUSDT", "type": "snapshot", "ts": 1672304484978, "data": data, "cts": 1}


def test_a_book_of_one_level_is_a_quote_unless_a_side_is_empty_or_crossed() -> None:
    quote = wire_market.streamed_quote(book([["1600.01", "2.5"]], [["1600.02", "1"]]), KNOWN, 5)

    assert quote is not None
    assert (quote.bid, quote.bid_quantity, quote.ask, quote.ask_quantity) == (160001, 250, 160002, 100)
    assert wire_market.streamed_quote(book([], [["1600.02", "1"]]), KNOWN, 5) is None
    with pytest.raises(BadReply, match="crossed"):
        wire_market.streamed_quote(book([["1600.03", "1"]], [["1600.02", "1"]]), KNOWN, 5)


def test_marks_come_from_a_state_and_its_changes() -> None:
    marks = wire_market.Marks()

    def said(data: dict[str, Any]) -> Any:
        return marks.take({"topic": "tickers.ETHUSDT", "ts": 8, "data": {"symbol": "ETHUSDT", **data}})

    assert said({"lastPrice": "1"}) is None
    assert said({"markPrice": "1600.5"}) == ("ETHUSDT", Decimal("1600.5"), 8)
    assert said({"lastPrice": "2"}) == ("ETHUSDT", Decimal("1600.5"), 8)
    marks.forget()
    assert said({"lastPrice": "2"}) is None


def test_candles_come_newest_first_and_are_given_oldest_first() -> None:
    rows = [["120000", "2", "4", "1", "3", "10", "1"], ["60000", "1", "2", "1", "2", "5", "1"]]
    first, last = wire_market.rest_candles({"list": rows}, "ETHUSDT", 60_000)

    assert (first.open_ms, first.close_ms, first.is_closed) == (60_000, 119_999, True)
    assert (last.open_ms, last.close, last.is_closed) == (120_000, Decimal(3), False)
    with pytest.raises(NotSupported, match="1s"):
        wire_market.interval_of("1s")


def test_the_recorded_contracts_are_read(shared_data: Path) -> None:
    raw = (shared_data / "exchange_info" / "bybit_v5_instruments-info_linear_SAMPLE.json.gz").read_bytes()
    found = wire_rules.instruments(json.loads(gzip.decompress(raw))["result"])
    btc, eth = found["BTCUSDT"], found["ETHUSDT"]

    assert (btc.tick, btc.step, btc.notional_min, btc.quantity_min) == (Decimal("0.5"), Decimal("0.001"), Decimal(5), 1)
    assert (eth.tick, eth.step, eth.quantity_max) == (Decimal("0.05"), Decimal("0.01"), 100_000)
    assert all(one.trading and one.orders_max == 500 for one in found.values())


def test_streams_confirm_refuse_and_tell() -> None:
    tongue = BybitStreams()

    assert tongue.requests(["a", "b"]) == [{"op": "subscribe", "args": ["a", "b"]}]
    assert tongue.hear({"success": True, "ret_msg": "", "op": "subscribe"}) == Confirmed(names=None)
    assert tongue.hear({"success": False, "ret_msg": "handler not found", "op": "subscribe"}) == Refused(
        words="handler not found"
    )
    assert tongue.hear({"success": True, "ret_msg": "pong", "op": "ping"}) is None
    message = {"topic": "tickers.ETHUSDT", "data": {}}
    assert tongue.hear(message) == Told(name="tickers.ETHUSDT", content=message)


def reply(code: int, **changes: Any) -> dict[str, Any]:
    told = {"reqId": "life-3", "retCode": code, "retMsg": "words", "op": "order.create"}
    head = {"X-Bapi-Limit": "10", "X-Bapi-Limit-Status": "7", "Timenow": "1711001595209"}
    return {**told, "data": {"orderId": UID, "orderLinkId": "g1"}, "header": head, **changes}


def test_order_replies_are_matched_counted_and_judged() -> None:
    tongue = BybitOrders(Credentials(api_key="k", api_secret="s"), lambda: 0, "life")

    assert json.loads(tongue.frame("3", "order.create", {"args": []}))["reqId"] == "life-3"
    assert tongue.number(reply(0)) == "3"
    assert tongue.number(reply(0, reqId="other-3")) is None
    assert tongue.number({"op": "pong", "retCode": 0}) is None
    used = tongue.used(reply(0), 5)
    assert used is not None
    assert used.used == {("orders", 1000): 3}
    assert tongue.result(reply(0))["time"] == 1711001595209
    with pytest.raises(Unsuccessful) as caught:
        tongue.result(reply(110007))
    assert caught.value.reply.code == 110007


def test_headers_count_only_where_their_address_is_known() -> None:
    headers = {"X-Bapi-Limit": "10", "X-Bapi-Limit-Status": "9"}

    assert BybitHttp().used(headers, 1) is None
    told = BybitHttp("cancels").used(headers, 1)
    assert told is not None
    assert told.used == {("cancels", 1000): 1}
    assert used_of({"X-Bapi-Limit": "ten", "X-Bapi-Limit-Status": "9"}, "orders", 1) is None


@pytest.mark.parametrize(
    ("status", "code", "kind", "word"),
    [
        (400, 110072, VenueRefused, Refusal.DUPLICATE_ID),
        (400, 110001, VenueRefused, Refusal.UNKNOWN_ORDER),
        (400, 110007, VenueRefused, Refusal.MARGIN),
        (400, 110017, VenueRefused, Refusal.REDUCE_ONLY_CONFLICT),
        (400, 10002, VenueRefused, Refusal.CLOCK),
        (400, 10003, VenueRefused, Refusal.CREDENTIALS),
        (400, 110094, VenueRefused, Refusal.FILTER),
        (400, 10006, VenueUnreachable, None),
        (400, 10018, VenueUnreachable, None),
        (403, None, VenueUnreachable, None),
        (400, 10000, OutcomeUnknown, None),
        (400, 10016, OutcomeUnknown, None),
        (503, None, OutcomeUnknown, None),
        (400, 99999, OutcomeUnknown, None),
    ],
)
def test_only_what_is_listed_is_final(
    status: int, code: int | None, kind: type[VenueError], word: Refusal | None
) -> None:
    error = judge(Reply(status=status, code=code, message="words"), Effect.WRITE, CODES)

    assert type(error) is kind
    if isinstance(error, VenueRefused):
        assert error.refusal is word
    if status == 403:
        assert isinstance(error, VenueUnreachable)
        assert error.banned
        assert error.retry_after_s == 600
