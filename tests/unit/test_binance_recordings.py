"""Recorded and published messages of the real venue parse, whole files of them."""

from __future__ import annotations

import gzip
import json
import lzma
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges import wire
from exchanges.binance import quota, wire_account, wire_market, wire_orders, wire_rules
from exchanges.port import Position
from exchanges.wire import Instruments
from grid.order import OrderUpdate
from tests.unit.binance_messages import instrument

OFFICIAL = "fixtures/binance_official_sdk_expected"
SAMPLES: Instruments = {
    symbol: instrument(symbol, tick="0.00001", step="0.001")
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "ADAUSDT", "BNBUSDT")
}


@pytest.fixture(scope="session")
def fixtures(shared_data: Path) -> Path:
    folder = shared_data.parent / OFFICIAL
    if not folder.is_dir():
        pytest.skip("the published payloads are not here: ../shared/fixtures is absent")
    return folder


def payloads(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())["payloads"]
    return found


@pytest.fixture(scope="session")
def listed(shared_data: Path) -> Any:
    with gzip.open(shared_data / "exchange_info/binance_usdm_exchangeInfo_2025-11-26.json.gz") as file:
        return json.load(file)


def test_every_listed_symbol_becomes_an_instrument(listed: Any) -> None:
    rules = wire_rules.venue_rules(listed, 2000)

    unlisted = [row["symbol"] for row in listed["symbols"] if row["symbol"] not in rules.instruments]

    assert len(rules.instruments) + len(unlisted) == 647
    assert all(row["status"] != "TRADING" for row in listed["symbols"] if row["symbol"] in unlisted)
    assert sum(one.trading for one in rules.instruments.values()) > 500
    for one in rules.instruments.values():
        assert 0 < one.price_min <= one.price_max
        assert 0 < one.quantity_min <= one.quantity_max
    assert rules.instruments["BTCUSDT"].tick == Decimal("0.10")
    assert {(w.kind, w.interval_ms) for w in rules.rate_windows} == {
        ("weight", 60_000),
        ("orders", 60_000),
        ("orders", 10_000),
    }


def test_recorded_user_events_parse(shared_data: Path, listed: Any) -> None:
    # ticks and steps of the days of recording, not of the day of the list
    finer = {symbol: instrument(symbol, tick="0.00001", step="0.001") for symbol in ("BTCUSDT", "SOLUSDT", "XRPUSDT")}
    rules = {**wire_rules.instruments(listed), **finer}
    lines = (shared_data / "ws_recordings/binance_usdm_user_data_events.jsonl").read_text().splitlines()
    kinds: Counter[str] = Counter()
    for line in lines:
        message = json.loads(line)["raw"]
        kind = message.get("e", "ORDER_TRADE_UPDATE")
        kinds[kind] += 1
        if kind == "ORDER_TRADE_UPDATE":
            update = wire_orders.update(message, rules)
            assert (update.fill is not None) == (message["o"]["x"] == "TRADE")
        elif kind == "ACCOUNT_UPDATE":
            (position,) = wire_account.streamed_positions(message, rules, {})
            assert isinstance(position, Position)
            assert position.quantity == 5000

    assert kinds == {"ORDER_TRADE_UPDATE": 4, "ACCOUNT_UPDATE": 1, "TRADE_LITE": 1}


def test_the_recorded_fill_is_exact(shared_data: Path, listed: Any) -> None:
    lines = (shared_data / "ws_recordings/binance_usdm_user_data_events.jsonl").read_text().splitlines()
    message = next(raw for line in lines if (raw := json.loads(line)["raw"]).get("o", {}).get("x") == "TRADE")
    bitcoin = instrument("BTCUSDT", tick="0.01")
    update: OrderUpdate = wire_orders.update(message, {"BTCUSDT": bitcoin})

    assert update.fill is not None
    assert bitcoin.price(update.fill.price) == Decimal("39849.93")
    assert (update.fill.fee, update.fill.fee_asset, update.fill.is_maker) == (Decimal("15.93997200"), "USDT", False)


def test_a_recorded_market_session_parses_whole(shared_data: Path, listed: Any) -> None:
    path = shared_data / "ws_recordings/binance_usdm_SUSHI_AKRO_KEEP_CTK_2021-07-22.log.xz"
    rules = {
        symbol: instrument(symbol, tick="0.00001", step="1")
        for symbol in ("SUSHIUSDT", "AKROUSDT", "KEEPUSDT", "CTKUSDT")
    }
    kinds: Counter[str] = Counter()
    closed = 0
    with lzma.open(path, "rt") as file:
        for line in file:
            if line.startswith("wss://"):
                continue
            data = json.loads(line.partition(": ")[2]).get("data", {})
            kinds[data.get("e", "")] += 1
            if data.get("e") == "bookTicker":
                assert wire_market.streamed_quote(data, rules, 0) is not None
            elif data.get("e") == "kline":
                closed += wire_market.streamed_candle(data).is_closed

    assert kinds["bookTicker"] > 100
    assert closed == 4


def test_published_orders_parse(fixtures: Path) -> None:
    rest, socket = payloads(fixtures, "trade_api__rest_api"), payloads(fixtures, "trade_api_ws_api__websocket_api")
    singles = [rest["cancel_order"], rest["new_order"], rest["modify_order"], rest["query_order"]]
    singles += [socket[name]["result"] for name in ("new_order", "cancel_order", "query_order")]
    lists = [rest[name] for name in ("all_orders", "current_all_open_orders")]

    assert all(wire_orders.report(row, SAMPLES).order_id for row in singles)
    assert all(wire_orders.reports(rows, SAMPLES) for rows in lists)


def test_published_trades_parse(fixtures: Path) -> None:
    (row,) = payloads(fixtures, "trade_api__rest_api")["account_trade_list"]
    fill = wire_orders.trade(row, SAMPLES)

    assert (fill.trade_id, fill.order_id, fill.fee, fill.client_id) == ("698759", "25851813", Decimal("0.07819010"), "")


def test_published_account_parses(fixtures: Path) -> None:
    found = payloads(fixtures, "account_api__rest_api")
    account = wire_account.account(
        found["account_information_v3"],
        found["futures_account_configuration"],
        "USDT",
        burns_other_asset=wire.flag(found["get_bnb_burn_status"], "feeBurn", "feeBurn"),
    )

    assert (account.wallet, account.available) == (Decimal("23.72469206"), Decimal("23.72469206"))
    assert (account.is_one_way, account.is_multi_asset, account.can_trade) == (False, False, True)
    assert wire_account.fee_rates(found["user_commission_rate"]).maker == Decimal("0.0002")
    (row,) = wire_account.income(found["get_income_history"])
    assert (row.kind, row.transaction_id, row.amount) == ("TRANSFER", "9689322392", Decimal("-0.37500000"))


def test_published_positions_parse(fixtures: Path) -> None:
    rows = payloads(fixtures, "trade_api_ws_api__websocket_api")["position_information"]["result"]

    (held,) = wire_account.positions(rows, SAMPLES, ["BTCUSDT"])

    assert (held.quantity, held.leverage, held.is_isolated) == (0, 10, True)


def test_published_market_messages_parse(fixtures: Path) -> None:
    public = payloads(fixtures, "public_api_ws_streams__websocket_streams")
    market = payloads(fixtures, "market_api_ws_streams__websocket_streams")
    quote = wire_market.streamed_quote(public["individual_symbol_book_ticker_streams"], SAMPLES, 0)

    assert quote is not None
    assert quote.symbol == "BNBUSDT"
    assert wire_market.streamed_candle(market["kline_candlestick_streams"]).symbol
    assert wire_market.mark(market["mark_price_stream"])[1] > 0


def test_published_quota_parses(fixtures: Path) -> None:
    reply = payloads(fixtures, "trade_api_ws_api__websocket_api")["new_order"]
    used = quota.from_reply(reply["rateLimits"], 0)

    assert used is not None
    assert used.used == {("orders", 10_000): 1}
