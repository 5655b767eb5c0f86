"""Gate's messages to ours: sizes of contracts, ends of orders, decrees, tiers, and what no message may say."""

from __future__ import annotations

import gzip
import json
import lzma
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges import wire
from exchanges.desk.decrees import decree_of
from exchanges.errors import BadReply, NotSupported, OutcomeUnknown, Refusal, VenueRefused, VenueUnreachable
from exchanges.gate import wire_account, wire_market, wire_orders, wire_rules
from exchanges.gate.codes import CODES
from exchanges.gate.contracts import renewed
from exchanges.gate.tongue import RESET, GateHttp, GateOrders, refusal_in
from exchanges.outcome import Effect, Reply, judge
from exchanges.port import ConfigurationChanged, Position
from exchanges.session.http import PAUSE_S_MAX
from exchanges.session.request_socket import Unsuccessful
from exchanges.session.settings import Credentials
from grid.order import OrderStatus, Side
from tests.unit import gate_messages as told

CONTRACTS = wire_rules.contracts(told.CONTRACTS)


def test_contracts_become_instruments_in_base_currency() -> None:
    whole, parts = CONTRACTS["BTC_USDT"], CONTRACTS["ETH_USDT"]

    assert set(CONTRACTS) == {"BTC_USDT", "ETH_USDT"}
    assert (whole.instrument.symbol, whole.instrument.step, whole.unit) == ("BTCUSDT", Decimal("0.0001"), Decimal(1))
    assert (parts.instrument.step, parts.unit) == (Decimal("0.001"), Decimal("0.1"))
    assert whole.instrument.notional_min == 0
    assert whole.instrument.orders_max == 100


def test_a_contract_of_another_size_keeps_the_old_one_and_stops() -> None:
    changed = wire_rules.contracts([told.contract(quanto_multiplier="0.001")])
    taken = renewed({"BTC_USDT": CONTRACTS["BTC_USDT"]}, changed)

    assert taken.contracts["BTC_USDT"].instrument.step == Decimal("0.0001")
    assert not taken.instruments["BTCUSDT"].trading
    assert "BTCUSDT" in taken.changes


def test_an_order_in_both_forms() -> None:
    resting = wire_orders.report(told.order(), CONTRACTS)
    filled = wire_orders.report(told.order_event(), CONTRACTS)

    assert (resting.side, resting.quantity, resting.filled, resting.price) == (Side.SELL, 10, 0, 315033)
    assert (resting.client_id, resting.closing, resting.status) == ("my1", True, OrderStatus.NEW)
    assert resting.venue_ms == 1681195484462
    assert (filled.side, filled.quantity, filled.filled, filled.status) == (Side.BUY, 3, 3, OrderStatus.FILLED)
    assert filled.venue_ms == 1628736848321


@pytest.mark.parametrize(
    ("word", "left", "status", "reason"),
    [
        ("cancelled", 3, OrderStatus.CANCELED, ""),
        ("cancelled", 1, OrderStatus.CANCELED, ""),
        ("ioc", 1, OrderStatus.EXPIRED, "ioc"),
        ("reduce_out", 3, OrderStatus.EXPIRED, "reduce_out"),
        ("something_new", 3, OrderStatus.EXPIRED, "something_new"),
        ("ioc", 0, OrderStatus.FILLED, ""),
    ],
)
def test_each_end_of_an_order(word: str, left: int, status: OrderStatus, reason: str) -> None:
    report = wire_orders.report(told.order_event(finish_as=word, left=left), CONTRACTS)

    assert (report.status, report.expiry_reason, report.filled) == (status, reason, 3 - left)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("liquidation", "liquidation"),
        ("insurance", "liquidation"),
        ("auto_deleveraging", "auto-deleveraging"),
        ("web", ""),
        ("-", ""),
    ],
)
def test_what_the_venue_itself_did_is_a_decree_and_other_hands_are_told_apart(text: str, words: str) -> None:
    first = wire_orders.report(told.order_event(text=text), CONTRACTS)
    other = wire_orders.report(told.order_event(text=text, id=5), CONTRACTS)

    assert decree_of(first.client_id) == words
    assert first.client_id != other.client_id


def test_a_trade_tells_its_fee_in_the_asset_that_was_paid() -> None:
    usual = wire_orders.trade(told.trade(), CONTRACTS)
    points = wire_orders.trade(told.trade(fee=0, point_fee=0.5), CONTRACTS)
    parts = wire_orders.trade(told.trade(contract="ETH_USDT", size="-0.5", role="taker"), CONTRACTS)

    assert (usual.fee, usual.fee_asset, usual.is_maker, usual.quantity) == (Decimal("0.0008"), "USDT", True, 1)
    assert (points.fee, points.fee_asset) == (Decimal("0.5"), "POINT")
    assert (parts.side, parts.quantity) == (Side.SELL, 5)


@pytest.mark.parametrize(
    "row",
    [
        told.trade(size=0),
        told.trade(size="0.5"),
        told.trade(role="nobody"),
        told.trade(price="40000.44"),
        told.trade(price="0"),
    ],
)
def test_a_trade_that_can_not_be_is_refused(row: wire.Row) -> None:
    with pytest.raises(BadReply):
        wire_orders.trade(row, CONTRACTS)


def test_an_unknown_contract_asks_for_the_rules() -> None:
    with pytest.raises(wire.UnknownSymbol):
        wire_orders.report(told.order(contract="NEW_USDT"), CONTRACTS)


def test_a_changed_leverage_is_told_and_a_hedge_is_named() -> None:
    known = {"BTCUSDT": _held(3, leverage=7)}
    changed = wire_account.streamed(told.position_event(), CONTRACTS, known)
    moved = wire_account.streamed(told.position_event(size=5), CONTRACTS, known)
    hedged = wire_account.streamed(told.position_event(mode="dual_long"), CONTRACTS, {})

    assert changed == [ConfigurationChanged(what="leverage of BTCUSDT is 5", symbol="BTCUSDT")]
    assert [type(one) for one in moved] == [Position]
    assert isinstance(hedged[0], ConfigurationChanged)
    assert "hedge" in hedged[0].what


def test_a_reading_of_a_hedge_is_refused() -> None:
    row = {"contract": "BTC_USDT", "size": "1", "mode": "dual_long"}
    with pytest.raises(NotSupported, match="one-way"):
        wire_account.position(row, CONTRACTS)


@pytest.mark.parametrize(
    ("changes", "one_way", "many"),
    [({}, True, False), ({"in_dual_mode": True}, False, False), ({"margin_mode": 1}, True, True)],
)
def test_the_modes_of_an_account(changes: dict[str, Any], one_way: bool, many: bool) -> None:
    row = {"currency": "USDT", "total": "10", "available": "9", "unrealised_pnl": "0", "in_dual_mode": False}
    account = wire_account.account({**row, **changes}, "USDT")

    assert (account.is_one_way, account.is_multi_asset) == (one_way, many)


def test_a_book_with_an_empty_side_is_no_quote() -> None:
    row = {"t": 1, "u": 5, "s": "BTC_USDT", "b": "", "B": 0, "a": "40000.1", "A": 7}

    assert wire_market.streamed_quote({"result": row}, CONTRACTS, 0) is None
    quote = wire_market.streamed_quote({"result": {**row, "b": "40000", "B": 3}}, CONTRACTS, 0)
    assert quote is not None
    assert (quote.bid, quote.bid_quantity, quote.ask_quantity) == (400000, 3, 7)


@pytest.mark.parametrize(
    ("label", "refusal"),
    [
        ("ORDER_POC_IMMEDIATE", Refusal.POST_ONLY_WOULD_TAKE),
        ("INCREASE_POSITION", Refusal.REDUCE_ONLY_CONFLICT),
        ("INSUFFICIENT_AVAILABLE", Refusal.MARGIN),
        ("ORDER_NOT_FOUND", Refusal.UNKNOWN_ORDER),
        ("REQUEST_EXPIRED", Refusal.CLOCK),
    ],
)
def test_each_label_has_its_word(label: str, refusal: Refusal) -> None:
    reply = GateHttp().refusal({"label": label, "message": "no"}, 400, None)
    assert reply is not None
    error = judge(reply, Effect.WRITE, CODES)

    assert isinstance(error, VenueRefused)
    assert error.refusal is refusal


@pytest.mark.parametrize("label", ["INTERNAL", "SERVER_ERROR", "TOO_BUSY", "A_LABEL_OF_TOMORROW"])
def test_every_other_label_leaves_an_order_unknown(label: str) -> None:
    for status in (400, 500):
        assert isinstance(judge(Reply(status=status, code=label, message=""), Effect.WRITE, CODES), OutcomeUnknown)


def test_a_placed_order_of_a_batch_is_no_refusal() -> None:
    assert refusal_in({"succeeded": True, "label": "", **told.order()}, 400, None) is None
    assert refusal_in({"succeeded": False, "label": "SIZE_TOO_SMALL", "detail": "x"}, 400, None) is not None


DATE = "Wed, 20 Sep 2023 08:00:00 GMT"
DATE_S = 1_695_196_800


@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [
        ({"Date": DATE, RESET: str(DATE_S + 8)}, 8.0),
        ({"Date": DATE, RESET: str((DATE_S + 8) * 1000 + 500)}, 8.5),
        ({"Date": DATE, RESET: str(DATE_S), "Retry-After": "3"}, 3.0),
        ({"Date": DATE, RESET: str(DATE_S - 5)}, None),
        ({"Date": DATE, RESET: "soon"}, None),
        ({"Date": "today", RESET: str(DATE_S + 8)}, None),
        ({RESET: str(DATE_S + 8)}, None),
        ({"Date": DATE, RESET: str(DATE_S * 2000)}, PAUSE_S_MAX),
    ],
)
def test_a_limit_lasts_until_the_moment_that_is_named(headers: dict[str, str], pause_s: float | None) -> None:
    assert GateHttp().pause_s(headers) == pause_s


def test_a_limit_over_the_socket_lasts_until_the_moment_that_is_named() -> None:
    tongue = GateOrders(Credentials(api_key="k", api_secret="s"), lambda: 0)
    head = {"status": "429", "response_time": "1695196800000", "x_gate_ratelimit_reset_timestamp": 1695196808000}
    with pytest.raises(Unsuccessful) as caught:
        tongue.result({"header": head, "data": {"errs": {"label": "TOO_MANY_REQUESTS", "message": "no"}}})
    error = judge(caught.value.reply, Effect.WRITE, CODES)

    assert isinstance(error, VenueUnreachable)
    assert (error.banned, error.retry_after_s) == (True, 8.0)


def test_an_acknowledgement_answers_nothing() -> None:
    tongue = GateOrders(Credentials(api_key="k", api_secret="s"), lambda: 0)

    assert tongue.number({"request_id": "7", "ack": True}) is None
    assert tongue.number({"request_id": "7", "ack": False}) == "7"
    assert tongue.number({"request_id": "7"}) == "7"


def test_every_recorded_contract_and_frame_is_read(shared_data: Path) -> None:
    listed = shared_data / "exchange_info" / "gate_futures_usdt_contracts_2023-05-24.json.gz"
    frames = shared_data / "ws_recordings" / "gate_futures_usdt_2023-05-24.log.xz"
    if not listed.is_file() or not frames.is_file():
        pytest.skip("the recordings are not here: ../shared/data is absent")
    rows = json.loads(gzip.decompress(listed.read_bytes()))
    contracts = wire_rules.contracts(rows)
    quotes, candles = 0, 0
    for line in lzma.decompress(frames.read_bytes()).decode().splitlines():
        _, _, text = line.partition(": ")
        message = json.loads(text) if text.startswith("{") else {}
        if message.get("event") != "update":
            continue
        if message["channel"] == "futures.book_ticker":
            quotes += wire_market.streamed_quote(message, contracts, 0) is not None
        if message["channel"] == "futures.candlesticks":
            candles += len(wire_market.streamed_candles(message, contracts))

    assert len(contracts) == 302
    assert all(contracts[row["name"]].instrument.step == Decimal(row["quanto_multiplier"]) for row in rows)
    assert (quotes, candles) == (75, 1)


def _held(quantity: int, leverage: int) -> Position:
    return Position(
        symbol="BTCUSDT",
        quantity=quantity,
        entry_price=Decimal(40000),
        mark_price=Decimal(40000),
        unrealised=Decimal(0),
        liquidation=None,
        leverage=leverage,
        is_isolated=False,
        venue_ms=1,
    )
