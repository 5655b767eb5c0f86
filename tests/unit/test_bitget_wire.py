"""Messages of Bitget, as its documents show them, in our words."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges import wire
from exchanges.bitget import wire_account, wire_market, wire_orders, wire_rules
from exchanges.bitget.codes import CODES
from exchanges.bitget.private_stream import PrivateStream
from exchanges.bitget.tongue import BitgetOrders, BitgetStreams, refusal_in
from exchanges.desk.decrees import decree_of
from exchanges.errors import BadReply, NotSupported, OutcomeUnknown, Refusal, VenueRefused, VenueUnreachable
from exchanges.outcome import Effect, judge
from exchanges.port import ConfigurationChanged, Position
from exchanges.session.buffers import WholeBuffer
from exchanges.session.request_socket import Unsuccessful
from exchanges.session.settings import Credentials
from exchanges.session.subscription import Confirmed, Refused, Told
from grid.order import OrderRequest, OrderStatus, Side
from tests.unit import bitget_messages as messages
from tests.unit.bitget_messages import FILL, RULES

KEYS = Credentials(api_key="k", api_secret="s", passphrase="p")
REQUEST = OrderRequest(symbol="ETHUSDT", client_id="a1", side=Side.BUY, price=300000, quantity=40, closing=False)


def test_an_accepted_order_and_its_fill_are_told() -> None:
    accepted = wire_orders.update(messages.order_event(), RULES)
    filled = wire_orders.update(messages.order_event(**FILL), RULES)

    assert (accepted.report.status, accepted.report.price, accepted.report.quantity) == (OrderStatus.NEW, 300000, 40)
    assert accepted.fill is None
    assert (filled.report.status, filled.report.filled) == (OrderStatus.PARTIALLY_FILLED, 10)
    assert filled.fill is not None
    assert (filled.fill.price, filled.fill.quantity, filled.fill.fee) == (300000, 10, Decimal("0.06"))
    assert (filled.fill.is_maker, filled.fill.venue_ms, filled.fill.fee_asset) == (True, 1760461517300, "USDT")


def test_a_fill_without_its_fee_is_left_to_the_trades() -> None:
    update = wire_orders.update(messages.order_event(**{**FILL, "fillFee": ""}), RULES)

    assert (update.report.filled, update.fill) == (10, None)


def test_a_cancelled_order_does_not_tell_its_last_fill_again() -> None:
    update = wire_orders.update(messages.order_event(**{**FILL, "status": "canceled"}), RULES)

    assert (update.report.status, update.report.filled, update.fill) == (OrderStatus.CANCELED, 10, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"force": "post_only", "uTime": "1760461517274", "cancelReason": "normal_cancel"}, "post_only"),
        ({"force": "post_only", "uTime": "1760461517274", "cancelReason": ""}, "post_only"),
        ({"force": "post_only", "uTime": "1760461519274", "cancelReason": "normal_cancel"}, ""),
        ({"force": "post_only", "uTime": "1760461519274", "cancelReason": "post_only_cancel"}, "post_only"),
        ({"force": "post_only", "accBaseVolume": "0.1", "cancelReason": "normal_cancel"}, ""),
        ({"force": "gtc", "cancelReason": "normal_cancel"}, ""),
        ({"force": "gtc", "cancelReason": "stp_cancel"}, "stp_cancel"),
    ],
)
def test_a_post_only_order_that_never_rested_is_told_from_one_that_was_withdrawn(
    changes: dict[str, str], reason: str
) -> None:
    update = wire_orders.update(messages.order_event(status="canceled", **changes), RULES)

    assert update.report.expiry_reason == reason


@pytest.mark.parametrize(
    ("trade_side", "words"),
    [
        ("burst_sell_single", "liquidation"),
        ("reduce_sell_single", "liquidation"),
        ("dte_sys_adl_sell_in_single_side_mode", "auto-deleveraging"),
        ("delivery_sell_single", "settlement of the contract"),
        ("sell_single", ""),
    ],
)
def test_the_venue_s_own_orders_carry_the_words_of_the_desk(trade_side: str, words: str) -> None:
    streamed = wire_orders.update(messages.order_event(tradeSide=trade_side, side="sell"), RULES).report
    read = wire_orders.report(messages.detail(tradeSide=trade_side, side="sell"), RULES)

    assert (decree_of(streamed.client_id), decree_of(read.client_id)) == (words, words)


def test_a_liquidation_off_the_tick_is_rounded_against_us_and_nobody_else_s_fill_is() -> None:
    odd = {**FILL, "fillPrice": "2999.999", "side": "sell"}
    taken = wire_orders.update(messages.order_event(**odd, tradeSide="burst_sell_single"), RULES)

    assert taken.fill is not None
    assert taken.fill.price == 299999
    with pytest.raises(BadReply, match="fillPrice"):
        wire_orders.update(messages.order_event(**odd), RULES)


def test_an_order_is_read_back_and_a_trade_without_client_id() -> None:
    report = wire_orders.report(messages.detail(), RULES)
    fill = wire_orders.trade(messages.fill_row(), RULES)

    assert (report.status, report.filled, report.closing, report.client_id) == (OrderStatus.FILLED, 200, True, "77777")
    assert (fill.client_id, fill.fee, fill.side, fill.is_maker) == ("", Decimal("0.02161596"), Side.SELL, False)


def test_an_acknowledgement_may_lack_the_venue_s_id_but_not_be_another_order_s() -> None:
    assert wire_orders.acknowledged({"clientOid": "a1", "orderId": "9"}, REQUEST).order_id == "9"
    assert wire_orders.acknowledged({"clientOid": "a1", "orderId": None}, REQUEST).order_id == ""
    wrong: Any
    for wrong in ({"clientOid": "b2", "orderId": "9"}, {}, {"clientOid": "", "orderId": None}, []):
        with pytest.raises(BadReply):
            wire_orders.acknowledged(wrong, REQUEST)


def test_positions_have_a_sign_and_a_hedge_is_refused() -> None:
    held = wire_account.position(messages.position(), RULES)

    assert (held.quantity, held.leverage, held.is_isolated, held.venue_ms) == (-1, 20, True, 1691382137999)
    assert wire_account.position(messages.position(liquidationPrice="-4"), RULES).liquidation is None
    with pytest.raises(NotSupported, match="one-way"):
        wire_account.position(messages.position(posMode="hedge_mode"), RULES)


def test_the_account_is_read_with_its_modes() -> None:
    account = wire_account.account(messages.account(unrealizedPL="10"))

    assert (account.wallet, account.unrealised) == (Decimal("13168.86110692"), Decimal(10))
    assert (account.is_one_way, account.is_multi_asset) == (True, False)
    assert not wire_account.account(messages.account(posMode="hedge_mode")).is_one_way
    assert wire_account.account(messages.account(assetMode="union")).is_multi_asset
    assert wire_account.terms(messages.account(marginMode="isolated")) == wire_account.Terms(
        margin_mode="isolated", leverage=7
    )


def test_one_bill_of_a_trade_is_its_profit_and_its_fee() -> None:
    bill = {"billId": "1", "symbol": "ETHUSDT", "amount": "2.5", "fee": "-0.2", "coin": "USDT", "cTime": "5"}

    traded = wire_account.income({**bill, "businessType": "sell"})
    opened = wire_account.income({**bill, "amount": "0", "businessType": "buy"})
    funding = wire_account.income({**bill, "fee": "0", "businessType": "contract_settle_fee"})

    assert [(row.kind, row.amount) for row in traded] == [
        ("REALIZED_PNL", Decimal("2.5")),
        ("COMMISSION", -Decimal("0.2")),
    ]
    assert [row.kind for row in opened] == ["COMMISSION"]
    assert [row.kind for row in funding] == ["FUNDING_FEE"]


def test_a_contract_becomes_an_instrument() -> None:
    read = wire_rules.instrument(messages.contract())

    assert (read.tick, read.step, read.quantity_min) == (Decimal("0.5"), Decimal("0.01"), 1)
    assert (read.percent_up, read.percent_down, read.trading) == (Decimal("1.05"), Decimal("0.95"), True)
    assert not wire_rules.instrument(messages.contract(symbolStatus="limit_open")).trading
    assert wire_rules.instruments([messages.contract(symbolType="delivery")]) == {}
    for key, wrong in (("pricePlace", "40"), ("sizeMultiplier", "0"), ("priceEndStep", "x")):
        with pytest.raises(BadReply):
            wire_rules.instrument(messages.contract(**{key: wrong}))


def test_every_recorded_contract_becomes_an_instrument(shared_data: Path) -> None:
    """The list is of the interface before this one, which named fewer things: those are added."""
    path = shared_data / "exchange_info/bitget_mix_v1_contracts_umcbl_2022-04-07.json.gz"
    with gzip.open(path) as file:
        rows = json.load(file)["data"]
    added = {"symbolStatus": "normal", "maxOrderQty": "", "minTradeUSDT": "5"}
    whole = [{**added, "sizeMultiplier": str(Decimal(1).scaleb(-int(row["volumePlace"]))), **row} for row in rows]

    read = wire_rules.instruments(whole)

    assert len(read) == len(rows) > 40
    assert (read["BTCUSDT_UMCBL"].tick, read["ETHUSDT_UMCBL"].tick) == (Decimal("0.5"), Decimal("0.01"))


def event(channel: str, data: Any, symbol: str = "ETHUSDT") -> wire.Row:
    return {
        "action": "snapshot",
        "arg": {"instType": "USDT-FUTURES", "channel": channel, "instId": symbol},
        "data": data,
    }


def test_quotes_candles_and_marks() -> None:
    book = {"asks": [["27000.5", "8.76"]], "bids": [["27000.0", "2.71"]], "seq": 123, "ts": "1695716059516"}
    number, quote = wire_market.streamed_quote(event("books1", [book]), RULES, 7)
    _, empty = wire_market.streamed_quote(event("books1", [{**book, "asks": []}]), RULES, 7)
    rows = [["1695685560000", "2", "4", "1", "3", "1", "9"], ["1695685500000", "1", "3", "1", "2", "5", "9"]]
    candles = wire_market.streamed_candles(event("candle1m", rows), 60_000)
    ticker = {"instId": "ETHUSDT", "markPrice": "27000.3", "ts": "1695715383021"}

    assert quote is not None
    assert (number, quote.bid, quote.ask, empty) == (123, 2700000, 2700050, None)
    assert [(one.open_ms, one.is_closed) for one in candles] == [(1695685500000, True), (1695685560000, False)]
    assert wire_market.mark(event("ticker", [ticker])) == ("ETHUSDT", Decimal("27000.3"), 1695715383021)
    with pytest.raises(BadReply, match="crossed"):
        wire_market.streamed_quote(event("books1", [{**book, "bids": [["27001", "1"]]}]), RULES, 7)
    with pytest.raises(NotSupported, match="1s"):
        wire_market.interval_of("1s")


def test_streams_are_confirmed_one_by_one() -> None:
    tongue = BitgetStreams()
    arg = {"instType": "USDT-FUTURES", "channel": "books1", "instId": "ETHUSDT"}
    many = tongue.requests([f"books1/S{number}USDT" for number in range(60)])

    assert tongue.requests(["books1/ETHUSDT"]) == [{"op": "subscribe", "args": [arg]}]
    assert [len(frame["args"]) for frame in many] == [25, 25, 10]
    assert tongue.hear({"event": "subscribe", "arg": arg}) == Confirmed(names=("books1/ETHUSDT",))
    assert tongue.hear({"event": "error", "code": 30001, "msg": "no"}) == Refused(words="30001 no")
    assert isinstance(tongue.hear(event("books1", [])), Told)


def reply(**changes: Any) -> wire.Row:
    arg = {"id": "life-3", "channel": "place-order", "instId": "ETHUSDT", "params": {"orderId": "9", "clientOid": "a1"}}
    return {"event": "trade", "arg": [arg], "code": 0, "msg": "Success", **changes}


def test_an_answer_of_the_order_socket_belongs_to_its_request() -> None:
    tongue = BitgetOrders(KEYS, lambda: 0, "life")

    assert tongue.number(reply()) == "3"
    assert tongue.result(reply()) == {"orderId": "9", "clientOid": "a1"}
    assert tongue.number(reply(arg=[{"id": "other-3"}])) is None
    with pytest.raises(Unsuccessful) as caught:
        tongue.result(reply(event="error", code=43012, msg="Insufficient balance"))
    refused = judge(caught.value.reply, Effect.WRITE, CODES)
    assert isinstance(refused, VenueRefused)
    assert refused.refusal is Refusal.MARGIN
    with pytest.raises(BadReply):
        tongue.result({"event": "trade", "arg": []})


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("40762", VenueRefused),
        ("40010", OutcomeUnknown),
        ("40725", OutcomeUnknown),
        ("99999", OutcomeUnknown),
        ("429", VenueUnreachable),
    ],
)
def test_only_a_listed_code_is_final(code: str, kind: type[Exception]) -> None:
    found = refusal_in({"code": code, "msg": "words"}, 400, None)

    assert found is not None
    assert type(judge(found, Effect.WRITE, CODES)) is kind
    assert refusal_in({"code": "00000"}, 400, None) is None


async def test_a_position_that_is_no_longer_listed_is_flat_and_a_changed_leverage_is_told() -> None:
    buffer: WholeBuffer[Any] = WholeBuffer(10)
    known: dict[str, Position] = {}
    terms = {"BTCUSDT": wire_account.Terms(margin_mode="isolated", leverage=10)}

    async def reload() -> None:
        raise AssertionError("every symbol is known")

    stream = PrivateStream(
        buffer=buffer, instruments=lambda: RULES, reload_rules=reload, known_positions=known, terms=terms
    )
    row = {key: value for key, value in messages.position().items() if key != "symbol"} | {"instId": "BTCUSDT"}
    await stream.take("private", {**event("positions", [row], "default"), "ts": 1691382138000})
    await stream.take("private", {**event("positions", [], "default"), "ts": 1691382139000})
    told = [await buffer.get() for _ in range(3)]

    assert told[0] == ConfigurationChanged(what="leverage of BTCUSDT is 20", symbol="BTCUSDT", leverage=20)
    assert [one.quantity for one in told[1:]] == [-1, 0]
    assert known["BTCUSDT"].quantity == 0
